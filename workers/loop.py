"""The work itself: split what arrived, poll what is due, and work several conversations at once until nothing is due or time is up."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from plugin.bootstrap import Bridge
from plugin.domain.errors import StoreUnavailable
from plugin.faults import point
from plugin.handlers.drain import Drain
from plugin.store import conversations
from workers.slots import Slots

_log = structlog.get_logger("crossdesk.loop")
_POLL_EVERY = 0.5
_REFRESH_EVERY = 2.0


class WorkLoop:
    """Works for `bridge` with `threads` threads. `nudged` is set by whoever knows of new work; `stopping` ends the loop early."""

    def __init__(self, bridge: Bridge, *, threads: int, nudged: threading.Event) -> None:
        self._bridge = bridge
        self._threads = threads
        self._nudged = nudged
        self.stopping = threading.Event()
        self._owner = f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"
        self._running: set[Future[int]] = set()
        self._poll: Future[int] | None = None
        self._polled_at = 0.0
        self._refreshed_at = 0.0

    def run(self, *, seconds: float, idle_seconds: float) -> int:
        """Work for at most about `seconds`, or until nothing was due for `idle_seconds`. Returns how many calls were made."""
        slots = Slots(self._bridge.database, self._bridge.concurrency)
        drain = self._bridge.drain(slots)
        until = time.monotonic() + seconds
        made, last_busy = 0, time.monotonic()
        with ThreadPoolExecutor(self._threads + 1, thread_name_prefix="drain") as pool:
            try:
                while not self.stopping.is_set() and time.monotonic() < until:
                    self._nudged.clear()
                    try:
                        is_busy = self._advance(pool, drain)
                    except StoreUnavailable:
                        _log.warning("store_away")
                        self.stopping.wait(1.0)
                        continue
                    made += self._reap()
                    if is_busy or self._running:
                        last_busy = time.monotonic()
                    elif time.monotonic() - last_busy >= idle_seconds:
                        break
                    if not is_busy:
                        self._nudged.wait(0.25 if self._running else min(idle_seconds, 0.5))
            finally:
                pool.shutdown(wait=True)
                slots.close()
        return made + self._reap()

    def _advance(self, pool: ThreadPoolExecutor, drain: Drain) -> bool:
        """One round; True when it may find more at once."""
        if time.monotonic() - self._refreshed_at >= _REFRESH_EVERY:
            self._refreshed_at = time.monotonic()
            self._bridge.refresh()
        has_split = self._bridge.splitter.split_due() > 0
        self._poll_due(pool)
        free = self._threads - len(self._running)
        if free <= 0:
            return False
        engine = self._bridge.installation.engine
        leases = self._bridge.database.run(
            lambda connection: conversations.claim(connection, owner=self._owner, limit=free, seconds=engine.lease_seconds)
        )
        point("loop.after_claim")
        for lease in leases:
            future: Future[int] = pool.submit(drain.work, lease)
            self._running.add(future)
            future.add_done_callback(lambda _: self._nudged.set())
        return has_split or bool(leases)

    def _poll_due(self, pool: ThreadPoolExecutor) -> None:
        if self._poll is not None:
            if not self._poll.done():
                return
            if self._poll.exception() is None and self._poll.result() > 0:
                self._nudged.set()
            self._poll = None
        if time.monotonic() - self._polled_at >= _POLL_EVERY:
            self._polled_at = time.monotonic()
            self._poll = pool.submit(self._bridge.poller.poll_due)
            self._poll.add_done_callback(lambda future: self._nudged.set() if not future.exception() and future.result() else None)

    def _reap(self) -> int:
        done = {future for future in self._running if future.done()}
        self._running -= done
        made = 0
        for future in done:
            error = future.exception()
            if error is None:
                made += future.result()
            else:
                _log.error("drain_fault", exc_info=error)
        return made
