"""The calls of a day: counted before each is made, so that looking leaves room for replies. Knows no platform."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from plugin.contracts.platform import Connection
from plugin.domain.errors import RateLimited

_FOR_REPLIES = 0.2


class Budget:
    """One channel's units for a day that begins at midnight in `zone`. The count is kept beside the sign-in: every process adds to it."""

    def __init__(self, daily: int, connection: Connection, *, zone: str, name: str, spent: str) -> None:
        """`name`: the secret that keeps the count. `spent`: the sentence for a day that is used up."""
        self.daily = daily
        self._zone = zone
        self._name = name
        self._spent = spent
        self._clock = connection.clock
        self._secrets = connection.secrets

    def used(self) -> int:
        """Units used today."""
        day, used = _read(self._secrets.get(self._name))
        return used if day == self._today() else 0

    def has_room(self, units: int) -> bool:
        """Whether looking may cost `units` now: a fifth of the day's is left to replies."""
        return self.used() + units <= self.daily * (1 - _FOR_REPLIES)

    def spend(self, units: int) -> None:
        """Count a call of `units` before it is made.

        Raises:
            RateLimited: the day's units are used up; until the next midnight.
        """
        added = False

        def add(current: str | None) -> str:
            nonlocal added
            day, used = _read(current)
            today = self._today()
            used = used if day == today else 0
            if used + units > self.daily:
                raise RateLimited(self._spent, retry_after=until_midnight(self._clock.now(), self._zone))
            added = True
            return f"{today} {used + units}"

        while not added:
            # Somebody else may have counted in between: then it is asked again.
            self._secrets.refresh(self._name, self._secrets.get(self._name), add)

    def _today(self) -> str:
        return self._clock.now().astimezone(ZoneInfo(self._zone)).date().isoformat()


def until_midnight(now: datetime, zone: str) -> float:
    """Seconds until the next day begins in `zone`."""
    here = now.astimezone(ZoneInfo(zone))
    tomorrow = datetime.combine(here.date() + timedelta(days=1), datetime.min.time(), tzinfo=here.tzinfo)
    return max(1.0, tomorrow.timestamp() - now.timestamp())


def _read(kept: str | None) -> tuple[str, int]:
    day, _, used = (kept or "").partition(" ")
    return day, int(used) if used.isascii() and used.isdigit() else 0
