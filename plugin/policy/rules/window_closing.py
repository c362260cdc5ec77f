"""Condition: the platform's reply window is about to shut."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Number, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowClosing:
    """At most so many minutes are left in which the platform takes a reply."""

    minutes_left: float = setting(Number(1, 100_000), "Minutes until the window shuts.", default=120.0, wider="more")

    def fires(self, facts: Facts) -> str | None:
        """How much time is left."""
        left = facts.conversation.window_minutes_left
        if left is None or left > self.minutes_left:
            return None
        return f"The platform takes replies for {max(left, 0):.0f} more minutes only."


RULE = WindowClosing
