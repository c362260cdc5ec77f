"""How Graph says no (Graph API, "Handling Errors"; the numbers are those of the three platforms' lists)."""

from __future__ import annotations

from typing import Any

from plugin.testing.standins.serving import Refusal


class Refused(Refusal):
    """An answer `{"error": {...}}`. Nothing was applied."""

    def __init__(self, code: int, message: str, *, subcode: int = 0, status: int = 400, retry_after: int | None = None) -> None:
        error: dict[str, Any] = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code, "fbtrace_id": "AbCdEfGh"}
        told = {"error": {**error, **({"error_subcode": subcode} if subcode else {})}}
        super().__init__(status, told, {} if retry_after is None else {"retry-after": str(retry_after)})


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
