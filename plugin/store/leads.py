"""Leads: of the conversations that share a ticket, the one in which it is worked on. The others only point to the ticket."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.domain.codec import encode
from plugin.domain.ids import Place, ThreadKey
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


def read_lead(connection: Connection, conversation_id: int) -> State:
    """The state of the conversation that took this one's ticket over."""
    statement = text("SELECT stage, crossover FROM conversation WHERE id = :id")
    return state_of(connection.execute(statement, {"id": conversation_id}).one())


def lead_of(connection: Connection, conversation_id: int) -> Row[Any] | None:
    """The conversation in which a ticket is worked on, locked: itself, or the private one that took its ticket over."""
    statement = text(
        "SELECT id, place FROM conversation WHERE id = (SELECT COALESCE(continued_by, id) FROM conversation WHERE id = :id) FOR UPDATE"
    )
    return connection.execute(statement, {"id": conversation_id}).one_or_none()
