"""The comment box, the bridge's engine and a helpdesk: a whole conversation, with answers lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugin.contracts.capabilities import Idempotency
from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection
from plugin.domain.clock import SystemClock
from plugin.domain.errors import OutcomeUnknown
from plugin.domain.ids import ChannelKey
from plugin.platforms.webhook.adapter import PLATFORM
from plugin.testing.fakes import MemorySecrets
from tests.engine import CHANNEL, Engine

pytestmark = pytest.mark.servers


class LosesAnswers:
    """An HTTP client whose first answers to writes get lost after the other side did what was asked."""

    def __init__(self, http: Any, losses: int) -> None:
        self._http = http
        self.losses = losses

    def request(self, method: str, url: str, **given: Any) -> HttpResponse:
        answer: HttpResponse = self._http.request(method, url, **given)
        if method == "POST" and self.losses:
            self.losses -= 1
            raise OutcomeUnknown("The answer got lost.")
        return answer

    def download(self, url: str, **given: Any) -> HttpResponse:
        answer: HttpResponse = self._http.download(url, **given)
        return answer


@pytest.fixture(params=[True, False], ids=["repeats", "looks_up"])
def line(request: pytest.FixtureRequest, comment_box: Any, database_url: str) -> Iterator[tuple[Engine, LosesAnswers]]:
    """An engine on the comment box, whose other side is trusted to recognise a repeated call, or asked."""
    http = LosesAnswers(comment_box.transport.client(name="channel:fake"), 0)
    settings = PLATFORM.settings_schema.load({**comment_box.settings, "idempotent": request.param})
    connection = Connection(http=http, clock=SystemClock(), secrets=MemorySecrets(), webhook_url="https://desk.example/in/channel/fake")
    adapter: Any = PLATFORM.connect(ChannelKey("fake"), settings, connection)
    engine = Engine(database_url, network=adapter)
    yield engine, http
    engine.close()


def test_a_question_becomes_a_ticket_and_the_answer_stands_on_the_page_once(comment_box: Any, line: tuple[Engine, LosesAnswers]) -> None:
    engine, http = line
    comment_box.say("Lena", "Is it open on Sunday?")
    comment_box.say("Lena", "And is there parking?", reply_to="m1")
    for told in [*comment_box.heard, *comment_box.heard]:
        engine.receive(CHANNEL, told)
    engine.settle()
    assert engine.poller.poll_due() == 0
    assert engine.articles() == ["Is it open on Sunday?", "And is there parking?"]

    http.losses = 2 if engine.installation.adapter(CHANNEL).capabilities.idempotency is Idempotency.NATURAL else 1
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "Yes, from 9 to 5."))
    engine.settle()
    assert http.losses == 0
    assert comment_box.page().count("Yes, from 9 to 5.") == 1
    assert engine.balance().is_ok


def test_what_the_webhook_missed_the_poll_finds(comment_box: Any, line: tuple[Engine, LosesAnswers]) -> None:
    engine, _ = line
    comment_box.say("Lena", "Is it open on Sunday?")
    assert engine.poller.poll_due() == 1
    engine.receive(CHANNEL, comment_box.heard[0])
    engine.settle()
    assert engine.articles() == ["Is it open on Sunday?"]
