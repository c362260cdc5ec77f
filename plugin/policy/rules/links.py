"""Condition: there are addresses in the message."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Whole, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """There are at least so many addresses in the message."""

    at_least: int = setting(Whole(1, 1000), "Addresses.", default=1, wider="less")

    def fires(self, facts: Facts) -> str | None:
        """How many."""
        count = len(facts.message.links)
        return f"Addresses in the message: {count}." if count >= self.at_least else None


RULE = Links
