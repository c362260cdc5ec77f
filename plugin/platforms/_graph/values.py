"""Reading JSON from outside: the wanted kind of value, or an empty one. Never fails."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

from plugin.contracts.reading import read_string

_MILLISECONDS_FROM = 100_000_000_000
"""Seconds stay below this until the year 5138; what is above are milliseconds."""


def read_id(value: object) -> str:
    """An id as the opaque string that it is; old webhooks write some as numbers. Empty where there is none."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else read_string(value)


def read_time(value: object) -> datetime | None:
    """Seconds or milliseconds since 1970 by their size, as number or digits, or ISO 8601 with an offset such as `+0000`; as UTC, else None."""
    try:
        if isinstance(value, str) and not (value.isascii() and value.isdigit()):
            moment = datetime.fromisoformat(value)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            return None
        number = int(value)
        return datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS_FROM else number, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def digest(*words: str) -> str:
    """A few letters that tell one text from another."""
    return sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()[:12]
