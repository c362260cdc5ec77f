"""Condition: an agent asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Several, Words, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRequest:
    """An agent put one of these tags on the ticket."""

    any_of: tuple[str, ...] = setting(Several(Words(100), least=1), "Tags that ask for it.", default=("make-formal",), wider="more")

    def fires(self, facts: Facts) -> str | None:
        """By which tag."""
        found = next((tag for tag in facts.conversation.tags if tag in self.any_of), None)
        return f"An agent asked for it with the tag {found}." if found else None


RULE = AgentRequest
