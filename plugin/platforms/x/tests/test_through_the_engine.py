"""X's stand-in, the bridge's engine and a helpdesk: a whole conversation, with an answer lost on the way, an echo, a gap and a deletion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plugin.config import SearchConfig
from plugin.platforms.x.tests.conftest import Connected, Receiver
from plugin.testing.standins.x import ACCOUNT, CUSTOMER, XStandIn
from tests.engine import CHANNEL, Engine
from tests.waiting import eventually

pytestmark = pytest.mark.servers


class Line:
    """An engine to which X delivers."""

    def __init__(self, engine: Engine, receiver: Receiver) -> None:
        self.engine = engine
        self._receiver = receiver
        self._taken = 0

    def settle(self) -> None:
        """Hand over what X delivered, and work until nothing is due."""
        for request in self._receiver.requests[self._taken :]:
            self.engine.receive(CHANNEL, request)
            self._taken += 1
        self.engine.settle()

    def ask(self) -> None:
        """Make everything due that is asked again and again, and ask it."""
        with self.engine.database.begin() as connection:
            connection.exec_driver_sql("UPDATE cursor SET due_at = now()")
        self.engine.poller.poll_due()
        self.settle()

    def ask_until(self, look: Callable[[], Any]) -> None:
        """Ask until `look` finds something."""

        def asked() -> Any:
            self.ask()
            return look()

        eventually(asked)


@pytest.fixture
def line(connect: Callable[..., Connected], receiver: Receiver, database_url: str) -> Iterator[Line]:
    receiver.adapter = connect(webhook_url=receiver.url).adapter
    receiver.adapter.register_webhook()
    network: Any = receiver.adapter
    engine = Engine(database_url, network=network, searches={"brand": SearchConfig(query="Example Rail", a_day=100)})
    yield Line(engine, receiver)
    engine.close()


def answers(x: XStandIn) -> list[str]:
    return [post.text for post in x.world.posts.values() if post.author == ACCOUNT and post.parent]


def test_a_public_question_is_answered_once_though_the_answer_got_lost(x: XStandIn, line: Line) -> None:
    engine = line.engine
    asked = x.world.person_posts(CUSTOMER, "@ExampleRail where is my train?")
    x.hooks.settle()
    line.settle()
    assert engine.articles() == ["@ExampleRail where is my train?"]

    x.arm("error_after", at="tweets", value=502)
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "In Graz, see trains.example.com"))
    line.settle()
    x.hooks.settle()
    line.settle()
    assert answers(x) == ["In Graz, see trains.example.com"]

    x.world.person_posts(ACCOUNT, "And on its way.", reply_to=asked.id)
    x.hooks.settle()
    line.settle()
    assert engine.articles()[-1].endswith("And on its way.")
    assert len(answers(x)) == 2
    assert engine.balance().is_ok


def test_what_was_missed_is_found_and_what_was_deleted_is_noticed(x: XStandIn, line: Line) -> None:
    engine = line.engine
    line.ask()
    x.hooks.invalidate()
    asked = x.world.person_posts(CUSTOMER, "@ExampleRail where is my train?")
    x.world.person_writes(CUSTOMER, ACCOUNT, "And here is my number")
    line.ask_until(lambda: len(engine.helpdesk.tickets) == 2)
    assert {article for ticket in (0, 1) for article in engine.articles(ticket)} == {
        "@ExampleRail where is my train?",
        "And here is my number",
    }

    engine.tell_of_tickets(engine.helpdesk.reply(_ticket_of(engine, "And here is my number"), "Thanks. " * 100))
    line.settle()
    assert [message.text for message in x.world.messages.values() if message.sender == ACCOUNT] == [("Thanks. " * 100).strip()]

    x.world.person_deletes(asked.id)
    with engine.database.begin() as connection:
        connection.exec_driver_sql("UPDATE conversation SET looked_at = now() - interval '1 day'")
    line.ask_until(lambda: engine.rows("SELECT 1 FROM message WHERE deleted_at IS NOT NULL"))
    assert engine.balance().is_ok


def test_what_a_search_found_is_filed_and_says_that_it_cannot_be_answered(x: XStandIn, line: Line) -> None:
    x.world.person_posts(CUSTOMER, "Example Rail is late again")
    line.ask_until(lambda: line.engine.helpdesk.tickets)
    told = [*line.engine.articles(), *line.engine.notes()]
    assert any("Example Rail is late again" in one for one in told)
    assert any("mentioned" in one for one in told)


def _ticket_of(engine: Engine, words: str) -> Any:
    return next(ticket.ref for number, ticket in enumerate(engine.helpdesk.tickets) if words in engine.articles(number))
