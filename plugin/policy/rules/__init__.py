"""The built-in conditions, one in each module, found by walking: `when = "agent_replies"` in a rule means `agent_replies.py`.

A module holds `RULE`: a frozen dataclass whose fields are the rule's parameters, whose docstring is its documentation, and whose `fires` tells
why it fires, in a sentence for agents, or None. A fact that nobody knows never satisfies one.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Protocol

from plugin.policy.facts import Facts


class Condition(Protocol):
    """What a rule looks for."""

    def fires(self, facts: Facts) -> str | None:
        """Why it fires, as a sentence, or None."""
        ...


@cache
def known() -> Mapping[str, type[Condition]]:
    """Every built-in condition by its name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)
    return MappingProxyType({name: importlib.import_module(f"{__name__}.{name}").RULE for name in names})
