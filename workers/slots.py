"""A server's own concurrency limit across threads, processes and machines: numbered advisory locks in PostgreSQL, kept while they are in use.

A dead holder's locks end with its connection. Waiting is short: who finds no slot gives the conversation back and works on another one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from plugin.domain.errors import StoreUnavailable
from plugin.domain.ids import Place
from plugin.store.database import Database

_WAIT_SECONDS = 0.25
_POLL_SECONDS = 0.02
_KEEP_SECONDS = 0.5
_SPACE = 0x534C4F54


@dataclass(slots=True)
class _Owned:
    """The slots of one place that this process owns: number -> since when."""

    since: dict[int, float] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)


class Slots:
    """The slots that this process holds. Close it when the process has nothing to do."""

    def __init__(self, database: Database, limit: Callable[[Place], int]) -> None:
        self._database = database
        self._limit = limit
        self._owned: dict[Place, _Owned] = {}
        self._changed = threading.Condition()
        self._connection: Connection | None = None

    @contextmanager
    def __call__(self, place: Place) -> Iterator[bool]:
        """Hold a slot of `place` while inside; False when none became free in time."""
        number = self._take(place)
        try:
            yield number is not None
        finally:
            if number is not None:
                self._give(place, number)

    def close(self) -> None:
        """Give every slot back."""
        with self._changed:
            self._owned.clear()
            if self._connection is not None:
                self._connection.invalidate()
                self._connection.close()
                self._connection = None

    def _take(self, place: Place) -> int | None:
        until = time.monotonic() + _WAIT_SECONDS
        with self._changed:
            owned = self._owned.setdefault(place, _Owned())
            while True:
                if owned.free:
                    return owned.free.pop()
                number = self._lock_one(place, owned)
                if number is not None:
                    owned.since[number] = time.monotonic()
                    return number
                if time.monotonic() >= until:
                    return None
                self._changed.wait(_POLL_SECONDS)

    def _give(self, place: Place, number: int) -> None:
        with self._changed:
            owned = self._owned.get(place)
            if owned is None or number not in owned.since:
                return
            # Others must have their turn: a slot that was ours for long is let go, and taken again if nobody wants it.
            if time.monotonic() - owned.since[number] > _KEEP_SECONDS:
                del owned.since[number]
                # What the call did must not be forgotten because the lock went with its connection.
                with suppress(StoreUnavailable):
                    self._run("SELECT pg_advisory_unlock(:space, hashtext(:name))", place, number)
            else:
                owned.free.append(number)
            self._changed.notify()

    def _lock_one(self, place: Place, owned: _Owned) -> int | None:
        for number in range(self._limit(place)):
            if number not in owned.since and self._run("SELECT pg_try_advisory_lock(:space, hashtext(:name))", place, number):
                return number
        return None

    def _run(self, statement: str, place: Place, number: int) -> bool:
        if self._connection is None:
            self._connection = self._database.open_autocommit()
        try:
            return bool(self._connection.execute(text(statement), {"space": _SPACE, "name": f"{place}#{number}"}).scalar())
        except DBAPIError as problem:
            # The connection is gone, and with it every lock that it held.
            self._owned.clear()
            self._connection.invalidate()
            self._connection = None
            raise StoreUnavailable(detail=type(problem).__name__) from problem
