"""Condition: it is about one of the policy's topics."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Several, Words, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """The message is about one of these topics, by the words of `[policy.topic.NAME]`."""

    any_of: tuple[str, ...] = setting(Several(Words(63), least=1), "Names of topics.", names="topic", wider="more")

    def fires(self, facts: Facts) -> str | None:
        """Which topic."""
        found = next((topic for topic in facts.message.topics if topic in self.any_of), None)
        return f"The message is about the topic {found}." if found else None


RULE = Topic
