"""Condition: the customer is angry."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Number, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Anger:
    """The message sounds angry, as far as its sentiment is known."""

    at_most: float = setting(Number(-1, 1), "Sentiment from -1 (furious) to 1 (delighted).", default=-0.6, wider="more")

    def fires(self, facts: Facts) -> str | None:
        """How angry."""
        sentiment = facts.message.sentiment
        if sentiment is None or sentiment > self.at_most:
            return None
        return f"The message sounds angry ({sentiment:.2f} on a scale from -1 to 1)."


RULE = Anger
