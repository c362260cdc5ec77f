"""Conversations and their leases. A lease is a row with a rising fence on the database's clock; losing it means to stop in silence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.domain.codec import decode, encode
from plugin.domain.ids import CustomerRef, Place, ThreadKey, TicketRef
from plugin.domain.model import Contact, Stage, Visibility
from plugin.policy.approvals import Candidate, Candidates
from plugin.policy.contract import State
from plugin.policy.locks import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on one conversation until it runs out; every write names the fence."""

    conversation_id: int
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How a conversation went so far. `queue_since`: the place in the queue that it had before an agent answered."""

    opened_at: datetime | None = None
    unanswered_since: datetime | None = None
    queue_since: datetime | None = None
    last_agent_at: datetime | None = None
    last_customer_at: datetime | None = None
    agent_replies: int = 0
    customer_messages: int = 0
    bystander_messages: int = 0
    times_reopened: int = 0


PROGRESS = tuple(Progress.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A conversation as its lease holder sees it at the beginning of a turn. `now` is the database's clock."""

    id: int
    place: Place
    thread_key: ThreadKey
    visibility: Visibility
    helpdesk: Place
    ticket_ref: TicketRef | None
    ticket_number: str | None
    ticket_closed: bool
    former_ticket_ref: TicketRef | None
    article_cursor: str | None
    stage: Stage
    is_reachable: bool
    hold_reason: str | None
    hold_text: str
    last_inbound_at: datetime | None
    contact_id: int | None
    contact: Contact | None
    customer_ref: CustomerRef | None
    now: datetime
    is_scam: bool = False
    ticket_owner: str = ""
    ticket_group: str = ""
    ticket_fields: Mapping[str, str] = field(default_factory=dict)
    continued_by: int | None = None
    lock: Lock = field(default_factory=Lock)
    candidates: Candidates = ()
    state: State = field(default_factory=State)
    progress: Progress = field(default_factory=Progress)


_CLAIM = text(
    """
    WITH due AS (
        SELECT c.id, c.due_at, row_number() OVER (PARTITION BY p.key ORDER BY c.due_at) AS turn
        FROM place p CROSS JOIN LATERAL (
            SELECT id, due_at FROM conversation
            WHERE place = p.key AND due_at <= now() AND (lease_until IS NULL OR lease_until < now())
            ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
        ) c
        ORDER BY turn, due_at LIMIT :limit
    )
    UPDATE conversation SET lease_owner = :owner, lease_fence = lease_fence + 1, lease_until = now() + make_interval(secs => :seconds)
    FROM due WHERE conversation.id = due.id
    RETURNING conversation.id, lease_fence
    """
)


def claim(connection: Connection, *, owner: str, limit: int, seconds: float) -> list[Lease]:
    """Lease up to `limit` due conversations, the longest due of each place in turn, so that one busy place never takes the pool."""
    rows = connection.execute(_CLAIM, {"owner": owner, "limit": limit, "seconds": seconds})
    return [Lease(conversation_id=row.id, fence=row.lease_fence) for row in rows]


_RENEW = text(
    """
    WITH mine AS (
        UPDATE conversation SET lease_until = now() + make_interval(secs => :seconds) WHERE id = :id AND lease_fence = :fence
        RETURNING *
    ), doubted AS (
        UPDATE intent SET state = 'unknown', errors = errors + 1
        WHERE conversation_id = :id AND state = 'sending' AND fence < :fence AND EXISTS (SELECT 1 FROM mine)
    )
    SELECT mine.*, contact.profile, contact.customer_ref, now() AS now FROM mine LEFT JOIN contact ON contact.id = mine.contact_id
    """
)


def renew(connection: Connection, lease: Lease, *, seconds: float) -> Held | None:
    """Prolong the lease, lock the row for this transaction and read it; None when the lease was lost.

    What an earlier holder was sending may or may not have been applied: it becomes `unknown`, and its end counts as a fault.
    """
    row = connection.execute(_RENEW, {"id": lease.conversation_id, "fence": lease.fence, "seconds": seconds}).one_or_none()
    return None if row is None else held_of(row)


