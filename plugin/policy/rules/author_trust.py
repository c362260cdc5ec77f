"""Condition: little speaks for the author."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Flag, Number, Whole, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorTrust:
    """The account is young, has few followers or little reputation, or is a machine's. What is unknown does not speak against anybody."""

    younger_than_days: float = setting(Number(0, 36_500), "The account is younger; 0 for not looking.", default=7.0, wider="more")
    fewer_followers_than: int = setting(Whole(), "Fewer follow the contact; 0 for not looking.", default=0, wider="more")
    less_reputation_than: int = setting(
        Whole(), "The contact has less reputation (Reddit: karma); 0 for not looking.", default=0, wider="more"
    )
    bots: bool = setting(Flag(), "Accounts that the platform calls machines.", default=True)

    def fires(self, facts: Facts) -> str | None:
        """What is missing."""
        contact = facts.contact
        if self.bots and contact.is_bot:
            return "The platform calls the author a machine."
        if contact.account_days is not None and contact.account_days < self.younger_than_days:
            return f"The author's account is {contact.account_days:.0f} days old; the policy wants {self.younger_than_days:g}."
        if contact.followers is not None and contact.followers < self.fewer_followers_than:
            return f"{contact.followers} follow the author; the policy wants {self.fewer_followers_than}."
        if self.less_reputation_than and contact.reputation is not None and contact.reputation < self.less_reputation_than:
            return f"The author's reputation is {contact.reputation}; the policy wants {self.less_reputation_than}."
        return None


RULE = AuthorTrust
