"""A judge that goes by a table instead of a policy file: for tests of the engine. Its rules are conditions on facts, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from plugin.policy.facts import Facts
from plugin.policy.verdicts import ApprovalNeeded, Broken, Crossover, Filtered, Routing, Targets

Verdict = TypeVar("Verdict")
Condition = Callable[[Facts], bool]


@dataclass(slots=True, kw_only=True)
class TableJudge:
    """`Judge` by table. A condition that raises is a rule that cannot be judged: `Broken`, as the real one does it."""

    crossovers: list[tuple[Condition, Crossover]] = field(default_factory=list)
    filters: list[tuple[Condition, Filtered]] = field(default_factory=list)
    routings: list[tuple[Condition, Routing]] = field(default_factory=list)
    approvals: list[tuple[Condition, ApprovalNeeded]] = field(default_factory=list)
    promises: Targets | None = None
    digest: str = "table"
    asked: list[Facts] = field(default_factory=list)

    def filter(self, facts: Facts) -> Filtered | Broken | None:
        """As `Judge.filter`."""
        return self._first(self.filters, facts)

    def route(self, facts: Facts) -> tuple[Routing, Sequence[Broken]]:
        """As `Judge.route`: the first that fits."""
        found = self._first(self.routings, facts)
        return (Routing(), [found]) if isinstance(found, Broken) else (found or Routing(), [])

    def crossover(self, facts: Facts) -> Crossover | Broken | None:
        """As `Judge.crossover`."""
        self.asked.append(facts)
        return self._first(self.crossovers, facts)

    def approval(self, facts: Facts) -> ApprovalNeeded | Broken | None:
        """As `Judge.approval`."""
        return self._first(self.approvals, facts)

    def targets(
        self, facts: Facts, *, sla: str, opened_at: datetime, unanswered_since: datetime | None, rested: timedelta = timedelta()
    ) -> Targets | None:
        """As `Judge.targets`: the same for everybody."""
        return self.promises if unanswered_since is not None else None

    @staticmethod
    def _first(table: Sequence[tuple[Condition, Verdict]], facts: Facts) -> Verdict | Broken | None:
        for number, (condition, verdict) in enumerate(table):
            try:
                is_so = condition(facts)
            except (ArithmeticError, LookupError, TypeError, ValueError) as problem:
                return Broken(rule=f"rule {number + 1}", problem=f"{type(problem).__name__}.")
            if is_so:
                return verdict
        return None
