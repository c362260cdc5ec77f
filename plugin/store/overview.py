"""Conversations for people to look at: lists, one of them whole, and what was stored for a back-test. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.store.conversations import Held, held_of

_LIST = text(
    """
    SELECT c.id, c.place, c.stage, c.visibility, c.ticket_number, c.ticket_owner, c.ticket_group, c.agent_replies, c.customer_messages,
           c.times_reopened, c.unanswered_since, c.opened_at, c.crossover->>'rule' AS rule, c.continued_by, p.profile->>'handle' AS handle,
           CASE WHEN CAST(c.agent_lock->>'until' AS timestamptz) > now() THEN c.agent_lock->'holder'->>'name' END AS locked_by,
           CASE WHEN CAST(c.agent_lock->>'until' AS timestamptz) > now() THEN c.agent_lock->>'until' END AS locked_until,
           (SELECT count(*) FROM intent i WHERE i.conversation_id = c.id AND i.state = 'held') AS held,
           (SELECT min(e.due_at) FROM inbound_event e WHERE e.conversation_id = c.id AND e.kind = 'TimerElapsed' AND e.state = 'waiting') AS next_at
    FROM conversation c LEFT JOIN contact p ON p.id = c.contact_id
    WHERE (CAST(:stage AS text) IS NULL OR c.stage = :stage) AND (NOT :open OR NOT (c.ticket_closed OR c.stage = 'resolved'))
    ORDER BY c.unanswered_since IS NOT NULL AND COALESCE(c.crossover->>'overtakes', '') <> '' DESC, c.unanswered_since NULLS LAST, c.id DESC LIMIT :limit
    """
)


def conversations(connection: Connection, *, stage: str | None, limit: int, only_open: bool = False) -> Sequence[Row[Any]]:
    """The conversations in the order of their places in the queue, those that wait for nobody last."""
    return connection.execute(_LIST, {"stage": stage, "limit": limit, "open": only_open}).all()


def timers(connection: Connection, conversation_id: int) -> Sequence[Row[Any]]:
    """`name` and `at` of what the conversation waits for."""
    statement = text(
        "SELECT payload->>'name' AS name, due_at AS at FROM inbound_event "
        "WHERE conversation_id = :id AND kind = 'TimerElapsed' AND state = 'waiting' ORDER BY due_at"
    )
    return connection.execute(statement, {"id": conversation_id}).all()


def held_wishes(connection: Connection, conversation_id: int) -> Sequence[Row[Any]]:
    """What does not leave, and why."""
    statement = text(
        "SELECT id, op, part, reason, reason_text, created_at FROM intent WHERE conversation_id = :id AND state = 'held' ORDER BY id"
    )
    return connection.execute(statement, {"id": conversation_id}).all()


_LOOK = text(
    """
    SELECT c.*, p.profile, p.customer_ref, now() AS now FROM conversation c LEFT JOIN contact p ON p.id = c.contact_id WHERE c.id = :id
    """
)


def look(connection: Connection, conversation_id: int) -> Held | None:
    """A conversation as its lease holder would see it, without a lease; None when there is none."""
    row = connection.execute(_LOOK, {"id": conversation_id}).one_or_none()
    return None if row is None else held_of(row)


def last_said(connection: Connection, conversation_id: int) -> Row[Any] | None:
    """The event of the last thing that the customer said."""
    statement = text(
        """
        SELECT e.id, e.payload FROM message m JOIN inbound_event e ON e.id = m.event_id
        WHERE m.conversation_id = :id AND m.direction = 'inbound' AND e.kind = 'MessageReceived' ORDER BY m.id DESC LIMIT 1
        """
    )
    return connection.execute(statement, {"id": conversation_id}).one_or_none()


_STORED = text(
    """
    SELECT m.conversation_id, m.event_id, m.direction, m.contact_id, m.created_at AS at, e.payload, e.kind,
           c.place, c.visibility, c.contact_id AS opened_by, c.is_scam, p.profile
    FROM conversation c JOIN message m ON m.conversation_id = c.id JOIN inbound_event e ON e.id = m.event_id
         LEFT JOIN contact p ON p.id = c.contact_id
    WHERE m.direction IN ('inbound', 'outbound') AND e.kind IN ('MessageReceived', 'ArticleAdded')
      AND EXISTS (SELECT 1 FROM message s WHERE s.conversation_id = c.id AND s.created_at >= :since)
    ORDER BY m.conversation_id, m.id
    """
)


def stored_messages(connection: Connection, since: datetime, *, batch: int = 500) -> Iterator[Row[Any]]:
    """Every message of the conversations in which something was said since then, conversation by conversation, in order; read as it is consumed."""
    result = connection.execution_options(stream_results=True, yield_per=batch).execute(_STORED, {"since": since})
    try:
        yield from result
    finally:
        result.close()
