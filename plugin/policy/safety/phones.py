"""Phone numbers, by the numbering plans of the `phonenumbers` library, with the region as a hint for numbers without a country code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from plugin.policy.safety.findings import Finding, Kind, ending
from plugin.policy.safety.wordlists import any_of, load

_WORTH_A_LOOK = re.compile(r"[0-9](?:[\s().\-/\u00a0\u2010-\u2013]{0,3}[0-9]){5}")
_LOOK_BACK = 40
_INTERNATIONAL = re.compile(r"\A\(?(?:\+|00)")
_NOT_A_PHONE_BEFORE = re.compile(r"[#€$£@_=]\s?\Z")
_NOT_A_PHONE_BEHIND = re.compile(r"\A\s?(?:[€$£%°]|eur\b|usd\b|euro\b|kg\b|km\b|mm\b|gb\b|mb\b|x\b)", re.IGNORECASE)
_MOST = 10
NO_REGION = "ZZ"


def find(text: str, *, region: str) -> Iterator[Finding]:
    """Valid phone numbers. `region` is an ISO 3166 country such as `DE`, or empty: then only numbers with a country code are known.

    A bare row of digits is a phone number only behind a word that says so, or with the trunk prefix and groups in which people write one.
    """
    if not _WORTH_A_LOOK.search(text):
        return
    # Late, because its numbering plans are not small and most messages have no digits.
    from phonenumbers import PhoneNumberMatcher

    for match in PhoneNumberMatcher(text, region or NO_REGION, max_tries=_MOST):
        raw, start = match.raw_string, match.start
        if _is_meant(text, start=start, raw=raw):
            yield Finding(kind=Kind.PHONE, start=start, end=start + len(raw), masked=ending(raw, 2), detail=f"+{match.number.country_code}")


def _is_meant(text: str, *, start: int, raw: str) -> bool:
    before = text[max(0, start - _LOOK_BACK) : start]
    other, phone = _words()
    if _NOT_A_PHONE_BEFORE.search(before) or _NOT_A_PHONE_BEHIND.search(text[start + len(raw) :][:8]) or other.search(before):
        return False
    if _INTERNATIONAL.match(raw) or phone.search(before):
        return True
    groups = re.findall(r"[0-9]+", raw)
    looks_dialled = 2 <= len(groups) <= 5 and len(groups[-1]) >= 2 and "." not in raw
    return sum(map(len, groups)) >= 8 and (groups[0].startswith("0") or looks_dialled)


@cache
def _words() -> tuple[re.Pattern[str], re.Pattern[str]]:
    words = load("phones")
    return (
        re.compile(rf"(?<!\w){any_of(words['other_numbers'])}\w*\W{{0,4}}(?:(?:is|ist|lautet|no|nr)\W{{0,3}})?\Z", re.IGNORECASE),
        re.compile(rf"(?<!\w){any_of(words['announces'])}", re.IGNORECASE),
    )
