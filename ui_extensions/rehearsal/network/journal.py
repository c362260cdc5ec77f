"""Keeps the practice data over a restart: one JSON line for each change, and each file's bytes beside it.

A line is written and handed to the system before the change is answered, so killing the process loses nothing that was answered. A torn
last line (the machine stopped) is cut off. To start afresh, delete the folder.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Journal:
    """An append-only file in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._files = folder / "files"
        self._files.mkdir(parents=True, exist_ok=True)
        self._path = folder / "journal.jsonl"
        self._cut_torn_line()
        self._handle = self._path.open("ab")
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with self._path.open("rb") as lines:
            for line in lines:
                yield json.loads(line)

    def append(self, entry: dict[str, Any]) -> None:
        """Keep one change."""
        line = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            self._handle.write(line)
            self._handle.flush()

    def keep_file(self, media_id: str, content: bytes) -> None:
        """Keep a file's bytes under an id of our own making."""
        (self._files / media_id).write_bytes(content)

    def file(self, media_id: str) -> bytes:
        """The bytes again."""
        return (self._files / media_id).read_bytes()

    def drop_file(self, media_id: str) -> None:
        """Forget a file's bytes."""
        (self._files / media_id).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file."""
        self._handle.close()

    def _cut_torn_line(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("rb+") as handle:
            content = handle.read()
            handle.truncate(content.rfind(b"\n") + 1)
