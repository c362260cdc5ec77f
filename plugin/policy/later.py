"""Facts that are looked for when a rule first asks for them. Most rules ask for little, and some facts take longer to find than all rules to judge.

They read and encode as any others, and what was found is kept. A look is pure: it finds the same whenever it is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from plugin.policy.facts import ClockFacts, MessageFacts

Look = Callable[[str], Any]
"""Finds the fact of this name."""
Made = TypeVar("Made", bound="_Later")


class _Later:
    """A slot that is still empty is filled by the look."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = self._look(name)
        object.__setattr__(self, name, value)
        return value


class LaterMessage(_Later, MessageFacts):
    """A message about which everything is looked for when it is asked for."""

    __slots__ = ("_look",)


class LaterClock(_Later, ClockFacts):
    """A moment and a team's hours, looked up when they are asked for."""

    __slots__ = ("_look",)


def later(made: type[Made], look: Look, **known: Any) -> Made:
    """Facts that `look` finds, but for those that are `known`."""
    facts = object.__new__(made)
    object.__setattr__(facts, "_look", look)
    for name, value in known.items():
        object.__setattr__(facts, name, value)
    return facts
