"""Deliveries of several facts, some of which cannot be read: nothing is lost, nothing comes twice, and the conversation goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin.contracts.batches import Member, read_members, unreadable
from plugin.contracts.http import WebhookRequest
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import MemberUnreadable, MessageReceived, PlatformEvent
from plugin.handlers import sweep
from plugin.store import ledger
from plugin.testing.fake_platform import FakePlatform
from tests.engine import Engine


class Reader(FakePlatform):
    """A network whose adapter cannot read some messages, until it learns to."""

    def __init__(self) -> None:
        super().__init__()
        self.illegible: set[str] = set()

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """As the fake's, but for what is illegible."""
        return read_members(self._member(item, request) for item in json.loads(request.body)["events"])

    def _member(self, item: dict[str, Any], request: WebhookRequest) -> Member:
        if item["text"]["plain"] in self.illegible:
            return unreadable(item, "This cannot be read.")
        alone = WebhookRequest(method="POST", path="", headers=request.headers, query={}, body=json.dumps({"events": [item]}).encode())
        return Member(raw=item, read=lambda: super(Reader, self).parse(alone))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = Engine(database_url, network=Reader())
    yield engine
    engine.close()


def _reader(engine: Engine) -> Reader:
    assert isinstance(engine.network, Reader)
    return engine.network


def _aside(engine: Engine) -> list[Any]:
    with engine.database.begin() as connection:
        return list(ledger.set_aside(connection))


def _decide(engine: Engine, what: Any, number: int, kind: str = "event") -> bool:
    with engine.database.begin() as connection:
        return bool(what(connection, kind, number, actor="ada"))


def test_one_that_cannot_be_read_is_set_aside_and_filed_when_it_can_be(engine: Engine) -> None:
    reader = _reader(engine)
    reader.illegible = {"second"}
    engine.tell(*[reader.say("maria", words) for words in ("first", "second", "third")])
    engine.settle()
    assert engine.articles() == ["first", "third"]
    (aside,) = _aside(engine)
    assert [aside.kind, aside.what, aside.reason] == ["event", "MemberUnreadable", "This cannot be read."]
    with engine.database.begin() as connection:
        assert "second" in ledger.story(connection, aside.id)["event"]["excerpt"]
        assert not sweep.forget_receipts(connection, days=0, limit=10), "a delivery is kept while something of it waits for a person"
    assert _decide(engine, ledger.replay, aside.id)
    engine.settle()
    assert [row.id for row in _aside(engine)] == [aside.id], "what still cannot be read is set aside again, as the same one"
    reader.illegible = set()
    assert _decide(engine, ledger.replay, aside.id)
    engine.settle()
    assert engine.articles()[:2] == ["first", "third"]
    assert "second" in engine.articles()[2]
    assert not _aside(engine)
    assert not _decide(engine, ledger.replay, aside.id)
    balance = engine.balance()
    assert balance.is_ok
    assert balance.reasons["ignored"] == {"read_again": 1}


def test_one_that_is_dropped_stays_dropped(engine: Engine) -> None:
    reader = _reader(engine)
    reader.illegible = {"second", "third"}
    engine.tell(*[reader.say("maria", words) for words in ("first", "second", "third")])
    engine.settle()
    second, third = _aside(engine)
    assert _decide(engine, ledger.drop, second.id)
    assert _decide(engine, ledger.replay, third.id)
    engine.settle()
    assert [row.id for row in _aside(engine)] == [third.id]
    assert engine.balance().is_ok


def test_a_delivery_of_which_nothing_can_be_read_is_set_aside_whole(engine: Engine) -> None:
    reader = _reader(engine)
    reader.illegible = {"first", "second"}
    engine.tell(*[reader.say("maria", words) for words in ("first", "second")])
    engine.settle()
    (aside,) = _aside(engine)
    assert aside.kind == "receipt"
    reader.illegible = {"second"}
    assert _decide(engine, ledger.replay, aside.id, "receipt")
    engine.settle()
    assert [engine.articles(), [row.kind for row in _aside(engine)]] == [["first"], ["event"]]


def test_every_member_ends_once_however_deliveries_are_mixed_and_read_again(engine: Engine) -> None:
    reader, turns = _reader(engine), count()

    @settings(max_examples=6, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=5), min_size=1, max_size=3), st.sets(st.integers(0, 5)), st.data())
    def any_deliveries(deliveries: list[list[int]], illegible: set[int], data: st.DataObject) -> None:
        turn = next(turns)
        said = {number: reader.say(f"who{turn}", f"{turn}:{number}") for number in sorted({one for batch in deliveries for one in batch})}
        reader.illegible = {f"{turn}:{number}" for number in illegible}
        for batch in deliveries:
            engine.tell(*[said[number] for number in batch])
        engine.settle()
        while True:
            waits = [row for row in _aside(engine) if row.kind in ("event", "receipt")]
            if not waits:
                break
            if reader.illegible:
                reader.illegible.discard(data.draw(st.sampled_from(sorted(reader.illegible))))
            row = data.draw(st.sampled_from(waits))
            assert _decide(engine, ledger.replay, row.id, row.kind)
            engine.settle()
            assert engine.balance().is_ok
        (ticket,) = [one for one in engine.helpdesk.tickets if one.new.contact.ref == f"who{turn}"]
        filed = sorted(article.text.plain.splitlines()[0] for article in ticket.articles)
        assert filed == sorted(f"{turn}:{number}" for number in said)

    any_deliveries()


def test_members_are_read_in_their_order_each_key_once() -> None:
    network = FakePlatform()
    one, two = network.say("maria", "one"), network.say("maria", "two")

    def passed() -> list[PlatformEvent]:
        raise UnsupportedEvent("Not carried.")

    good = [Member(raw=event.event_key, read=lambda event=event: [event]) for event in (one, two, one)]  # type: ignore[misc]
    found = read_members([good[0], unreadable({"a": "\x00\ud800"}, "Odd."), Member(raw=1, read=passed), *good[1:]])
    assert [type(event) for event in found] == [MessageReceived, MemberUnreadable, MessageReceived]
    assert found[1].event_key == read_members([good[0], unreadable({"a": "\x00\ud800"}, "Odd.")])[1].event_key
    with pytest.raises(MalformedPayload, match="Odd"):
        read_members([unreadable(1, "Odd."), Member(raw=1, read=passed)])
    with pytest.raises(UnsupportedEvent, match="Not carried"):
        read_members([Member(raw=1, read=passed)])
    with pytest.raises(UnsupportedEvent, match="empty"):
        read_members([])
