"""What follows when an agent's reply has reached the platform: its lock is released, and what it stands in for is withdrawn.

Runs inside a turn's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row

from plugin.domain.codec import decode
from plugin.domain.ids import Place
from plugin.domain.model import HeldReason, Lane
from plugin.handlers import deskside, effects
from plugin.handlers.installation import Installation
from plugin.handlers.results import Result
from plugin.policy import approvals, locks
from plugin.policy.locks import Agent
from plugin.store import conversations, decisions, events, holds, intents, timers
from plugin.store.conversations import Held
from plugin.store.decisions import NewDecision


def follow(connection: Connection, installation: Installation, held: Held, results: Sequence[Result]) -> Held:
    """The conversation after replies were sent."""
    policy = installation.policy.judge.digest if installation.policy is not None else ""
    sent = [result.intent_id for result in results if result.lane == Lane.TO_SOCIAL and result.ending.state == "sent"]
    rows = intents.whole_replies(connection, sent) if sent else ()
    lock, gone = held.lock, set[int]()
    for row in rows:
        lock = locks.sent(lock, row.payload.get("fence") or row.payload.get("under") or 0)
        gone |= _withdraw_others(connection, held, row, policy=policy)
    left = approvals.without(held.candidates, gone)
    if (lock, left) != (held.lock, held.candidates):
        conversations.keep_care(connection, held.id, lock=lock, candidates=left)
    if approvals.deadline(left) != approvals.deadline(held.candidates):
        timers.replace(connection, held.place, held.id, [(approvals.TIMER, approvals.deadline(left))])
    if lock != held.lock:
        deskside.mirror(connection, installation, replace(held, lock=lock), rows[-1].event_id)
    return replace(held, lock=lock, candidates=left)


def _withdraw_others(connection: Connection, held: Held, sent: Row[Any], *, policy: str) -> set[int]:
    """Other replies to the same message of the customer's which wait for approval, or which the preflight stopped, are not sent any more."""
    if "agent" not in sent.payload:
        return set()
    author = decode(Agent, sent.payload["agent"])
    waiting = [
        row
        for row in holds.waiting_replies(connection, held.id)
        if row.event_id != sent.event_id
        and row.part == 0
        and row.payload.get("reply_to") == sent.payload.get("reply_to")
        and _is_stood_in_for(row, sent, author)
    ]
    numbers = [row.event_id for row in waiting]
    if numbers:
        holds.withdraw(connection, held.id, numbers)
    for row in waiting:
        event = events.read(connection, row.event_id)
        text = (
            f"Reply {row.event_id} by {decode(Agent, row.payload['agent'])} was not sent: another answer to the same message went out. It stays in the "
            "ticket. Send it again if it is still needed."
        )
        place, key = Place(event.place), event.event_key
        effects.note(connection, held, event_id=row.event_id, event_place=place, event_key=key, part=row.part, name="withdrawn", text=text)
        outcome = {"reply": str(row.event_id), "sent": str(sent.event_id)}
        new = NewDecision(event_id=row.event_id, kind="approval", rule="withdrawn", reason=text, outcome=outcome, policy=policy)
        decisions.insert(connection, held.id, [new])
    return set(numbers)


def _is_stood_in_for(row: Row[Any], sent: Row[Any], author: Agent) -> bool:
    """What one agent writes in a row is no choice between answers; a new wording of what the preflight stopped is."""
    if row.state != "held" or "agent" not in row.payload:
        return False
    if row.reason == HeldReason.PREFLIGHT:
        return bool(row.event_id < sent.event_id)
    return row.reason == HeldReason.APPROVAL and not decode(Agent, row.payload["agent"]).is_same(author)
