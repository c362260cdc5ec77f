"""Cutting a long reply into parts that a platform takes, where a reader would cut it."""

from __future__ import annotations

from collections.abc import Callable

from plugin.contracts.capabilities import Ruler
from plugin.contracts.rulers import GRAPHEME
from plugin.domain.text import Mark, Text


def split(text: Text, limit: int, ruler: Ruler) -> tuple[Text, ...]:
    """Cut `text` into parts of at most `limit` by `ruler`, at paragraphs, lines, sentences or words before letters.

    Nothing is lost but white space at the cuts. `limit` must hold at least one code point of the text; letters and their accents
    are parted only where they do not fit together. `ruler` must not shrink when text is added. Shapes: a text that fits comes back
    as one part, a longer one without words as one empty part.
    """
    if limit < 1:
        raise ValueError("a limit below one can hold nothing")
    plain, spans, at = text.plain, list[tuple[int, int]](), 0
    while True:
        fits = _longest_fit(plain, at, limit, ruler.measure)
        if fits == len(plain):
            break
        cut = _kind_cut(plain, at, fits)
        spans.append(_stripped(plain, at, cut))
        at = _stripped(plain, cut, len(plain))[0]
    if not spans:
        return (text,)
    spans.append(_stripped(plain, at, len(plain)))
    return _slices(text, [span for span in spans if span[0] < span[1]]) or (Text(""),)


def _slices(text: Text, spans: list[tuple[int, int]]) -> tuple[Text, ...]:
    """`text.slice` for spans in rising order, looking at each mark only where it is."""
    parts: list[Text] = []
    waiting = sorted(text.marks, key=lambda mark: mark.start)
    here: list[Mark] = []
    taken = 0
    for start, end in spans:
        while taken < len(waiting) and waiting[taken].start < end:
            here.append(waiting[taken])
            taken += 1
        here = [mark for mark in here if mark.end > start]
        parts.append(Text(text.plain, tuple(here)).slice(start, end))
    return tuple(parts)


def _stripped(plain: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space at either end."""
    while start < end and plain[start].isspace():
        start += 1
    while end > start and plain[end - 1].isspace():
        end -= 1
    return start, end


def _longest_fit(plain: str, at: int, limit: int, ruler: Callable[[str], int]) -> int:
    """The furthest end so that `plain[at:end]` fits; looks little further than that, so that many parts cost no more than few."""
    reach = limit
    while at + reach < len(plain) and ruler(plain[at : at + reach]) <= limit:
        reach *= 2
    low, high = at, min(at + reach, len(plain))
    while low < high:
        middle = (low + high + 1) // 2
        if ruler(plain[at:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    return max(low, min(at + 1, len(plain)))


# Where a letter of many code points (a family of emoji) may still be going on.
_LONGEST_LETTER = 64
_CUTS = ("\n\n", "\n", ". ", "! ", "? ", " ")


def _kind_cut(plain: str, at: int, fits: int) -> int:
    """The best place at or before `fits`; a cut that leaves less than a third is too early to be kind."""
    starts = {at + match.end() for match in GRAPHEME.finditer(plain[at : fits + _LONGEST_LETTER])}
    earliest = at + max(1, (fits - at) // 3)
    for words in _CUTS:
        end = fits + 1
        while (found := plain.rfind(words, at, end)) >= earliest:
            cut = found + len(words.rstrip())
            if cut <= fits and cut in starts:
                return cut
            end = found + len(words) - 1
    for cut in range(fits, at, -1):
        if cut in starts:
            return cut
    return fits
