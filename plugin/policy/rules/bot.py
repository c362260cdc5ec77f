"""Condition: a machine wrote it."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """The platform calls the author a machine."""

    def fires(self, facts: Facts) -> str | None:
        """That it is so."""
        return "The platform calls the author a machine." if facts.contact.is_bot else None


RULE = Bot
