"""HTML to Text and back, as people see it: the helpdesks' replies, the networks' posts. Safe with any input, in linear time.

What is read is what a browser shows without style sheets, with these liberties: a paragraph is followed by an empty line, list items
begin with "• " or "1. ", cells are parted by " | ", a no-break space is a space, and white space around the whole is dropped. It knows
no platform and no helpdesk; `skip` lets them leave out what is theirs (signatures).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from plugin.domain.html_tokens import CARRIED_LINK, DEEPEST_QUOTE, RAW, tokens, unescaped
from plugin.domain.html_writer import to_html
from plugin.domain.text import Mark, MarkKind, Text

__all__ = ["Skip", "from_html", "to_html"]

Skip = Callable[[str, Mapping[str, str]], bool]

_MARKS = {
    **dict.fromkeys(("b", "strong"), MarkKind.BOLD),
    **dict.fromkeys(("i", "em"), MarkKind.ITALIC),
    **dict.fromkeys(("del", "s", "strike"), MarkKind.STRIKE),
    **dict.fromkeys(("code", "tt", "kbd", "samp"), MarkKind.CODE),
    "pre": MarkKind.PRE,
    "blockquote": MarkKind.QUOTE,
    "a": MarkKind.LINK,
}
_SECTIONS = ["address", "article", "aside", "body", "details", "div", "footer", "form", "header", "hgroup", "html", "main", "section"]
_GROUPS = ["blockquote", "center", "fieldset", "figcaption", "figure", "legend", "pre", "summary", "caption", "table", "tr"]
_LISTS = ["dd", "dl", "dt", "li", "nav", "ol", "ul"]
_BREAKS = {
    **dict.fromkeys(_SECTIONS + _GROUPS + _LISTS, 1),
    **dict.fromkeys(("p", "h1", "h2", "h3", "h4", "h5", "h6"), 2),
    **dict.fromkeys(("td", "th"), 0),
}
"""Elements that stand on lines of their own, and how many line breaks stand around them at least."""
_VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"])
_UNSEEN = frozenset(["template", "svg", "select", "datalist"])
_SCOPES = frozenset(["ul", "ol", "table", "td", "th"])
_IMPLIED = {"li": ("li",), "p": ("p",), "td": ("td", "th"), "th": ("td", "th"), "tr": ("tr",), "dt": ("dt", "dd"), "dd": ("dt", "dd")}
"""What a start tag ends although nobody wrote the end tag."""

_SPACES = re.compile(r"[ \t\n\r\f]+")
_IN_ADDRESS = re.compile(r"[\t\n\r\0]")
_NO_STYLE = re.compile(r"display\s*:\s*none", re.IGNORECASE)


def from_html(source: str, *, skip: Skip | None = None) -> Text:
    """The text that `source` shows, with its marks, outer before inner. Never fails.

    `skip(name, attributes)` is asked for each element; what it says yes to is left out with all that is in it.
    """
    page = _Page(skip)
    for name, attributes, words in tokens(source):
        if words is not None:
            page.read(words)
        elif attributes is not None:
            page.open(name, attributes)
        else:
            page.close(name)
    return page.finish()


@dataclass(slots=True, eq=False)
class _Element:
    name: str
    order: int
    scope: int
    kind: MarkKind | None = None
    target: str = ""
    start: int | None = None
    is_unseen: bool = False
    is_open: bool = True


class _Page:
    """What was shown so far, and what is open. `_breaks`, `_space` and `_prefix` wait for the next thing that is seen."""

    def __init__(self, skip: Skip | None) -> None:
        self._skip = skip
        self._out: list[str] = []
        self._length = 0
        self._newlines = 0
        self._breaks = 0
        self._space = self._is_pre_start = False
        self._prefix = ""
        self._stack: list[_Element] = []
        self._named: dict[str, list[_Element]] = {}
        self._active: dict[MarkKind, int] = {}
        self._unstarted: list[_Element] = []
        self._marks: list[tuple[int, int, int, Mark]] = []
        self._lists: list[int | None] = []
        self._unseen = self._scope = self._cells = self._opened = 0

    def open(self, name: str, attributes: Mapping[str, str]) -> None:
        for other in (*_IMPLIED.get(name, ()), *(("p",) if _BREAKS.get(name) else ()), *(("a",) if name == "a" else ())):
            self._close_implied(other)
        is_unseen = name in _UNSEEN or name in RAW or "hidden" in attributes or bool(_NO_STYLE.search(attributes.get("style", "")))
        is_unseen = is_unseen or (self._skip is not None and self._skip(name, attributes))
        if not is_unseen:
            self._break(_BREAKS.get(name, 0))
        if name in _VOID:
            if not is_unseen and not self._unseen:
                self._show_void(name, attributes)
            return
        self._opened += 1
        element = _Element(name, self._opened, self._scope, is_unseen=is_unseen)
        self._stack.append(element)
        self._named.setdefault(name, []).append(element)
        self._scope += name in _SCOPES
        self._unseen += is_unseen
        if name in ("ul", "ol"):
            self._lists.append(_number(attributes.get("start", "1"), 1) if name == "ol" else None)
        if not self._unseen:
            self._begin_line(name, attributes)
            self._begin_mark(element, attributes)

    def close(self, name: str) -> None:
        if name in ("br", "p") and not self._named.get(name):
            self._break(2 if name == "p" else 0)
            if name == "br" and not self._unseen:
                self._end_line()
            return
        named = self._named.get(name)
        if not named:
            return
        element = named[-1]
        if name in _BREAKS:
            while self._stack[-1] is not element:
                self._end(self._stack.pop())
            self._stack.pop()
        self._end(element)
        while self._stack and not self._stack[-1].is_open:
            self._stack.pop()

    def read(self, raw: str) -> None:
        """Take in what stands between two tags."""
        if self._unseen:
            return
        if self._active.get(MarkKind.PRE):
            words = raw.replace("\r\n", "\n").replace("\r", "\n")
            if self._is_pre_start:
                words = words.removeprefix("\n")
                self._is_pre_start = False
            self._say(unescaped(words).replace("\xa0", " "))
        else:
            words = _SPACES.sub(" ", raw)
            self._space = self._space or words.startswith(" ")
            self._say(unescaped(words.strip(" ")).replace("\n", " ").replace("\r", "").replace("\xa0", " "))
            self._space = self._space or (len(words) > 1 and words.endswith(" "))

    def finish(self) -> Text:
        while self._stack:
            self._end(self._stack.pop())
        plain = "".join(self._out)
        blank = len(plain) - len(plain.lstrip())
        first = plain.rfind("\n", 0, blank) + 1
        self._marks.sort(key=lambda item: item[:3])
        return Text(plain, tuple(mark for *_, mark in self._marks)).slice(first, max(first, len(plain.rstrip())))

    def _close_implied(self, name: str) -> None:
        named = self._named.get(name)
        if named and (name == "a" or named[-1].scope == self._scope):
            self.close(name)

    def _begin_line(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "li":
            number = self._lists[-1] if self._lists else None
            if number is not None:
                number = _number(attributes.get("value", ""), number)
                self._lists[-1] = number + 1
            indent = "  " * min(len(self._lists) - 1, DEEPEST_QUOTE)
            self._prefix = f"{indent}• " if number is None else f"{indent}{number}. "
        elif name == "tr":
            self._cells = 0
        elif name in ("td", "th"):
            if self._cells:
                self._prefix, self._space = " | ", False
            self._cells += 1

    def _begin_mark(self, element: _Element, attributes: Mapping[str, str]) -> None:
        kind = _MARKS.get(element.name)
        if kind is None or self._active.get(kind, 0) >= (DEEPEST_QUOTE if kind is MarkKind.QUOTE else 1):
            return
        if kind is MarkKind.LINK:
            element.target = _IN_ADDRESS.sub("", attributes.get("href", "")).strip()
            if not CARRIED_LINK.match(element.target):
                return
        if kind is MarkKind.CODE and self._active.get(MarkKind.PRE):
            return
        self._is_pre_start = kind is MarkKind.PRE
        element.kind = kind
        self._active[kind] = self._active.get(kind, 0) + 1
        self._unstarted.append(element)

    def _end(self, element: _Element) -> None:
        if not element.is_open:
            return
        element.is_open = False
        self._named[element.name].pop()
        self._scope -= element.name in _SCOPES
        self._break(_BREAKS.get(element.name, 0))
        self._unseen -= element.is_unseen
        if element.name in ("ul", "ol"):
            self._lists.pop()
        if element.name in ("li", "tr"):
            self._prefix = ""
        if element.kind is not None:
            self._active[element.kind] -= 1
            end = self._length - self._newlines
            if element.start is not None and element.start < end:
                mark = Mark(element.start, end, element.kind, element.target)
                self._marks.append((element.start, -end, element.order, mark))

    def _show_void(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "br":
            self._end_line()
        elif name == "hr":
            self._break(1)
            self._say("---")
            self._break(1)
        elif name == "img":
            words = _SPACES.sub(" ", attributes.get("alt", "")).replace("\xa0", " ").strip()
            self._say(words)

    def _break(self, count: int) -> None:
        if count and not self._unseen:
            self._breaks = max(self._breaks, count)
            self._space = False

    def _end_line(self) -> None:
        self._space = False
        self._flush()
        self._append("\n")

    def _say(self, words: str) -> None:
        if words:
            self._flush()
            for element in self._unstarted:
                element.start = self._length
            self._unstarted.clear()
            self._append(words)

    def _flush(self) -> None:
        """Append what waited: line breaks, then a list marker or a cell's border, or a space."""
        if self._length and self._breaks > self._newlines:
            self._append("\n" * (self._breaks - self._newlines))
        is_line_start = not self._length or self._newlines > 0
        prefix, self._prefix = self._prefix, ""
        if prefix == " | " and is_line_start:
            prefix = ""
        if not prefix and self._space and not is_line_start:
            prefix = " "
        if prefix:
            self._append(prefix)
        self._breaks, self._space = 0, False

    def _append(self, words: str) -> None:
        self._out.append(words)
        self._length += len(words)
        rest = len(words.rstrip("\n"))
        self._newlines = len(words) - rest + (self._newlines if rest == 0 else 0)


def _number(digits: str, otherwise: int) -> int:
    return int(digits) if re.fullmatch(r"-?[0-9]{1,9}", digits) else otherwise
