"""Condition: one person writes very much."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Whole, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """The contact has written at least so many messages within an hour or a day."""

    in_hour: int = setting(Whole(0, 100_000), "Messages in an hour; 0 for not counting.", default=20)
    in_day: int = setting(Whole(0, 100_000), "Messages in 24 hours; 0 for not counting.", default=0)

    def fires(self, facts: Facts) -> str | None:
        """How much."""
        counts = facts.counts
        if self.in_hour and counts.contact_hour >= self.in_hour:
            return f"The contact wrote {counts.contact_hour} messages in the last hour."
        if self.in_day and counts.contact_day >= self.in_day:
            return f"The contact wrote {counts.contact_day} messages in the last 24 hours."
        return None


RULE = Repeats
