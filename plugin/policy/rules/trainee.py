"""Condition: the agent is still learning."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainee:
    """The agent who wrote the reply is still learning."""

    def fires(self, facts: Facts) -> str | None:
        """Who."""
        return f"{facts.agent.name or 'The agent'} is still learning." if facts.agent.is_trainee else None


RULE = Trainee
