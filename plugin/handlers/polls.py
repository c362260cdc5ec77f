"""Polling: the intake of platforms without webhooks, and the net below the others. Same events, same keys, one row."""

from __future__ import annotations

import json
from collections.abc import Sequence

import structlog
from sqlalchemy import Connection

from plugin.contracts.platform import Polled
from plugin.domain.errors import BillingStopped, CredentialsRejected, CrossdeskError, RateLimited
from plugin.domain.model import Origin
from plugin.faults import point
from plugin.handlers.fates import back_off
from plugin.handlers.installation import Installation
from plugin.handlers.split import Splitter
from plugin.store import events, places
from plugin.store.database import Database
from plugin.store.events import Arrival
from plugin.store.places import PollLease

_log = structlog.get_logger("crossdesk.polls")
_PAGES = 20


class Poller:
    """Polls the places of an installation that can be polled."""

    def __init__(self, installation: Installation, database: Database, splitter: Splitter) -> None:
        self._installation = installation
        self._database = database
        self._splitter = splitter
        self._adapters = installation.polls()
        # A poll whose process died is taken over after so long; one page takes a few calls.
        self._lease_seconds = 2 * installation.engine.lease_seconds

    def poll_due(self) -> int:
        """Poll what is due; returns how many new events that brought."""
        wanted = list(self._adapters)
        if not wanted:
            return 0
        leases = self._database.run(lambda connection: places.claim_polls(connection, wanted, limit=4, seconds=self._lease_seconds))
        return sum(self._poll(lease) for lease in leases)

    def _poll(self, lease: PollLease) -> int:
        adapter = self._adapters[lease.place]
        position, found = lease.position, 0
        again = max(adapter.poll_seconds, self._installation.engine.poll_floor_seconds)
        for page in range(_PAGES):
            try:
                point("poll.before_call")
                polled = adapter.poll(position)
            except Exception as error:  # noqa: BLE001 - one place's fault must not stop the polling of the others
                self._failed(lease, error)
                return found
            goes_on = polled.has_more and page < _PAGES - 1
            new = self._database.run(lambda connection: self._keep(connection, lease, polled, again, goes_on=goes_on))  # noqa: B023
            point("poll.after_commit")
            if new is None:
                return found
            found += new
            position = polled.position if polled.position is not None else position
            if not goes_on:
                break
        if found:
            _log.info("poll_found", place=lease.place, events=found)
        return found

    def _keep(self, connection: Connection, lease: PollLease, polled: Polled, again: float, *, goes_on: bool) -> int | None:
        """Store the events and move the cursor together. None: another poller took over meanwhile."""
        origin = Origin.POLL if lease.last_ok_at is not None else Origin.BACKFILL
        arrivals: Sequence[Arrival] = [Arrival(event=event, origin=origin) for event in polled.events]
        found = self._splitter.keep(connection, lease.place, arrivals)
        for skipped in polled.skipped:
            events.keep_skipped(connection, lease.place, skipped, origin)
        position = None if polled.position is None else json.dumps(polled.position)
        is_mine = places.advance_poll(
            connection,
            lease,
            position=position,
            again_in=again,
            found=found,
            is_ok=True,
            keep_lease=self._lease_seconds if goes_on else None,
        )
        if not is_mine:
            connection.rollback()
            return None
        places.recovered(connection, lease.place)
        return found

    def _failed(self, lease: PollLease, error: Exception) -> None:
        _log.warning("poll_failed", place=lease.place, error=type(error).__name__, sentence=str(error)[:300])

        def record(connection: Connection) -> None:
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
            places.advance_poll(connection, lease, position=None, again_in=seconds, found=0, is_ok=False)

        self._database.run(record)
