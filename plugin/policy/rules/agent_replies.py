"""Condition: agents have answered often enough."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Whole, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReplies:
    """Agents have answered at least so many times."""

    at_least: int = setting(Whole(1, 1000), "Replies of agents so far.", default=3, wider="less")

    def fires(self, facts: Facts) -> str | None:
        """How often they answered."""
        replies = facts.conversation.agent_replies
        return f"Agents have replied {replies} times; the policy's limit is {self.at_least}." if replies >= self.at_least else None


RULE = AgentReplies
