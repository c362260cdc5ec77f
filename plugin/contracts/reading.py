"""Reading JSON from outside, whatever stands where: the wanted kind of value, or an empty one. Never fails, knows no vendor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


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


def read_time(value: object) -> datetime | None:
    """A time as ISO 8601, in UTC; one without an offset is UTC already. None when it is none."""
    try:
        moment = datetime.fromisoformat(read_string(value))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
