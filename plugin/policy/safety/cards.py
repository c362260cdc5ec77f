"""Payment card numbers: the ranges that issuers use, the lengths and groups in which people write them, and Luhn's check digit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from plugin.policy.safety.findings import Finding, Kind, ending

_DIGITS = re.compile(r"[0-9]+")
_GAPS = frozenset(" -.\u00a0\u2009\u200b\u2010\u2011\u2013")
_GROUPED = frozenset({(4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4), (6, 13)})
_LONGEST_GROUPING = 5
_NOT_A_CARD = re.compile(
    r"\b(?:imei|meid|iccid|tracking|sendungs\w*|isbn|ean|gtin)\W{0,3}(?:number|nummer|no\.?|nr\.?|is|ist)?\W{0,3}\Z", re.IGNORECASE
)
_LOOK_BACK = 30
_RANGES: tuple[tuple[str, int, int, frozenset[int]], ...] = (
    ("amex", 34, 34, frozenset({15})),
    ("amex", 37, 37, frozenset({15})),
    ("visa", 4, 4, frozenset({13, 16, 19})),
    ("mastercard", 51, 55, frozenset({16})),
    ("mastercard", 2221, 2720, frozenset({16})),
    ("diners", 300, 305, frozenset({14, 16})),
    ("diners", 36, 36, frozenset({14})),
    ("diners", 38, 39, frozenset({14, 16})),
    ("jcb", 3528, 3589, frozenset({16})),
    ("discover", 6011, 6011, frozenset({16, 19})),
    ("discover", 644, 659, frozenset({16, 19})),
    ("unionpay", 62, 62, frozenset({16, 17, 18, 19})),
    ("unionpay", 81, 81, frozenset({16})),
    ("maestro", 5018, 5018, frozenset({16, 18, 19})),
    ("maestro", 5020, 5020, frozenset({16, 18, 19})),
    ("maestro", 5038, 5038, frozenset({16, 18, 19})),
    ("maestro", 5893, 5893, frozenset({16, 18, 19})),
    ("maestro", 6304, 6304, frozenset({16, 18, 19})),
    ("maestro", 6759, 6759, frozenset({16, 18, 19})),
    ("maestro", 6761, 6763, frozenset({16, 18, 19})),
)


def find(text: str) -> Iterator[Finding]:
    """Card numbers, written in one piece or in the usual groups."""
    groups = [match.span() for match in _DIGITS.finditer(text)]
    at = 0
    while at < len(groups):
        end = _end_of_card(text, groups, at)
        if end:
            start, stop = groups[at][0], groups[end - 1][1]
            number = "".join(letter for letter in text[start:stop] if letter in "0123456789")
            yield Finding(kind=Kind.CARD, start=start, end=stop, masked=ending(number, 4), detail=_issuer(number))
            at = end
        else:
            at += 1


def _end_of_card(text: str, groups: list[tuple[int, int]], at: int) -> int:
    """The group behind a card that begins with group `at`; 0 if none does."""
    start = groups[at][0]
    if start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        return 0
    number, lengths = "", []
    for index in range(at, min(at + _LONGEST_GROUPING, len(groups))):
        first, last = groups[index]
        if index > at and not (first - groups[index - 1][1] == 1 and text[first - 1] in _GAPS):
            return 0
        number += text[first:last]
        lengths.append(last - first)
        if len(number) > 19:
            return 0
        follows = text[last : last + 1]
        is_whole = not (follows.isalnum() or follows == "_")
        if is_whole and (len(lengths) == 1 or tuple(lengths) in _GROUPED) and _issuer(number) and has_check_digit(number):
            before = text[max(0, start - _LOOK_BACK) : start]
            return 0 if _NOT_A_CARD.search(before) else index + 1
    return 0


def _issuer(number: str) -> str:
    for name, low, high, lengths in _RANGES:
        if len(number) in lengths and low <= int(number[: len(str(low))]) <= high:
            return name
    return ""


def has_check_digit(number: str) -> bool:
    """Whether the last digit is the one that Luhn's formula asks for (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
