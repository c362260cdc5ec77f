"""Who waits, across the conversations of one person: for one clock, one place in the queue, and one receipt. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

_SAME = "contact_id = ANY(ARRAY(SELECT :contact UNION SELECT p.id FROM contact c JOIN contact p ON p.person_id = c.person_id WHERE c.id = :contact))"
_LONGEST = text(
    f"""
    SELECT id, unanswered_since FROM conversation
    WHERE {_SAME} AND id <> :id AND unanswered_since > now() - :within AND stage <> 'resolved' AND NOT ticket_closed
    ORDER BY unanswered_since, id LIMIT 1
    """  # noqa: S608 - ours
)
_RECEIPTED = text(
    f"""
    SELECT EXISTS (SELECT 1 FROM conversation
                   WHERE {_SAME} AND CAST(crossover->>'receipted_at' AS timestamptz) > now() - :within)
    """  # noqa: S608 - ours
)


def longest(connection: Connection, contact_id: int, *, other_than: int, within: timedelta) -> Sequence[Row[Any]]:
    """The person's other conversation that has waited for an answer the longest, and since when; nothing where there is none within that time."""
    return connection.execute(_LONGEST, {"contact": contact_id, "id": other_than, "within": within}).all()


def is_waiting(connection: Connection, conversation_id: int) -> bool:
    """Whether nobody has answered in the conversation yet."""
    statement = text("SELECT unanswered_since IS NOT NULL AND stage <> 'resolved' AND NOT ticket_closed FROM conversation WHERE id = :id")
    return bool(connection.execute(statement, {"id": conversation_id}).scalar())


def was_receipted(connection: Connection, contact_id: int, *, within: timedelta) -> bool:
    """Whether the person was told within that time, in any conversation, that nobody is at work."""
    return bool(connection.execute(_RECEIPTED, {"contact": contact_id, "within": within}).scalar())
