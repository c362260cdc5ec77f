"""Expressions over the facts in the Common Expression Language (cel.dev), compiled once and checked for names and types when they are read.

A fact that nobody knows is absent: every comparison with it, `!=` and `!(...)` included, leaves the rule unfired, unless the other side of an
`||` holds. `known.contact.followers` asks whether there is one. Regular expressions are RE2, so none can run away.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from plugin.policy.catalogue import Fact, catalogue
from plugin.policy.facts import (
    AgentFacts,
    ChannelFacts,
    ClockFacts,
    ContactFacts,
    ConversationFacts,
    CountFacts,
    Facts,
    MessageFacts,
    Trigger,
)
from plugin.policy.fields import Wrong

_TEXTS = re.compile(r"""[rR]?(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
_NAMES = re.compile(r"[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*")
_PLACE = re.compile(r"ERROR: <input>:(?P<line>[0-9]+):(?P<column>[0-9]+): (?P<said>[^\n]*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD = re.compile(r"found no matching overload for '_?(.+?)_?' applied to '\((.*)\)'")
_HAS = re.compile(r"\bhas\s*\(\s*([a-z_.]+)\s*\)")
_ABSENT = "No value with name"
_MOST = 4000


class Failed(Exception):
    """An expression could not be judged on these facts."""


class Expression:
    """One compiled expression that says true or false."""

    def __init__(self, source: str, program: Any, needs: Mapping[str, Fact], asks: Mapping[str, Fact]) -> None:
        self.source = source
        self._program = program
        self._needs = tuple((name, fact.get) for name, fact in needs.items())
        self._asks = tuple((name, fact.get) for name, fact in asks.items())

    @property
    def uses(self) -> tuple[str, ...]:
        """The facts that it asks for."""
        return tuple(name for name, _ in (*self._needs, *self._asks))

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def holds(self, facts: Facts) -> bool:
        """Whether it is true of `facts`.

        Raises:
            Failed: it cannot be told, and not because a fact is unknown.
        """
        values = {name: _plain(value) for name, get in self._needs if (value := get(facts)) is not None}
        for name, get in self._asks:
            values[name] = get(facts) is not None
        try:
            said = self._program.eval(data=values).value()
        except Exception as fault:
            raise Failed(f"{type(fault).__name__}: {fault}") from fault
        if isinstance(said, bool):
            return said
        if isinstance(said, str) and _ABSENT in said:
            return False
        raise Failed(_bare(str(said)))


def compiled(source: str) -> Expression:
    """The expression, checked.

    Raises:
        Wrong: it is none, names no fact of ours, compares what cannot be compared, or is no question of yes or no.
    """
    if len(source) > _MOST:
        raise Wrong(f"is longer than {_MOST} characters; make several rules of it.")
    bare = _TEXTS.sub(lambda text: " " * len(text[0]), source)
    asked = _HAS.search(bare)
    if asked and asked[1] in catalogue():
        raise Wrong(f"has(...) is not for facts; write known.{asked[1]} instead of {asked[0]}.")
    try:
        program = _environment().compile(source)
    except Exception as fault:  # noqa: BLE001 - the engine raises RuntimeError and ValueError of its own wording; all mean the same here
        raise Wrong(_explained(str(fault))) from None
    if program.return_type().name() not in {"BOOL", "DYN"}:
        raise Wrong("must be a question of yes or no, such as conversation.agent_replies >= 3.")
    names = {re.sub(r"\s", "", found) for found in _NAMES.findall(bare)}
    needs = {name: fact for name, fact in catalogue().items() if any(each == name or each.startswith(f"{name}.") for each in names)}
    asks = {f"known.{name}": fact for name, fact in catalogue().items() if f"known.{name}" in names}
    expression = Expression(source, program, needs, asks)
    for sample in _samples():
        try:
            expression.holds(sample)
        except Failed as failed:
            # What can be wrong with a value only when it runs: a number against a text, an unusable regular expression, a division by zero.
            if "divide by zero" not in str(failed) and "modulus by zero" not in str(failed):
                raise Wrong(f"cannot be judged: {failed}.") from None
    return expression


@cache
def _environment() -> Any:
    """Imported here, so that a policy without expressions does not pay for the engine."""
    from cel_expr_python import cel
    from cel_expr_python.ext import ext_strings

    # Numbers with fractions are compared with whole ones, too, which CEL allows only where it does not know the type beforehand.
    types = {str: cel.Type.STRING, bool: cel.Type.BOOL, int: cel.Type.INT, float: cel.Type.DYN, datetime: cel.Type.TIMESTAMP}
    texts = cel.Type.List(cel.Type.STRING)
    facts = catalogue().values()
    variables = {
        fact.name: texts if fact.type is tuple else cel.Type.STRING if issubclass(fact.type, StrEnum) else types[fact.type]
        for fact in facts
    }
    variables |= {f"known.{fact.name}": cel.Type.BOOL for fact in facts if fact.can_be_unknown}
    return cel.NewEnv(variables=variables, extensions=[ext_strings.ExtStrings()])


def _explained(said: str) -> str:
    found = _PLACE.search(said)
    if found is None:
        return f"is no expression: {_bare(said)}."
    place = f"column {found['column']}" if found["line"] == "1" else f"line {found['line']} of it, column {found['column']}"
    undeclared = _UNDECLARED.search(found["said"])
    if undeclared:
        return f"{place}: there is no fact or function `{undeclared[1]}`. {_nearest(undeclared[1])}"
    overload = _OVERLOAD.search(found["said"])
    if overload:
        sides = " and ".join(_type_shown(side) for side in overload[2].split(", "))
        return f"{place}: `{overload[1]}` does not work between {sides}; the facts' types are listed by `crossdesk policy facts`."
    return f"{place}: {_bare(found['said'])}."


def _nearest(name: str) -> str:
    known = list(catalogue())
    ends = [fact for fact in known if fact.rpartition(".")[2] == name.rpartition(".")[2]]
    close = ends or difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    close = close or [
        fact for fact in known if difflib.get_close_matches(name.rpartition(".")[2], [fact.rpartition(".")[2]], n=1, cutoff=0.7)
    ]
    return f"Did you mean `{close[0]}`?" if close else "`crossdesk policy facts` lists them all."


def _type_shown(name: str) -> str:
    words = {"int": "a whole number", "double": "a number with fractions", "string": "a text", "bool": "true or false", "dyn": "a number"}
    return words.get(name, "a list of texts" if name.startswith("list") else name)


def _bare(said: str) -> str:
    text = " ".join(said.split("\n |", maxsplit=1)[0].split())
    return re.sub(r"^[A-Z_]+: (ERROR: )?|\s*\[[A-Z_]+\]$", "", text).rstrip(".")


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, StrEnum) else value


@cache
def _samples() -> tuple[Facts, ...]:
    """Facts with every value known, one small and one large, on which a new expression is tried."""
    small = Facts(
        trigger=Trigger.MESSAGE,
        clock=ClockFacts(now=datetime(2026, 1, 1, tzinfo=UTC)),
        message=MessageFacts(text="a", language="en", sentiment=-0.5),
        contact=ContactFacts(followers=1, is_verified=False, account_days=1.0, reputation=-1),
        conversation=ConversationFacts(minutes_unanswered=1.0, minutes_silent=1.0, window_minutes_left=1.0),
        counts=CountFacts(channel_usual=1.0),
    )
    large = replace(
        small,
        message=MessageFacts(
            text="b" * 50, language="de", length=50, links=("https://example.org",), files=3, topics=("a",), sentiment=0.9
        ),
        contact=ContactFacts(followers=10**6, is_verified=True, is_vip=True, account_days=4000.5, conversations_before=9, reputation=10**6),
        conversation=ConversationFacts(
            agent_replies=50, minutes_open=9999.5, minutes_unanswered=9999.5, minutes_silent=9999.5, window_minutes_left=9999.5, tags=("a",)
        ),
        channel=ChannelFacts(key="a", platform="b", group="c"),
        counts=CountFacts(contact_hour=99, channel_hour=999, channel_usual=99.5),
        agent=AgentFacts(ref="1", name="a", is_trainee=True, groups=("a",)),
    )
    return small, large
