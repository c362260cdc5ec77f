"""Reading JSON from outside: the wanted kind of value, or an empty one. Never fails. And snowflakes, Discord's ids, which hold a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_LONGEST = 20


def read_object(value: object) -> Mapping[str, Any]:
    """An object, else an empty one."""
    return value if isinstance(value, dict) else {}


def read_objects(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list, else none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def read_string(value: object) -> str:
    """A string, else an empty one."""
    return value if isinstance(value, str) else ""


def read_count(value: object) -> int | None:
    """A whole number from nought that a database can hold, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


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


def read_time(value: object) -> datetime | None:
    """A time as UTC; None when it is none."""
    try:
        moment = datetime.fromisoformat(read_string(value))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
