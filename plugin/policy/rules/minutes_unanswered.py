"""Condition: the customer waits for too long."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Number, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class MinutesUnanswered:
    """The customer has been waiting for an answer for at least so long."""

    at_least: float = setting(Number(1, 525_600), "Minutes since the first message that nobody answered.", wider="less")

    def fires(self, facts: Facts) -> str | None:
        """For how long nobody answered."""
        minutes = facts.conversation.minutes_unanswered
        if minutes is None or minutes < self.at_least:
            return None
        return f"The customer has been waiting for {minutes:.0f} minutes; the policy's limit is {self.at_least:g}."


RULE = MinutesUnanswered
