"""How the desk says no: in Zammad's words, or loudly in its own where it was asked what it does not speak."""

from __future__ import annotations

import uuid


class Refused(Exception):
    """The desk says no, in Zammad's words. `opaque` answers carry no `error_human`."""

    def __init__(self, status: int, error: str, *, opaque: bool = False) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.opaque = opaque


class NotSpoken(Exception):
    """The request is outside the part of Zammad's API that the desk speaks. It says so loudly rather than guess."""


def contact_administrator(status: int = 422) -> Refused:
    """The answer whose real reason stands only in the server's log."""
    return Refused(status, f"Error ID {uuid.uuid4().hex[:8]}: Please contact your administrator.", opaque=True)
