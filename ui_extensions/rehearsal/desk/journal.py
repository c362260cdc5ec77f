"""Keeps a desk's rows over a restart: an SQLite file, or memory. Knows kinds, ids and JSON, not what they mean.

A killed process loses nothing that was answered: each call's rows are committed (without waiting for the disk) before its answer.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS rows (kind TEXT NOT NULL, id INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (id INTEGER PRIMARY KEY, content BLOB NOT NULL);
"""


class Journal:
    """The rows on disk. Not thread-safe by itself: the desk calls it under its own lock."""

    def __init__(self, file: Path | None) -> None:
        self._connection = sqlite3.connect(file or ":memory:", check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.executescript(_TABLES)

    def load(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every kept row with its kind, oldest first within a kind."""
        for kind, data in self._connection.execute("SELECT kind, data FROM rows ORDER BY kind, id"):
            yield kind, json.loads(data)

    def save(self, rows: Iterable[tuple[str, int, dict[str, Any] | None]]) -> None:
        """Commit the rows together; None removes one."""
        self._connection.execute("BEGIN")
        for kind, key, data in rows:
            if data is None:
                self._connection.execute("DELETE FROM rows WHERE kind = ? AND id = ?", (kind, key))
            else:
                self._connection.execute("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", (kind, key, json.dumps(data)))
        self._connection.execute("COMMIT")

    def keep_file(self, key: int, content: bytes) -> None:
        """Keep a file's bytes."""
        self._connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (key, content))

    def file(self, key: int) -> bytes:
        """A file's bytes."""
        (content,) = self._connection.execute("SELECT content FROM files WHERE id = ?", (key,)).fetchone()
        return bytes(content)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
