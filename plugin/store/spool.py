"""The spool: receipts as files while the database is away, by the Maildir discipline (write to tmp, fsync, rename, fsync the folder).

Bounded: when it is full the sender is asked to come again. An importer moves the files into the table, whose keys absorb repeats.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

from plugin.domain.errors import StoreUnavailable
from plugin.domain.ids import Place
from plugin.faults import point
from plugin.store import receipts
from plugin.store.database import Database
from plugin.store.receipts import NewReceipt

_BATCH = 200


class Spool:
    """A folder of receipts. `most` bytes in all; several processes of one machine may share it."""

    def __init__(self, folder: Path, *, most: int) -> None:
        self._tmp, self._new, self._bad = folder / "tmp", folder / "new", folder / "unreadable"
        self._most = most
        self._lock = threading.Lock()
        self._counter = 0

    def prepare(self) -> None:
        """Make the folders, readable by us alone."""
        for folder in (self._tmp, self._new, self._bad):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def keep(self, receipt: NewReceipt) -> None:
        """Keep a receipt on disk.

        Raises:
            StoreUnavailable: the spool is full or the disk refuses it.
        """
        content = json.dumps(
            {
                "place": receipt.place,
                "method": receipt.method,
                "path": receipt.path,
                "query": dict(receipt.query),
                "headers": dict(receipt.headers),
                "body": base64.b64encode(receipt.body).decode("ascii"),
            }
        ).encode("utf-8", "surrogatepass")
        try:
            self._refuse_when_full(len(content))
            name = self._name()
            with (self._tmp / name).open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            point("spool.before_rename")
            (self._tmp / name).rename(self._new / name)
            _sync_folder(self._new)
            point("spool.after_rename")
        except OSError as problem:
            raise _cannot(type(problem).__name__) from problem

    def import_into(self, database: Database) -> int:
        """Move what is spooled into the table, oldest first; returns how many. Files are removed after the commit.

        Raises:
            StoreUnavailable: the database is still away; the files stay.
        """
        moved = 0
        while batch := self._oldest(_BATCH):
            found = [(path, receipt) for path in batch if (receipt := self._read(path)) is not None]
            with database.begin() as connection:
                receipts.insert(connection, [receipt for _, receipt in found])
            point("spool.after_import")
            for path, _ in found:
                path.unlink(missing_ok=True)
            moved += len(found)
        return moved

    def size(self) -> int:
        """How many receipts wait."""
        return sum(1 for _ in self._files())

    def _name(self) -> str:
        with self._lock:
            self._counter += 1
            return f"{_nanoseconds():020d}-{os.getpid()}-{self._counter:08d}-{uuid.uuid4().hex[:8]}"

    def _refuse_when_full(self, more: int) -> None:
        used = sum(entry.stat().st_size for entry in self._files())
        if used + more > self._most:
            raise _cannot("full")

    def _files(self) -> Iterator[os.DirEntry[str]]:
        with contextlib.suppress(FileNotFoundError), os.scandir(self._new) as entries:
            yield from entries

    def _oldest(self, count: int) -> list[Path]:
        return sorted(Path(entry.path) for entry in self._files())[:count]

    def _read(self, path: Path) -> NewReceipt | None:
        try:
            kept = json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
            return NewReceipt(
                place=Place(kept["place"]),
                method=kept["method"],
                path=kept["path"],
                query=kept["query"],
                headers=kept["headers"],
                body=base64.b64decode(kept["body"]),
            )
        except (ValueError, KeyError, TypeError):
            path.rename(self._bad / path.name)
            return None
        except FileNotFoundError:
            return None


def _nanoseconds() -> int:
    import time

    return time.time_ns()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cannot(detail: str) -> StoreUnavailable:
    return StoreUnavailable(
        "Neither the database nor the spool can take the delivery; nothing of it was kept. The sender is asked to come again.",
        detail=detail,
    )
