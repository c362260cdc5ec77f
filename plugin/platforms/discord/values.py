"""Snowflakes, Discord's ids, which hold a time, read from outside. Never fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_LONGEST = 20


def read_id(value: object) -> str:
    """A snowflake, else an empty string."""
    return value if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST else ""


def id_order(snowflake: str) -> int:
    """Ids rise with time; nothing comes before everything."""
    return int(snowflake or "0")


def id_time(snowflake: str) -> datetime | None:
    """When a thing was made, as its id tells."""
    return _EPOCH + timedelta(milliseconds=int(snowflake) >> 22) if read_id(snowflake) else None


def time_id(moment: datetime) -> str:
    """The id of something made at `moment`, for asking what came since."""
    return str(max(0, int((moment - _EPOCH).total_seconds() * 1000)) << 22)
