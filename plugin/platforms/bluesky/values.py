"""Reads the values of answers of which anything may be anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def read_object(value: object) -> Mapping[str, Any]:
    """An object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def listed(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def read_string(value: object) -> str:
    """A text; an empty one for anything else."""
    return value if isinstance(value, str) else ""


def read_time(value: object) -> datetime | None:
    """A datetime of the protocol as UTC; None when it is none."""
    try:
        moment = datetime.fromisoformat(read_string(value))
    except ValueError:
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None
