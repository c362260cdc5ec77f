"""What stands between an agent's reply and the platform: preflight, lock, approval and the reply window, as agents and customers see it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugin.domain.model import Visibility
from plugin.handlers import pressing
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.pressing import Press
from plugin.policy.policy import Policy
from plugin.policy.sections import Locks, NativeAnswer, Parked, Safety
from plugin.policy.verdicts import ApprovalNeeded
from plugin.testing.fake_abilities import CAPABILITIES, AbleNetwork
from plugin.testing.faults import Fault
from plugin.testing.table_judge import TableJudge
from tests.engine import Engine
from tests.faults.inner import with_capabilities

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


def _needed(**changes: Any) -> ApprovalNeeded:
    return ApprovalNeeded(rule="trainees", reason="Cy learns.", approvers="Leads", within=timedelta(minutes=30), **changes)


@pytest.fixture
def asked(database_url: str) -> Iterator[Engine]:
    """What Cy and Di write needs a second person; Ada's need not."""
    table = TableJudge(approvals=[(lambda facts: facts.agent.name in {"Cy", "Di"}, _needed(holding_line="One moment, please."))])
    engine = started(database_url, table=table, book=Policy(locks=Locks(needs_lock=False)))
    engine.tell(engine.network.say("maria", "My router is broken"))
    engine.settle()
    yield engine
    engine.close()


def numbers(engine: Engine) -> list[str]:
    """The replies that wait for a second person."""
    return [str(item["number"]) for item in engine.rows("SELECT candidates FROM conversation WHERE id = 1")[0].candidates]


def test_a_reply_that_needs_a_second_person_waits_and_says_for_whom_until_when_and_what_will_be_posted(asked: Engine) -> None:
    reply(asked, "Restart it, please.", agent="Cy")
    assert asked.delivered() == []
    assert held(asked) == ["approval"]
    (note,) = [note for note in asked.notes() if "waits for a second person until" in note]
    assert "Rule: trainees" in note
    assert "Somebody of Leads" in note
    assert "On Fake network this will be posted:\nRestart it, please." in note
    asked.press("approve", who="Lea", groups="Leads, Support")
    asked.settle()
    assert asked.delivered() == ["Restart it, please."]
    assert asked.decided() == ["trainees", "approve"]
    assert asked.balance().is_ok


def test_nobody_approves_who_may_not_and_nobody_approves_their_own(asked: Engine) -> None:
    reply(asked, "Restart it, please.", agent="Cy")
    asked.press("approve", who="Cy", role="supervisor")
    asked.press("approve", who="Bob Agent", groups="Support")
    asked.press("approve", who="Mallory", role="customer", groups="Leads")
    asked.press("reject", who="Lea", groups="Leads")
    asked.settle()
    assert asked.delivered() == []
    refused = [note for note in asked.notes() if "was not done" in note]
    assert len(refused) == 4
    assert "of their own" in refused[0]
    assert "only members of Leads" in refused[1]


def test_a_rejection_gives_the_draft_back_with_the_reason(asked: Engine) -> None:
    reply(asked, "Restart it, please.", agent="Cy")
    asked.press("reject", who="Sue", role="supervisor", reason="Ask for the model first")
    asked.settle()
    assert asked.delivered() == []
    assert any("Ask for the model first" in note and "The draft:\nRestart it, please." in note for note in asked.notes())
    assert numbers(asked) == []
    assert asked.balance().is_ok


def test_an_author_recalls_what_waits_and_nobody_elses(asked: Engine) -> None:
    reply(asked, "Restart it, please.", agent="Cy")
    asked.press("recall", who="Di")
    asked.settle()
    assert held(asked) == ["approval"]
    asked.press("recall", who="Cy")
    asked.settle()
    assert held(asked) == []
    assert any("Cy took reply" in note for note in asked.notes())
    assert asked.balance().is_ok


