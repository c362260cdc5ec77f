"""The policy's reference as Markdown, made from the code: settings, conditions, facts and texts. docs/policy.md holds what is made here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from plugin.policy import catalogue, rules, texts
from plugin.policy.fields import is_required, keys, span_shown
from plugin.policy.reading import NAMED, PLAIN, RULES
from plugin.policy.ruling import Head
from plugin.policy.sections import Basics
from plugin.policy.texts import PLACES, Saying


def blocks() -> Mapping[str, str]:
    """Each made part of the page by its name."""
    return {
        "settings": "\n\n".join(_settings()),
        "rules": "\n\n".join(_rules()),
        "conditions": _conditions(),
        "facts": catalogue.table(),
        "texts": _texts(),
    }


def _settings() -> Iterator[str]:
    yield _table("`[policy]`", Basics)
    for kind, made in NAMED.items():
        yield _table(f"`[policy.{kind}.NAME]`", made)
    for name, made in PLAIN.items():
        yield _table(f"`[policy.{name}]`", made)


def _rules() -> Iterator[str]:
    yield _table("Every rule", Head)
    for kind, made in RULES.items():
        if keys(made):
            yield _table(f"`[[policy.{kind}]]`", made)


def _table(title: str, made: type[Any]) -> str:
    rows = [
        f"| `{key}` | {field.metadata['help']} | {field.metadata['kind'].shown} | {_default(field)} |" for key, field in keys(made).items()
    ]
    return "\n".join([f"**{title}**", "", "| setting | what for | kind | default |", "|---|---|---|---|", *rows])


def _conditions() -> str:
    rows = []
    for name, made in rules.known().items():
        parameters = "<br>".join(f"`{key}`: {field.metadata['help']} {_default_said(field)}" for key, field in keys(made).items())
        rows.append(f"| `{name}` | {' '.join((made.__doc__ or '').split())} | {parameters} |")
    return "\n".join(["| condition | fires when | parameters |", "|---|---|---|", *rows])


def _texts() -> str:
    when = catalogue.sentences(texts)
    rows = [
        f"| `{saying}` | {when['Saying', saying.name]} | {', '.join(f'`{{{place}}}`' for place in sorted(PLACES[saying])) or 'none'} |"
        for saying in Saying
    ]
    return "\n".join(["| text | when | places |", "|---|---|---|", *rows])


def _default_said(field: dataclasses.Field[Any]) -> str:
    shown = _default(field)
    return "Required." if shown == "**required**" else f"Default {shown}." if shown else ""


def _default(field: dataclasses.Field[Any]) -> str:
    if is_required(field):
        return "**required**"
    value = field.default
    if isinstance(value, timedelta):
        return span_shown(value.total_seconds()) if value else "at once"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, StrEnum):
        return f"`{value.value}`"
    if isinstance(value, tuple):
        return ", ".join(f"`{each}`" for each in value)
    return "" if value is None or value == "" else f"{value:g}" if isinstance(value, float) else f"{value}"
