"""Condition: a word is in the message."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Several, Words, setting
from plugin.policy.matching import matcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyword:
    """One of these words is in the message, in any case; `refund*` finds every ending."""

    any_of: tuple[str, ...] = setting(Several(Words(200), least=1), "Words and phrases.", wider="more")

    def fires(self, facts: Facts) -> str | None:
        """Which word."""
        found = matcher(self.any_of).first(facts.message.text)
        return f'The words "{found}" are in the message.' if found else None


RULE = Keyword
