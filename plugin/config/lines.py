"""Finds the line on which each key of a TOML text stands, which `tomllib` does not tell. Knows nothing of what the keys mean.

It reads texts that `tomllib` has accepted, so it may trust their grammar (TOML v1.0.0); on anything else it stops where it is lost.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

KeyPath = tuple[str | int, ...]
"""Names of tables and keys, and the index of a member of an array."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(
    r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')(?:[ \t]*\.[ \t]*(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'))*"""
)
_SCALAR = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|[^,\]}\n#]+",
    re.DOTALL,
)


class _Lost(Exception):
    """The text is not what the scanner understands."""


class Lines:
    """Where the keys of one text stand, by their path: `("channel", "shop", "token")`; members of arrays by their index."""

    def __init__(self, text: str) -> None:
        self._found = _Scanner(text).scan()

    def line(self, path: KeyPath) -> int | None:
        """The line of the key or, where it is missing, of the table it is missing from; None where there is neither."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._found:
                return self._found[path[:length]]
        return None


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted_to = 0
        self._line = 1
        self._found: dict[KeyPath, int] = {}
        self._tables: dict[KeyPath, int] = {}
        """How many members each array of tables has so far."""

    def scan(self) -> Mapping[KeyPath, int]:
        table: KeyPath = ()
        try:
            self._blank()
            while self._at < len(self._text):
                if self._took("[["):
                    table = self._inside(self._key())
                    self._tables[table] = self._tables.get(table, 0) + 1
                    table = (*table, self._tables[table] - 1)
                    self._note(table, self._line)
                    self._expect("]]")
                elif self._took("["):
                    table = self._inside(self._key())
                    self._note(table, self._line)
                    self._expect("]")
                else:
                    self._pair(table)
                self._blank()
        except (_Lost, RecursionError):
            pass
        return self._found

    def _pair(self, table: KeyPath) -> None:
        line = self._now()
        path = (*table, *self._key())
        self._note(path, line)
        self._expect("=")
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._blank()
        if self._took("["):
            self._members(path, "]")
        elif self._took("{"):
            self._members(path, "}")
        else:
            self._match(_SCALAR)

    def _members(self, path: KeyPath, end: str) -> None:
        index = 0
        self._blank()
        while not self._took(end):
            if end == "}":
                self._pair(path)
            else:
                self._note((*path, index), self._now())
                self._value((*path, index))
                index += 1
            self._blank()
            self._took(",")
            self._blank()

    def _inside(self, parts: tuple[str, ...]) -> KeyPath:
        """The path of a header, led into the last member of each array of tables on its way."""
        path: KeyPath = ()
        for part in parts:
            if path in self._tables:
                path = (*path, self._tables[path] - 1)
            path = (*path, part)
        return path

    def _note(self, path: KeyPath, line: int) -> None:
        for length in range(1, len(path) + 1):
            self._found.setdefault(path[:length], line)

    def _key(self) -> tuple[str, ...]:
        self._blank()
        self._now()
        found: Any = tomllib.loads(self._match(_KEY) + " = 0")
        parts = []
        while isinstance(found, dict):
            name, found = next(iter(found.items()))
            parts.append(name)
        return tuple(parts)

    def _now(self) -> int:
        self._line += self._text.count("\n", self._counted_to, self._at)
        self._counted_to = self._at
        return self._line

    def _blank(self) -> None:
        self._match(_BLANK)

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise _Lost
        self._at = found.end()
        return found.group()

    def _took(self, mark: str) -> bool:
        if self._text.startswith(mark, self._at):
            self._at += len(mark)
            return True
        return False

    def _expect(self, mark: str) -> None:
        self._blank()
        if not self._took(mark):
            raise _Lost
