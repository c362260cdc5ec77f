"""Closed requests: a name that the vendor's method does not have, or one that is missing, is refused. Knows no vendor."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from flask import request

from plugin.testing.standins.serving import Json, Refusal


def unknown_fields(given: Mapping[str, Any], known: Collection[str]) -> list[str]:
    """The fields that the vendor's method does not have."""
    return sorted(set(given) - set(known))


def checked(given: Mapping[str, Any], allowed: Mapping[str, Any], refuse: Callable[[str], Refusal]) -> Json:
    """`given` if it holds what `allowed` names and nothing else; a name that ends with `!` must be there. Values are types or shapes.

    Raises:
        Refusal: what `refuse` makes of the sentence.
    """
    names = {name.rstrip("!"): shape for name, shape in allowed.items()}
    if unknown := unknown_fields(given, names):
        raise refuse(f"Unknown name: {', '.join(unknown)}")
    if missing := [name.rstrip("!") for name in allowed if name.endswith("!") and name.rstrip("!") not in given]:
        raise refuse(f"Required: {', '.join(missing)}")
    for name, value in given.items():
        shape = names[name]
        if isinstance(shape, dict):
            if not isinstance(value, dict):
                raise refuse(f"{name} must be an object")
            checked(value, shape, refuse)
        elif not isinstance(value, shape):
            raise refuse(f"{name} has the wrong type")
    return dict(given)


def sent_json(refuse: Callable[[str], Refusal]) -> Json:
    """The request's JSON object.

    Raises:
        Refusal: another content type, or no object.
    """
    body = request.get_json(silent=True) if request.mimetype == "application/json" else None
    if not isinstance(body, dict):
        raise refuse("The request's body must be a JSON object with content type application/json")
    return body
