"""What stands between an agent's reply and the platform: preflight, lock, approval and the reply window, as agents and customers see it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from plugin.domain.model import Visibility
from plugin.handlers import pressing
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.pressing import Press
from plugin.policy.policy import Policy
from plugin.policy.sections import Locks, NativeAnswer, Safety
from plugin.testing.table_judge import TableJudge
from tests.engine import Engine

_CARD = "Your card 4111 1111 1111 1111 was charged."


def started(database_url: str, *, table: TableJudge | None = None, book: Policy | None = None, **others: Any) -> Engine:
    """An engine with a policy."""
    return Engine(database_url, policy=PolicyAtWork(judge=table or TableJudge(), book=book or Policy()), **others)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = started(database_url)
    engine.tell(engine.network.say("maria", "My router is broken"))
    engine.settle()
    yield engine
    engine.close()


def reply(engine: Engine, words: str, *, agent: str = "Ada Agent") -> None:
    """An agent answers."""
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, words, agent=agent))
    engine.settle()


def held(engine: Engine) -> list[str]:
    """For what the replies are held that have not left."""
    return [row.reason for row in engine.rows("SELECT reason FROM intent WHERE lane = 'to_social' AND state = 'held' ORDER BY id")]


def test_a_public_reply_with_a_card_number_is_held_and_the_agent_reads_what_to_press(engine: Engine) -> None:
    reply(engine, _CARD)
    assert engine.delivered() == []
    assert held(engine) == ["preflight"]
    (note,) = [note for note in engine.notes() if "card number" in note]
    assert "4111 1111" not in note
    assert "press `release`" in note
    assert engine.balance().is_ok


def test_what_follows_a_reply_that_the_preflight_holds_leaves_all_the_same(engine: Engine) -> None:
    reply(engine, _CARD)
    reply(engine, "We look into it.")
    assert engine.delivered() == ["We look into it."]


def test_a_supervisor_posts_it_as_it_is_with_a_reason(engine: Engine) -> None:
    reply(engine, _CARD)
    engine.press("release", reason="It is a test card", role="supervisor")
    engine.settle()
    assert engine.delivered() == [_CARD]
    assert engine.balance().is_ok


def test_in_private_the_same_words_leave_and_the_agent_is_warned(database_url: str) -> None:
    engine = started(database_url)
    engine.tell(engine.network.say("maria", "hello", visibility=Visibility.PRIVATE))
    engine.settle()
    reply(engine, _CARD)
    assert engine.delivered() == [_CARD]
    assert any("About this reply:" in note and "card number" in note for note in engine.notes())
    engine.close()


def test_the_policy_names_the_kinds_that_stop_a_reply(database_url: str) -> None:
    engine = started(database_url, book=Policy(safety=Safety(stops_outbound=("card",))))
    engine.tell(engine.network.say("maria", "hello"))
    engine.settle()
    reply(engine, "Write to maria@example.org please")
    assert engine.delivered() == ["Write to maria@example.org please"]
    reply(engine, _CARD)
    assert held(engine) == ["preflight"]
    engine.close()


def locked_by(engine: Engine) -> str | None:
    """Who has the lock."""
    return engine.rows("SELECT agent_lock->'holder'->>'name' AS name FROM conversation")[0].name  # type: ignore[no-any-return]


def test_a_reply_of_another_agent_than_the_locks_is_held_with_who_and_until_when(engine: Engine) -> None:
    engine.press("take_lock", who="Bob Agent")
    engine.settle()
    reply(engine, "Restart it, please.")
    assert engine.delivered() == []
    assert held(engine) == ["lock"]
    assert any("Bob Agent has the lock on this conversation until" in note and "`take_over`" in note for note in engine.notes())
    reply(engine, "I am on it.", agent="Bob Agent")
    assert engine.delivered() == ["I am on it."]
    assert locked_by(engine) is None
    engine.press("take_lock")
    engine.settle()
    assert engine.delivered() == ["I am on it.", "Restart it, please."]
    assert engine.balance().is_ok


def test_a_lock_is_taken_over_with_a_reason_and_what_its_holder_wrote_is_held(engine: Engine) -> None:
    engine.press("take_lock", who="Bob Agent")
    engine.settle()
    reply(engine, "Restart it, please.")
    engine.press("take_over")
    engine.settle()
    assert any("was not done: say why" in note for note in engine.notes())
    engine.press("take_over", reason="Bob went home")
    engine.settle()
    assert any("Ada Agent took the lock over from Bob Agent: Bob went home" in note for note in engine.notes())
    assert engine.delivered() == ["Restart it, please."]
    assert engine.decided() == ["take_lock", "take_over", "take_over"]


def test_a_reply_that_waits_for_the_platform_is_held_when_its_lock_is_taken_over(engine: Engine) -> None:
    engine.rows(
        "UPDATE place SET blocked_until = now() + interval '1 hour', blocked_reason = 'outage' WHERE key = 'channel:fake' RETURNING 1"
    )
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "Restart it, please."))
    engine.settle()
    assert locked_by(engine) == "Ada Agent"
    engine.press("take_over", who="Bob Agent", reason="She is ill")
    engine.settle()
    engine.rows("UPDATE place SET blocked_until = NULL RETURNING 1")
    engine.rows("UPDATE intent SET due_at = now() WHERE state = 'pending' RETURNING 1")
    engine.rows("UPDATE conversation SET due_at = now() RETURNING 1")
    engine.settle()
    assert engine.delivered() == []
    assert held(engine) == ["lock"]


def test_a_lock_runs_out_by_time_and_is_given_back_by_its_holder_or_a_supervisor_alone(engine: Engine) -> None:
    engine.press("take_lock", who="Bob Agent")
    engine.settle()
    engine.press("release_lock")
    engine.settle()
    assert locked_by(engine) == "Bob Agent"
    engine.press("release_lock", who="Sue", role="supervisor")
    engine.settle()
    assert locked_by(engine) is None
    engine.press("take_lock", who="Bob Agent")
    engine.settle()
    engine.rows("""UPDATE conversation SET agent_lock = agent_lock || '{"until": "2026-01-01T00:00:00+00:00"}' RETURNING 1""")
    reply(engine, "Restart it, please.")
    assert engine.delivered() == ["Restart it, please."]


def test_an_answer_on_the_platform_itself_breaks_the_lock_with_an_alarm(engine: Engine) -> None:
    engine.press("take_lock", who="Bob Agent")
    engine.settle()
    engine.tell(engine.network.say_natively("Posted in the app", thread="public:maria"))
    engine.settle()
    assert locked_by(engine) is None
    assert any("while Bob Agent had the lock. The lock is broken" in note for note in engine.notes())
    assert engine.rows("SELECT 1 FROM alert WHERE code = 'lock:1' AND closed_at IS NULL")


def test_an_answer_on_the_platform_itself_takes_the_lock_where_the_policy_says_so(database_url: str) -> None:
    engine = started(database_url, book=Policy(locks=Locks(native_answer=NativeAnswer.TAKE)))
    engine.tell(engine.network.say("maria", "hello"))
    engine.settle()
    engine.press("take_lock", who="Bob Agent")
    engine.settle()
    engine.tell(engine.network.say_natively("Posted in the app", thread="public:maria"))
    engine.settle()
    assert locked_by(engine) == "our own account on Fake network"
    reply(engine, "me too", agent="Bob Agent")
    assert held(engine) == ["lock"]
    engine.close()


def test_who_gets_the_ticket_is_shown_as_the_one_who_answers_and_stops_nobody(engine: Engine) -> None:
    ticket = engine.helpdesk.tickets[0]
    ticket.owner = "bob"
    engine.tell_of_tickets(engine.helpdesk.set_state(ticket.ref, "open"))
    engine.settle()
    assert locked_by(engine) == "bob"
    reply(engine, "Restart it, please.")
    assert engine.delivered() == ["Restart it, please."]
    assert ticket.owner == "bob"


def test_of_many_agents_who_reach_for_the_lock_at_once_exactly_one_gets_it(engine: Engine) -> None:
    """Agents press from threads of their own while several workers are at work; each then answers."""
    names = [f"Agent {number}" for number in range(16)]
    ready = threading.Barrier(len(names))

    def reach(name: str) -> None:
        ready.wait()
        pressing.press(engine.database, 1, Press(action="take_lock", actor=name))

    crowd = [threading.Thread(target=reach, args=(name,)) for name in names]
    with engine.crowd(3):
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join()
        until = time.monotonic() + 60
        while time.monotonic() < until and len(engine.decided()) < len(names):
            time.sleep(0.02)
    outcomes = [row.outcome for row in engine.rows("SELECT outcome FROM decision WHERE kind = 'lock' ORDER BY id")]
    assert len(outcomes) == len(names)
    (won,) = [outcome for outcome in outcomes if "refused" not in outcome]
    assert locked_by(engine) == won["by"]
    for name in names:
        engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, f"by {name}", agent=name))
    with engine.crowd(3):
        until = time.monotonic() + 60
        while time.monotonic() < until and len(held(engine)) + len(engine.delivered()) < len(names):
            time.sleep(0.02)
    assert engine.delivered()[0] == f"by {won['by']}"
    assert engine.balance().is_ok
