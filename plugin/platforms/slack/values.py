"""Slack's time stamps, which are the ids of messages, read from outside. Never fails."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_TS = re.compile(r"[0-9]{9,11}\.[0-9]{6}")


def read_ts(value: object) -> str:
    """A message's time stamp, which is its id in its channel and never a number; empty where it is none."""
    return value if isinstance(value, str) and _TS.fullmatch(value) else ""


def ts_time(ts: str) -> datetime | None:
    """The moment that a time stamp names."""
    return datetime.fromtimestamp(int(ts[:-7]), UTC).replace(microsecond=int(ts[-6:])) if read_ts(ts) else None


def time_ts(moment: datetime) -> str:
    """The time stamp of a moment, for asking what came since."""
    return f"{int(moment.timestamp())}.{moment.microsecond:06d}"