def held_of(row: Row[Any]) -> Held:
    """A conversation out of its row, joined with its contact's `profile` and `customer_ref`, and `now`."""
    return Held(
        id=row.id,
        place=Place(row.place),
        thread_key=ThreadKey(row.thread_key),
        visibility=Visibility(row.visibility),
        helpdesk=Place(row.helpdesk),
        ticket_ref=row.ticket_ref,
        ticket_number=row.ticket_number,
        ticket_closed=row.ticket_closed,
        former_ticket_ref=row.former_ticket_ref,
        article_cursor=row.article_cursor,
        stage=Stage(row.stage),
        is_reachable=row.is_reachable,
        hold_reason=row.hold_reason,
        hold_text=row.hold_text,
        last_inbound_at=row.last_inbound_at,
        contact_id=row.contact_id,
        contact=None if row.profile is None else decode(Contact, row.profile),
        customer_ref=row.customer_ref,
        now=row.now,
        is_scam=row.is_scam,
        ticket_owner=row.ticket_owner,
        ticket_group=row.ticket_group,
        ticket_fields=row.ticket_fields,
        continued_by=row.continued_by,
        lock=decode(Lock, row.agent_lock),
        candidates=tuple(decode(Candidate, item) for item in row.candidates),
        state=state_of(row),
        progress=Progress(**{name: getattr(row, name) for name in PROGRESS}),
    )


def state_of(row: Row[Any]) -> State:
    """The stage's own column is the stage; the rest of the state stands beside it."""
    return decode(State, {**row.crossover, "stage": row.stage})


# Only what could be worked on next counts: the first open wish of each lane, and the first event that is not waiting. What stands behind
# them may be due long since; counting it would have the conversation claimed again and again for nothing.
_RELEASE = text(
    """
    UPDATE conversation SET lease_until = NULL, lease_owner = NULL, due_at = LEAST(
        (SELECT CASE WHEN state = 'accepted' THEN now() ELSE due_at END FROM inbound_event
         WHERE conversation_id = :id AND state IN ('accepted', 'retry') ORDER BY id LIMIT 1),
        (SELECT min(due_at) FROM inbound_event WHERE conversation_id = :id AND state = 'waiting'),
        (SELECT min(CASE WHEN first.due_at IS NOT NULL THEN GREATEST(first.due_at, first.settle_at) END) FROM (
            SELECT DISTINCT ON (i.lane) i.due_at, i.settle_at, i.lane, i.event_id FROM intent i
            WHERE i.conversation_id = :id AND i.state IN ('pending', 'sending', 'unknown', 'held')
              AND NOT (i.state = 'held' AND i.reason IN ('lock', 'approval', 'preflight', 'window'))
              AND NOT (conversation.ticket_ref IS NULL AND i.lane = 'to_helpdesk'
                       AND i.payload->>'kind' IN ('note', 'reaction', 'tombstone', 'change'))
              AND NOT (conversation.ticket_ref IS NULL AND i.lane = 'notices' AND i.payload ? 'needs_ticket')
            ORDER BY i.lane, i.id) first
         WHERE NOT (first.lane = 'to_helpdesk' AND EXISTS (
            SELECT 1 FROM intent f WHERE f.event_id = first.event_id AND f.lane = 'from_social'
              AND f.state IN ('pending', 'sending', 'unknown', 'held')))),
        (SELECT min(due_at) FROM intent WHERE conversation_id = :id AND lane = 'to_social' AND state = 'held' AND reason = 'window'),
        now() + make_interval(secs => :again))
    WHERE id = :id AND lease_fence = :fence
    """
)


def release(connection: Connection, lease: Lease, *, again: float | None = None) -> None:
    """Give the lease back. The conversation is due when its next open event or intent is, or after `again` seconds if that is sooner.

    The caller holds the row lock, so nothing that was accepted meanwhile is missed.
    """
    connection.execute(_RELEASE, {"id": lease.conversation_id, "fence": lease.fence, "again": again})


def update(connection: Connection, conversation_id: int, values: Mapping[str, Any]) -> None:
    """Set columns of a conversation whose row lock the caller holds. Column names are ours, never from outside."""
    if values:
        columns = ", ".join(f"{name} = :{name}" for name in values)
        connection.execute(text(f"UPDATE conversation SET {columns} WHERE id = :id"), {**values, "id": conversation_id})  # noqa: S608


def set_customer_ref(connection: Connection, contact_id: int, customer_ref: str) -> None:
    """Remember the contact's record in the helpdesk."""
    connection.execute(
        text("UPDATE contact SET customer_ref = :ref WHERE id = :id AND customer_ref IS DISTINCT FROM :ref"),
        {"id": contact_id, "ref": customer_ref},
    )


def describe_contact(connection: Connection, contact_id: int, contact: Contact) -> None:
    """Keep what the platform told of a contact when it was asked; of somebody who was erased meanwhile, nothing."""
    connection.execute(
        text("UPDATE contact SET profile = CAST(:profile AS jsonb) WHERE id = :id AND ref = :ref"),
        {"id": contact_id, "ref": contact.ref, "profile": json.dumps(encode(contact))},
    )


def read_contact(connection: Connection, contact_id: int) -> tuple[Contact, CustomerRef | None]:
    """A contact with its record in the helpdesk."""
    row = connection.execute(text("SELECT profile, customer_ref FROM contact WHERE id = :id"), {"id": contact_id}).one()
    return decode(Contact, row.profile), row.customer_ref


