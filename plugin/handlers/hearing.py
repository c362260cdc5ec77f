"""Hearing that there is news, over connections that platforms keep open. A sign makes the channel's poll due now and wakes workers, and that is all.

It knows nothing of what is new. Whatever fails or dies here costs seconds: the poll comes all the same. One listener in the whole installation
is enough for a channel; a second one is harmless.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import Connection

from plugin.config import EngineConfig
from plugin.contracts.platform import HearsNews
from plugin.contracts.wakeups import WakeUps
from plugin.domain.errors import CrossdeskError, RateLimited, StoreUnavailable
from plugin.domain.ids import Place
from plugin.faults import point
from plugin.handlers.fates import back_off
from plugin.handlers.installation import Installation
from plugin.store import cursors, places
from plugin.store.database import Database

_log = structlog.get_logger("crossdesk.hearing")
_LOOK_SECONDS = 0.5
_STEADY_SECONDS = 30.0
"""A stream that held so long was a good one: what comes after it is no repeated failure."""
_NOTHING_SECONDS = 3600.0
"""Where there is nothing to listen to, or not for us, that is asked again so much later."""
_LONGEST_GAP = 5.0
_GOODBYE_SECONDS = 1.0


class Hearing:
    """The listeners of one process: a thread each, for every active channel whose platform can be heard."""

    def __init__(self, installation: Installation, database: Database, wakeups: WakeUps) -> None:
        self._installation = installation
        self._database = database
        self._wakeups = wakeups
        self._news = threading.Event()
        self._ears: dict[Place, _Ear] = {}
        self._looked_at = float("-inf")

    def run(self, stopping: threading.Event) -> None:
        """Listen until `stopping` is set. Never raises."""
        while not stopping.is_set():
            self._news.clear()
            try:
                if time.monotonic() - self._looked_at >= _LOOK_SECONDS:
                    self._listen_where_wanted()
                    self._looked_at = time.monotonic()
                self._pass_on()
            except StoreUnavailable:
                # What was heard is kept; the sweeper says that the database is away.
                stopping.wait(_LOOK_SECONDS)
            except Exception:  # noqa: BLE001 - sweeping must not notice, whatever it was
                _log.exception("hearing_fault")
                stopping.wait(_LOOK_SECONDS)
            self._news.wait(_LOOK_SECONDS)
        self._end()

    def _end(self) -> None:
        """Tell every listener, and wait a moment for them to hang up."""
        for ear in self._ears.values():
            ear.over.set()
        until = time.monotonic() + _GOODBYE_SECONDS
        for ear in self._ears.values():
            ear.thread.join(max(0.0, until - time.monotonic()))

    def _listen_where_wanted(self) -> None:
        """Begin where a channel came or was resumed, end where one went, was paused or has lost its credentials."""
        wanted = self._audible()
        for place in [place for place, ear in self._ears.items() if wanted.get(place) is not ear.adapter]:
            self._ears.pop(place).over.set()
        for place in wanted.keys() - self._ears.keys():
            self._ears[place] = _Ear(place, wanted[place], self._installation.engine, self._news)

    def _audible(self) -> Mapping[Place, HearsNews]:
        channels = self._installation.channels.values()
        found = {channel.place: channel.adapter for channel in channels if isinstance(channel.adapter, HearsNews)}
        if not found:
            return {}
        standings = self._database.run(lambda connection: places.standings(connection, list(found)))
        return {place: adapter for place, adapter in found.items() if place in standings and standings[place].status == "active"}

    def _pass_on(self) -> None:
        """Tell what was heard, of each channel at most once in its gap; what comes sooner is told at its end."""
        now = time.monotonic()
        heard = [ear for ear in self._ears.values() if ear.heard.is_set() and now >= ear.quiet_until]
        if not heard:
            return
        for ear in heard:
            ear.heard.clear()
        try:
            told = self._database.run(lambda connection: self._poll_now(connection, heard))
        except StoreUnavailable:
            for ear in heard:
                ear.heard.set()
            raise
        for ear in heard:
            if ear.place in told:
                ear.quiet_until = now + ear.gap
            else:
                ear.heard.set()
        if told:
            point("hear.before_wake")
            self._wakeups.wake()

    def _poll_now(self, connection: Connection, heard: list[_Ear]) -> set[Place]:
        floor = self._installation.engine.poll_floor_seconds
        told = {ear.place for ear in heard if cursors.poll_now(connection, ear.place, floor=floor)}
        point("hear.before_commit")
        return told


class _Ear:
    """One channel's listener. It touches neither the database nor Redis."""

    def __init__(self, place: Place, adapter: HearsNews, engine: EngineConfig, news: threading.Event) -> None:
        self.place = place
        self.adapter = adapter
        self.over = threading.Event()
        self.heard = threading.Event()
        self.gap = max(engine.poll_floor_seconds, min(_LONGEST_GAP, adapter.poll_seconds / 2))
        self.quiet_until = float("-inf")
        self._engine = engine
        self._news = news
        self.thread = threading.Thread(target=self._listen, name=f"hear {place}", daemon=True)
        self.thread.start()

    def _hear(self) -> None:
        if not self.over.is_set():
            self.heard.set()
            self._news.set()

    def _listen(self) -> None:
        failures = 0
        while not self.over.is_set():
            began, rest = time.monotonic(), 0.0
            try:
                self.adapter.hear(self._hear, self.over.is_set)
            except Exception as error:  # noqa: BLE001 - the poll goes on, whatever one platform does to its listeners
                rest = _rest(error)
                self._tell(error)
            failures = 0 if time.monotonic() - began >= _STEADY_SECONDS else failures + 1
            if not self.over.is_set():
                self.over.wait(max(rest, back_off(self._engine, failures)))

    def _tell(self, error: Exception) -> None:
        said: dict[str, Any] = {"error": type(error).__name__}
        if isinstance(error, CrossdeskError):
            said["sentence"] = str(error)[:300]
        _log.info("not_heard", place=self.place, **said)


def _rest(error: Exception) -> float:
    """Seconds to leave the platform alone at least."""
    match error:
        case RateLimited():
            return error.retry_after or 0.0
        case CrossdeskError() if not error.retryable:
            return _NOTHING_SECONDS
    return 0.0
