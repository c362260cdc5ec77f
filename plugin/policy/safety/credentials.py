"""Passwords, PINs, one-time codes and access keys: by the words before them, by the shapes that services give their keys, and by entropy."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

from plugin.policy.safety.findings import Finding, Kind, hidden
from plugin.policy.safety.wordlists import any_of, load

_QUOTES = "\"'`\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019\u201a"
_PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_PRIVATE_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,40}-----")
_URL_PASSWORD = re.compile(r"[a-z][a-z0-9+]{1,12}://[^\s/:@]{1,64}:([^\s/:@]{1,64})@[\w\[]", re.IGNORECASE)
_LONG = re.compile(r"(?<![\w./:+-])[A-Za-z0-9_+-]{32,200}={0,2}(?![\w/])")
_LONG_ENTROPY = 4.2
_NAMED_ENTROPY = 3.0
_SHORTEST_KEY = 16
_ROW = re.compile(r"[^\s]{14}")
"""Characters without a space that every key has, by any of the shapes."""
_DIGIT = re.compile(r"[0-9]")


def find(text: str) -> Iterator[Finding]:
    """Secrets of every kind, the surest first."""
    # Each of these passes is quick where it finds nothing, but most texts need none: a key is a long row with digits, a PIN is digits.
    has_row, has_digit = _ROW.search(text) is not None, _DIGIT.search(text) is not None
    if "-----BEGIN" in text:
        yield from _private_keys(text)
    if has_row:
        yield from _keys_by_shape(text)
    yield from _url_passwords(text)
    yield from _announced(text, has_digit=has_digit)
    if has_row and has_digit:
        yield from _keys_by_entropy(text)


def _private_keys(text: str) -> Iterator[Finding]:
    for match in _PRIVATE_KEY.finditer(text):
        end = _PRIVATE_KEY_END.search(text, match.end())
        yield Finding(kind=Kind.PRIVATE_KEY, start=match.start(), end=end.end() if end else len(text), masked=hidden(), detail="pem")


def _keys_by_shape(text: str) -> Iterator[Finding]:
    for match in _shapes().finditer(text):
        name = str(match.lastgroup).replace("__", "-")
        yield Finding(kind=Kind.API_KEY, start=match.start(), end=match.end(), masked=hidden(), detail=name)


def _url_passwords(text: str) -> Iterator[Finding]:
    if "://" in text:
        for match in _URL_PASSWORD.finditer(text):
            yield Finding(kind=Kind.PASSWORD, start=match.start(1), end=match.end(1), masked=hidden(), detail="in an address")


def _announced(text: str, *, has_digit: bool) -> Iterator[Finding]:
    patterns = _announcements()
    for match in patterns["password"].finditer(text):
        if _is_password(match.group("value"), quoted=bool(match.group("quote")), link=match.group("link")):
            yield _announced_finding(Kind.PASSWORD, match)
    if not has_digit:
        return
    for match in patterns["pin"].finditer(text):
        yield _announced_finding(Kind.PIN, match)
    for match in patterns["key"].finditer(text):
        value = match.group("value")
        if len(value) >= _SHORTEST_KEY and _is_mixed(value) and entropy(value) >= _NAMED_ENTROPY:
            yield _announced_finding(Kind.API_KEY, match)


def _announced_finding(kind: Kind, match: re.Match[str]) -> Finding:
    return Finding(kind=kind, start=match.start("value"), end=match.end("value"), masked=hidden())


def _keys_by_entropy(text: str) -> Iterator[Finding]:
    for match in _LONG.finditer(text):
        value = match.group()
        if _is_mixed(value) and not value.islower() and not value.isupper() and entropy(value) >= _LONG_ENTROPY:
            yield Finding(kind=Kind.API_KEY, start=match.start(), end=match.end(), masked=hidden(), detail="entropy")


def entropy(value: str) -> float:
    """Shannon's entropy in bits per character; random base 64 of 40 characters has about 4.8, words about 3.5."""
    counts = Counter(value)
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())


def _is_mixed(value: str) -> bool:
    return any(letter.isdigit() for letter in value) and any(letter.isalpha() for letter in value)


def _is_password(value: str, *, quoted: bool, link: str) -> bool:
    """Whether the word behind `password is` is one, and not what is wrong with it.

    A plain word counts only in quotes or behind a colon at the end of the line: "my password is wrong" is not a secret.
    """
    if value.casefold() in _ordinary():
        return False
    if quoted:
        return True
    inner = value[1:]
    is_odd = any(letter.isdigit() for letter in value) or any(letter.isupper() for letter in inner if not value.isupper())
    has_symbol = any(not letter.isalnum() and letter not in "-'\u2019" for letter in value)
    return is_odd or has_symbol or (link.strip().endswith((":", "=")) and len(value) >= 6)


@cache
def _ordinary() -> frozenset[str]:
    return frozenset(load("credentials")["ordinary"])


@cache
def _shapes() -> re.Pattern[str]:
    rows = "|".join(f"(?P<{name.replace('-', '__')}>{shape})" for name, shape in load("credentials")["shapes"].items())
    return re.compile(rf"(?<![A-Za-z0-9])(?:{rows})(?![A-Za-z0-9])")


@cache
def _announcements() -> dict[str, re.Pattern[str]]:
    words = load("credentials")
    link = rf"(?P<link>\s{{0,2}}(?:[:=]|{any_of(words['links'])}(?!\w)\s?:?)\s{{0,2}})"
    quote = f"(?P<quote>[{_QUOTES}])?"
    unquoted = rf"[^\s{_QUOTES},;]{{4,64}}?(?=[.!?)]{{0,2}}(?:[\s{_QUOTES},;]|\Z))"

    def pattern(name: str, value: str, gap: str = "") -> re.Pattern[str]:
        return re.compile(rf"(?<!\w){any_of(words[name])}(?!\w){gap}{link}{quote}(?P<value>{value})", re.IGNORECASE)

    return {
        "password": pattern("passwords", unquoted, gap=r"(?:\s(?:for|für|to|zu|of|von|hier|here|there|da)\b[^\n:=.!?]{0,30}?)?"),
        "pin": pattern("pins", r"[0-9]{3,8}(?![\w.,/-]*[0-9])"),
        "key": pattern("keys", r"[A-Za-z0-9_\-./+=]{8,200}"),
    }
