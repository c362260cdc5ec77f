"""Reading ids, numbers and moments from outside, and judging addresses and credentials in settings. Knows no platform."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from plugin.contracts.reading import read_string

_LONGEST_ID = 400


def read_id(value: Any) -> str:
    """`value` if it can be an id: printable ASCII without white space. Anything else is empty."""
    text = read_string(value)
    return text if text.isascii() and text.isprintable() and " " not in text and len(text) <= _LONGEST_ID else ""


def read_count(value: Any) -> int | None:
    """A number that counts something, as a number or as digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def read_seconds(value: Any) -> datetime | None:
    """A time in seconds since 1970, as a number."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < 1e11:
        return None
    return datetime.fromtimestamp(value, UTC)


def essence(text: str) -> str:
    """What of a text survives a platform's own handling of white space and accents: by it a reply is found again."""
    return "".join(unicodedata.normalize("NFC", text).split())


def is_plain(value: str) -> bool:
    """Whether a credential can be one: printable ASCII without white space."""
    return value.isascii() and value.isprintable() and " " not in value


def is_base(url: str) -> bool:
    """Whether an address can stand before paths. In the clear only within this machine: tokens travel there."""
    try:
        parts = urlsplit(url)
        is_near = parts.hostname in ("localhost", "127.0.0.1", "::1")
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_near)
        return is_safe and bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)
    except ValueError:
        return False
