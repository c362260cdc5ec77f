"""Text with marks: what was said, once, in a form that every platform and helpdesk can be given faithfully.

`plain` always reads well alone. A mark covers `plain[start:end]`, counted in code points. Adapters turn marks into
facets, entities or HTML; what a target cannot carry is folded into the plain text (`fold`), never dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
            if mark.end > start and mark.start < end
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
            breaks = (at for at in range(mark.start, mark.end - 1) if text.plain[at] == "\n")
            insertions.extend((at + 1, "> ") for at in breaks)
    kept = Text(text.plain, tuple(mark for mark in text.marks if mark.kind in carried))
    return _insert(kept, sorted(insertions)), lost


def split(text: Text, limit: int, ruler: Callable[[str], int]) -> tuple[Text, ...]:
    """Cut `text` into parts of at most `limit` by `ruler`, at paragraphs, lines, sentences or words before letters.

    Nothing is lost but white space at the cuts. `limit` must hold at least one grapheme of the text. Shapes: a text that
    fits comes back as one part.
    """
    if limit < 1:
        raise ValueError("a limit below one can hold nothing")
    parts: list[Text] = []
    rest = text
    while ruler(rest.plain) > limit:
        fits = _longest_fit(rest.plain, limit, ruler)
        cut = _kind_cut(rest.plain, fits)
        parts.append(rest.slice(0, cut).strip())
        rest = rest.slice(cut, len(rest.plain)).strip()
    if rest.plain or not parts:
        parts.append(rest)
    return tuple(part for part in parts if part.plain) or (text,)


def _says(words: str, target: str) -> bool:
    bare = target.removeprefix("https://").removeprefix("http://").removeprefix("mailto:").rstrip("/")
    return bare in words or words.strip() in (target, bare)


def _insert(text: Text, insertions: list[tuple[int, str]]) -> Text:
    result, at = Text(""), 0
    for position, words in insertions:
        # A mark that spans an insertion is cut in two here and joined again below.
        result = result + text.slice(at, position) + Text(words)
        at = position
    result = result + text.slice(at, len(text.plain))
    if len(result.marks) == len(text.marks):
        return result
    return Text(result.plain, tuple(_moved(text.marks, insertions)))


def _moved(marks: tuple[Mark, ...], insertions: list[tuple[int, str]]) -> Iterable[Mark]:
    for mark in marks:
        before_start = sum(len(words) for at, words in insertions if at <= mark.start)
        before_end = sum(len(words) for at, words in insertions if at < mark.end)
        yield replace(mark, start=mark.start + before_start, end=max(mark.start + before_start, mark.end + before_end))


def _longest_fit(plain: str, limit: int, ruler: Callable[[str], int]) -> int:
    low, high = 1, len(plain)
    while low < high:
        middle = (low + high + 1) // 2
        if ruler(plain[:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    return low


_CUTS = ("\n\n", "\n", ". ", "! ", "? ", " ")
_JOINERS = frozenset("\u200d\ufe0e\ufe0f") | frozenset(chr(code) for code in range(0x1F3FB, 0x1F400))


def _kind_cut(plain: str, fits: int) -> int:
    """The best place at or before `fits`; a cut that leaves less than a third is too early to be kind."""
    for mark in _CUTS:
        at = plain.rfind(mark, 0, fits + (1 if mark.endswith(" ") else 0))
        if at >= fits // 3 and at > 0:
            return min(at + len(mark), max(fits, at + 1)) if mark.strip() else at
    while fits > 1 and fits < len(plain) and (plain[fits] in _JOINERS or plain[fits - 1] == "\u200d" or _combines(plain[fits])):
        fits -= 1
    return fits


def _combines(character: str) -> bool:
    import unicodedata

    return unicodedata.combining(character) != 0
