"""How X says no: problems as JSON (RFC 7807), in its words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PROBLEMS = "https://api.x.com/2/problems/"


class Refused(Exception):
    """An answer other than success."""

    def __init__(self, status: int, title: str, detail: str, *, kind: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.kind = kind
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
        kind = _PROBLEMS + self.kind if self.kind else "about:blank"
        return {"title": self.title, "detail": self.detail, "type": kind, "status": self.status}


def invalid(detail: str, title: str = "Invalid Request") -> Refused:
    """400: the request is none that the API's description allows."""
    return Refused(400, title, detail, kind="invalid-request")


def forbidden(detail: str, kind: str = "") -> Refused:
    """403."""
    return Refused(403, "Forbidden", detail, kind=kind)


def unauthorized() -> Refused:
    """401."""
    return Refused(401, "Unauthorized", "Unauthorized")


def missing(what: str, one: str) -> Refused:
    """404."""
    return Refused(404, "Not Found Error", f"Could not find {what} with id: [{one}].", kind="resource-not-found")


def not_found(one: str, *, resource: str = "tweet", parameter: str = "ids") -> dict[str, Any]:
    """What stands under `errors` of a 200 for each thing that is not there."""
    return {
        "value": one,
        "resource_id": one,
        "resource_type": resource,
        "parameter": parameter,
        "title": "Not Found Error",
        "detail": f"Could not find {resource} with {parameter}: [{one}].",
        "type": f"{_PROBLEMS}resource-not-found",
    }


def not_shown(one: str) -> dict[str, Any]:
    """The same for what is there and not for us."""
    return {
        **not_found(one),
        "title": "Authorization Error",
        "detail": f"Sorry, you are not authorized to see the Tweet with ids: [{one}].",
        "type": f"{_PROBLEMS}not-authorized-for-resource",
    }
