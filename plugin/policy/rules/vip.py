"""Condition: the customer is on the list of important ones."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Vip:
    """The customer is on the list of important customers."""

    def fires(self, facts: Facts) -> str | None:
        """That it is so."""
        return "The customer is on the list of important customers." if facts.contact.is_vip else None


RULE = Vip
