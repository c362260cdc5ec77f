"""Condition: the conversation goes on for too long."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Number, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class MinutesOpen:
    """The conversation began at least so long ago."""

    at_least: float = setting(Number(1, 525_600), "Minutes since its first message.", default=60.0, wider="less")

    def fires(self, facts: Facts) -> str | None:
        """For how long it is open."""
        minutes = facts.conversation.minutes_open
        return (
            f"The conversation is open for {minutes:.0f} minutes; the policy's limit is {self.at_least:g}."
            if minutes >= self.at_least
            else None
        )


RULE = MinutesOpen
