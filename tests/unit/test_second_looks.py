"""Looking again: edits and deletions that a platform tells only to those who look reach the tickets that are open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugin.testing.fake_abilities import AbleNetwork
from plugin.testing.faults import Fault
from tests.engine import Engine


@pytest.fixture
def network() -> AbleNetwork:
    return AbleNetwork()


@pytest.fixture
def engine(database_url: str, network: AbleNetwork) -> Iterator[Engine]:
    engine = Engine(database_url, network=network)
    yield engine
    engine.close()


def file(engine: Engine, network: AbleNetwork, *words: str, who: str = "maria") -> list[str]:
    """Somebody says things; returns their ids."""
    said = [network.say(who, word) for word in words]
    engine.tell(*said)
    engine.settle()
    return [event.message_ref for event in said]


def look(engine: Engine) -> None:
    """Time passes, and what is due is asked again."""
    engine.rows("UPDATE conversation SET looked_at = looked_at - interval '1 hour' RETURNING 1")
    engine.rows("UPDATE cursor SET due_at = CASE WHEN task = 'recheck' THEN now() ELSE now() + interval '1 day' END RETURNING 1")
    engine.poller.poll_due()
    engine.settle()


def test_an_edit_that_nobody_told_stands_in_the_ticket(engine: Engine, network: AbleNetwork) -> None:
    said = network.say("maria", "My number is 12345")
    engine.tell(said)
    engine.settle()
    network.change_quietly(said.message_ref, "My number is secret")
    look(engine)
    assert engine.articles() == ["My number is 12345", "[The message was edited. It now says:]\nMy number is secret"]


def test_a_deletion_that_nobody_told_is_a_tombstone_once(engine: Engine, network: AbleNetwork) -> None:
    said = network.say("maria", "My number is 12345")
    engine.tell(said)
    engine.settle()
    network.take_back_quietly(said.message_ref)
    look(engine)
    look(engine)
    assert engine.articles()[1:] == ["[The customer deleted this message on the platform.]"]
    assert network.looked_at == [(said.message_ref,)]


def test_what_a_webhook_told_and_a_look_finds_is_one(engine: Engine, network: AbleNetwork) -> None:
    said = network.say("maria", "My number is 12345")
    engine.tell(said)
    engine.tell(network.change(said.message_ref, "My number is secret"))
    engine.settle()
    look(engine)
    assert len(engine.articles()) == 2
    assert engine.balance().is_ok


def test_only_messages_of_open_tickets_are_looked_at(engine: Engine, network: AbleNetwork) -> None:
    file(engine, network, "one")
    (other,) = file(engine, network, "two", who="otto")
    engine.tell_of_tickets(engine.helpdesk.set_state(engine.helpdesk.tickets[0].ref, "closed"))
    engine.settle()
    look(engine)
    assert network.looked_at == [(other,)]


def test_batches_are_small_and_every_message_has_its_turn(engine: Engine, network: AbleNetwork) -> None:
    maria = file(engine, network, *(f"maria {number}" for number in range(5)))
    otto = file(engine, network, "otto 0", "otto 1", who="otto")
    look(engine)
    assert all(len(batch) <= network.recheck_batch for batch in network.looked_at)
    asked = [ref for batch in network.looked_at for ref in batch]
    assert sorted(asked) == sorted([*maria, *otto])
    look(engine)
    assert [ref for batch in network.looked_at for ref in batch] == asked * 2


def test_who_was_not_looked_at_for_the_longest_time_comes_first(engine: Engine, network: AbleNetwork) -> None:
    maria = file(engine, network, "maria")
    otto = file(engine, network, "otto", who="otto")
    engine.rows("UPDATE conversation SET looked_at = now() - interval '1 hour' WHERE thread_key LIKE '%otto' RETURNING 1")
    look(engine)
    assert network.looked_at == [(*otto, *maria)]


def test_nothing_is_looked_at_more_often_than_the_platform_wants(engine: Engine, network: AbleNetwork) -> None:
    network.recheck_seconds = 3600.0
    file(engine, network, "maria")
    for _ in range(3):
        engine.rows("UPDATE cursor SET due_at = now() RETURNING 1")
        engine.poller.poll_due()
    assert network.looked_at == []
    look(engine)
    engine.rows("UPDATE cursor SET due_at = now() RETURNING 1")
    engine.poller.poll_due()
    assert len(network.looked_at) == 1


def test_a_look_that_fails_is_made_again_and_one_that_is_refused_gives_way(engine: Engine, network: AbleNetwork) -> None:
    (ref,) = file(engine, network, "maria")
    network.faults.script("recheck", Fault.UNAVAILABLE, Fault.REFUSE)
    look(engine)
    assert len(engine.rows("SELECT 1 FROM conversation WHERE looked_at < now() - interval '1 minute'")) == 1
    look(engine)
    assert engine.rows("SELECT 1 FROM conversation WHERE looked_at < now() - interval '1 minute'") == []
    assert engine.rows("SELECT status FROM place WHERE key = 'channel:fake'")[0].status == "active"
    look(engine)
    assert network.looked_at == [(ref,)]


def test_a_platform_that_tells_by_itself_is_never_looked_at(database_url: str) -> None:
    engine = Engine(database_url)
    engine.tell(engine.network.say("maria", "one"))
    engine.settle()
    assert engine.rows("SELECT looked_at FROM conversation") == [(None,)]
    assert engine.rows("SELECT task FROM cursor WHERE place = 'channel:fake'") == [("poll",)]
    engine.close()
