"""Condition: others answer in the customer's thread."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Whole, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class BystanderAnswers:
    """Others answer in the thread, or likely impostors do."""

    at_least: int = setting(Whole(0, 10_000), "Messages of bystanders; 0 for not counting them.", default=2)
    suspicious_at_least: int = setting(Whole(0, 10_000), "Likely impostors; 0 for not counting them.", default=1)

    def fires(self, facts: Facts) -> str | None:
        """Who answered."""
        talk = facts.conversation
        if self.suspicious_at_least and talk.suspicious_bystanders >= self.suspicious_at_least:
            return f"Likely impostors answer in the thread: {talk.suspicious_bystanders}."
        if self.at_least and talk.bystander_messages >= self.at_least:
            return f"Others have answered in the thread: {talk.bystander_messages} messages."
        return None


RULE = BystanderAnswers
