"""What is done in the helpdesk besides filing. Runs inside a turn's transaction.

Its own lock is kept in step with ours, a reply that is held is made internal and shown again when it has left, and the fields that tell agents how
things stand are filled. Each of these wishes says how things stand, so what it asks for is worked out when its turn comes: after an outage, what is
out of date asks nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row

from plugin.config import EngineConfig
from plugin.contracts.capabilities import Level
from plugin.contracts.helpdesk import TakesLock
from plugin.domain.events import ArticleAdded, DeliveryStatus
from plugin.domain.ids import Place
from plugin.domain.model import Lane
from plugin.handlers import effects
from plugin.handlers.course import Course
from plugin.handlers.installation import Desk, Installation
from plugin.handlers.results import DeskLocked, FieldsShown, Result
from plugin.handlers.routing import Desktop
from plugin.policy import locks
from plugin.policy.locks import Agent
from plugin.policy.sections import Locks
from plugin.store import conversations, decisions, events, intents, replies
from plugin.store.conversations import Held
from plugin.store.decisions import NewDecision
from plugin.store.intents import NewIntent, marker_for

LOCK, STAND, VISIBILITY = "lock", "stand", "visibility"
HIDDEN, SHOWN = f"{VISIBILITY}:hidden", f"{VISIBILITY}:shown"
_PATIENCE = timedelta(seconds=10)
"""Replies that leave meanwhile are waited for so long: a lock that ends with them is not mirrored first."""
_FIELDS = ("lock", "approval", "delivery")
_FURTHER = (DeliveryStatus.FAILED, DeliveryStatus.DELIVERED, DeliveryStatus.READ)


def waits_for_replies(held: Held, row: Row[Any]) -> bool:
    """Whether this wish is not asked as long as replies are leaving."""
    return str(row.op).partition(":")[0] in {LOCK, STAND} and row.created_at > held.now - _PATIENCE


def after(installation: Installation, held: Held, course: Course, row: Row[Any]) -> list[NewIntent]:
    """What a batch of events, the last of which is `row`, asks of the helpdesk besides filing."""
    if held.ticket_ref is None or held.continued_by is not None:
        return []
    found = []
    if course.lock != held.lock and _is_out_of_step(installation, replace(held, lock=course.lock)):
        found.append(_wish(row.id, Place(row.place), row.event_key, LOCK))
    if _shows(held) and (course.lock, course.candidates) != (held.lock, held.candidates):
        found.append(_wish(row.id, Place(row.place), row.event_key, STAND))
    return found


def mirror(connection: Connection, installation: Installation, held: Held, event_id: int) -> None:
    """Our lock changed when a reply of this event left: the helpdesk's own shall follow."""
    if held.ticket_ref is not None and _is_out_of_step(installation, held):
        event = events.read(connection, event_id)
        intents.insert(connection, held.id, [_wish(event_id, Place(event.place), event.event_key, f"{LOCK}:sent")])


def _is_out_of_step(installation: Installation, held: Held) -> bool:
    has_lock = isinstance(installation.desks[held.helpdesk].adapter, TakesLock)
    return has_lock and locks.mirrored(held.lock, now=held.now) is not None


def hold(connection: Connection, installation: Installation, held: Held, row: Row[Any]) -> bool:
    """A reply waits: it is made internal where the helpdesk can, so that it counts for nothing. False when there is nothing to do."""
    if row.op != "reply" or row.part > 0 or held.ticket_ref is None:
        return False
    event_id, place, key = of_event(row)
    wishes = []
    if row.event["type"] == ArticleAdded.__name__ and _can_flip(installation.desks[held.helpdesk]):
        payload = {"article": row.event["article_ref"], "is_internal": True}
        wishes.append(_wish(event_id, place, key, HIDDEN, payload))
    if _shows(held):
        wishes.append(_wish(event_id, place, key, f"{STAND}:held"))
    intents.insert(connection, held.id, wishes)
    return bool(wishes)


def hidden(desktop: Desktop, event: ArticleAdded) -> list[NewIntent]:
    """What an agent wrote for the customer will not leave at all: it is made internal where the helpdesk can."""
    if not _can_flip(desktop.desk):
        return []
    return [_wish(desktop.row.id, desktop.source(), desktop.row.event_key, HIDDEN, {"article": event.article_ref, "is_internal": True})]


def _can_flip(desk: Desk) -> bool:
    return desk.adapter.capabilities.flips >= Level.PARTIAL


def of_event(row: Row[Any]) -> tuple[int, Place, str]:
    """The event on whose account a reply is told of now: the one by which it was asked about again, else its own."""
    asked = row.payload.get("asked")
    return (asked["event"], Place(asked["place"]), asked["key"]) if asked else (row.event_id, Place(row.event_place), row.event_key)


