"""Personal data and secrets in one text: every finder asked in turn, the surest first, so that a card is not also half a phone number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import regex

from plugin.policy.safety import accounts, addresses, cards, credentials, phones
from plugin.policy.safety.findings import Finding, Kind, ending, sort_out

LONGEST = 20_000
"""Code points that are looked at; a longer text is searched to there only."""
_NUMBER = re.compile(r"[0-9](?:\D{0,3}[0-9]){4}")
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
_URL = re.compile(r"\b(?:[a-z][a-z0-9+.-]{1,12}://|www\.)\S+", re.IGNORECASE)
_PATTERN_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookout:
    """What an installation knows beforehand.

    `region`: ISO 3166 country for phone numbers without a country code, empty when unknown. `order_number`: the admin's own pattern.
    `own_domains`: the company's mail domains, lower case.
    """

    region: str = ""
    order_number: regex.Pattern[str] | None = None
    own_domains: Collection[str] = ()


def find(text: str, lookout: Lookout | None = None) -> tuple[Finding, ...]:
    """All findings, in order of place, none overlapping another."""
    lookout = lookout or Lookout()
    text = text[:LONGEST]
    if not text.isascii():
        # Digits of other scripts are read as ours; one for one, so that places stay.
        text = _FOREIGN_DIGIT.sub(lambda match: str(unicodedata.decimal(match.group())), text)
    return sort_out(list(_ask(text, lookout)))


def _ask(text: str, lookout: Lookout) -> Iterator[Finding]:
    yield from credentials.find(text)
    yield from addresses.find(text, own_domains=lookout.own_domains)
    has_number = _NUMBER.search(text) is not None
    # Numbers inside of addresses on the web are ids of posts, parcels and pages.
    plain = _URL.sub(lambda match: " " * len(match.group()), text) if has_number and ("://" in text or "www." in text.lower()) else text
    if has_number:
        yield from accounts.find_ibans(plain)
        yield from cards.find(plain)
        yield from accounts.find_national_ids(plain)
    yield from _order_numbers(text, lookout)
    if has_number:
        yield from phones.find(plain, region=lookout.region)


def _order_numbers(text: str, lookout: Lookout) -> Iterator[Finding]:
    if lookout.order_number is None:
        return
    try:
        for match in lookout.order_number.finditer(text, timeout=_PATTERN_SECONDS):
            if match.group():
                yield Finding(kind=Kind.ORDER_NUMBER, start=match.start(), end=match.end(), masked=ending(match.group(), 3))
    except TimeoutError:
        # A pattern that takes this long finds nothing more; the policy's lint shows it to the admin.
        return
