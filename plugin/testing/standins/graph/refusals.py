"""How Graph says no (Graph API, "Handling Errors"; the numbers are those of the three platforms' lists)."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """An answer `{"error": {...}}`. Nothing was applied."""

    def __init__(self, code: int, message: str, *, subcode: int = 0, status: int = 400, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code, self.subcode, self.status, self.retry_after = code, subcode, status, retry_after

    @property
    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
        error: dict[str, Any] = {"message": f"(#{self.code}) {self}", "type": "OAuthException", "code": self.code, "fbtrace_id": "AbCdEfGh"}
        return {"error": {**error, **({"error_subcode": self.subcode} if self.subcode else {})}}


def invalid(reason: str) -> Refused:
    """100: a parameter is wrong."""
    return Refused(100, reason)


def missing(ref: str) -> Refused:
    """100/33: there is no such object, or we may not see it."""
    return Refused(
        100,
        f"Object with ID '{ref}' does not exist, cannot be loaded due to missing permissions, or does not support this operation",
        subcode=33,
    )


def lacks(permission: str) -> Refused:
    """200: the token may not."""
    return Refused(200, f"Requires {permission} permission to manage the object", status=403)
