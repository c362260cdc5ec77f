"""How the Bot API says no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """An answer `{"ok": false, ...}` with its code, words and parameters."""

    def __init__(self, code: int, description: str, parameters: Mapping[str, Any] | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters or {}

    @property
    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
        extra = {"parameters": dict(self.parameters)} if self.parameters else {}
        return {"ok": False, "error_code": self.code, "description": self.description, **extra}


def bad_request(reason: str) -> Refused:
    """400, as the Bot API words it."""
    return Refused(400, f"Bad Request: {reason}")


def forbidden(reason: str) -> Refused:
    """403, as the Bot API words it."""
    return Refused(403, f"Forbidden: {reason}")


def too_many(retry_after: int) -> Refused:
    """429, as the Bot API words it."""
    return Refused(429, f"Too Many Requests: retry after {retry_after}", {"retry_after": retry_after})
