"""How a conversation goes on within one batch of events: its progress and its state, written down once at the end of the batch."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from plugin.policy import approvals
from plugin.policy.approvals import Candidates
from plugin.policy.contract import State
from plugin.policy.safety.thread_guard import Likeness
from plugin.store import conversations, decisions, timers
from plugin.store.conversations import PROGRESS, Held, Progress
from plugin.store.decisions import NewDecision


class Course:
    """What the events of a batch find and leave. Begins with what stands in the conversation's row."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._timers = _timers(held.state, held.candidates)
        self.state: State = held.state
        self.progress: Progress = held.progress
        self.lock = held.lock
        self.candidates = held.candidates
        self.ticket_fields = dict(held.ticket_fields)
        self.decisions: list[NewDecision] = []
        self.has_ticket = held.ticket_ref is not None

    @property
    def has_moved(self) -> bool:
        """Whether what the gate goes by is different now."""
        return self.state != self._held.state

    def customer_spoke(self, at: datetime) -> None:
        """One more message of the customer's; the first unanswered one gives the place in the queue."""
        went = self.progress
        self.progress = replace(
            went,
            customer_messages=went.customer_messages + 1,
            last_customer_at=at,
            opened_at=went.opened_at or at,
            unanswered_since=went.unanswered_since or at,
        )

    def bystander_spoke(self) -> None:
        """One more message of somebody else's."""
        self.progress = replace(self.progress, bystander_messages=self.progress.bystander_messages + 1)

    @property
    def impostors(self) -> frozenset[str]:
        """Likely impostors of this batch, which the store does not know yet."""
        found = (item.outcome for item in self.decisions if item.kind == "bystander")
        return frozenset(str(outcome["contact"]) for outcome in found if outcome["likeness"] == Likeness.IMPOSTOR)

    def agent_replied(self, at: datetime) -> None:
        """One more reply; nobody waits any more."""
        went = self.progress
        self.progress = replace(
            went,
            agent_replies=went.agent_replies + 1,
            last_agent_at=at,
            queue_since=went.unanswered_since or went.queue_since,
            unanswered_since=None,
        )

    def requeue(self, at: datetime) -> None:
        """Open again, at the place in the queue that it had."""
        went = self.progress
        self.progress = replace(
            went, times_reopened=went.times_reopened + 1, unanswered_since=went.queue_since or went.unanswered_since or at
        )

    def begin_anew(self, at: datetime) -> None:
        """The message that was just said begins a new matter: nothing of the old one counts for it."""
        self.state = State(language=self.state.language)
        self.progress = Progress(customer_messages=1, opened_at=at, last_customer_at=at, unanswered_since=at)

    def keep(self, connection: Connection) -> None:
        """Write down what changed: once for the whole batch."""
        held = self._held
        changed: dict[str, Any] = {
            name: value for name in PROGRESS if (value := getattr(self.progress, name)) != getattr(held.progress, name)
        }
        conversations.keep_state(connection, held.id, self.state if self.has_moved else None, changed)
        if (self.lock, self.candidates) != (held.lock, held.candidates):
            conversations.keep_care(connection, held.id, lock=self.lock, candidates=self.candidates)
        decisions.insert(connection, held.id, self.decisions)
        now = _timers(self.state, self.candidates)
        moved = {name: now.get(name) for name in {*now, *self._timers} if now.get(name) != self._timers.get(name)}
        if moved:
            timers.replace(connection, held.place, held.id, moved.items())


def _timers(state: State, candidates: Candidates) -> dict[str, datetime | None]:
    """What the conversation waits for: the contract's moments, and the next deadline of an approval."""
    moments: dict[str, datetime | None] = {timer.name: timer.at for timer in state.timers}
    deadline = approvals.deadline(candidates)
    return moments if deadline is None else {**moments, approvals.TIMER: deadline}
