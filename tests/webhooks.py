"""Webhooks as the practice network signs them."""

from __future__ import annotations

from plugin.contracts.http import WebhookRequest
from ui_extensions.rehearsal.network.webhooks import sign


def signed_by_the_network(body: bytes, *, secret: str, at: float) -> WebhookRequest:
    """A delivery with a signed time."""
    stamp = str(int(at))
    headers = {
        "content-type": "application/json",
        "x-rehearsal-timestamp": stamp,
        "x-rehearsal-signature": sign(body, secret=secret, timestamp=stamp),
    }
    return WebhookRequest(method="POST", path="", headers=headers, query={}, body=body)
