"""A first glance at what somebody said: everything that can be told from the text alone, in well under a millisecond for an ordinary message."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from plugin.domain.text import Text
from plugin.policy.safety import findings, language, links, personal_data, sentiment
from plugin.policy.safety.findings import Finding
from plugin.policy.safety.links import Link
from plugin.policy.safety.personal_data import Lookout

_DIGIT = re.compile(r"\d")


class Glance:
    """One text, looked at as far as it is asked for; what was found once is kept. No look fails."""

    def __init__(self, text: Text, *, told: str, guess: Callable[[str], str] | None, lookout: Lookout) -> None:
        self._text, self._told, self._guess, self._lookout = text, told, guess, lookout

    @cached_property
    def language(self) -> str:
        """The language as a tag; empty where nobody knows."""
        return language.told(language.detect(self._text.plain), self._told) or self._hint

    @cached_property
    def personal_data(self) -> tuple[Finding, ...]:
        """Personal data and secrets in it."""
        # The country is for phone numbers alone.
        region = self._lookout.region or (_region(self._hint) if _DIGIT.search(self._text.plain) else "")
        return personal_data.find(self._text.plain, replace(self._lookout, region=region))

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Addresses in its words and marks."""
        return links.find(self._text)

    @cached_property
    def sentiment(self) -> float | None:
        """From -1 (furious) to 1 (delighted); None where nobody knows."""
        return sentiment.score(self._text.plain, self.language)

    @property
    def kinds(self) -> tuple[str, ...]:
        """For `message.personal_data`."""
        return findings.kinds(self.personal_data)

    @property
    def addresses(self) -> tuple[str, ...]:
        """For `message.links`."""
        return links.addresses(self.links)

    @cached_property
    def _hint(self) -> str:
        return self._told or (self._guess(self._text.plain) if self._guess else "")


def examine(
    text: Text,
    *,
    language_hint: str = "",
    guess: Callable[[str], str] | None = None,
    region: str = "",
    lookout: Lookout | None = None,
) -> Glance:
    """Look at one message; never fails.

    `language_hint` is what the platform told of the author or the post; `guess` is asked for a language where it told nothing and nothing is surely
    found. `region` is an ISO 3166 country for phone numbers; where neither it nor the lookout names one, that of the hint counts (`de-AT` is
    Austria). `lookout` brings what the installation knows besides.
    """
    lookout = lookout or Lookout()
    return Glance(text, told=language_hint, guess=guess, lookout=replace(lookout, region=region) if region else lookout)


def _region(tag: str) -> str:
    """The country that a language tag names, else the largest of its language where there is little doubt."""
    parts = tag.replace("_", "-").split("-")
    named = next((part.upper() for part in parts[1:] if len(part) == 2 and part.isalpha()), "")
    return named or {"de": "DE", "fr": "FR", "it": "IT", "nl": "NL", "pl": "PL"}.get(parts[0].lower(), "")
