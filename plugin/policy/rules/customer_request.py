"""Condition: the customer asks for a ticket."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Several, Words, setting
from plugin.policy.matching import matcher


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRequest:
    """The customer asks for a ticket, a case number or a formal complaint."""

    any_of: tuple[str, ...] = setting(
        Several(Words(200), least=1),
        "Words and phrases that mean it.",
        default=(
            "open a ticket",
            "create a ticket",
            "ticket number",
            "case number",
            "formal complaint",
            "file a complaint",
            "official complaint",
            "ticket eröffnen",
            "ticket aufmachen",
            "ticketnummer",
            "fallnummer",
            "vorgangsnummer",
            "offizielle beschwerde",
            "förmliche beschwerde",
        ),
        wider="more",
    )

    def fires(self, facts: Facts) -> str | None:
        """In which words."""
        found = None if facts.message.is_bystander else matcher(self.any_of).first(facts.message.text)
        return f'The customer asked for it: "{found}".' if found else None


RULE = CustomerRequest
