"""One rule of the policy: when it looks, what it looks for, and what follows. Judged on facts alone."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from plugin.domain.model import Visibility
from plugin.policy import expressions, rules
from plugin.policy.expressions import Expression
from plugin.policy.facts import Facts
from plugin.policy.fields import Flag, KeyPath, Notes, OneOf, Pairs, Several, Span, Whole, Words, Wrong, keys, read, setting
from plugin.policy.rules import Condition
from plugin.policy.verdicts import Broken, Move, Participation

Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression, compiled as it is read."""

    shown: str = "expression over the facts"

    def read(self, value: Any) -> Expression:
        """Checked for its names and types."""
        return expressions.compiled(Words(4000).read(value))


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """The name of a built-in condition."""

    shown: str = "name of a built-in condition"

    def read(self, value: Any) -> str:
        """The name, known to exist."""
        if not isinstance(value, str) or value not in rules.known():
            raise Wrong(f"is no built-in condition. {_suggested(value)}")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What every rule may say: its name, when it looks and what it looks for. `when` and `if` must both hold."""

    name: str = setting(Words(100), "What the ledger and the notes call the rule; unique among its kind.")
    when: str = setting(BuiltIn(), "A built-in condition; its parameters stand beside it.", default="")
    expression: Expression | None = setting(Compiled(), "An expression over the facts.", default=None, key="if")
    channels: tuple[str, ...] = setting(Several(Words(63), least=1), "Only on these channels.", default=(), names="channel", wider="scope")
    visibility: Visibility | None = setting(OneOf(Visibility), "Only in public, or only in private.", default=None, wider="scope")
    reason: str = setting(Words(500), "What agents read instead of the rule's own words.", default="")

    def __post_init__(self) -> None:
        if not self.when and self.expression is None:
            raise Wrong('says not when it fires: set `when` to a built-in condition (such as "always"), or `if` to an expression.')


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCross:
    """What a `[[policy.crossover]]` rule brings about."""

    move: Move = setting(OneOf(Move), "It must become formal, or the agent is asked.", default=Move.FORCE)
    group: str = setting(Words(200), "Where the formal ticket goes.", default="", names="group")
    priority: str = setting(Words(100), "Its priority.", default="")
    sla: str = setting(Words(63), "Its SLA.", default="", names="sla")
    ticket_type: str = setting(Words(100), "Its type.", default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToRoute:
    """What a `[[policy.routing]]` rule wishes. The first rule that wishes for something gets it; tags and fields add up."""

    group: str = setting(Words(200), "Where the ticket goes.", default="", names="group")
    owner: str = setting(Words(200), "Who gets it.", default="")
    owners: tuple[str, ...] = setting(
        Several(Words(200)), "Who can do it: whoever of them has the fewest open tickets gets it, the first named first.", default=()
    )
    capacity: int = setting(Whole(0, 10_000), "None of `owners` gets more open tickets than this; 0 sets no limit.", default=0)
    priority: str = setting(Words(100), "Its priority.", default="")
    tags: tuple[str, ...] = setting(Several(Words(100)), "Tags for it.", default=())
    fields: tuple[tuple[str, str], ...] = setting(Pairs(Words(500)), "Fields of the ticket.", default=())
    sla: str = setting(Words(63), "Its SLA.", default="", names="sla")
    participation: Participation | None = setting(OneOf(Participation), "How far we take part.", default=None)
    overtakes: bool = setting(Flag(), "It goes before others; the ledger shows it.", default=False)

    def __post_init__(self) -> None:
        if not any(getattr(self, name) for name in keys(ToRoute)):
            raise Wrong("wishes for nothing: set group, owner, owners, priority, tags, fields, sla, participation or overtakes.")
        if self.owner and self.owners:
            raise Wrong("names `owner` and `owners`: set one of them.")
        if self.capacity and not self.owners:
            raise Wrong("is for `owners`, and there are none: name them, or leave it out.", ("capacity",))


@dataclass(frozen=True, slots=True, kw_only=True)
class ToFilter:
    """What a `[[policy.noise]]` rule brings about: no ticket. Nothing to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToApprove:
    """What a `[[policy.approval]]` rule asks for."""

    approvers: str = setting(Words(200), "The group whose members may say yes.", names="group")
    next_approvers: str = setting(Words(200), "The group that is asked when nobody did in time.", default="", names="group")
    within: timedelta = setting(
        Span(60, 86400 * 7),
        "The longest wait for it; shorter where the SLA or the platform's window ends sooner.",
        default=timedelta(minutes=30),
    )
    four_eyes: bool = setting(Flag(), "Nobody approves a reply of their own.", default=True)
    holding_line: str = setting(Words(500), "What the customer is told when nobody did in time, instead of the common text.", default="")


