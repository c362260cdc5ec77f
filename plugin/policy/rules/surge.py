"""Condition: there is far more on the channel than usual."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Number, Whole, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Surge:
    """Much more comes in than usual at this hour: so many times as much, and at least so many messages."""

    times: float = setting(Number(1, 1000), "How many times the usual.", default=3.0, wider="less")
    at_least: int = setting(Whole(1), "And at least so many messages in the hour.", default=30, wider="less")

    def fires(self, facts: Facts) -> str | None:
        """How much more."""
        usual, now = facts.counts.channel_usual, facts.counts.channel_hour
        if usual is None or now < self.at_least or now < usual * self.times:
            return None
        return f"{now} messages came in the last hour; {usual:g} are usual."


RULE = Surge
