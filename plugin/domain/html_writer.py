"""Text as HTML: escaped first, and of few elements alone. `plugin.domain.html` is where others find it."""

from __future__ import annotations

import html
import re
from dataclasses import replace

from plugin.domain.html_tokens import CARRIED_LINK, DEEPEST_QUOTE
from plugin.domain.text import Mark, MarkKind, Text

_TAGS = {
    MarkKind.BOLD: "b",
    MarkKind.ITALIC: "i",
    MarkKind.STRIKE: "del",
    MarkKind.CODE: "code",
    MarkKind.PRE: "pre",
    MarkKind.QUOTE: "blockquote",
    MarkKind.LINK: "a",
}
_SPECIAL = re.compile(r"[&<> \t\n\r\f]")


def to_html(text: Text) -> str:
    """`text` as HTML of b, i, del, code, pre, blockquote, a and br alone, everything else escaped.

    Mentions and links to anything but http, https, mailto and tel become words.
    """
    marks = _settled(tuple(_fit(mark, text.plain) for mark in text.marks))
    starts, ends = {mark.start for mark in marks}, {mark.end for mark in marks}
    stops = sorted(starts | ends | {len(text.plain)})
    opening = iter(marks)
    upcoming = next(opening, None)
    out: list[str] = []
    active: list[Mark] = []
    at, is_after_block = 0, False
    for stop in stops:
        words = text.plain[at:stop]
        if words and is_after_block and words[0] == "\n":
            words = words[1:]
        if at < stop:
            is_after_block = False
            is_pre = any(mark.kind is MarkKind.PRE for mark in active)
            out.append(_escaped(text.plain, stop - len(words), stop, is_pre=is_pre, starts=starts, ends=ends))
        at = stop
        lowest = next((index for index, mark in enumerate(active) if mark.end <= at), len(active))
        for mark in reversed(active[lowest:]):
            out.append(f"</{_TAGS[mark.kind]}>")
            is_after_block = mark.kind in (MarkKind.QUOTE, MarkKind.PRE) or is_after_block
        reopened = [mark for mark in active[lowest:] if mark.end > at]
        del active[lowest:]
        while upcoming is not None and upcoming.start <= at:
            reopened.append(upcoming)
            upcoming = next(opening, None)
        for mark in reopened:
            if mark.kind is MarkKind.QUOTE and sum(other.kind is MarkKind.QUOTE for other in active) >= DEEPEST_QUOTE:
                continue
            active.append(mark)
            out.append(f'<a href="{html.escape(mark.target)}">' if mark.kind is MarkKind.LINK else f"<{_TAGS[mark.kind]}>")
            if mark.kind is MarkKind.PRE and text.plain.startswith("\n", at):
                out.append("\n")
    return "".join(out)


def _fit(mark: Mark, plain: str) -> Mark:
    """A block that begins or ends within a line, such as in an item of a list, would break the line: it is code, or the whole line is quoted."""
    if mark.kind not in (MarkKind.PRE, MarkKind.QUOTE):
        return mark
    start = plain.rfind("\n", 0, mark.start) + 1
    end = plain.find("\n", max(mark.end - 1, 0))
    end = len(plain) if end < 0 else max(end, mark.end)
    if (start, end) == (mark.start, mark.end):
        return mark
    return replace(mark, kind=MarkKind.CODE) if mark.kind is MarkKind.PRE else replace(mark, start=start, end=end)


def _settled(marks: tuple[Mark, ...]) -> list[Mark]:
    """Marks that HTML can carry, outer before inner; overlapping ones of one kind are one, links follow each other."""
    settled: list[Mark] = []
    latest: dict[MarkKind, int] = {}
    for mark in sorted(marks, key=lambda mark: (mark.start, -mark.end)):
        if mark.kind not in _TAGS or mark.start >= mark.end:
            continue
        if mark.kind is MarkKind.LINK and not CARRIED_LINK.match(mark.target):
            continue
        before = latest.get(mark.kind)
        if before is not None and mark.kind is not MarkKind.QUOTE and settled[before].end > mark.start:
            if settled[before].end >= mark.end:
                continue
            if mark.kind is not MarkKind.LINK:
                settled[before] = replace(settled[before], end=mark.end)
                continue
            mark = replace(mark, start=settled[before].end)  # noqa: PLW2901  (the rest of the same link)
        latest[mark.kind] = len(settled)
        settled.append(mark)
    return sorted(settled, key=lambda mark: (mark.start, -mark.end))


def _escaped(plain: str, start: int, end: int, *, is_pre: bool, starts: set[int], ends: set[int]) -> str:
    def escape(found: re.Match[str]) -> str:
        letter, at = found.group(), start + found.start()
        if letter in "&<>":
            return html.escape(letter)
        if letter == "\r":
            return "" if plain.startswith("\n", at + 1) else "\n" if is_pre else "<br>"
        if is_pre:
            return letter
        if letter == "\n":
            return "<br>"
        if letter == "\t":
            return "&#9;"
        # A browser shows a space only between words: at an edge, beside another and beside a line break it must not break.
        is_edge = at == 0 or at + 1 == len(plain) or at in starts or at + 1 in ends
        return "&nbsp;" if is_edge or plain[at - 1] in "\n\r" or plain[at + 1] in " \n\r\f" else " "

    return _SPECIAL.sub(escape, plain[start:end])
