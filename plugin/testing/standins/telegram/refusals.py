"""How the Bot API says no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin.testing.standins.serving import Refusal


class Refused(Refusal):
    """An answer `{"ok": false, ...}` with its code, words and parameters."""

    def __init__(self, code: int, description: str, parameters: Mapping[str, Any] | None = None) -> None:
        told = dict(parameters or {})
        body = {"ok": False, "error_code": code, "description": description, **({"parameters": told} if told else {})}
        super().__init__(code, body, {"retry-after": str(told["retry_after"])} if "retry_after" in told else {})


def bad_request(reason: str, parameters: Mapping[str, Any] | None = None) -> Refused:
    """400, as the Bot API words it."""
    return Refused(400, f"Bad Request: {reason}", parameters)


def forbidden(reason: str) -> Refused:
    """403, as the Bot API words it."""
    return Refused(403, f"Forbidden: {reason}")


def too_many(retry_after: int) -> Refused:
    """429, as the Bot API words it."""
    return Refused(429, f"Too Many Requests: retry after {retry_after}", {"retry_after": retry_after})
