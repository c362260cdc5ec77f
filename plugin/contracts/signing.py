"""How webhooks are told from forgeries: signatures and tokens in constant time, signed times within a window. Knows no platform's headers."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from plugin.contracts.http import WebhookRequest
from plugin.domain.clock import Clock
from plugin.domain.errors import SignatureInvalid

SIGNED_WINDOW = 300.0
"""Seconds by which a webhook's signed time may differ from ours."""


def sign(secret: str, *parts: bytes, digest: str = "sha256") -> str:
    """The hex HMAC over `parts`, one after the other."""
    return hmac.new(secret.encode(), b"".join(parts), getattr(hashlib, digest)).hexdigest()


def is_one_of(given: str, *accepted: str) -> bool:
    """Whether `given`, which may hold anything, is one of `accepted`; empty ones accept nothing.

    Each one is compared, and in constant time, so that the time taken tells nothing.
    """
    told = given.encode("utf-8", "surrogatepass")
    matches = [hmac.compare_digest(told, one.encode()) for one in accepted if one]
    return any(matches)


def is_fresh(stamp: str, now: datetime, *, window: float = SIGNED_WINDOW) -> bool:
    """Whether `stamp`, seconds since 1970 in digits, is no further than `window` seconds from `now`."""
    is_number = stamp.isascii() and stamp.isdigit() and len(stamp) <= 12
    return is_number and abs(now.timestamp() - int(stamp)) <= window


def verify_ours(request: WebhookRequest, *, secret: str, clock: Clock, sender: str) -> None:
    """Accept what a part of ours inside `sender`, a helpdesk by its display name, signed.

    `X-Crossdesk-Signature` holds `v1=` and the hex HMAC-SHA256 of `<X-Crossdesk-Timestamp>.<body>`.

    Raises:
        SignatureInvalid: it is not so signed, or its time is more than five minutes off.
    """
    sent_at = request.headers.get("x-crossdesk-timestamp", "")
    given = request.headers.get("x-crossdesk-signature", "")
    signed = sign(secret, sent_at.encode("utf-8", "surrogatepass"), b".", request.body)
    if not secret or not is_one_of(given, f"v1={signed}"):
        raise SignatureInvalid(f"A web hook of {sender} has no right signature; nothing of it was kept. Compare the secrets.")
    if not is_fresh(sent_at, clock.now()):
        raise SignatureInvalid(f"A web hook of {sender} is too old or from the future; nothing of it was kept. Compare the clocks.")
