"""Saved searches as rows of a form that works without JavaScript: those that are there, and empty ones for more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugin.domain.errors import ConfigError

_EMPTY_ROWS = 2
_MOST = 100
_USUAL = "100"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One search as it stands in the form. `is_kept`: it is there already, and can be taken away."""

    name: str = ""
    query: str = ""
    a_day: str = _USUAL
    group: str = ""
    is_kept: bool = False


def shown(form: Mapping[str, str] | None, routing: Mapping[str, Any]) -> list[Row]:
    """The rows to show: as somebody filled them in, else as they are kept; and empty ones."""
    kept: Mapping[str, Mapping[str, Any]] = routing.get("searches", {})
    if form is None:
        rows = [
            Row(name=name, query=table["query"], a_day=str(table.get("a_day", _USUAL)), group=table.get("group", ""), is_kept=True)
            for name, table in kept.items()
        ]
    else:
        rows = [row for row in _rows(form, kept) if row.name or row.query]
    return [*rows, *(Row() for _ in range(_EMPTY_ROWS))][:_MOST]


def read(form: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The searches by name, each as a table of the file would be; whether it can be used is not judged here.

    Raises:
        ConfigError: two have the same name, or one has none.
    """
    found: dict[str, dict[str, Any]] = {}
    for row in _rows(form, {}):
        if not row.query and not row.name:
            continue
        if not row.name or row.name in found:
            told = f"Two searches are called {row.name}" if row.name else f"The search for {row.query!r} has no name"
            raise ConfigError(f"{told}; nothing was changed. Give each a name of its own.")
        a_day: int | str = int(row.a_day) if row.a_day.isascii() and row.a_day.isdecimal() and len(row.a_day) < 10 else row.a_day
        found[row.name] = {"query": row.query, "a_day": a_day, **({"group": row.group} if row.group else {})}
    return found


def _rows(form: Mapping[str, str], kept: Mapping[str, Any]) -> list[Row]:
    def given(at: int, part: str) -> str:
        return form.get(f"search-{at}-{part}", "").replace("\0", "").strip()[:1000]

    rows = [
        Row(
            name=(name := given(at, "name")[:64]),
            query=given(at, "query"),
            a_day=given(at, "a_day") or _USUAL,
            group=given(at, "group"),
            is_kept=name in kept,
        )
        for at in range(_MOST)
        if not given(at, "forget")
    ]
    return [row for row in rows if row != Row()]
