"""Notes and tags that agents keep about a person.

Each stands with the contact in whose ticket it was written, and is read for all contacts of its person: so it follows every joining, and after a
split each contact keeps what was written about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

_INSERT = text("INSERT INTO person_note (contact_id, kind, words, actor) VALUES (:contact, :kind, :words, :actor) RETURNING id")


def add(connection: Connection, contact_id: int, *, kind: str, words: str, actor: str) -> int:
    """Keep a note or a tag. Returns its id."""
    return int(connection.execute(_INSERT, {"contact": contact_id, "kind": kind, "words": words, "actor": actor}).scalar_one())


def of_contacts(connection: Connection, contact_ids: Sequence[int], *, limit: int = 200) -> Sequence[Row[Any]]:
    """What is kept about these contacts, the newest first."""
    statement = text("SELECT * FROM person_note WHERE contact_id = ANY(:ids) ORDER BY id DESC LIMIT :limit")
    return connection.execute(statement, {"ids": list(contact_ids), "limit": limit}).all() if contact_ids else []


def erase(connection: Connection, contact_ids: Sequence[int], *, only: Sequence[int] | None = None) -> int:
    """Erase what is kept about these contacts, all of it or these ids only; the words stand nowhere else. Returns how many there were."""
    statement = text("DELETE FROM person_note WHERE contact_id = ANY(:ids) AND (CAST(:only AS bigint[]) IS NULL OR id = ANY(:only))")
    return connection.execute(statement, {"ids": list(contact_ids), "only": None if only is None else list(only)}).rowcount
