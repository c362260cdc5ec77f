"""Condition: somebody else than the customer wrote it."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Bystander:
    """Somebody else than the customer wrote the message."""

    def fires(self, facts: Facts) -> str | None:
        """That it is so."""
        return "Somebody else than the customer wrote it." if facts.message.is_bystander else None


RULE = Bystander
