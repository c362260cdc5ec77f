"""Condition: it was not solved before."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Whole, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    """The customer has said at least so many times that it is not solved."""

    at_least: int = setting(Whole(1, 1000), "Times.", default=1, wider="less")

    def fires(self, facts: Facts) -> str | None:
        """How often."""
        times = facts.conversation.times_reopened
        return f"The customer said {times} times that it is not solved." if times >= self.at_least else None


RULE = Reopened
