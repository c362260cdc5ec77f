"""What a poll sees and cannot read is kept with its reason, once, and neither stops the poll nor stands in the way of what can be read later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from plugin.contracts.batches import unreadable_key
from plugin.contracts.platform import Polled, Skipped
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import PlatformEvent
from plugin.store import ledger
from plugin.testing.fake_platform import FakePlatform
from tests.engine import Engine


class Mumbling(FakePlatform):
    """A network whose lists hold what its adapter cannot read. Every poll sees all of it again."""

    def __init__(self) -> None:
        super().__init__()
        self.odd: list[Skipped] = []
        self.said: list[PlatformEvent] = []

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        return Polled(events=tuple(self.said), position={"polls": (position or {}).get("polls", 0) + 1}, skipped=tuple(self.odd))


@pytest.fixture
def network() -> Mumbling:
    return Mumbling()


@pytest.fixture
def engine(database_url: str, network: Mumbling) -> Iterator[Engine]:
    engine = Engine(database_url, network=network)
    yield engine
    engine.close()


def lost(key: str, payload: Any, why: str = "It has no author.") -> Skipped:
    return Skipped(event_key=key, reason=MalformedPayload(why, detail="author_id"), payload=payload)


def poll(engine: Engine) -> None:
    engine.rows("UPDATE cursor SET due_at = now() RETURNING task")
    engine.poller.poll_due()
    engine.settle()


def aside(engine: Engine) -> list[Any]:
    with engine.database.begin() as connection:
        return list(ledger.set_aside(connection))


def test_what_cannot_be_read_is_set_aside_once_with_its_reason_and_the_rest_is_filed(engine: Engine, network: Mumbling) -> None:
    network.odd = [lost("post:17", {"id": "17", "text": "Where is my order?"})]
    network.said = [network.say("maria", "Hello")]
    for _ in range(3):
        poll(engine)
    assert engine.articles() == ["Hello"]
    (row,) = aside(engine)
    assert (row.kind, row.what, row.reason) == ("event", "Skipped", "malformed_payload: It has no author. author_id")
    with engine.database.begin() as connection:
        assert ledger.find_events(connection, "post:17") == [row.id]
        assert "Where is my order?" in ledger.story(connection, row.id)["event"]["excerpt"]
        assert not ledger.replay(connection, "event", row.id, actor="ada"), "nothing of it is left to be read again"
        assert ledger.drop(connection, "event", row.id, actor="ada")
    poll(engine)
    assert not aside(engine), "what a person has decided stays decided"
    balance = engine.balance()
    assert balance.is_ok
    assert balance.reasons["ignored"] == {"dropped": 1}


def test_what_can_be_read_later_is_filed_though_it_was_set_aside_under_its_own_id(engine: Engine, network: Mumbling) -> None:
    message = network.say("maria", "Hello")
    network.odd = [lost(message.event_key, {"id": 1})]
    poll(engine)
    assert engine.helpdesk.tickets == ()
    network.odd, network.said = [], [message]
    poll(engine)
    assert engine.articles() == ["Hello"]


def test_what_is_ignored_under_an_events_own_id_is_never_told_as_that_event(engine: Engine, network: Mumbling) -> None:
    message = network.say("maria", "Hello")
    network.odd = [Skipped(event_key=message.event_key, reason=UnsupportedEvent("Not for us."))]
    poll(engine)
    network.odd, network.said = [], [message]
    poll(engine)
    assert engine.helpdesk.tickets == ()
    assert engine.balance().reasons["ignored"] == {"unsupported_event: Not for us.": 1}


_ODD: tuple[Any, ...] = (
    {"text": "a\0b\ud800c"},
    {"\0": 1},
    float("inf"),
    {"size": float("nan")},
    {"at": object},
    ["x" * 100_000],
    None,
    {"deep": [[[[[[[[[[]]]]]]]]]]},
)


def test_whatever_it_holds_the_poll_goes_on(engine: Engine, network: Mumbling) -> None:
    for number, payload in enumerate(_ODD):
        network.odd += [
            lost(f"k\0{number}" + "y" * 9_000, payload, why="Odd \0\ud800."),
            lost(unreadable_key([number, repr(payload)]), payload),
        ]
    network.said = [network.say("maria", "Hello")]
    poll(engine)
    poll(engine)
    assert engine.articles() == ["Hello"]
    assert len(aside(engine)) == len(network.odd)
    assert engine.rows("SELECT position->>'polls' AS polls FROM cursor WHERE place = 'channel:fake'") == [("2",)]
    with engine.database.begin() as connection:
        for row in aside(engine):
            assert len(ledger.story(connection, row.id)["event"]["excerpt"]) <= 500
