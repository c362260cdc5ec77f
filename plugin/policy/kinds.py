"""Further kinds of values of the policy file, which need a library to be read: countries and patterns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import regex

from plugin.policy.fields import Wrong

_SECONDS = 0.02
_HARD = ("a" * 3000, "0" * 3000, "A1-" * 1000, " " * 3000)
"""Texts on which a careless pattern takes for ever."""


@dataclass(frozen=True, slots=True)
class Country:
    """A country for phone numbers that are written without theirs."""

    shown: str = 'country such as `"DE"`'

    def read(self, value: Any) -> str:
        """In capital letters."""
        from phonenumbers import SUPPORTED_REGIONS

        if not isinstance(value, str) or value.strip().upper() not in SUPPORTED_REGIONS:
            raise Wrong('must be a country by its two letters (ISO 3166), such as "DE" or "GB".')
        return value.strip().upper()


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression, tried before it is taken."""

    shown: str = "regular expression"

    def read(self, value: Any) -> str:
        """As it is written."""
        if not isinstance(value, str) or not 0 < len(value) <= 300:
            raise Wrong("must be a regular expression of 1 to 300 characters, in single quotes.")
        try:
            made = regex.compile(value)
        except regex.error as problem:
            raise Wrong(f"is no regular expression: {problem}.") from None
        if made.fullmatch("") is not None:
            raise Wrong("matches nothing at all, so it would be found everywhere.")
        for text in _HARD:
            try:
                made.search(text, timeout=_SECONDS * 5)
            except TimeoutError:
                raise Wrong("takes too long on long texts. Leave out repetitions inside of repetitions, such as (a+)+.") from None
        return value
