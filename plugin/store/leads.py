"""Leads: of the conversations that share a ticket, the one in which it is worked on. The others only point to the ticket."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.domain.codec import encode
from plugin.domain.ids import CustomerRef, Place, ThreadKey
from plugin.policy.contract import State
from plugin.store.conversations import state_of, update

_FIND_LEAD = text(
    """
    SELECT id, ticket_ref, ticket_number, ticket_url, ticket_closed, article_cursor, ticket_owner, ticket_group, ticket_fields, stage, crossover
    FROM conversation
    WHERE contact_id = :contact AND id <> :id AND stage IN ('handoff', 'formal', 'confirming') AND continued_by IS NULL AND ticket_ref IS NOT NULL
    ORDER BY last_inbound_at DESC NULLS LAST LIMIT 1 FOR UPDATE
    """
)


_OPENED = text(
    """
    SELECT c.id, c.ticket_ref, c.ticket_number, c.ticket_url, c.ticket_closed, c.article_cursor, c.ticket_owner, c.ticket_group, c.ticket_fields,
           c.stage, c.crossover
    FROM message_ref r JOIN message m ON m.id = r.message_id JOIN conversation c ON c.id = m.conversation_id
    WHERE r.place = :place AND r.ref = :thread AND c.id <> :id AND c.continued_by IS NULL AND c.ticket_ref IS NOT NULL FOR UPDATE OF c
    """
)


def _opened_at(place: Place) -> str:
    """Under which place threads that our answers opened are kept beside the ids of messages: no id of a message can be taken for one."""
    return f"opened:{place}"


def keep_opened(connection: Connection, place: Place, thread_key: ThreadKey, message_id: int) -> None:
    """Our message opened a thread; of several, the latest counts."""
    statement = text(
        "INSERT INTO message_ref (place, ref, message_id) VALUES (:place, :ref, :message) "
        "ON CONFLICT (place, ref) DO UPDATE SET message_id = excluded.message_id"
    )
    connection.execute(statement, {"place": _opened_at(place), "ref": thread_key, "message": message_id})


def follow_opened(connection: Connection, conversation_id: int, place: Place, thread_key: ThreadKey) -> State | None:
    """Take over the ticket and the state of the conversation in which an answer of ours opened this thread; None when none did."""
    parameters = {"place": _opened_at(place), "thread": thread_key, "id": conversation_id}
    row = connection.execute(_OPENED, parameters).one_or_none()
    return None if row is None else _take_over(connection, conversation_id, row)


def follow_lead(connection: Connection, conversation_id: int, contact_id: int) -> State | None:
    """Take over the ticket and the state of the same contact's conversation that became formal; None when there is none.

    From then on that one only points to the ticket: the ticket's events and timers are this conversation's.
    """
    row = connection.execute(_FIND_LEAD, {"contact": contact_id, "id": conversation_id}).one_or_none()
    return None if row is None else _take_over(connection, conversation_id, row)


def _take_over(connection: Connection, conversation_id: int, row: Row[Any]) -> State:
    state = state_of(row)
    taken = {name: getattr(row, name) for name in ("ticket_ref", "ticket_number", "ticket_url", "ticket_closed", "article_cursor")}
    update(connection, conversation_id, {**taken, "ticket_owner": row.ticket_owner, "ticket_group": row.ticket_group})
    left = {"id": row.id, "by": conversation_id, "crossover": json.dumps(encode(replace(state, timers=())))}
    connection.execute(text("UPDATE conversation SET continued_by = :by, crossover = CAST(:crossover AS jsonb) WHERE id = :id"), left)
    return state


_LEAD = text(
    """
    SELECT c.*, p.customer_ref FROM conversation c LEFT JOIN contact p ON p.id = c.contact_id
    WHERE c.id = (SELECT COALESCE(continued_by, id) FROM conversation WHERE id = :id) AND c.ticket_ref IS NOT NULL FOR UPDATE OF c
    """
)
_TICKET = ("ticket_ref", "ticket_number", "ticket_url", "ticket_closed", "article_cursor", "ticket_owner", "ticket_group")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came with a ticket that was taken over: the state, and who the customer is."""

    state: State
    contact_id: int | None
    customer_ref: CustomerRef | None
    unanswered_since: datetime | None
    """The place in the queue, which goes with the ticket."""


def take_over(connection: Connection, conversation_id: int, origin: int) -> Taken | None:
    """Take over the ticket of a conversation that this one continues, from whichever has it now; None when there is no ticket."""
    row = connection.execute(_LEAD, {"id": origin}).one_or_none()
    if row is None or row.id == conversation_id:
        return None
    state = state_of(row)
    update(connection, conversation_id, {name: getattr(row, name) for name in _TICKET} | {"continued_by": None})
    left = {"lead": row.id, "by": conversation_id, "crossover": json.dumps(encode(replace(state, timers=())))}
    connection.execute(
        text("UPDATE conversation SET crossover = CAST(:crossover AS jsonb), unanswered_since = NULL WHERE id = :lead"), left
    )
    connection.execute(
        text("UPDATE conversation SET continued_by = :by WHERE (id = :lead OR continued_by = :lead) AND id <> :by"),
        {"lead": row.id, "by": conversation_id},
    )
    return Taken(state=state, contact_id=row.contact_id, customer_ref=row.customer_ref, unanswered_since=row.unanswered_since)


def point(connection: Connection, conversation_id: int, origin: int) -> bool:
    """Have a conversation only point to the ticket of another: what is said in it is filed there, and no reply goes to it."""
    row = connection.execute(_LEAD, {"id": origin}).one_or_none()
    if row is not None:
        update(connection, conversation_id, {name: getattr(row, name) for name in _TICKET} | {"continued_by": row.id})
    return row is not None


def give_back(connection: Connection, origin: int) -> State | None:
    """Whatever continued a conversation has its ticket no more: it only points to it. The state that came back, None when nothing was taken."""
    lead = connection.execute(text("SELECT continued_by FROM conversation WHERE id = :id FOR UPDATE"), {"id": origin}).scalar()
    if lead is None:
        return None
    connection.execute(
        text(
            """
            UPDATE conversation o SET stage = l.stage, crossover = l.crossover, ticket_closed = l.ticket_closed, article_cursor = l.article_cursor,
                   continued_by = NULL, due_at = now() FROM conversation l WHERE o.id = :id AND l.id = :lead
            """
        ),
        {"id": origin, "lead": lead},
    )
    connection.execute(
        text(
            "UPDATE conversation SET continued_by = :id, crossover = crossover - 'timers' WHERE id = :lead OR (continued_by = :lead AND id <> :id)"
        ),
        {"id": origin, "lead": lead},
    )
    return read_lead(connection, origin)


def read_lead(connection: Connection, conversation_id: int) -> State:
    """The state of the conversation that took this one's ticket over."""
    statement = text("SELECT stage, crossover FROM conversation WHERE id = :id")
    return state_of(connection.execute(statement, {"id": conversation_id}).one())


def lead_of(connection: Connection, conversation_id: int) -> Row[Any] | None:
    """The conversation in which a ticket is worked on, locked: itself, or the private one that took its ticket over."""
    statement = text(
        "SELECT id, place, helpdesk FROM conversation WHERE id = (SELECT COALESCE(continued_by, id) FROM conversation WHERE id = :id) FOR UPDATE"
    )
    return connection.execute(statement, {"id": conversation_id}).one_or_none()
