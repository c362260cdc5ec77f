"""Phrases of `phrases.toml` in a text: which of a kind it uses, whatever letters were put in place of its own."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache

from plugin.policy.safety.skeletons import latinise
from plugin.policy.safety.wordlists import any_of, load

LONGEST = 2_000
"""Code points that are looked at."""


class Says(StrEnum):
    """What a phrase is for."""

    ASKS_FOR_DATA = "asks_for_data"
    ASKS_FOR_PAYMENT = "asks_for_payment"
    MOVES_ELSEWHERE = "moves_elsewhere"
    CLAIMS_TO_BE_STAFF = "claims_to_be_staff"
    GIVES_ADVICE = "gives_advice"


def normal(text: str) -> str:
    """The form in which phrases are compared: lower case, no invisible characters, look-alikes as Latin letters, umlauts without dots."""
    return latinise(text[:LONGEST]).replace("\u2019", "'").replace("ß", "ss")


def first(says: Says, normal_text: str) -> str:
    """The first phrase of this kind in a text that `normal` made; empty if there is none."""
    match = _pattern(says).search(normal_text)
    return match.group() if match else ""


@cache
def _pattern(says: Says) -> re.Pattern[str]:
    phrases = {normal(phrase) for of_language in load("phrases")[says.value].values() for phrase in of_language}
    return re.compile(rf"(?<!\w){any_of(phrases)}(?!\w)")
