"""Condition: it may be a scam."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Flag, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Scam:
    """The conversation carries the scam flag, or likely impostors take part."""

    impostors: bool = setting(Flag(), "Likely impostors in the thread are enough.", default=True)

    def fires(self, facts: Facts) -> str | None:
        """What speaks for it."""
        if facts.conversation.is_scam:
            return "The conversation is marked as a scam."
        if self.impostors and facts.conversation.suspicious_bystanders:
            return "A likely impostor takes part in the thread."
        return None


RULE = Scam
