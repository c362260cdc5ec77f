"""Condition: the customer has gone silent."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Number, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class MinutesSilent:
    """The customer has said nothing for at least so long."""

    at_least: float = setting(Number(1, 525_600), "Minutes since the customer's last message.", wider="less")

    def fires(self, facts: Facts) -> str | None:
        """For how long nothing came."""
        minutes = facts.conversation.minutes_silent
        if minutes is None or minutes < self.at_least:
            return None
        return f"The customer has said nothing for {minutes:.0f} minutes."


RULE = MinutesSilent
