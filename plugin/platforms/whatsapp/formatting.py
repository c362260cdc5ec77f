"""WhatsApp's formatting and our marks, both ways. Pure; knows no message and no call.

`*bold*`, `_italic_`, `~strike~`, `code` in backticks, monospaced lines in three of them, `> ` before a quoted line. Lists (`* `, `- `, `1. `) read the
same as they are typed and stay so. A sign counts only where it touches a word from outside: `2*3*4` is no bold.
Source: WhatsApp Help Center, "How to format your messages".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from plugin.domain.text import Mark, MarkKind, Text, fold, join

CARRIED = frozenset({MarkKind.BOLD, MarkKind.ITALIC, MarkKind.STRIKE, MarkKind.CODE, MarkKind.PRE, MarkKind.QUOTE})
_SIGNS = {"*": MarkKind.BOLD, "_": MarkKind.ITALIC, "~": MarkKind.STRIKE}
_WRITTEN = {kind: sign for sign, kind in _SIGNS.items()} | {MarkKind.CODE: "`", MarkKind.PRE: "```"}
_PRE = re.compile(r"```(?=\S|\n)(.+?)```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_SPAN = re.compile(r"(?<![\w*_~])([*_~])(?=\S)([^\n]*?\S)\1(?!\w)")
_QUOTE = re.compile(r"^> ?(.*)$", re.MULTILINE)
_DEEPEST = 4


def read(words: str) -> Text:
    """What was typed, its signs as marks. What only looks like a sign stays as it is."""
    return join(_apart(words, _PRE, MarkKind.PRE, _read_quotes))


def write(text: Text) -> str:
    """What is sent. Signs stand inside of white space, on each line anew, as WhatsApp wants them; links are written out."""
    folded, _ = fold(text, CARRIED)
    opens: dict[int, list[tuple[int, str]]] = {}
    closes: dict[int, list[tuple[int, str]]] = {}
    quoted: set[int] = set()
    for mark in folded.marks:
        if mark.kind is MarkKind.QUOTE:
            quoted |= {start for start, _ in _lines(folded.plain, mark.start, mark.end)}
            continue
        sign = _WRITTEN[mark.kind]
        spans = [(mark.start, mark.end)] if mark.kind is MarkKind.PRE else list(_lines(folded.plain, mark.start, mark.end))
        for start, end in (_tight(folded.plain, *span) for span in spans):
            if start < end and _can_stand(folded.plain, start, end, mark.kind):
                opens.setdefault(start, []).append((-end, sign))
                closes.setdefault(end, []).append((-start, sign))
    pieces: list[str] = []
    for at in range(len(folded.plain) + 1):
        pieces += [sign for _, sign in sorted(closes.get(at, ()))]
        pieces += ["> "] if at in quoted else []
        pieces += [sign for _, sign in sorted(opens.get(at, ()))]
        pieces += folded.plain[at : at + 1]
    return "".join(pieces)


def _read_quotes(words: str) -> Text:
    parts: list[Text] = []
    at = 0
    for found in _QUOTE.finditer(words):
        parts.append(join(_apart(words[at : found.start()], _CODE, MarkKind.CODE, _read_spans)))
        inner = join(_apart(found[1], _CODE, MarkKind.CODE, _read_spans))
        parts.append(_marked(inner, MarkKind.QUOTE))
        at = found.end()
    parts.append(join(_apart(words[at:], _CODE, MarkKind.CODE, _read_spans)))
    return join(parts)


def _read_spans(words: str, depth: int = 0) -> Text:
    parts: list[Text] = []
    at = 0
    for found in _SPAN.finditer(words) if depth < _DEEPEST else ():
        parts.append(Text(words[at : found.start()]))
        parts.append(_marked(_read_spans(found[2], depth + 1), _SIGNS[found[1]]))
        at = found.end()
    parts.append(Text(words[at:]))
    return join(parts)


def _apart(words: str, sign: re.Pattern[str], kind: MarkKind, rest: Callable[[str], Text]) -> Iterator[Text]:
    at = 0
    for found in sign.finditer(words):
        yield rest(words[at : found.start()])
        yield _marked(Text(found[1].strip("\n") if kind is MarkKind.PRE else found[1]), kind)
        at = found.end()
    yield rest(words[at:])


def _marked(text: Text, kind: MarkKind) -> Text:
    return Text(text.plain, (Mark(0, len(text.plain), kind), *text.marks)) if text.plain else text


def _lines(plain: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        stop = plain.find("\n", start, end)
        stop = end if stop < 0 else stop
        yield start, stop
        start = stop + 1


def _tight(plain: str, start: int, end: int) -> tuple[int, int]:
    while start < end and plain[start].isspace():
        start += 1
    while end > start and plain[end - 1].isspace():
        end -= 1
    return start, end


def _can_stand(plain: str, start: int, end: int, kind: MarkKind) -> bool:
    """WhatsApp shows signs within a word, or around the same sign, as they are typed: there the words go without."""
    inner, sign = plain[start:end], _WRITTEN[kind]
    touches = (start > 0 and plain[start - 1].isalnum()) or (end < len(plain) and plain[end : end + 1].isalnum())
    return sign[0] not in inner and (kind in (MarkKind.CODE, MarkKind.PRE) or not touches)