class Rule(Generic[Outcome]):
    """One compiled rule. `at` is its place in the file."""

    def __init__(self, head: Head, condition: Condition | None, outcome: Outcome, at: KeyPath) -> None:
        self.head = head
        self.condition = condition
        self.outcome = outcome
        self.at = at

    def __repr__(self) -> str:
        return f"Rule({self.head.name!r})"

    @property
    def name(self) -> str:
        """What the ledger calls it."""
        return self.head.name

    def judge(self, facts: Facts) -> str | Broken | None:
        """Why it fires, that it cannot be judged, or None."""
        head = self.head
        if (head.channels and facts.channel.key not in head.channels) or (
            head.visibility is not None and facts.message.visibility is not head.visibility
        ):
            return None
        try:
            reason = self.condition.fires(facts) if self.condition is not None else f"{head.expression.source}" if head.expression else None
            if reason is None or (head.expression is not None and not head.expression.holds(facts)):
                return None
        except Exception as fault:  # noqa: BLE001 - the contract: a rule that fails is a verdict, whatever the fault
            return Broken(rule=head.name, problem=f"{type(fault).__name__}: {fault}")
        return head.reason or reason


def read_rules(
    made: Callable[..., Outcome] | type[Outcome], tables: Any, path: KeyPath, notes: Notes, *, parts: list[tuple[Any, KeyPath]]
) -> tuple[Rule[Outcome], ...]:
    """The rules of one `[[policy.KIND]]`, those without mistakes; `parts` gets every table that could be read, of rules with mistakes, too."""
    if not isinstance(tables, list):
        notes.problem(path, f"must be written as [[{'.'.join(map(str, path))}]], once for each rule.")
        return ()
    found: list[Rule[Outcome]] = []
    names: dict[str, int] = {}
    for index, table in enumerate(tables):
        rule = _read_rule(made, table, (*path, index), notes, parts)
        name = table.get("name") if isinstance(table, Mapping) else None
        if isinstance(name, str) and names.setdefault(name.strip(), index) != index:
            notes.problem((*path, index, "name"), "is the name of a rule above; the ledger tells rules apart by their names.")
        if rule is not None:
            found.append(rule)
    return tuple(found)


def _read_rule(made: Any, table: Any, path: KeyPath, notes: Notes, seen: list[tuple[Any, KeyPath]]) -> Rule[Any] | None:
    if not isinstance(table, Mapping):
        notes.problem(path, "must be a table.")
        return None
    when = table.get("when")
    condition_type = rules.known().get(when) if isinstance(when, str) else None
    parts: list[type[Any]] = [Head, made, *([condition_type] if condition_type else [])]
    known = {key for part in parts for key in keys(part)}
    is_when_wrong = when is not None and condition_type is None
    unknown = [key for key in table if key not in known]
    for key in unknown if not is_when_wrong else ():
        notes.unknown((*path, key), known, what="a setting of this rule")
    made_parts: list[Any] = [read(part, {key: value for key, value in table.items() if key in keys(part)}, path, notes) for part in parts]
    seen += [(part, path) for part in made_parts if part is not None]
    if unknown or any(part is None for part in made_parts):
        return None
    head, outcome = made_parts[0], made_parts[1]
    return Rule(head, made_parts[2] if condition_type else None, outcome, path)


def _suggested(value: Any) -> str:
    close = difflib.get_close_matches(str(value), rules.known(), n=1, cutoff=0.6)
    return f"Did you mean `{close[0]}`?" if close else "docs/policy.md lists them all."
