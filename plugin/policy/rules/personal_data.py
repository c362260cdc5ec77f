"""Condition: personal data or a secret is in the message."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Several, Words, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """Personal data or a secret is in the message. What was found is named, never repeated."""

    kinds: tuple[str, ...] = setting(Several(Words(40)), "Only these kinds, such as `card` or `iban`; all if there are none.", default=())

    def fires(self, facts: Facts) -> str | None:
        """Of what kind."""
        found = [kind for kind in facts.message.personal_data if not self.kinds or kind in self.kinds]
        return f"Personal data is in the message ({', '.join(found)})." if found else None


RULE = PersonalData
