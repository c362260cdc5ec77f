"""Condition: always."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.policy.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Always:
    """Always; useful with `channels` or `visibility`, or as the last rule."""

    def fires(self, facts: Facts) -> str | None:
        """That it is so."""
        del facts
        return "The policy says so for all of them."


RULE = Always
