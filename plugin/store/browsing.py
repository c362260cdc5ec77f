"""The ledger for people to look through: by words, what is held, and the audit. Reads only, never more than a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.store.ledger import find_events

_SEARCH = text(
    """
    SELECT e.id, e.place, e.kind, e.state, e.reason, e.received_at, e.conversation_id, c.ticket_number, p.profile->>'handle' AS handle,
           (SELECT string_agg(DISTINCT i.state, ', ') FROM intent i WHERE i.event_id = e.id) AS wishes
    FROM inbound_event e LEFT JOIN conversation c ON c.id = e.conversation_id LEFT JOIN contact p ON p.id = c.contact_id
    WHERE e.id = ANY(:ids) OR e.conversation_id IN (
            SELECT v.id FROM conversation v JOIN contact h ON h.id = v.contact_id WHERE lower(ltrim(h.profile->>'handle', '@')) = lower(ltrim(:words, '@')))
       OR (:has_words AND (e.reason ILIKE :like OR EXISTS (
            SELECT 1 FROM intent i WHERE i.event_id = e.id AND (i.reason ILIKE :like OR i.reason_text ILIKE :like))))
    ORDER BY e.id DESC LIMIT :limit
    """
)


def search(connection: Connection, words: str, *, limit: int = 50) -> Sequence[Row[Any]]:
    """Events, newest first: by any id that `find_events` knows, by a contact's handle, or by words in a reason; no words: the newest."""
    ids = find_events(connection, words) if words else []
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    has_words = not words or (len(words) >= 3 and not words.isdecimal())
    return connection.execute(_SEARCH, {"ids": ids, "words": words, "like": f"%{escaped}%", "has_words": has_words, "limit": limit}).all()


def held(connection: Connection, *, limit: int = 200) -> Sequence[Row[Any]]:
    """Outbound wishes that wait for something, oldest first, with the reason for people."""
    statement = text(
        """
        SELECT i.id, i.event_id, i.conversation_id, c.place, i.op, i.reason, i.reason_text, i.created_at AS since, i.due_at, c.hold_reason,
               c.ticket_number
        FROM intent i JOIN conversation c ON c.id = i.conversation_id WHERE i.state = 'held' ORDER BY i.id LIMIT :limit
        """
    )
    return connection.execute(statement, {"limit": limit}).all()


def audit(connection: Connection, *, words: str = "", before: int | None = None, limit: int = 100) -> Sequence[Row[Any]]:
    """Who decided what, newest first; `words` must stand in actor, action or subject; `before` an entry's id goes on from there."""
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    statement = text(
        "SELECT id, at, actor, action, subject, detail FROM audit WHERE (CAST(:before AS bigint) IS NULL OR id < :before) "
        "AND (actor ILIKE :like OR action ILIKE :like OR subject ILIKE :like) ORDER BY id DESC LIMIT :limit"
    )
    return connection.execute(statement, {"before": before, "like": f"%{escaped}%", "limit": limit}).all()
