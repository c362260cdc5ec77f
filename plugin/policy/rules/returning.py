"""Condition: the customer has been here before."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Whole, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Returning:
    """The contact had at least so many conversations before."""

    at_least: int = setting(Whole(1), "Earlier conversations.", default=1, wider="less")

    def fires(self, facts: Facts) -> str | None:
        """How often."""
        before = facts.contact.conversations_before
        return f"The contact had {before} conversations before." if before >= self.at_least else None


RULE = Returning
