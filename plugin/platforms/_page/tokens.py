"""What stands in the address of a private page: which conversation it continues and until when, signed. Pure; nobody's data is in it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Sequence
from datetime import UTC, datetime

_BODY = struct.Struct(">QI")
_SEAL = 16
_PURPOSE = b"crossdesk private page 1\n"


def make(keys: Sequence[str], conversation: int, *, expires: datetime) -> str:
    """38 letters, digits, `-` and `_`, signed with the newest of `keys`."""
    body = _BODY.pack(conversation, int(expires.timestamp()))
    return base64.urlsafe_b64encode(body + _seal(keys[0], body)).decode().rstrip("=")


def read(keys: Sequence[str], token: str, *, now: datetime) -> int | None:
    """The conversation; None when the token is not ours, was changed, or has run out."""
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    if len(raw) != _BODY.size + _SEAL:
        return None
    body, seal = raw[: _BODY.size], raw[_BODY.size :]
    # All are compared, so that the time tells nothing about which key it was.
    if not sum(hmac.compare_digest(seal, _seal(key, body)) for key in keys):
        return None
    conversation, expires = _BODY.unpack(body)
    return int(conversation) if now < datetime.fromtimestamp(expires, UTC) else None


def _seal(key: str, body: bytes) -> bytes:
    return hmac.new(key.encode(), _PURPOSE + body, hashlib.sha256).digest()[:_SEAL]
