"""The documented facts, read off `plugin.policy.facts`: their names in rules and expressions, their types, what they say, and how to get them."""

from __future__ import annotations

import ast
import inspect
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from operator import attrgetter
from types import MappingProxyType, ModuleType, NoneType
from typing import Any, get_args, get_origin, get_type_hints

from plugin.policy import facts as module
from plugin.policy.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One documented fact."""

    name: str
    type: type
    """`str`, `bool`, `int`, `float`, `datetime`, `tuple` (of texts) or an enumeration."""
    can_be_unknown: bool
    text: str
    get: Callable[[Facts], Any]

    @property
    def type_shown(self) -> str:
        """In words for an admin."""
        if issubclass(self.type, StrEnum):
            words = "text"
        else:
            words = {str: "text", bool: "true or false", int: "whole number", float: "number", datetime: "time", tuple: "list of texts"}[
                self.type
            ]
        return f"{words}, or unknown" if self.can_be_unknown else words


@cache
def catalogue() -> Mapping[str, Fact]:
    """Every fact by its name, in the order of the source."""
    texts = sentences(module)
    found = {}
    for section, hint in get_type_hints(Facts).items():
        inner = {section: hint} if issubclass(hint, StrEnum) else get_type_hints(hint)
        for key, kind in inner.items():
            name = section if issubclass(hint, StrEnum) else f"{section}.{key}"
            plain, can_be_unknown = _plain(kind)
            owner = "Facts" if name == section else hint.__name__
            found[name] = Fact(name=name, type=plain, can_be_unknown=can_be_unknown, text=texts.get((owner, key), ""), get=attrgetter(name))
    return MappingProxyType(found)


def table() -> str:
    """The facts as a Markdown table; docs/policy.md holds it, and `crossdesk policy facts` prints it."""
    rows = [f"| `{fact.name}` | {fact.type_shown} | {fact.text} |" for fact in catalogue().values()]
    return "\n".join(["| fact | type | what it says |", "|---|---|---|", *rows])


def _plain(kind: Any) -> tuple[type, bool]:
    inner = [part for part in get_args(kind) if part is not NoneType]
    if NoneType in get_args(kind):
        return inner[0], True
    return get_origin(kind) or kind, False


def sentences(source: ModuleType) -> Mapping[tuple[str, str], str]:
    """The sentence below each field or member of a module's classes, which Python itself does not keep: by class and name."""
    found: dict[tuple[str, str], str] = {}
    try:
        body = ast.parse(inspect.getsource(source)).body
    except OSError:  # installed without sources: rules work, only their documentation is gone
        return found
    for node in body:
        if isinstance(node, ast.ClassDef):
            for named, after in itertools.pairwise(node.body):
                target = named.target if isinstance(named, ast.AnnAssign) else named.targets[0] if isinstance(named, ast.Assign) else None
                if isinstance(target, ast.Name) and isinstance(after, ast.Expr):
                    found[node.name, target.id] = " ".join(str(ast.literal_eval(after.value)).split())
    return found
