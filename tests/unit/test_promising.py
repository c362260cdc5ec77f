"""Promises at work: clocks that rest, steps by timer, what the ticket says is due, one clock for one person, and the receipt out of hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugin.domain.model import Visibility
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
