"""Condition: a saved search found the message."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A saved search found the message; it does not address us."""

    def fires(self, facts: Facts) -> str | None:
        """That it is so."""
        return "A saved search found the message; it does not address us." if facts.message.is_found else None


RULE = Found
