"""Condition: the ticket has a tag."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Several, Words, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """The ticket has one of these tags."""

    any_of: tuple[str, ...] = setting(Several(Words(100), least=1), "Tags.", wider="more")

    def fires(self, facts: Facts) -> str | None:
        """Which tag."""
        found = next((tag for tag in facts.conversation.tags if tag in self.any_of), None)
        return f"The ticket has the tag {found}." if found else None


RULE = Tag
