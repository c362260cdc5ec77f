"""Replies that wait for a second person, over all conversations, and what a conversation's page was shown by. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

_WAITING = text(
    """
    SELECT c.id, c.place, c.ticket_number, c.ticket_url, c.visibility, c.candidates, c.agent_lock, p.profile->>'handle' AS handle, now() AS now
    FROM conversation c LEFT JOIN contact p ON p.id = c.contact_id WHERE c.candidates <> '[]' ORDER BY c.id LIMIT :limit
    """
)


def conversations(connection: Connection, *, limit: int = 200) -> Sequence[Row[Any]]:
    """The conversations in which replies wait."""
    return connection.execute(_WAITING, {"limit": limit}).all()


_WRITTEN = text("SELECT id, payload, received_at FROM inbound_event WHERE id = ANY(:numbers)")


def written(connection: Connection, numbers: Sequence[int]) -> dict[int, Row[Any]]:
    """What agents wrote, by the reply's number."""
    return {row.id: row for row in connection.execute(_WRITTEN, {"numbers": list(numbers)})}


_SHOWN = text(
    """
    SELECT concat_ws('.', c.stage, COALESCE(c.agent_lock->>'fence', '0'), c.hold_reason,
        (SELECT max(id) FROM decision WHERE conversation_id = c.id),
        (SELECT count(*) FROM intent WHERE conversation_id = c.id AND state = 'held')) AS word
    FROM conversation c WHERE c.id = :id
    """
)


def shown(connection: Connection, conversation_id: int) -> str:
    """A word that changes with the conversation's stage, lock, holds and decisions; empty where there is none."""
    return connection.execute(_SHOWN, {"id": conversation_id}).scalar() or ""


def shown_place(connection: Connection, place: str) -> str:
    """A word that changes with the place's status."""
    statement = text("SELECT concat_ws('.', status, extract(epoch FROM status_since)) FROM place WHERE key = :place")
    return connection.execute(statement, {"place": place}).scalar() or ""