def find_contact(connection: Connection, place: Place, ref: str) -> int | None:
    """The id of a contact that has spoken before."""
    return connection.execute(text("SELECT id FROM contact WHERE place = :place AND ref = :ref"), {"place": place, "ref": ref}).scalar()


_NAMES = text(
    """
    SELECT p.profile->>'display_name' AS name, p.profile->>'handle' AS handle FROM conversation c JOIN contact p ON p.id = c.contact_id
    WHERE c.id = :id OR c.continued_by = :id
    """
)


def names_in(connection: Connection, conversation_id: int) -> tuple[str, ...]:
    """Names and handles of the customer whose conversation it is."""
    rows = connection.execute(_NAMES, {"id": conversation_id})
    return tuple(dict.fromkeys(name for row in rows for name in (row.name, row.handle) if name))


def lock(connection: Connection, conversation_id: int) -> None:
    """Hold a conversation's row until the transaction ends, as everybody does who adds to it."""
    connection.execute(text("SELECT id FROM conversation WHERE id = :id FOR UPDATE"), {"id": conversation_id})


def make_due(connection: Connection, ids: Sequence[int]) -> None:
    """Have conversations looked at now."""
    connection.execute(text("UPDATE conversation SET due_at = LEAST(due_at, now()) WHERE id = ANY(:ids)"), {"ids": list(ids)})


_DUE = text(
    """
    SELECT EXISTS (SELECT 1 FROM receipt WHERE state IN ('new', 'retry') AND due_at <= now())
        OR EXISTS (SELECT 1 FROM cursor WHERE due_at <= now() AND (lease_until IS NULL OR lease_until < now()))
        OR EXISTS (SELECT 1 FROM place p WHERE EXISTS (
            SELECT 1 FROM conversation c WHERE c.place = p.key AND c.due_at <= now() AND (c.lease_until IS NULL OR c.lease_until < now())))
    """
)


def is_anything_due(connection: Connection) -> bool:
    """Whether any receipt, poll or conversation waits for a worker now."""
    return bool(connection.execute(_DUE).scalar())


_DEAD_LEASES = text("SELECT count(*) FROM conversation WHERE lease_until IS NOT NULL AND lease_until < now()")


def count_dead_leases(connection: Connection) -> int:
    """Leases whose holder died or froze; the next claim takes them over."""
    return int(connection.execute(_DEAD_LEASES).scalar_one())


def lift_hold(connection: Connection, conversation_id: int) -> Place | None:
    """Let the conversation speak again; its place, or None when there is no such conversation."""
    statement = text(
        "UPDATE conversation SET hold_reason = NULL, hold_text = '', due_at = LEAST(due_at, now()) WHERE id = :id RETURNING place"
    )
    place: str | None = connection.execute(statement, {"id": conversation_id}).scalar()
    return None if place is None else Place(place)


def keep_state(connection: Connection, conversation_id: int, state: State | None, progress: Mapping[str, Any]) -> None:
    """Write down where a conversation stands, and what changed of its progress."""
    values: dict[str, Any] = dict(progress)
    assignments = [f"{name} = :{name}" for name in values]
    if state is not None:
        kept = encode(state)
        kept.pop("stage", None)
        values |= {"stage": state.stage, "crossover": json.dumps(kept)}
        assignments += ["stage = :stage", "crossover = CAST(:crossover AS jsonb)"]
    if assignments:
        connection.execute(text(f"UPDATE conversation SET {', '.join(assignments)} WHERE id = :id"), {**values, "id": conversation_id})  # noqa: S608


def keep_care(connection: Connection, conversation_id: int, *, lock: Lock, candidates: Candidates) -> None:
    """Write down who has the conversation to themselves, and which replies wait for a second person."""
    statement = text("UPDATE conversation SET agent_lock = CAST(:lock AS jsonb), candidates = CAST(:candidates AS jsonb) WHERE id = :id")
    kept = {"lock": json.dumps(encode(lock)), "candidates": json.dumps([encode(item) for item in candidates])}
    connection.execute(statement, {**kept, "id": conversation_id})


def keep_ticket(connection: Connection, conversation_id: int, *, owner: str, group: str, fields: Mapping[str, str]) -> None:
    """What the helpdesk told of the ticket last."""
    statement = text(
        "UPDATE conversation SET ticket_owner = :owner, ticket_group = :group, ticket_fields = CAST(:fields AS jsonb) WHERE id = :id"
    )
    connection.execute(statement, {"owner": owner, "group": group, "fields": json.dumps(dict(fields)), "id": conversation_id})
