"""How X says no: problems as JSON (RFC 7807), in its words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin.testing.standins.serving import Outage, Refusal

_PROBLEMS = "https://api.x.com/2/problems/"


class Refused(Refusal):
    """An answer other than success."""

    def __init__(self, status: int, title: str, detail: str, *, kind: str = "", headers: Mapping[str, str] | None = None) -> None:
        told = {"title": title, "detail": detail, "type": _PROBLEMS + kind if kind else "about:blank", "status": status}
        super().__init__(status, told, {"content-type": "application/problem+json", **(headers or {})})


def broken(status: int) -> Refusal:
    """X's own failures are pages, what it refuses is a problem."""
    return Outage(status) if status >= 500 else Refused(status, "Error", "Sent by a fault of the stand-in.")


def invalid(detail: str, title: str = "Invalid Request") -> Refused:
    """400: the request is none that the API's description allows."""
    return Refused(400, title, detail, kind="invalid-request")


def wrong_parameter(name: str, value: str, message: str) -> Refusal:
    """400, with what is wrong under `errors` and nothing of it beside."""
    told = {
        "errors": [{"parameters": {name: [value]}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": f"{_PROBLEMS}invalid-request",
    }
    return Refusal(400, told, {"content-type": "application/problem+json"})


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
