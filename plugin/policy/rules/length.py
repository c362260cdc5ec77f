"""Condition: the message is very short or very long."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Whole, Wrong, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """The message has at most, or at least, so many characters and no files."""

    at_most: int | None = setting(Whole(), "Characters.", default=None)
    at_least: int | None = setting(Whole(), "Characters.", default=None)

    def __post_init__(self) -> None:
        if self.at_most is None and self.at_least is None:
            raise Wrong("names no length: set at_most or at_least.")

    def fires(self, facts: Facts) -> str | None:
        """Its length."""
        length = facts.message.length
        if (
            facts.message.files
            or (self.at_most is not None and length > self.at_most)
            or (self.at_least is not None and length < self.at_least)
        ):
            return None
        return f"The message has {length} characters."


RULE = Length
