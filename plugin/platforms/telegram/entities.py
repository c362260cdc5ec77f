"""Telegram's message entities and our marks (Bot API, "MessageEntity" and "Formatting options"). Pure; knows no message and no call.

Entities count UTF-16 code units, marks count code points. Telegram refuses entities that begin or end inside a surrogate pair or behind
the text, and quietly drops those that nest or overlap in ways it does not know; so what goes out is made disjoint first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, groupby
from typing import Any

from plugin.domain.text import Mark, MarkKind, Text

_SIMPLE_IN = {
    "bold": MarkKind.BOLD,
    "italic": MarkKind.ITALIC,
    "strikethrough": MarkKind.STRIKE,
    "code": MarkKind.CODE,
    "pre": MarkKind.PRE,
    "blockquote": MarkKind.QUOTE,
    "expandable_blockquote": MarkKind.QUOTE,
}
_SIMPLE_OUT = {
    MarkKind.BOLD: "bold",
    MarkKind.ITALIC: "italic",
    MarkKind.STRIKE: "strikethrough",
    MarkKind.CODE: "code",
    MarkKind.PRE: "pre",
    MarkKind.QUOTE: "blockquote",
}
_SOLID = (MarkKind.PRE, MarkKind.CODE, MarkKind.MENTION, MarkKind.LINK)
"""Kinds that may not overlap each other, the one that must win last: a link's target is worth more than a look."""
_LINKABLE = ("http://", "https://", "tg://")

CARRIED = frozenset(_SIMPLE_OUT) | {MarkKind.LINK, MarkKind.MENTION}


def to_text(plain: str, entities: Sequence[Mapping[str, Any]] | None) -> Text:
    """The text with the marks that its entities stand for. Never fails: entities that do not fit are cut or left out."""
    if not entities:
        return Text(plain)
    offsets = _utf16_offsets(plain)
    marks: list[Mark] = []
    for entity in entities:
        begin, length = entity.get("offset"), entity.get("length")
        if not isinstance(begin, int) or not isinstance(length, int) or length <= 0:
            continue
        start, end = _code_point(offsets, begin), _code_point(offsets, begin + length)
        mark = _mark(entity, start, end, words=plain[start:end])
        if mark is not None and start < end:
            marks.append(mark)
    return Text(plain, tuple(sorted(marks)))


def to_entities(text: Text) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The text's marks as entities which Telegram takes whole, and sentences on what it cannot take.

    Quotes do not nest, links, mentions and code do not overlap each other or the edge of a quote; bold, italic and strike are free.
    """
    offsets = _utf16_offsets(text.plain)
    length = len(text.plain)
    marks = [Mark(max(mark.start, 0), min(mark.end, length), mark.kind, mark.target) for mark in text.marks]
    sendable, losses = _sendable([mark for mark in marks if mark.start < mark.end], text.plain)
    quoted = _union(mark for mark in sendable if mark.kind is MarkKind.QUOTE)
    result = [Mark(start, end, MarkKind.QUOTE) for start, end in quoted]
    result += [mark for mark in sendable if mark.kind not in _SOLID and mark.kind is not MarkKind.QUOTE]
    solid = _painted(sendable, length, edges={edge for span in quoted for edge in span})
    shown = {mark.target for mark in solid}
    covered = (mark for mark in sendable if mark.kind is MarkKind.LINK and mark.target not in shown)
    losses += tuple(f"Telegram shows one link at a time; the one to {mark.target} was covered by another." for mark in covered)
    result += solid
    result.sort(key=lambda mark: (mark.start, -mark.end, mark.kind is not MarkKind.QUOTE, mark.kind))
    return [_entity(mark, offsets) for mark in result], losses


def _mark(entity: Mapping[str, Any], start: int, end: int, *, words: str) -> Mark | None:
    kind = entity.get("type")
    if isinstance(kind, str) and kind in _SIMPLE_IN:
        return Mark(start, end, _SIMPLE_IN[kind])
    if kind == "text_link" and isinstance(entity.get("url"), str):
        return Mark(start, end, MarkKind.LINK, entity["url"])
    if kind == "url":
        return Mark(start, end, MarkKind.LINK, words if "://" in words else f"http://{words}")
    if kind == "text_mention" and isinstance(entity.get("user"), Mapping) and "id" in entity["user"]:
        return Mark(start, end, MarkKind.MENTION, str(entity["user"]["id"]))
    return None  # the words say it all: @names, #tags, /commands, addresses, numbers


def _sendable(marks: list[Mark], plain: str) -> tuple[list[Mark], tuple[str, ...]]:
    kept: list[Mark] = []
    losses: list[str] = []
    for mark in marks:
        words = plain[mark.start : mark.end]
        if mark.kind is MarkKind.LINK and not mark.target.lower().startswith(_LINKABLE):
            if mark.target and mark.target.partition(":")[2] not in words:
                losses.append(f"Telegram cannot link to {mark.target}; the words “{words}” were sent without it.")
        elif mark.kind is not MarkKind.MENTION or mark.target.isdecimal():
            kept.append(mark)
    return kept, tuple(losses)


def _painted(marks: list[Mark], length: int, *, edges: set[int]) -> list[Mark]:
    """The solid marks without overlap: later kinds of `_SOLID` over earlier ones, each cut where a quote begins or ends."""
    solid = sorted((mark for mark in marks if mark.kind in _SOLID), key=lambda mark: _SOLID.index(mark.kind))
    if not solid:
        return []
    cells: list[Mark | None] = [None] * length
    for mark in solid:
        cells[mark.start : mark.end] = [mark] * (mark.end - mark.start)
    block = list(accumulate((at in edges for at in range(length)), initial=0))[1:]
    result: list[Mark] = []
    for _, run in groupby(range(length), key=lambda at: (id(cells[at]), block[at])):
        places = list(run)
        top = cells[places[0]]
        if top is not None:
            result.append(Mark(places[0], places[-1] + 1, top.kind, top.target))
    return result


def _union(marks: Iterable[Mark]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for mark in sorted(marks):
        if spans and mark.start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], mark.end))
        else:
            spans.append((mark.start, mark.end))
    return spans


def _entity(mark: Mark, offsets: list[int]) -> dict[str, Any]:
    begin = offsets[mark.start]
    span = {"offset": begin, "length": offsets[mark.end] - begin}
    if mark.kind is MarkKind.LINK:
        return {"type": "text_link", **span, "url": mark.target}
    if mark.kind is MarkKind.MENTION:
        return {"type": "text_mention", **span, "user": {"id": int(mark.target)}}
    return {"type": _SIMPLE_OUT[mark.kind], **span}


def _utf16_offsets(plain: str) -> list[int]:
    """Where each code point begins in UTF-16, and where the text ends."""
    return list(accumulate((2 if ord(letter) > 0xFFFF else 1 for letter in plain), initial=0))


def _code_point(offsets: list[int], utf16: int) -> int:
    """The code point at or around a UTF-16 offset, within the text."""
    return max(0, min(bisect_right(offsets, utf16) - 1, len(offsets) - 1))
