"""Evidence: what was seen of a likely impostor, profile and words as they were, for profiles of impostors vanish. One row for each message."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text


def keep(connection: Connection, conversation_id: int, event_id: int, content: Mapping[str, Any]) -> None:
    """Keep a snapshot; what was kept of the same message stays."""
    statement = text(
        "INSERT INTO evidence (conversation_id, event_id, content) VALUES (:conversation, :event, CAST(:content AS jsonb)) "
        "ON CONFLICT (event_id) DO NOTHING"
    )
    connection.execute(statement, {"conversation": conversation_id, "event": event_id, "content": json.dumps(dict(content))})


def of_conversation(connection: Connection, conversation_id: int) -> Sequence[Row[Any]]:
    """What was kept in a conversation, oldest first."""
    statement = text("SELECT id, event_id, content, created_at FROM evidence WHERE conversation_id = :id ORDER BY id")
    return connection.execute(statement, {"id": conversation_id}).all()


_IMPOSTOR = text(
    """
    SELECT v.event_id, v.content->'contact'->>'ref' AS ref, v.content->'contact'->>'handle' AS handle, e.payload->>'message_ref' AS message_ref,
           EXISTS (SELECT 1 FROM decision d WHERE d.conversation_id = v.conversation_id AND d.kind = 'warning'
                      AND d.outcome->>'contact' = v.content->'contact'->>'ref') AS is_warned
    FROM evidence v JOIN inbound_event e ON e.id = v.event_id WHERE v.conversation_id = :id ORDER BY is_warned, v.id DESC LIMIT 1
    """
)


def impostor(connection: Connection, conversation_id: int) -> Row[Any] | None:
    """The latest likely impostor of a conversation, one of whom nobody was warned if there is one."""
    return connection.execute(_IMPOSTOR, {"id": conversation_id}).one_or_none()


def forget(connection: Connection, conversation_id: int) -> int:
    """Forget what was kept in a conversation, for an erasure."""
    return connection.execute(text("DELETE FROM evidence WHERE conversation_id = :id"), {"id": conversation_id}).rowcount
