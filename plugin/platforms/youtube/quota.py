"""The units of a day: counted before each call, so that looking leaves room for replies. Knows costs, and no comment.

Google's day ends at midnight Pacific time. Source: YouTube Data API, "Quota Calculator".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from plugin.contracts.platform import Connection
from plugin.domain.clock import Clock
from plugin.domain.errors import RateLimited

READ, WRITE, SEARCH = 1, 50, 100
_PACIFIC = "America/Los_Angeles"
_FOR_REPLIES = 0.2
_NAME = "units"


class Quota:
    """One channel's units. The count is kept beside the sign-in, so that every process adds to the same one."""

    def __init__(self, daily: int, connection: Connection) -> None:
        self.daily = daily
        self._clock = connection.clock
        self._secrets = connection.secrets

    def used(self) -> int:
        """Units used today."""
        day, used = _read(self._secrets.get(_NAME))
        return used if day == _day(self._clock) else 0

    def has_room(self, units: int) -> bool:
        """Whether looking may cost `units` now: a fifth of the day's is left to replies."""
        return self.used() + units <= self.daily * (1 - _FOR_REPLIES)

    def spend(self, units: int) -> None:
        """Count a call of `units` before it is made.

        Raises:
            RateLimited: the day's units are used up; until midnight Pacific time.
        """
        added = False

        def add(current: str | None) -> str:
            nonlocal added
            day, used = _read(current)
            today = _day(self._clock)
            used = used if day == today else 0
            if used + units > self.daily:
                raise RateLimited(
                    f"The {self.daily} quota units of this day are used up (see `daily_units`). Nothing was done, everything is kept, and it goes "
                    "on after midnight Pacific time.",
                    retry_after=until_midnight(self._clock.now()),
                )
            added = True
            return f"{today} {used + units}"

        while not added:
            # Somebody else may have counted in between: then it is asked again.
            self._secrets.refresh(_NAME, self._secrets.get(_NAME), add)


def until_midnight(now: datetime) -> float:
    """Seconds until Google's next day begins."""
    here = now.astimezone(ZoneInfo(_PACIFIC))
    tomorrow = datetime.combine(here.date() + timedelta(days=1), datetime.min.time(), tzinfo=here.tzinfo)
    return max(1.0, tomorrow.timestamp() - now.timestamp())


def _day(clock: Clock) -> str:
    return clock.now().astimezone(ZoneInfo(_PACIFIC)).date().isoformat()


def _read(kept: str | None) -> tuple[str, int]:
    day, _, used = (kept or "").partition(" ")
    return day, int(used) if used.isascii() and used.isdigit() else 0