def came_on(desktop: Desktop, *, is_failure: bool) -> None:
    """The platform said how far a reply came. The ticket is told of a failure, and of what mends one; of the rest only where that is wanted."""
    if _shows(desktop.held) and (is_failure or desktop.engine.receipts_in_tickets):
        desktop.commit(_wish(desktop.row.id, desktop.source(), desktop.row.event_key, f"{STAND}:told"))


def stand(connection: Connection, engine: EngineConfig, held: Held) -> tuple[tuple[str, str], ...]:
    """What our fields must say, of those that the ticket has and that say something else."""
    holder = held.lock.holder_at(held.now)
    now = {
        "lock": "" if holder is None or held.lock.until is None else f"{holder} until {held.lock.until:%H:%M} UTC",
        "approval": "pending" if held.candidates else "",
        "delivery": replies.last_delivery(connection, held.id, further=_FURTHER if engine.receipts_in_tickets else _FURTHER[:1]),
    }
    return tuple((name, now[name]) for name in _FIELDS if name in held.ticket_fields and held.ticket_fields[name] != now[name])


def locked(connection: Connection, installation: Installation, held: Held, results: Sequence[Result]) -> Held:
    """The conversation after the helpdesk answered about its own lock, and about fields of ours."""
    for result in results:
        for effect in result.effects:
            if isinstance(effect, DeskLocked):
                held = _locked(connection, installation, held, result, effect)
            elif isinstance(effect, FieldsShown):
                held = replace(held, ticket_fields={**held.ticket_fields, **dict(effect.fields)})
                conversations.keep_ticket(
                    connection, held.id, owner=held.ticket_owner, group=held.ticket_group, fields=dict(held.ticket_fields)
                )
    return held


def told(connection: Connection, held: Held, results: Sequence[Result]) -> None:
    """What has left is shown again, and the ticket says how far the last reply came."""
    ended = [result for result in results if result.lane == Lane.TO_SOCIAL and result.ending.state in {"sent", "failed"}]
    if not ended or held.ticket_ref is None:
        return
    wishes = []
    for row in replies.hidden_and_sent(connection, [result.intent_id for result in ended if result.ending.state == "sent"]):
        payload = {**row.payload, "is_internal": False}
        if row.sent_at is not None:
            payload["sent_at"] = row.sent_at.isoformat()
        wishes.append(_wish(row.event_id, Place(row.place), row.event_key, SHOWN, payload))
    if _shows(held):
        last = ended[-1]
        event = events.read(connection, last.event_id)
        wishes.append(_wish(last.event_id, Place(event.place), event.event_key, f"{STAND}:{last.ending.state}"))
    intents.insert(connection, held.id, wishes)


def _locked(connection: Connection, installation: Installation, held: Held, result: Result, effect: DeskLocked) -> Held:
    adapter = installation.desks[held.helpdesk].adapter
    by_owner = isinstance(adapter, TakesLock) and adapter.locks_by_owner
    has_it = bool(effect.wanted) and effect.holder.casefold() == effect.wanted.casefold()
    lock = replace(held.lock, there=effect.wanted if has_it and not effect.was_theirs else "")
    holder = lock.holder_at(held.now)
    other = Agent(ref=effect.holder)
    if effect.wanted and effect.holder and not has_it and holder is not None and not holder.is_same(other):
        lease = installation.policy.book.locks.lease if installation.policy is not None else Locks().lease
        lock = locks.found(lock, other, now=held.now, lease=lease, is_owner=by_owner)
        text = (
            f"{effect.holder} {'owns' if by_owner else 'is writing in'} this ticket in the helpdesk, so {holder} did not get the lock. It is "
            f"{effect.holder}'s now. Press `take_over` with a reason if it cannot wait."
        )
        event = events.read(connection, result.event_id)
        place, key = Place(event.place), event.event_key
        effects.note(connection, held, event_id=result.event_id, event_place=place, event_key=key, part=0, name="desk-lock", text=text)
        outcome = {"lock": effect.holder, "from": str(holder)}
        policy = installation.policy.judge.digest if installation.policy is not None else ""
        decision = NewDecision(event_id=result.event_id, kind="lock", rule="helpdesk", reason=text, outcome=outcome, policy=policy)
        decisions.insert(connection, held.id, [decision])
    owner = effect.holder if by_owner else held.ticket_owner
    if owner != held.ticket_owner:
        conversations.update(connection, held.id, {"ticket_owner": owner})
    conversations.keep_care(connection, held.id, lock=lock, candidates=held.candidates)
    return replace(held, lock=lock, ticket_owner=owner)


def _shows(held: Held) -> bool:
    return any(name in held.ticket_fields for name in _FIELDS)


def _wish(event_id: int, place: Place, key: str, op: str, payload: dict[str, Any] | None = None) -> NewIntent:
    return NewIntent(
        event_id=event_id,
        lane=Lane.AT_HELPDESK,
        op=op,
        marker=marker_for(place, key, op, 0),
        payload=payload or {},
    )
