"""Text with marks: what was said, once, in a form that every platform and helpdesk can be given faithfully.

`plain` always reads well alone. A mark covers `plain[start:end]`, counted in code points. Adapters turn marks into
facets, entities or HTML; what a target cannot carry is folded into the plain text (`fold`), never dropped.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum


class MarkKind(StrEnum):
    """What a mark says of its span."""

    BOLD = "bold"
    ITALIC = "italic"
    STRIKE = "strike"
    CODE = "code"
    PRE = "pre"
    QUOTE = "quote"
    LINK = "link"
    MENTION = "mention"


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """One span: `start <= end` in code points of the plain text; `target` is a URL (link) or a contact reference (mention)."""

    start: int
    end: int
    kind: MarkKind
    target: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text and its marks, in order of start."""

    plain: str
    marks: tuple[Mark, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.plain)

    def slice(self, start: int, end: int) -> Text:
        """The part from `start` to `end` with its marks moved along and cut at the edges."""
        cut = (
            replace(mark, start=max(mark.start, start) - start, end=min(mark.end, end) - start)
            for mark in self.marks
            if max(mark.start, start) < min(mark.end, end)
        )
        return Text(self.plain[start:end], tuple(cut))

    def strip(self) -> Text:
        """The same without white space at either end."""
        start = len(self.plain) - len(self.plain.lstrip())
        return self.slice(start, max(start, len(self.plain.rstrip())))

    def __add__(self, other: Text) -> Text:
        shift = len(self.plain)
        moved = (replace(mark, start=mark.start + shift, end=mark.end + shift) for mark in other.marks)
        return Text(self.plain + other.plain, (*self.marks, *moved))


def join(parts: Iterable[Text], separator: str = "") -> Text:
    """The parts one after the other with `separator` between them."""
    result: Text | None = None
    for part in parts:
        result = part if result is None else result + Text(separator) + part
    return result or Text("")


def fold(text: Text, carried: frozenset[MarkKind]) -> tuple[Text, frozenset[MarkKind]]:
    """Make `text` fit a target that carries only the kinds in `carried`.

    A link whose target is not readable in its words gets ` (URL)` behind it; a quote gets `> ` before each line; other
    marks leave their words as they are. Returns the folded text and the kinds whose look was lost.
    """
    lost = frozenset(mark.kind for mark in text.marks) - carried
    if not lost:
        return text, lost
    insertions: list[tuple[int, str]] = []
    for mark in text.marks:
        if mark.kind in carried:
            continue
        words = text.plain[mark.start : mark.end]
        if mark.kind is MarkKind.LINK and mark.target and not _says(words, mark.target):
            insertions.append((mark.end, f" ({mark.target})"))
        elif mark.kind is MarkKind.QUOTE:
            insertions.append((mark.start, "> "))
            insertions.extend((at + 1, "> ") for at in _line_ends(text.plain, mark.start, mark.end - 1))
    kept = Text(text.plain, tuple(mark for mark in text.marks if mark.kind in carried))
    return _insert(kept, sorted(insertions)), lost


def _says(words: str, target: str) -> bool:
    bare = target.removeprefix("https://").removeprefix("http://").removeprefix("mailto:").rstrip("/")
    return bare in words or words.strip() in (target, bare)


def _line_ends(plain: str, start: int, end: int) -> Iterable[int]:
    at = plain.find("\n", start, end)
    while at >= 0:
        yield at
        at = plain.find("\n", at + 1, end)


def _insert(text: Text, insertions: list[tuple[int, str]]) -> Text:
    """`text` with words added at positions in rising order; a mark covers what is added between its ends, not at them."""
    pieces: list[str] = []
    places: list[int] = []
    shifts = [0]
    at = 0
    for position, words in insertions:
        pieces += (text.plain[at:position], words)
        places.append(position)
        shifts.append(shifts[-1] + len(words))
        at = position
    pieces.append(text.plain[at:])
    moved = []
    for mark in text.marks:
        start = mark.start + shifts[bisect_right(places, mark.start)]
        moved.append(replace(mark, start=start, end=max(start, mark.end + shifts[bisect_left(places, mark.end)])))
    return Text("".join(pieces), tuple(moved))
