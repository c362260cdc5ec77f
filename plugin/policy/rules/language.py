"""Condition: the message is in one of some languages."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts
from plugin.policy.fields import Several, Words, Wrong, setting

_TAG = Words(35, r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "de or pt-BR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The message is in one of these languages, or in none of those; an unknown language is neither."""

    any_of: tuple[str, ...] = setting(Several(_TAG), "Languages such as `de`, which means `de-AT`, too.", default=(), wider="more")
    none_of: tuple[str, ...] = setting(Several(_TAG), "Fires when it is in another language than these.", default=())

    def __post_init__(self) -> None:
        if not self.any_of and not self.none_of:
            raise Wrong("names no language: set any_of or none_of.")

    def fires(self, facts: Facts) -> str | None:
        """In which language."""
        spoken = (facts.message.language or facts.contact.language).lower()
        if not spoken:
            return None
        if any(_is(spoken, language) for language in self.any_of):
            return f"The message is in the language {spoken}."
        if self.none_of and not any(_is(spoken, language) for language in self.none_of):
            return f"The message is in the language {spoken}, which is none of {', '.join(self.none_of)}."
        return None


def _is(spoken: str, language: str) -> bool:
    return spoken == language.lower() or spoken.startswith(f"{language.lower()}-")


RULE = Language