def test_when_nobody_decides_the_customer_hears_so_once_and_the_admin_is_told(asked: Engine) -> None:
    reply(asked, "Restart it, please.", agent="Cy")
    reply(asked, "Buy a new one.", agent="Di")
    asked.rows(
        """UPDATE conversation SET candidates = (SELECT jsonb_agg(c || '{"deadline": "2026-01-01T00:00:00+00:00"}') FROM jsonb_array_elements(candidates) c)
        RETURNING 1"""
    )
    asked.rows(
        """UPDATE inbound_event SET occurred_at = '2026-01-01T00:00:00+00:00',
               payload = payload || '{"occurred_at": "2026-01-01T00:00:00+00:00"}' WHERE kind = 'TimerElapsed' AND payload->>'name' = 'approval' RETURNING 1"""
    )
    asked.wait_for("approval")
    asked.settle()
    assert asked.delivered() == ["One moment, please."]
    assert held(asked) == ["approval", "approval"]
    assert asked.rows("SELECT 1 FROM alert WHERE code = 'approval:1' AND closed_at IS NULL")
    assert asked.balance().is_ok


def test_of_several_candidates_for_one_message_the_one_that_is_sent_withdraws_the_others(asked: Engine) -> None:
    reply(asked, "Restart it, please.", agent="Cy")
    reply(asked, "Buy a new one.", agent="Di")
    first, second = numbers(asked)
    asked.press("approve", who="Lea", groups="Leads")
    asked.settle()
    assert any(f"name the reply. These wait: {first} by Cy, {second} by Di" in note for note in asked.notes())
    asked.press("approve", who="Lea", groups="Leads", reply=second)
    asked.settle()
    assert asked.delivered() == ["Buy a new one."]
    assert any(f"Reply {first} by Cy was not sent: another answer to the same message went out." in note for note in asked.notes())
    assert (numbers(asked), held(asked)) == ([], [])
    assert asked.decided()[-1] == "withdrawn"
    assert not asked.rows("SELECT 1 FROM inbound_event WHERE state = 'waiting' AND payload->>'name' = 'approval'")
    assert asked.balance().is_ok


def test_a_new_wording_withdraws_what_the_preflight_stopped(engine: Engine) -> None:
    reply(engine, _CARD)
    reply(engine, "Your card was charged.")
    assert engine.delivered() == ["Your card was charged."]
    assert held(engine) == []
    assert engine.balance().is_ok


def test_a_broken_approval_rule_holds_the_public_side(database_url: str) -> None:
    engine = started(database_url, table=TableJudge(approvals=[(lambda facts: 1 / len(facts.agent.groups) > 1, _needed())]))
    engine.tell(engine.network.say("maria", "hello"))
    engine.settle()
    reply(engine, "Hello!")
    assert held(engine) == ["policy"]
    engine.close()


def test_a_press_that_comes_with_the_reply_itself_is_heard(asked: Engine) -> None:
    """Both are routed in one turn: what is rejected does not leave for want of a row."""
    asked.tell_of_tickets(asked.helpdesk.reply(asked.helpdesk.tickets[0].ref, "Restart it, please.", agent="Cy"))
    asked.settle()
    number = int(numbers(asked)[0])
    asked.rows("UPDATE conversation SET candidates = '[]' RETURNING 1")
    asked.rows("UPDATE inbound_event SET state = 'accepted' WHERE id = :id RETURNING 1", id=number)
    lanes = "event_id = :id AND lane IN ('to_social', 'at_helpdesk')"
    asked.rows(f"DELETE FROM attempt WHERE intent_id IN (SELECT id FROM intent WHERE {lanes}) RETURNING 1", id=number)
    asked.rows(f"DELETE FROM intent WHERE {lanes} RETURNING 1", id=number)
    asked.rows("DELETE FROM message_ref WHERE message_id IN (SELECT id FROM message WHERE event_id = :id) RETURNING 1", id=number)
    asked.rows("DELETE FROM message WHERE event_id = :id RETURNING 1", id=number)
    asked.press("reject", who="Lea", groups="Leads", reason="No")
    asked.settle()
    assert asked.delivered() == []
    assert (numbers(asked), held(asked)) == ([], [])
    assert asked.balance().is_ok


def _late(engine: Engine) -> None:
    """The customer's last message is a day old."""
    engine.rows("UPDATE conversation SET last_inbound_at = now() - interval '1 day' RETURNING 1")


