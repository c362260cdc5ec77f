"""What osTicket strips or spoils, as short codes and back: `:grinning_face:`, `:flag_de:`, `:u1fae8:`. The plugin does the same in PHP (Emoji.php).

osTicket removes emoji, dingbats and signs such as the one for copyright from all it stores; its three-byte columns turn every other
character beyond U+FFFF into `????`.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace

from plugin.domain.text import Text

_SPOILT = "\u00a9-\u00ac\u00ae\u2310-\u231f\u2322-\u232f\u23e0-\u23ff\u2702-\u27b0\U00010000-\U0010ffff"
_ONE = re.compile(f"[{_SPOILT}]")
_RAW = re.compile(f"[\U0001f1e6-\U0001f1ff]{{2}}|[{_SPOILT}]")
_CODE = re.compile(r":([a-z][a-z0-9_-]{1,79}):")
_WORD = re.compile(r"(?!u[0-9a-f]{2,6}\Z)[a-z][a-z0-9_-]{1,79}\Z")
_NUMBER = re.compile(r"u([0-9a-f]{2,6})\Z")
_FLAG = re.compile(r"flag_([a-z])([a-z])\Z")
_FIRST_INDICATOR = 0x1F1E6
_FANCY = re.compile("[\U0001d400-\U0001d7ff]")
"""Letters of mathematics, which people use for looks: they are written as the plain letters that they show."""

Span = tuple[int, int, str]


def encode(text: Text) -> Text:
    """`text` as osTicket keeps it."""
    return substitute(text, ((found.start(), found.end(), _coded(found[0])) for found in _RAW.finditer(text.plain)))


def decode(text: Text) -> Text:
    """`text` as people mean it; codes that nobody knows stay as they are."""
    return substitute(text, _codes(text.plain))


def encode_line(value: str) -> str:
    """A single line as osTicket keeps it."""
    return encode(Text(value)).plain


def without(value: str) -> str:
    """A name without what osTicket would strip; with codes if nothing else is left."""
    bare = " ".join(_ONE.sub(lambda found: _plain_letter(found[0]), value).split())
    return bare or encode_line(value)


def substitute(text: Text, spans: Iterable[Span]) -> Text:
    """`text` with each (start, end, new words) replaced; spans rise, do not overlap and are not empty. Marks move along."""
    pieces: list[str] = []
    old_starts, old_ends, shifts = [], [], [0]
    at = 0
    for start, end, words in spans:
        pieces += (text.plain[at:start], words)
        old_starts.append(start)
        old_ends.append(end)
        shifts.append(shifts[-1] + len(words) - (end - start))
        at = end
    if not old_starts:
        return text
    pieces.append(text.plain[at:])

    def moved(place: int, *, is_end: bool) -> int:
        passed = bisect_right(old_ends, place)
        if passed < len(old_starts) and old_starts[passed] < place:
            # Inside something replaced: a mark covers all of it.
            return old_ends[passed] + shifts[passed + 1] if is_end else old_starts[passed] + shifts[passed]
        return place + shifts[passed]

    marks = tuple(replace(mark, start=moved(mark.start, is_end=False), end=moved(mark.end, is_end=True)) for mark in text.marks)
    return Text("".join(pieces), marks)


def _coded(letters: str) -> str:
    if len(letters) == 2:
        return ":flag_" + "".join(chr(ord(one) - _FIRST_INDICATOR + ord("a")) for one in letters) + ":"
    if plain := _plain_letter(letters):
        return plain
    word = unicodedata.name(letters, "").lower().replace(" ", "_")
    return f":{word}:" if _WORD.match(word) and "ideograph" not in word else f":u{ord(letters):x}:"


def _plain_letter(letter: str) -> str:
    return unicodedata.normalize("NFKC", letter) if _FANCY.match(letter) else ""


def _codes(plain: str) -> Iterator[Span]:
    at = 0
    while (found := _CODE.search(plain, at)) is not None:
        letters = _letters(found[1])
        if letters is None:
            at = found.end() - 1  # Its last colon may begin the next one.
        else:
            yield found.start(), found.end(), letters
            at = found.end()


def _letters(word: str) -> str | None:
    if number := _NUMBER.match(word):
        code = int(number[1], 16)
        letter = chr(code) if code <= 0x10FFFF else ""
    elif flag := _FLAG.match(word):
        return "".join(chr(ord(one) - ord("a") + _FIRST_INDICATOR) for one in flag.groups())
    else:
        try:
            letter = unicodedata.lookup(word.replace("_", " "))
        except KeyError:
            return None
    return letter if len(letter) == 1 and _ONE.match(letter) else None
