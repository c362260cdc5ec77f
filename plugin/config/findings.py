"""What is wrong with a file, gathered: one line each, with file and line of the mistake, and never a secret in it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from plugin.config.lines import KeyPath, Lines
from plugin.contracts.settings import SettingsSchema

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_OWN_WORDS = {
    "Not a valid string.": "must be a text in quotes.",
    "Not a valid integer.": "must be a whole number.",
    "Not a valid number.": "must be a number.",
    "Not a valid boolean.": "must be true or false.",
    "Not a valid list.": "must be a list in square brackets.",
    "Not a valid mapping type.": "must be a table.",
    "Invalid input type.": "must be a table.",
}


class Findings:
    """The problems and warnings of one file so far."""

    def __init__(self, path: Path, lines: Lines) -> None:
        self._path = path
        self._lines = lines
        self._problems: list[tuple[int, str, str]] = []
        self._warnings: list[tuple[int, str, str]] = []
        self._answered: set[KeyPath] = set()
        self.secrets: set[str] = set()
        """Values that must not appear in a sentence."""

    def problem(self, path: KeyPath, sentence: str) -> None:
        """Note a mistake; at most one is kept for each key."""
        if path not in self._answered:
            self._answered.add(path)
            self._problems.append((self._lines.line(path) or 0, _dotted(path), sentence))

    def warning(self, path: KeyPath, sentence: str) -> None:
        """Note what works but should be different."""
        self._warnings.append((self._lines.line(path) or 0, _dotted(path), f"warning: {sentence}"))

    def check(self, schema: SettingsSchema, table: Mapping[str, Any], path: KeyPath, *, also: Iterable[str] = ()) -> Any | None:
        """`table` as `schema` loads it, None where it has mistakes, which are noted. `also`: keys that suggestions may name besides."""
        try:
            return schema.load(table)
        except ValidationError as invalid:
            for where, sentence in _flat(invalid.messages):
                self.problem((*path, *where), self._worded(sentence, where, schema, also))
        except Exception as fault:  # noqa: BLE001 - the schema may be a third party's; its fault must not hide the other mistakes
            self.problem(path, f"the adapter could not read these settings ({type(fault).__name__}). Tell whoever maintains it.")
        return None

    def unknown(self, path: KeyPath, known: Iterable[str], *, what: str) -> None:
        """Note that the last part of `path` is not among `known`, and the likely intention."""
        self.problem(path, f"is not {what}. {suggestion(str(path[-1]), known)}")

    def has_problem(self, path: KeyPath) -> bool:
        """Whether this very key is wrong."""
        return path in self._answered

    @property
    def problems(self) -> tuple[str, ...]:
        """Every mistake in the order of lines; then the warnings."""
        return self._shown(self._problems) + self.warnings if self._problems else ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Every warning in the order of lines."""
        return self._shown(self._warnings)

    def _worded(self, sentence: str, where: KeyPath, schema: SettingsSchema, also: Iterable[str]) -> str:
        if sentence == "Unknown field.":
            return f"is not a setting here. {suggestion(str(where[-1]) if where else '', (*schema.fields, *also))}"
        if sentence == "Missing data for required field.":
            field = schema.fields.get(str(where[0])) if len(where) == 1 else None
            return f"is missing. {field.metadata.get('help', '') if field is not None else ''}".strip()
        return _OWN_WORDS.get(sentence, sentence)

    def _shown(self, found: Iterable[tuple[int, str, str]]) -> tuple[str, ...]:
        secrets = sorted((secret for secret in self.secrets if len(secret) > 3), key=len, reverse=True)
        shown = []
        for line, key, sentence in sorted(found, key=lambda item: item[0]):
            place = f"{self._path}:{line}" if line else str(self._path)
            text = " ".join(f"{key}: {sentence}".split()) if key else sentence
            for secret in secrets:
                text = text.replace(secret, "[secret]")
            shown.append(f"{place}: {text}")
        return tuple(shown)


def suggestion(name: str, known: Iterable[str]) -> str:
    """Which of `known` was likely meant, or all of them."""
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean `{close[0]}`?"
    return f"Possible here: {', '.join(f'`{each}`' for each in names)}." if names else "There is none to choose from."


def _dotted(path: KeyPath) -> str:
    dotted = ""
    for part in path:
        if isinstance(part, int):
            dotted += f"[{part + 1}]"
        else:
            dotted += ("." if dotted else "") + (part if _BARE.fullmatch(part) else json.dumps(part))
    return dotted


def _flat(messages: Any, path: KeyPath = ()) -> Iterable[tuple[KeyPath, str]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _flat(inner, path if key == "_schema" else (*path, key if isinstance(key, int) else str(key)))
    elif isinstance(messages, list | tuple):
        for inner in messages:
            yield from _flat(inner, path)
    else:
        yield path, str(messages)
