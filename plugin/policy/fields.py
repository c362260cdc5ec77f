"""What may stand under a key of the policy: kinds of values, and how a table becomes a frozen dataclass whose fields name them.

Pure: it is handed parsed TOML and a place for its findings. A class that can be read declares its fields with `setting(kind, ...)`.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar

KeyPath = tuple[str | int, ...]
"""Names of tables and keys, and the index of a member of an array."""

Made = TypeVar("Made")

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*(s|min|h|d)")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


class Notes(Protocol):
    """Where findings go; the configuration knows the file and the lines."""

    def problem(self, path: KeyPath, sentence: str) -> None:
        """The policy cannot be used like this."""
        ...

    def warning(self, path: KeyPath, sentence: str) -> None:
        """It works, but is hardly meant."""
        ...

    def unknown(self, path: KeyPath, known: Iterable[str], *, what: str) -> None:
        """The last part of `path` is not among `known`."""
        ...


class Wrong(Exception):
    """A value is not of its kind; `at` leads from it to the member that is wrong."""

    def __init__(self, sentence: str, at: KeyPath = ()) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.at = at


class Kind(Protocol):
    """A kind of value."""

    @property
    def shown(self) -> str:
        """In words, for the documentation."""
        ...

    def read(self, value: Any) -> Any:
        """The value as our code uses it.

        Raises:
            Wrong: it is not of this kind.
        """
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between two bounds."""

    least: int = 0
    most: int = 1_000_000_000

    @property
    def shown(self) -> str:
        """Its bounds."""
        return f"whole number, {self.least} to {self.most}"

    def read(self, value: Any) -> int:
        """As it is."""
        if isinstance(value, bool) or not isinstance(value, int) or not self.least <= value <= self.most:
            raise Wrong(f"must be a whole number from {self.least} to {self.most}.")
        return value


@dataclass(frozen=True, slots=True)
class Number:
    """A number between two bounds."""

    least: float
    most: float

    @property
    def shown(self) -> str:
        """Its bounds."""
        return f"number, {self.least:g} to {self.most:g}"

    def read(self, value: Any) -> float:
        """With fractions."""
        is_number = not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)
        if not is_number or not self.least <= value <= self.most:
            raise Wrong(f"must be a number from {self.least:g} to {self.most:g}.")
        return float(value)


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    shown: str = "true or false"

    def read(self, value: Any) -> bool:
        """As it is."""
        if not isinstance(value, bool):
            raise Wrong("must be true or false.")
        return value


@dataclass(frozen=True, slots=True)
class Words:
    """A text."""

    most: int = 2000
    pattern: str = ""
    example: str = ""

    @property
    def shown(self) -> str:
        """With an example where there is a form."""
        return f"text such as `{self.example}`" if self.example else "text"

    def read(self, value: Any) -> str:
        """Without white space at its ends."""
        if not isinstance(value, str):
            raise Wrong("must be a text in quotes.")
        words = value.strip()
        if len(words) > self.most or not words or "\x00" in words:
            raise Wrong(f"must be a text of 1 to {self.most} characters.")
        if self.pattern and re.fullmatch(self.pattern, words) is None:
            raise Wrong(f"must look like {self.example}.")
        return words


