"""Reading JSON from outside: the wanted kind of value, or an empty one. Never fails."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_TS = re.compile(r"[0-9]{9,11}\.[0-9]{6}")


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


def read_ts(value: object) -> str:
    """A message's time stamp, which is its id in its channel and never a number; empty where it is none."""
    return value if isinstance(value, str) and _TS.fullmatch(value) else ""


def ts_time(ts: str) -> datetime | None:
    """The moment that a time stamp names."""
    return datetime.fromtimestamp(int(ts[:-7]), UTC).replace(microsecond=int(ts[-6:])) if read_ts(ts) else None


def time_ts(moment: datetime) -> str:
    """The time stamp of a moment, for asking what came since."""
    return f"{int(moment.timestamp())}.{moment.microsecond:06d}"
