"""A first glance at what somebody said: everything that can be told from the text alone, in well under a millisecond for an ordinary message."""

from __future__ import annotations

from dataclasses import dataclass, replace

from plugin.domain.text import Text
from plugin.policy.safety import findings, language, links, personal_data, sentiment
from plugin.policy.safety.findings import Finding
from plugin.policy.safety.links import Link
from plugin.policy.safety.personal_data import Lookout


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was seen. `language` is empty and `sentiment` None where nobody knows."""

    personal_data: tuple[Finding, ...]
    links: tuple[Link, ...]
    language: str
    sentiment: float | None

    @property
    def kinds(self) -> tuple[str, ...]:
        """For `message.personal_data`."""
        return findings.kinds(self.personal_data)

    @property
    def addresses(self) -> tuple[str, ...]:
        """For `message.links`."""
        return links.addresses(self.links)


def examine(text: Text, *, language_hint: str = "", region: str = "", lookout: Lookout | None = None) -> Findings:
    """Look at one message; never fails.

    `language_hint` is what the platform told of the author or the post, `region` an ISO 3166 country for phone numbers; where it is empty, the
    region of the hint counts (`de-AT` is Austria). `lookout` brings what the installation knows besides.
    """
    lookout = lookout or Lookout()
    tag = language.told(language.detect(text.plain), language_hint)
    country = region or lookout.region or _region(language_hint)
    return Findings(
        personal_data=personal_data.find(text.plain, replace(lookout, region=country)),
        links=links.find(text),
        language=tag,
        sentiment=sentiment.score(text.plain, tag),
    )


def _region(tag: str) -> str:
    """The country that a language tag names, else the largest of its language where there is little doubt."""
    parts = tag.replace("_", "-").split("-")
    named = next((part.upper() for part in parts[1:] if len(part) == 2 and part.isalpha()), "")
    return named or {"de": "DE", "fr": "FR", "it": "IT", "nl": "NL", "pl": "PL"}.get(parts[0].lower(), "")
