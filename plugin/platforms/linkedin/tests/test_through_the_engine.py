"""LinkedIn's stand-in, the bridge's engine and a helpdesk: webhook and poll tell one fact, an answer got lost, our own people, a deletion."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from plugin.contracts.http import WebhookRequest
from plugin.platforms.linkedin.adapter import LinkedInAdapter
from plugin.testing.fakes import FixedClock
from plugin.testing.standins.linkedin import CUSTOMER, PAGE, LinkedInStandIn
from tests.engine import CHANNEL, Engine
from tests.waiting import eventually

pytestmark = pytest.mark.servers


@pytest.fixture
def clock() -> FixedClock:
    """The moment at which the test began: the engine goes by the database's clock."""
    return FixedClock(datetime.now(UTC))


@pytest.fixture
def engine(adapter: LinkedInAdapter, database_url: str) -> Iterator[Engine]:
    network: Any = adapter
    engine = Engine(database_url, network=network)
    yield engine
    engine.close()


def push(linkedin: LinkedInStandIn, engine: Engine) -> None:
    """LinkedIn tells of the last thing that happened, twice as it does."""
    headers, body = linkedin.delivery()
    for _ in range(2):
        engine.receive(CHANNEL, WebhookRequest(method="POST", path="", headers=headers, query={}, body=body))
    engine.settle()


def ask(engine: Engine) -> None:
    with engine.database.begin() as connection:
        connection.exec_driver_sql("UPDATE cursor SET due_at = now()")
        connection.exec_driver_sql("UPDATE conversation SET looked_at = now() - interval '1 day'")
    engine.poller.poll_due()
    engine.settle()


def answers(linkedin: LinkedInStandIn) -> list[str]:
    return [one.text for one in linkedin.world.comments.values() if one.author == PAGE]


def test_a_whole_conversation(linkedin: LinkedInStandIn, engine: Engine, clock: FixedClock) -> None:
    comment = linkedin.world.say(CUSTOMER, "Where is my train?")
    push(linkedin, engine)
    ask(engine)
    assert engine.articles() == ["Where is my train?"]

    linkedin.arm("error_after", at=f"/rest/socialActions/{comment}/comments", value=502, times=1)
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "Platform 7."))
    engine.settle()
    ask(engine)
    assert answers(linkedin) == ["Platform 7."]

    linkedin.world.say(PAGE, "And it waits for you.", below=comment)
    ask(engine)
    assert engine.articles()[-1].endswith("And it waits for you.")
    assert answers(linkedin) == ["Platform 7.", "And it waits for you."]

    clock.advance(60)
    linkedin.world.say(CUSTOMER, "Thank you", below=comment)
    push(linkedin, engine)
    assert engine.articles()[-1] == "Thank you"
    assert len(engine.helpdesk.tickets) == 1

    linkedin.world.remove(comment, tells=False)

    def noticed() -> Any:
        ask(engine)
        return engine.rows("SELECT 1 FROM message WHERE deleted_at IS NOT NULL")

    eventually(noticed)
    assert engine.balance().is_ok
