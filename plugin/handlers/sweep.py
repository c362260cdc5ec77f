"""The sweeper: re-finds everything that is due and says so. Running it twice at once is harmless; without Redis it works off what it finds."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection, text

from plugin.contracts.wakeups import WakeUps
from plugin.handlers import health
from plugin.handlers.installation import Installation
from plugin.store import conversations, events
from plugin.store.database import Database

_OLD = 86_400.0
_FORGOTTEN_AT_ONCE = 1000
_TIDY_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one round found."""

    is_anything_due: bool
    strays_ended: int
    alerts_raised: int


class Sweeper:
    """Sweeps an installation."""

    def __init__(self, installation: Installation, database: Database, wakeups: WakeUps) -> None:
        self._installation = installation
        self._database = database
        self._wakeups = wakeups

    def sweep(self) -> Swept:
        """One round: wake the workers if anything is due."""
        swept = self._database.run(self._look)
        if swept.is_anything_due:
            self._wakeups.wake()
        return swept

    def tidy(self) -> int:
        """The slow part of the work, once a minute: forget raw deliveries past their retention, for some seconds at most. Returns how many."""
        days, began, forgotten = self._installation.engine.retention_days, time.monotonic(), 0
        while True:
            batch = self._database.run(lambda connection: forget_receipts(connection, days=days, limit=_FORGOTTEN_AT_ONCE))
            forgotten += batch
            if batch < _FORGOTTEN_AT_ONCE or time.monotonic() - began > _TIDY_SECONDS:
                return forgotten

    def _look(self, connection: Connection) -> Swept:
        strays = events.give_up_strays(connection)
        alerts = alarm_old(connection, seconds=_OLD)
        health.close_filled_gaps(connection)
        return Swept(is_anything_due=conversations.is_anything_due(connection), strays_ended=strays, alerts_raised=alerts)


_ALARM_OLD = text(
    """
    INSERT INTO alert (place, code, text)
    SELECT DISTINCT c.place, 'old', 'Something has been waiting for more than a day in this channel. Nothing is lost; it is tried again and again. '
           'Look at `crossdesk ledger check` and `crossdesk doctor` for the cause.'
    FROM conversation c WHERE c.due_at IS NOT NULL AND EXISTS (
        SELECT 1 FROM intent i WHERE i.conversation_id = c.id AND i.state IN ('pending', 'unknown')
          AND i.created_at < now() - make_interval(secs => :seconds))
    ON CONFLICT DO NOTHING
    """
)
_NOTHING_OLD = text(
    """
    UPDATE alert SET closed_at = now() WHERE code = 'old' AND closed_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM conversation c JOIN intent i ON i.conversation_id = c.id
        WHERE c.place = alert.place AND i.state IN ('pending', 'unknown') AND i.created_at < now() - make_interval(secs => :seconds))
    """
)


def alarm_old(connection: Connection, *, seconds: float) -> int:
    """Tell the admin of work that has been tried for longer than `seconds`. It stays: no limit of tries ever loses anything.

    The alert closes by itself when all of it is done.
    """
    connection.execute(_NOTHING_OLD, {"seconds": seconds})
    return connection.execute(_ALARM_OLD, {"seconds": seconds}).rowcount


def forget_receipts(connection: Connection, *, days: int, limit: int) -> int:
    """Delete up to `limit` raw deliveries that are older than `days` and whose events have all ended, the oldest first. Returns how many."""
    statement = text(
        """
        DELETE FROM receipt WHERE id IN (
            SELECT r.id FROM receipt r WHERE r.state = 'split' AND r.received_at < now() - make_interval(days => :days)
              AND NOT EXISTS (SELECT 1 FROM inbound_event e WHERE e.receipt_id = r.id AND e.state NOT IN ('done', 'ignored'))
            ORDER BY r.received_at LIMIT :limit)
        """
    )
    return connection.execute(statement, {"days": days, "limit": limit}).rowcount