@dataclass(frozen=True, slots=True)
class Several:
    """A list of one kind, as a tuple."""

    kind: Kind
    least: int = 0
    most: int = 500

    @property
    def shown(self) -> str:
        """Of what."""
        return f"list of {self.kind.shown}"

    def read(self, value: Any) -> tuple[Any, ...]:
        """Each member read."""
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            raise Wrong(f"must be a list in square brackets with {self.least} to {self.most} entries.")
        found = []
        for index, member in enumerate(value):
            try:
                found.append(self.kind.read(member))
            except Wrong as wrong:
                raise Wrong(wrong.sentence, (index, *wrong.at)) from None
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time between two bounds in seconds, written with its unit."""

    least: float = 0
    most: float = 366 * 86400
    is_business: bool = False
    """Counted in the team's hours, where a day would say two things."""

    @property
    def shown(self) -> str:
        """With an example."""
        return 'time such as `"30 min"` or `"4 h"`' + (", in the team's hours" if self.is_business else ' or `"2 d"`')

    def read(self, value: Any) -> timedelta:
        """As a length of time."""
        found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None:
            raise Wrong('must be a time with its unit, such as "90 s", "30 min" or "4 h".')
        if self.is_business and found[2] == "d":
            raise Wrong('is counted in the team\'s hours, where a day is not 24 of them: write hours, such as "16 h".')
        seconds = float(found[1]) * _SECONDS[found[2]]
        if not self.least <= seconds <= self.most:
            raise Wrong(f"must lie between {span_shown(self.least)} and {span_shown(self.most)}.")
        return timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of an enumeration's values."""

    choices: type[StrEnum]

    @property
    def shown(self) -> str:
        """All of them."""
        return " or ".join(f'`"{choice.value}"`' for choice in self.choices)

    def read(self, value: Any) -> StrEnum:
        """As its member."""
        for choice in self.choices:
            if isinstance(value, str) and choice.value == value:
                return choice
        raise Wrong(f"must be one of {', '.join(choice.value for choice in self.choices)}.")


@dataclass(frozen=True, slots=True)
class Pairs:
    """A table of one kind of value under free names, as a tuple of pairs."""

    kind: Kind

    @property
    def shown(self) -> str:
        """Of what."""
        return f"table of {self.kind.shown}"

    def read(self, value: Any) -> tuple[tuple[str, Any], ...]:
        """In the file's order."""
        if not isinstance(value, Mapping):
            raise Wrong("must be a table: { name = value }.")
        found = []
        for name, inner in value.items():
            try:
                found.append((str(name), self.kind.read(inner)))
            except Wrong as wrong:
                raise Wrong(wrong.sentence, (str(name), *wrong.at)) from None
        return tuple(found)


def setting(kind: Kind, text: str, **rest: Any) -> Any:
    """A field that can be read from the file; `text` says what it is for.

    `default` as for dataclasses; `key` where the file's word is none of Python's; `names` for what the value refers to (`channel`, `group`,
    `team`, `topic`, `sla`); `wider` "less" or "more": which direction of the value lets the rule fire more often.
    """
    metadata: dict[str, Any] = {"kind": kind, "help": text}
    metadata |= {name: rest.pop(name) for name in ("key", "names", "wider") if name in rest}
    return dataclasses.field(metadata=metadata, **rest)


def keys(made: type[Any]) -> dict[str, dataclasses.Field[Any]]:
    """The fields of a class that can be read, by their keys in the file."""
    return {str(field.metadata.get("key", field.name)): field for field in dataclasses.fields(made) if "kind" in field.metadata}


def is_required(field: dataclasses.Field[Any]) -> bool:
    """Whether the file must say it."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def read(made: type[Made], table: Any, path: KeyPath, notes: Notes, *, also: Iterable[str] = ()) -> Made | None:
    """`table` as `made`; None where something is wrong, which is noted. Keys in `also` are somebody else's."""
    if not isinstance(table, Mapping):
        notes.problem(path, "must be a table.")
        return None
    known, others = keys(made), set(also)
    is_fine = True
    for name in table:
        if name not in known and name not in others:
            notes.unknown((*path, name), (*known, *others), what="a setting here")
            is_fine = False
    values: dict[str, Any] = {}
    for key, field in known.items():
        if key not in table:
            if is_required(field):
                notes.problem((*path, key), f"is missing. {field.metadata['help']}")
                is_fine = False
            continue
        try:
            values[field.name] = field.metadata["kind"].read(table[key])
        except Wrong as wrong:
            notes.problem((*path, key, *wrong.at), wrong.sentence)
            is_fine = False
    if not is_fine:
        return None
    try:
        return made(**values)
    except Wrong as wrong:
        notes.problem((*path, *wrong.at), wrong.sentence)
        return None


def span_shown(seconds: float) -> str:
    """In the largest unit that leaves a whole number."""
    for name, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {name}"
    return f"{seconds:g} s"
