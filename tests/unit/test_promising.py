"""Promises at work: clocks that rest, steps by timer, what the ticket says is due, one clock for one person, and the receipt out of hours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugin.domain.model import Visibility
from plugin.handlers import pressing
from plugin.handlers.installation import PolicyAtWork
from plugin.policy.agreement import contract_of
from plugin.policy.policy import Policy
from tests.benchmarks.judging import made
from tests.engine import Engine

SLA = {
    "default_sla": "quick",
    "sla": {
        "quick": {
            "first_reply": "2 h",
            "next_reply": "1 h",
            "resolve": "8 h",
            "private": {"first_reply": "4 h"},
            "escalate": [{"clock": "first_reply", "share": 0.5, "tell": "Leads", "priority": "3 high"}],
        }
    },
}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def started(database_url: str, table: dict[str, Any]) -> Engine:
    """An engine with the policy in a table."""
    book: Policy = made(table)
    return Engine(database_url, policy=PolicyAtWork(judge=book, contract=contract_of(book), book=book))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = started(database_url, SLA)
    yield engine
    engine.close()


def said(engine: Engine, words: str, **how: Any) -> None:
    """The customer says something."""
    engine.tell(engine.network.say("maria", words, **how))
    engine.settle()


def reply(engine: Engine, words: str, ticket: int = 0) -> None:
    """An agent answers."""
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[ticket].ref, words))
    engine.settle()


def hours_until_due(engine: Engine, ticket: int = 0) -> float | None:
    """As the ticket says."""
    written = engine.helpdesk.tickets[ticket].fields.get("due_at", "")
    return (datetime.fromisoformat(written) - datetime.now(UTC)) / timedelta(hours=1) if written else None


def test_the_ticket_opens_with_the_moment_that_was_promised_and_public_differs_from_private(engine: Engine) -> None:
    said(engine, "hello")
    engine.tell(engine.network.say("nora", "hello", visibility=Visibility.PRIVATE))
    engine.settle()
    assert [hours_until_due(engine, ticket) for ticket in (0, 1)] == [pytest.approx(2, abs=0.1), pytest.approx(4, abs=0.1)]


def test_clocks_rest_while_the_customer_is_awaited_and_the_next_answer_has_its_own(engine: Engine) -> None:
    said(engine, "hello")
    reply(engine, "Which model is it?")
    assert hours_until_due(engine) is None
    assert engine.rows("SELECT count(*) FROM inbound_event WHERE state = 'waiting' AND payload->>'name' = 'target'")[0][0] == 0
    said(engine, "the blue one")
    assert hours_until_due(engine) == pytest.approx(1, abs=0.1)


def test_time_in_which_the_customer_is_awaited_does_not_count_for_the_solution() -> None:
    policy, now = made(SLA), datetime(2026, 11, 20, 12, tzinfo=UTC)
    from plugin.policy.tests.samples import facts

    opened = now - timedelta(hours=6)
    due = policy.targets(
        facts(conversation={"agent_replies": 1}), sla="", opened_at=opened, unanswered_since=now, rested=timedelta(hours=5)
    )
    assert due is not None
    assert due.resolve_by == now + timedelta(hours=7)
    assert [step.name for step in due.steps] == ["next_reply 100%", "resolve 100%"]


def test_steps_are_taken_by_timer_once_each_and_a_missed_target_is_told_to_the_supervisors(engine: Engine) -> None:
    said(engine, "hello")
    for _ in range(2):
        engine.wait_for("target")
        engine.settle()
    assert [note for note in engine.notes() if note.startswith("Leads: 50% of the time")] == engine.notes()[:1]
    assert "waits longer than was promised (first reply)" in engine.notes()[1]
    assert engine.helpdesk.tickets[0].priority == "3 high"
    assert "cd-overdue" in engine.helpdesk.tickets[0].tags
    assert [row.code for row in engine.rows("SELECT code FROM alert")] == ["overdue:1"]
    reply(engine, "We are on it.")
    assert engine.rows("SELECT code FROM alert WHERE closed_at IS NULL") == []
    assert [row.rule for row in engine.rows("SELECT rule FROM decision WHERE kind = 'clock' ORDER BY id")] == [
        "first_reply 50%",
        "first_reply 100%",
    ]
    assert engine.balance().is_ok


def test_who_posts_again_elsewhere_has_one_clock_and_one_place_in_the_queue(engine: Engine) -> None:
    said(engine, "hello", thread="one")
    said(engine, "HELLO???", thread="two")
    first, second = engine.rows("SELECT unanswered_since FROM conversation ORDER BY id")
    assert first == second
    assert [row.rule for row in engine.rows("SELECT rule FROM decision WHERE kind = 'fold'")] == ["one clock per person"]
    engine.wait_for("target")
    engine.settle()
    assert (len(engine.notes(0)), len(engine.notes(1))) == (1, 0)


def test_who_overtakes_stands_in_the_ledger_with_the_rule(database_url: str) -> None:
    engine = started(database_url, {"routing": [{"name": "outages first", "when": "keyword", "any_of": ["outage"], "overtakes": True}]})
    said(engine, "there is an outage")
    assert engine.rows("SELECT rule FROM decision WHERE kind = 'overtake'") == [("outages first",)]
    engine.close()


def test_out_of_hours_a_private_message_is_answered_once_until_somebody_is_at_work(database_url: str) -> None:
    day = DAYS[(datetime.now(UTC).weekday() + 3) % 7]
    engine = started(database_url, {"team": {"office": {"time_zone": "UTC", "hours": {day: "09:00-10:00"}}}})
    said(engine, "in public")
    assert engine.delivered() == []
    said(engine, "hello there, is anybody at work?", visibility=Visibility.PRIVATE)
    said(engine, "are you there?", visibility=Visibility.PRIVATE)
    (told,) = engine.delivered()
    assert "09:00" in told
    engine.close()


def ended(engine: Engine) -> None:
    """A formal ticket that the customer confirmed."""
    said(engine, "hello")
    for press in ("handoff", "confirm", "confirm"):
        engine.press(press)
        engine.settle()
    said(engine, "yes")
    assert engine.stage() == "resolved"


def long_after(engine: Engine) -> None:
    """The end was long ago."""
    engine.rows("""UPDATE conversation SET crossover = crossover || '{"ended_at": "2026-01-01T00:00:00+00:00"}' RETURNING 1""")


def test_who_writes_long_after_the_end_gets_a_ticket_of_its_own(engine: Engine) -> None:
    ended(engine)
    said(engine, "and now the other one is broken")
    assert (len(engine.helpdesk.tickets), engine.stage()) == (1, "formal")
    engine.press("close", role="supervisor", reason="It was a joke.")
    engine.settle()
    long_after(engine)
    said(engine, "good morning, I have another question")
    assert (len(engine.helpdesk.tickets), engine.stage()) == (2, "social")
    reply(engine, "Good morning!", ticket=1)
    assert engine.delivered()[-1] == "Good morning!"
    assert engine.rows("SELECT count(*) FROM decision WHERE rule = 'new matter'") == [(1,)]
    assert engine.balance().is_ok


def test_a_score_is_taken_for_a_while_only(engine: Engine) -> None:
    ended(engine)
    engine.rows("UPDATE conversation SET crossover = crossover || jsonb_build_object('ended_at', now() - interval '4 days') RETURNING 1")
    said(engine, "5")
    assert engine.rows("SELECT count(*) FROM decision WHERE rule = 'score'") == [(0,)]


def test_the_question_waits_for_a_while_unless_something_is_said(database_url: str) -> None:
    engine = started(database_url, {"confirmation": {"ask_after": "1 h"}})
    said(engine, "hello")
    for press in ("handoff", "confirm", "confirm"):
        engine.press(press)
        engine.settle()
    assert engine.stage() == "formal"
    said(engine, "wait, there is more")
    engine.wait_for("ask")
    engine.settle()
    assert engine.stage() == "formal"
    engine.press("confirm")
    engine.settle()
    engine.wait_for("ask")
    engine.settle()
    assert engine.stage() == "confirming"
    assert "Please answer yes or no" in engine.delivered()[-1]
    engine.close()


@pytest.mark.parametrize(("level", "leaves"), [("monitor", 0), ("step_in", 1), ("answer", 1)])
def test_where_we_only_listen_replies_are_held_with_the_reason(database_url: str, level: str, leaves: int) -> None:
    engine = started(database_url, {"participation": {"default": level}})
    said(engine, "hello, can you help me?")
    assert len(engine.helpdesk.tickets) == 1
    reply(engine, "Hello!")
    assert len(engine.delivered()) == leaves
    assert any("here we only listen" in note for note in engine.notes()) is (leaves == 0)
    engine.press("release", role="supervisor", reason="She asks for help.")
    engine.settle()
    assert engine.delivered() == ["Hello!"]
    engine.close()


def test_where_we_step_in_what_a_search_found_is_answered_when_we_are_asked(database_url: str) -> None:
    engine = started(database_url, {"participation": {"default": "step_in"}})
    found = replace(engine.network.say("maria", "the company is no good"), found_by="company")
    engine.tell(found)
    engine.settle()
    reply(engine, "We are sorry!")
    assert engine.delivered() == []
    assert any("we answer only when we are asked" in note for note in engine.notes())
    said(engine, "@company will you help me?")
    assert engine.delivered() == ["We are sorry!"], "what waited leaves by itself"
    reply(engine, "Of course.")
    assert engine.delivered()[-1] == "Of course."
    engine.close()


def test_what_was_filtered_stays_in_the_ledger_and_is_promoted_by_hand(database_url: str) -> None:
    engine = started(database_url, {"noise": [{"name": "adverts", "when": "keyword", "any_of": ["casino"]}], **SLA})
    said(engine, "best casino in town")
    assert len(engine.helpdesk.tickets) == 0
    assert engine.balance().reasons["ignored"] == {"filtered:adverts": 1}
    (event,) = engine.rows("SELECT id FROM inbound_event WHERE state = 'ignored'")
    assert pressing.promote(engine.database, event.id, actor="Ada")
    engine.settle()
    assert engine.articles()[0] == "best casino in town"
    assert hours_until_due(engine) == pytest.approx(2, abs=0.1)
    reply(engine, "We only sell phones.")
    assert engine.delivered() == ["We only sell phones."]
    assert [row.rule for row in engine.rows("SELECT rule FROM decision WHERE kind = 'filter'")] == ["adverts"]
    assert engine.balance().is_ok
    engine.close()
