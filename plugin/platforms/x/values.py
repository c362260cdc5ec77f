"""Reading X's JSON, whatever stands where: in both spellings ("tweet" and "post"), and with ids that are only ever text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from plugin.domain.errors import MalformedPayload

_LONGEST_ID = 40


def pick(raw: Mapping[str, Any], *names: str) -> Any:
    """What stands under the first of `names` that is there."""
    return next((raw[name] for name in names if raw.get(name) is not None), None)


def read_object(value: Any) -> Mapping[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def read_objects(value: Any) -> Sequence[Mapping[str, Any]]:
    """The objects in `value`."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def read_string(value: Any) -> str:
    """`value` if it is text, else empty."""
    return value if isinstance(value, str) else ""


def read_id(value: Any) -> str:
    """An id: digits as text. A JSON number is none: X's ids do not survive being one."""
    return value if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_ID else ""


def need_id(raw: Mapping[str, Any], *names: str) -> str:
    """The id under the first of `names` that is there.

    Raises:
        MalformedPayload: there is none.
    """
    found = read_id(pick(raw, *names))
    if not found:
        raise MalformedPayload(f"What X told has no usable {names[0]}; it was kept as it came.")
    return found


def read_count(value: Any) -> int | None:
    """A number that counts something."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def read_time(value: Any) -> datetime | None:
    """A time as v2 writes it (ISO 8601) or as v1.1 does (`Wed Oct 10 20:19:24 +0000 2018`)."""
    text = read_string(value)
    try:
        found = datetime.fromisoformat(text) if text[4:5] == "-" else datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y")
        return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def read_stamp(value: Any) -> datetime | None:
    """A time in milliseconds since 1970, as text."""
    digits = read_string(value)
    if not (digits.isascii() and digits.isdigit() and len(digits) < 15):
        return None
    return datetime.fromtimestamp(int(digits) / 1000, UTC)
