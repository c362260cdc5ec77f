"""Signatures as the Standard Webhooks specification 1.0 has them: HMAC-SHA256 over `id.timestamp.content`. No settings, no clock."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from plugin.contracts.signing import is_one_of

PREFIX = "whsec_"
_VERSION = "v1"
_KEY_BYTES = range(24, 65)
_MOST_SIGNATURES = 16
_LONGEST_ID = 256


def make_secret() -> str:
    """A fresh secret of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """The key in a `whsec_...` secret: 24 to 64 bytes.

    Raises:
        ValueError: it is none. Never says more, so that the secret does not show.
    """
    encoded = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if encoded == secret or len(key) not in _KEY_BYTES:
        raise ValueError("no Standard Webhooks secret")
    return key


def sign(content: bytes, keys: Sequence[bytes], *, wish: str, stamp: str) -> str:
    """The `webhook-signature` header: one signature for each key, the first one being the current."""
    return " ".join(f"{_VERSION},{one.decode()}" for one in _signatures(content, keys, wish=wish, stamp=stamp))


def is_signed(content: bytes, keys: Sequence[bytes], *, wish: str, stamp: str, given: str) -> bool:
    """Whether one of the signatures in `given` is by one of the keys. Takes the same time whichever it is; other versions are passed over."""
    if not wish or len(wish) > _LONGEST_ID:
        return False
    expected = [one.decode() for one in _signatures(content, keys, wish=wish, stamp=stamp)]
    # Every one is compared, so that the time taken tells nothing.
    matches = [is_one_of(encoded, *expected) for one in given.split(" ")[:_MOST_SIGNATURES] for encoded in _current(one)]
    return any(matches)


def _signatures(content: bytes, keys: Sequence[bytes], *, wish: str, stamp: str) -> list[bytes]:
    signed = f"{wish}.{stamp}.".encode("utf-8", "replace") + content
    return [base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()) for key in keys]


def _current(one: str) -> list[str]:
    version, comma, encoded = one.partition(",")
    return [encoded] if comma and version == _VERSION else []
