"""Condition: many listen to the customer."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Flag, Whole, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """Many follow the customer, or the platform vouches for the account."""

    followers_at_least: int = setting(Whole(1), "Followers.", default=10_000, wider="less")
    verified: bool = setting(Flag(), "Accounts that the platform vouches for count, too.", default=False)

    def fires(self, facts: Facts) -> str | None:
        """Who listens."""
        contact = facts.contact
        if contact.followers is not None and contact.followers >= self.followers_at_least:
            return f"{contact.followers} follow the customer."
        return "The platform vouches for the customer's account." if self.verified and contact.is_verified else None


RULE = Influence
