"""Condition: a remote session or work on a device is needed."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Several, Words, setting
from plugin.policy.matching import matcher


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSession:
    """Somebody speaks of a remote session, or of work on the customer's own device or contract."""

    any_of: tuple[str, ...] = setting(
        Several(Words(200), least=1),
        "Words and phrases that mean it.",
        default=(
            "remote session",
            "remote access",
            "teamviewer",
            "anydesk",
            "screen sharing",
            "share your screen",
            "serial number",
            "technician",
            "fernwartung",
            "fernzugriff",
            "bildschirm teilen",
            "seriennummer",
            "techniker*",
        ),
        wider="more",
    )

    def fires(self, facts: Facts) -> str | None:
        """Which words mean it."""
        found = matcher(self.any_of).first(facts.message.text)
        return f'Work on the customer\'s own device is needed: "{found}".' if found else None


RULE = RemoteSession
