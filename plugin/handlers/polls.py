"""Polling: the intake of platforms without webhooks, and the net below the others. Same events, same keys, one row.

Saved searches and second looks take the same way: a lease, one call at a time, the events and the cursor in one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import Connection

from plugin.contracts.platform import Polled
from plugin.domain.errors import BillingStopped, CredentialsRejected, CrossdeskError, RateLimited
from plugin.domain.model import Origin
from plugin.faults import point
from plugin.handlers import health, ties
from plugin.handlers.asking import Asking, Rests, askings
from plugin.handlers.fates import back_off
from plugin.handlers.installation import Installation
from plugin.handlers.split import Splitter
from plugin.store import cursors, places, unreadable
from plugin.store.cursors import PollLease, Step, Task
from plugin.store.database import Database
from plugin.store.intake import Arrival

_log = structlog.get_logger("crossdesk.polls")
_PAGES = 20


class Poller:
    """Asks the places of an installation what there is to be asked."""

    def __init__(self, installation: Installation, database: Database, splitter: Splitter) -> None:
        self._installation = installation
        self._database = database
        self._splitter = splitter
        self._known: tuple[int, dict[Task, Asking]] = (-1, {})
        # A poll whose process died is taken over after so long; one page takes a few calls.
        self._lease_seconds = 2 * installation.engine.lease_seconds

    @property
    def tasks(self) -> Sequence[Task]:
        """What is asked of whom, for `cursors.register`."""
        return list(self._askings)

    @property
    def _askings(self) -> dict[Task, Asking]:
        version = self._installation.version
        if self._known[0] != version:
            self._known = (version, {(asking.place, asking.task): asking for asking in askings(self._installation)})
        return self._known[1]

    def poll_due(self) -> int:
        """Ask what is due; returns how many new events that brought."""
        known = self._askings
        if not known:
            return 0
        leases = self._database.run(lambda connection: cursors.claim(connection, list(known), limit=4, seconds=self._lease_seconds))
        return sum(self._ask(known[lease.place, lease.task], lease) for lease in leases)

    def _ask(self, asking: Asking, lease: PollLease) -> int:
        position, found = lease.position, 0
        again = max(asking.seconds, self._installation.engine.poll_floor_seconds)
        gap = health.gap(lease, again) if asking.is_intake else None
        for page in range(_PAGES):
            prepared = asking.prepare(self._database, lease)
            if prepared is None:
                return found
            if isinstance(prepared, Rests):
                self._rest(lease, prepared)
                break
            try:
                point(f"{asking.kind}.before_call")
                polled = asking.ask(prepared, position)
            except Exception as error:  # noqa: BLE001 - one place's fault must not stop the polling of the others
                self._failed(asking, lease, prepared, error)
                break
            goes_on = polled.has_more and page < _PAGES - 1
            pause = self._installation.engine.poll_floor_seconds if polled.has_more else again
            new = self._database.run(
                lambda connection: self._keep(connection, asking, lease, prepared, polled, gap, pause, goes_on=goes_on, is_first=page == 0)  # noqa: B023
            )
            point(f"{asking.kind}.after_commit")
            if new is None:
                return found
            found += new
            position = polled.position if polled.position is not None else position
            if not goes_on:
                break
        if found:
            _log.info(f"{asking.kind}_found", place=lease.place, task=lease.task, events=found)
        if found and gap is not None:
            _log.warning("gap_found", place=lease.place, missed=found, seconds=round(gap))
        return found

    def _keep(
        self,
        connection: Connection,
        asking: Asking,
        lease: PollLease,
        prepared: Any,
        polled: Polled,
        gap: float | None,
        again: float,
        *,
        goes_on: bool,
        is_first: bool,
    ) -> int | None:
        """Store the events and move the cursor together. None: another poller took over meanwhile."""
        origin = Origin.POLL if lease.quiet_for is not None else Origin.BACKFILL
        events = ties.told(connection, lease.place, polled.events)
        arrivals: Sequence[Arrival] = [Arrival(event=event, origin=origin) for event in events]
        found = self._splitter.keep(connection, lease.place, arrivals)
        for skipped in polled.skipped:
            unreadable.keep_skipped(connection, lease.place, skipped, origin)
        is_evidence = found > 0 and any(not getattr(event, "is_own", False) for event in polled.events)
        step = Step(
            position=None if polled.position is None else json.dumps(polled.position),
            again_in=again,
            found=found,
            missed=found if gap is not None else 0,
            is_evidence=is_evidence if asking.is_intake and is_first and gap is None and origin is Origin.POLL else None,
            keep_lease=self._lease_seconds if goes_on else None,
        )
        advanced = cursors.advance(connection, lease, step)
        if advanced is None:
            connection.rollback()
            return None
        asking.keep(connection, lease, prepared, polled)
        if asking.is_intake:
            health.watch_webhook(connection, lease.place, advanced.silence, said=polled.silent)
            if lease.failures:
                health.watch_polls(connection, lease.place, None)
            if found and gap is not None:
                health.tell_of_gap(connection, lease.place, found, gap)
        return found

    def _rest(self, lease: PollLease, rests: Rests) -> None:
        if rests.why:
            _log.warning(rests.why, place=lease.place, task=lease.task, again_in=round(rests.seconds))
        step = Step(position=None, again_in=max(rests.seconds, self._installation.engine.poll_floor_seconds))
        self._database.run(lambda connection: cursors.advance(connection, lease, step))

    def _failed(self, asking: Asking, lease: PollLease, prepared: Any, error: Exception) -> None:
        _log.warning(f"{asking.kind}_failed", place=lease.place, task=lease.task, error=type(error).__name__, sentence=str(error)[:300])

        def record(connection: Connection) -> None:
            own = asking.fail(connection, lease, prepared, error)
            if asking.is_intake:
                seconds = self._blame(connection, lease, error)
            else:
                seconds = own if own is not None else max(back_off(self._installation.engine, min(lease.failures, 20)), asking.seconds)
            cursors.advance(connection, lease, Step(position=None, again_in=seconds, is_ok=False))

        self._database.run(record)

    def _blame(self, connection: Connection, lease: PollLease, error: Exception) -> float:
        """A failed poll is the place's own fault; returns the seconds until the next one."""
        standing = places.standings(connection, [lease.place])[lease.place]
        seconds = back_off(self._installation.engine, min(standing.failures, 6))
        match error:
            case RateLimited():
                seconds = error.retry_after if error.retry_after is not None else seconds
                places.block(connection, lease.place, reason="rate", seconds=seconds)
            case CredentialsRejected() | BillingStopped():
                status = "reauth" if isinstance(error, CredentialsRejected) else "billing"
                if places.set_status(connection, lease.place, status, str(error)):
                    places.raise_alert(connection, lease.place, status, str(error))
            case CrossdeskError() if error.retryable:
                places.block(connection, lease.place, reason="outage", seconds=seconds)
            case _:
                health.watch_polls(connection, lease.place, error)
                seconds = back_off(self._installation.engine, min(lease.failures, 20))
        return seconds
