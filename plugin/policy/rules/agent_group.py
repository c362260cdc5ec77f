"""Condition: the agent belongs to one of some groups."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Several, Words, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentGroup:
    """The agent who wrote the reply belongs to one of these groups of the helpdesk, and to none that speaks for itself."""

    any_of: tuple[str, ...] = setting(Several(Words(200), least=1), "Groups.", names="group", wider="more")
    none_of: tuple[str, ...] = setting(
        Several(Words(200)), "Not where the agent belongs to one of these as well.", default=(), names="group"
    )

    def fires(self, facts: Facts) -> str | None:
        """Which group."""
        if not set(self.none_of).isdisjoint(facts.agent.groups):
            return None
        found = next((group for group in facts.agent.groups if group in self.any_of), None)
        return f"The agent belongs to the group {found}." if found else None


RULE = AgentGroup
