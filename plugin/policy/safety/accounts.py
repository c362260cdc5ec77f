"""Bank accounts (IBAN) and national identity numbers, checked by python-stdnum.

Numbers whose form alone is telling count wherever they stand; plain rows of digits count only behind a word that says what they are, since a
check digit alone lets one order number in ten or twenty through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module

from plugin.policy.safety.findings import Finding, Kind, ending
from plugin.policy.safety.wordlists import any_of, load

_IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?=[ \u00a0]?[A-Za-z0-9]{2})")
_IBAN_SHORTEST, _IBAN_LONGEST = 15, 34
_IBAN_DIGITS = 8
_VALUE = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z]|[ .\-/][0-9A-Za-z]){6,22}(?![0-9A-Za-z])")
_START = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]")
_REACH = 24
_FEWEST_DIGITS = 6
_BARE: tuple[tuple[str, str], ...] = (
    ("be.nn", r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}"),
    ("br.cpf", r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}"),
    ("ch.ssn", r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}"),
    ("cn.ric", r"[1-9][0-9]{5}(?:18|19|20)[0-9]{9}[0-9X]"),
    ("cz.rc", r"[0-9]{6}/[0-9]{4}"),
    ("fi.hetu", r"[0-9]{6}[-+A][0-9]{3}[0-9A-Y]"),
    ("fr.nir", r"[12] [0-9]{2} [0-9]{2} [0-9]{2} [0-9]{3} [0-9]{3} [0-9]{2}"),
    ("it.codicefiscale", r"[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]"),
    ("kr.rrn", r"[0-9]{6}-[1-4][0-9]{6}"),
    ("mx.curp", r"[A-Z]{4}[0-9]{6}[HM][A-Z]{5}[0-9A-Z][0-9]"),
    ("se.personnummer", r"(?:19|20)?[0-9]{6}[-+][0-9]{4}"),
    ("us.ssn", r"[0-9]{3}-[0-9]{2}-[0-9]{4}"),
)
_INSURANCE = re.compile(r"[A-CEGHJ-PR-TW-Z]{2}[0-9]{6}[A-D]")


def find_ibans(text: str) -> Iterator[Finding]:
    """International bank account numbers (ISO 13616), with or without spaces."""
    end = 0
    for match in _IBAN_START.finditer(text):
        if match.start() < end:
            continue
        found = _iban_at(text, match.start())
        if found:
            end = found
            number = text[match.start() : end]
            yield Finding(
                kind=Kind.IBAN, start=match.start(), end=end, masked=number[:2].upper() + ending(number, 4), detail=number[:2].upper()
            )


def _iban_at(text: str, start: int) -> int:
    """Where the IBAN that begins at `start` ends; 0 if there is none. The right length is known by the country, so each is tried."""
    number, ends = "", []
    for at in range(start, min(len(text), start + 2 * _IBAN_LONGEST)):
        letter = text[at]
        if letter.isascii() and letter.isalnum():
            number += letter.upper()
            ends.append(at + 1)
        elif letter not in " \u00a0" or text[at - 1] == letter:
            break
        if len(number) == _IBAN_LONGEST:
            break
    if sum(letter.isdigit() for letter in number) < _IBAN_DIGITS:
        return 0
    for length in range(min(len(number), _IBAN_LONGEST), _IBAN_SHORTEST - 1, -1):
        end = ends[length - 1]
        follows = text[end : end + 1]
        if not (follows.isascii() and follows.isalnum()) and _is_valid("iban", number[:length]):
            return end
    return 0


def find_national_ids(text: str) -> Iterator[Finding]:
    """Identity, tax and social insurance numbers of some thirty countries."""
    for match in _bare().finditer(text):
        module = _BARE[int(str(match.lastgroup).removeprefix("row"))][0]
        if _is_valid(module, match.group()):
            yield _finding(match.span(), match.group(), module)
    words, modules = _named()
    for word in words.finditer(text):
        found = _behind(text, word.end(), modules[" ".join(word.group().casefold().split())])
        if found:
            yield found


def _behind(text: str, at: int, modules: tuple[str, ...]) -> Finding | None:
    """The number that follows a word which announces one, though a few words may stand between."""
    for start in _START.finditer(text, at, min(len(text), at + _REACH)):
        value = _VALUE.match(text, start.start())
        if value is None or sum(letter.isdigit() for letter in value.group()) < _FEWEST_DIGITS:
            continue
        for module in modules:
            found = _trim(value.group(), module)
            if found:
                return _finding((value.start(), value.start() + len(found)), found, module)
    return None


def _trim(whole: str, module: str) -> str:
    """The longest beginning that is valid, cut between words: people write on behind a number."""
    for end in (len(whole), *sorted((match.start() for match in re.finditer(" ", whole)), reverse=True)):
        if _is_valid(module, whole[:end]):
            return whole[:end]
    return ""


def _finding(span: tuple[int, int], value: str, module: str) -> Finding:
    return Finding(kind=Kind.NATIONAL_ID, start=span[0], end=span[1], masked=ending(value, 2), detail=module)


@cache
def _bare() -> re.Pattern[str]:
    rows = "|".join(f"(?P<row{index}>{shape})" for index, (_, shape) in enumerate(_BARE))
    return re.compile(rf"(?<![\w.#/-])(?:{rows})(?![\w/]|[.-]\w)")


@cache
def _named() -> tuple[re.Pattern[str], dict[str, tuple[str, ...]]]:
    """The words that announce a number, and for each the modules that can check one."""
    modules: dict[str, tuple[str, ...]] = {}
    for module, words in load("national_ids").items():
        for word in words:
            modules[word] = (*modules.get(word, ()), module)
    return re.compile(rf"(?<!\w){any_of(modules)}(?!\w)", re.IGNORECASE), modules


def _is_valid(module: str, value: str) -> bool:
    if module == "gb.nino":
        # Not in the library: the form is all there is, the number has no check digit.
        return _INSURANCE.fullmatch(re.sub(r"[ .-]", "", value).upper()) is not None
    return bool(import_module(f"stdnum.{module}").is_valid(value))