@pytest.fixture
def windowed(database_url: str) -> Iterator[Engine]:
    """A network that takes replies for a minute, has templates, and one that the policy names."""
    limits = replace(CAPABILITIES.limits, reply_window=60.0)
    network = with_capabilities(AbleNetwork(), limits=limits)
    network.beginning = datetime.now(UTC)
    engine = started(database_url, network=network, book=Policy(parked=Parked(template=(("fake", "go_on"),))))
    engine.tell(network.say("maria", "Where is my order?"))
    engine.settle()
    _late(engine)
    yield engine
    engine.close()


def test_a_reply_behind_a_shut_window_waits_for_the_customer_who_is_asked_to_write_by_the_named_template(windowed: Engine) -> None:
    reply(windowed, "On its way.")
    assert windowed.delivered() == ["[The template go_on]"]
    assert held(windowed) == ["window"]
    assert any("leaves by itself when the customer writes again" in note for note in windowed.notes())
    windowed.tell(windowed.network.say("maria", "Hello?"))
    windowed.settle()
    assert windowed.delivered() == ["[The template go_on]", "On its way."]
    assert any("leaves now" in note for note in windowed.notes())
    assert windowed.balance().is_ok


def test_the_window_counts_by_the_platforms_own_time_and_our_own_words_do_not_prolong_it(windowed: Engine) -> None:
    network, now = windowed.network, datetime.now(UTC)
    windowed.tell(network.say_natively("We answer in the app", thread="public:maria"))
    windowed.settle()
    reply(windowed, "On its way.")
    windowed.tell(replace(network.say("maria", "I asked this long ago"), occurred_at=now - timedelta(minutes=5)))
    windowed.settle()
    assert held(windowed) == ["window"], "neither opened it"
    (row,) = windowed.rows("SELECT last_inbound_at FROM conversation")
    assert now - timedelta(minutes=6) < row.last_inbound_at < now - timedelta(minutes=4)
    windowed.tell(replace(network.say("maria", "Hello?"), occurred_at=now + timedelta(days=1)))
    windowed.settle()
    assert held(windowed) == []
    (row,) = windowed.rows("SELECT last_inbound_at <= now() AS is_so FROM conversation")
    assert row.is_so, "a clock that goes wrong keeps no window open"
    assert windowed.balance().is_ok


def test_a_reply_for_which_nobody_writes_is_withdrawn_and_the_agent_is_told(windowed: Engine) -> None:
    reply(windowed, "On its way.")
    windowed.rows("UPDATE intent SET created_at = now() - interval '4 days', due_at = now() WHERE state = 'held' RETURNING 1")
    windowed.rows("UPDATE conversation SET due_at = now() RETURNING 1")
    windowed.settle()
    assert held(windowed) == []
    assert any("is withdrawn" in note and note.startswith("Not sent: The customer did not write") for note in windowed.notes())
    windowed.tell(windowed.network.say("maria", "Hello?"))
    windowed.settle()
    assert windowed.delivered() == ["[The template go_on]"]
    assert windowed.balance().is_ok


def test_a_conversation_with_a_parked_reply_is_due_when_that_is_withdrawn(windowed: Engine) -> None:
    reply(windowed, "On its way.")
    (row,) = windowed.rows(
        "SELECT due_at - now() BETWEEN interval '71 hours' AND interval '72 hours' AS is_so FROM intent WHERE state = 'held'"
    )
    assert row.is_so
    (row,) = windowed.rows("SELECT due_at <= now() + interval '72 hours' AS is_so FROM conversation")
    assert row.is_so


def test_a_window_that_the_platform_shuts_by_its_own_clock_parks_the_reply_too(engine: Engine) -> None:
    engine.network.faults.script("deliver", Fault.CLOSE_WINDOW)
    reply(engine, "Restart it, please.")
    assert engine.delivered() == []
    assert held(engine) == ["window"]
    assert "The fake was told to do this to deliver: the reply window is closed." in engine.notes()[-1], "in the platform's own words"
    engine.tell(engine.network.say("maria", "Hello?"))
    engine.settle()
    assert engine.delivered() == ["Restart it, please."]
    assert engine.balance().is_ok
