"""What YouTube's calls cost, and when Google's day ends: at midnight Pacific time. Source: YouTube Data API, "Quota Calculator"."""

from __future__ import annotations

from datetime import datetime

from plugin.contracts.platform import Connection
from plugin.platforms._oauth import budget
from plugin.platforms._oauth.budget import Budget

READ, WRITE, SEARCH = 1, 50, 100
_PACIFIC = "America/Los_Angeles"


def quota(daily: int, connection: Connection) -> Budget:
    """One channel's units."""
    spent = (
        f"The {daily} quota units of this day are used up (see `daily_units`). Nothing was done, everything is kept, and it goes on after "
        "midnight Pacific time."
    )
    return Budget(daily, connection, zone=_PACIFIC, name="units", spent=spent)


def until_midnight(now: datetime) -> float:
    """Seconds until Google's next day begins."""
    return budget.until_midnight(now, _PACIFIC)
