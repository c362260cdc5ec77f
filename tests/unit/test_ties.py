"""What was said at the same moment: the order in which a poll lists it is the platform's, and what stands in the wrong place says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugin.contracts.platform import Polled
from plugin.domain.events import MessageReceived
from plugin.handlers import wording
from plugin.testing.fake_platform import FakePlatform
from tests.engine import Engine

MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Hasty(FakePlatform):
    """A network on which people say several things at one moment. Every poll lists all of it, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[MessageReceived] = []

    def says(self, words: str, *, at: datetime = MOMENT) -> MessageReceived:
        event = replace(self.say("maria", words), occurred_at=at)
        self.said.append(event)
        return event

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        return Polled(events=tuple(self.said), position={"polls": (position or {}).get("polls", 0) + 1})


@pytest.fixture
def network() -> Hasty:
    return Hasty()


@pytest.fixture
def engine(database_url: str, network: Hasty) -> Iterator[Engine]:
    engine = Engine(database_url, network=network)
    yield engine
    engine.close()


def poll(engine: Engine) -> None:
    engine.rows("UPDATE cursor SET due_at = now() RETURNING task")
    engine.poller.poll_due()
    engine.settle()


def filed(engine: Engine) -> list[tuple[str, int]]:
    """What stands in the ticket, and how often it says that it was told late."""
    (ticket,) = engine.helpdesk.tickets
    said = [article.text.plain for article in ticket.articles if not article.internal]
    return [(words.partition("\n")[0], words.count(wording.OVERTAKEN)) for words in said]


def test_what_a_poll_lists_before_what_a_webhook_brought_says_that_it_was_told_late(engine: Engine, network: Hasty) -> None:
    network.says("first")
    engine.tell(network.says("second"))
    engine.settle()
    network.says("third")
    poll(engine)
    assert filed(engine) == [("second", 0), ("first", 1), ("third", 0)]


def test_what_one_poll_brings_stands_in_its_order_and_says_nothing(engine: Engine, network: Hasty) -> None:
    for words in ("first", "second", "third"):
        network.says(words)
    poll(engine)
    assert filed(engine) == [("first", 0), ("second", 0), ("third", 0)]


def test_what_a_poll_lists_after_what_a_webhook_brought_is_in_its_place(engine: Engine, network: Hasty) -> None:
    engine.tell(network.says("first"))
    engine.settle()
    network.says("second")
    poll(engine)
    assert filed(engine) == [("first", 0), ("second", 0)]


def test_it_is_said_once_where_the_times_tell_it_too(engine: Engine, network: Hasty) -> None:
    network.says("first")
    engine.tell(network.says("second"), network.says("later", at=MOMENT + timedelta(seconds=1)))
    engine.settle()
    poll(engine)
    assert filed(engine) == [("second", 0), ("later", 0), ("first", 1)]
