"""Condition: the team is at work, or is not."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Flag, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessHours:
    """The team is at work (`open = true`), or is not (`open = false`)."""

    open: bool = setting(Flag(), "true: while the team is at work; false: while it is not.", default=True)

    def fires(self, facts: Facts) -> str | None:
        """Which of the two."""
        if facts.clock.is_open is not self.open:
            return None
        return "The team is at work." if self.open else f"The team is not at work for another {facts.clock.minutes_until_open:.0f} minutes."


RULE = BusinessHours
