"""Files of customers' messages, kept from the moment they were fetched until they stand in the ticket."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.domain.model import File

_KEEP = text(
    """
    INSERT INTO media (event_id, part, filename, content_type, sha256, content, refusal)
    VALUES (:event, :part, :filename, :content_type, :sha256, :content, :refusal)
    ON CONFLICT (event_id, part) DO UPDATE SET content = excluded.content, sha256 = excluded.sha256, refusal = excluded.refusal
    """
)


def keep(connection: Connection, event_id: int, part: int, file: File) -> None:
    """Keep a fetched file."""
    connection.execute(
        _KEEP,
        {
            "event": event_id,
            "part": part,
            "filename": file.filename,
            "content_type": file.content_type,
            "sha256": hashlib.sha256(file.content).digest(),
            "content": file.content,
            "refusal": "",
        },
    )


def refuse(connection: Connection, event_id: int, part: int, *, filename: str, content_type: str, refusal: str) -> None:
    """Remember why a file could not be had; the sentence goes into the ticket in its place."""
    connection.execute(
        _KEEP,
        {
            "event": event_id,
            "part": part,
            "filename": filename,
            "content_type": content_type,
            "sha256": None,
            "content": None,
            "refusal": refusal,
        },
    )


def of_event(connection: Connection, event_id: int) -> Sequence[Row[Any]]:
    """The files of an event: filename, content type, bytes or refusal."""
    statement = text("SELECT part, filename, content_type, content, refusal FROM media WHERE event_id = :event ORDER BY part")
    return connection.execute(statement, {"event": event_id}).all()


def forget_bytes(connection: Connection, event_ids: Sequence[int]) -> None:
    """The files stand in the ticket now."""
    if event_ids:
        connection.execute(
            text("UPDATE media SET content = NULL WHERE event_id = ANY(:events) AND content IS NOT NULL"), {"events": list(event_ids)}
        )
