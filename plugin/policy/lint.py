"""What a policy says that is hardly meant: rules that can never have a say, that contradict each other, and parts that nothing uses.

Every finding is a warning: the policy works. What cannot work is refused when it is read (`plugin.policy.reading`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from plugin.domain.model import Visibility
from plugin.policy.fields import KeyPath, Notes
from plugin.policy.policy import Policy
from plugin.policy.ruling import Rule, ToRoute
from plugin.policy.teams import Clock

_OF_AGENTS = ("trainee", "agent_group")
_SINGLE = ("group", "owner", "priority", "sla", "participation")


def lint(policy: Policy, notes: Notes, path: KeyPath = ("policy",)) -> None:
    """Note everything that is hardly meant."""
    for kind, rules in (("noise", policy.noise_rules), ("crossover", policy.crossover_rules), ("approval", policy.approval_rules)):
        _first_wins(kind, rules, notes)
    _routing(policy.routing_rules, notes)
    _filtered_before(policy, notes)
    for rule in policy.rules:
        _constant(rule, notes)
    before: tuple[Rule[Any], ...] = (*policy.noise_rules, *policy.routing_rules)
    for rule in before:
        if rule.head.when in _OF_AGENTS:
            notes.warning(
                (*rule.at, "when"), "never fires: it asks for the agent who wrote a reply, and here a customer's message is judged."
            )
    _unused(policy, notes, path)
    _promises(policy, notes, path)


def covers(wide: Rule[Any], narrow: Rule[Any]) -> bool:
    """Whether `wide` certainly fires whenever `narrow` does. False where it cannot be told."""
    scope, inner = wide.head, narrow.head
    if scope.channels and not (inner.channels and set(inner.channels) <= set(scope.channels)):
        return False
    if scope.visibility is not None and scope.visibility is not inner.visibility:
        return False
    if scope.expression is not None and (inner.expression is None or scope.expression.source.split() != inner.expression.source.split()):
        return False
    if wide.condition is None or scope.when == "always":
        return True
    return scope.when == inner.when and all(_is_wider(wide.condition, narrow.condition, field) for field in fields(wide.condition))  # type: ignore[arg-type]  # conditions are dataclasses


def _is_wider(wide: Any, narrow: Any, field: Any) -> bool:
    left, right, wider = getattr(wide, field.name), getattr(narrow, field.name), field.metadata.get("wider")
    if left == right:
        return True
    if wider == "more":
        return bool(set(left) >= set(right) if isinstance(left, tuple) else left >= right)
    return bool(wider == "less" and left <= right)


def _first_wins(kind: str, rules: Sequence[Rule[Any]], notes: Notes) -> None:
    for index, rule in enumerate(rules):
        above = next((earlier for earlier in rules[:index] if covers(earlier, rule)), None)
        if above is None:
            continue
        if covers(rule, above) and above.outcome != rule.outcome:
            notes.warning(
                (*rule.at, "name"),
                f"contradicts the rule `{above.name}` above: they fire on the same and say different things; that one decides.",
            )
        else:
            notes.warning((*rule.at, "name"), f"can never decide: the {kind} rule `{above.name}` above fires whenever this one does.")


def _routing(rules: Sequence[Rule[ToRoute]], notes: Notes) -> None:
    for index, rule in enumerate(rules):
        wishes = _wishes(rule)
        for earlier in rules[:index]:
            if not covers(earlier, rule):
                continue
            taken = {key: value for key, value in _wishes(earlier).items() if key in wishes}
            other = [key for key in taken if taken[key] != wishes[key]]
            if other:
                notes.warning(
                    (*rule.at, other[0]), f"contradicts the rule `{earlier.name}` above, which fires whenever this one does and decides."
                )
                break
            if taken.keys() == wishes.keys() and not (rule.outcome.tags or rule.outcome.fields or rule.outcome.overtakes):
                notes.warning(
                    (*rule.at, "name"), f"never has a say: the rule `{earlier.name}` above wishes for the same whenever this one does."
                )
                break


def _wishes(rule: Rule[ToRoute]) -> dict[str, Any]:
    return {key: value for key in _SINGLE if (value := getattr(rule.outcome, key))}


def _filtered_before(policy: Policy, notes: Notes) -> None:
    after: tuple[Rule[Any], ...] = (*policy.routing_rules, *policy.crossover_rules)
    for rule in after:
        noise = next((noise for noise in policy.noise_rules if covers(noise, rule)), None)
        if noise is not None:
            notes.warning((*rule.at, "name"), f"hardly ever fires: the noise rule `{noise.name}` filters the same messages before.")


def _constant(rule: Rule[Any], notes: Notes) -> None:
    expression = rule.head.expression
    if expression is not None and not expression.uses:
        notes.warning((*rule.at, "if"), "asks for no fact, so it always says the same.")


def _unused(policy: Policy, notes: Notes, path: KeyPath) -> None:
    named = {kind: set(_named(policy, kind)) for kind in ("topic", "sla", "team", "group")}
    sources = " ".join(rule.head.expression.source for rule in policy.rules if rule.head.expression is not None)
    for topic in policy.topics:
        if topic not in named["topic"] and f"'{topic}'" not in sources and f'"{topic}"' not in sources:
            notes.warning((*path, "topic", topic), "is used by no rule and by no participation.")
    for sla in policy.slas:
        if sla not in named["sla"]:
            notes.warning((*path, "sla", sla), "is used by no rule, is not `default_sla` and not the SLA of [policy.handoff].")
    if len(policy.teams) > 1:
        for name, team in policy.teams.items():
            if not team.groups and not team.channels and name not in named["team"]:
                notes.warning((*path, "team", name), "answers for no group and no channel, and no SLA names it.")
    if named["group"] and not policy.basics.groups:
        notes.warning(
            (*path, "groups"), "is missing: list the helpdesk's groups, so that a misspelt one is found here and not by a customer."
        )


def _promises(policy: Policy, notes: Notes, path: KeyPath) -> None:
    if policy.slas and not policy.basics.sla:
        notes.warning((*path, "default_sla"), "is missing: a ticket for which no rule names an SLA has no targets.")
    if not policy.teams and (policy.slas or policy.expectations.receipt_out_of_hours):
        notes.warning((*path, "team"), "is missing: without [policy.team.NAME] the team never sleeps, so nobody is ever out of hours.")
    for name, sla in policy.slas.items():
        set_clocks = {clock for clock in Clock if any(sla.span(clock, visibility) for visibility in Visibility)}
        for index, step in enumerate(sla.escalate):
            if step.clock not in set_clocks:
                notes.warning((*path, "sla", name, "escalate", index), f"never happens: this SLA has no target {step.clock}.")
    remind, silence = policy.confirmation.remind_after, policy.confirmation.silence_after
    if remind is not None and remind >= silence:
        notes.warning((*path, "confirmation", "remind_after"), "is not sooner than silence_after, so nobody is reminded.")
    for rule in policy.approval_rules:
        if rule.outcome.next_approvers and rule.outcome.next_approvers == rule.outcome.approvers:
            notes.warning((*rule.at, "next_approvers"), "is the same group again.")


def _named(policy: Policy, kind: str) -> Iterator[str]:
    """Every name of a kind that something refers to."""
    parts: list[Any] = [policy.basics, policy.handoff, policy.people, policy.follow_up, policy.participation, *policy.slas.values()]
    parts += [step for sla in policy.slas.values() for step in sla.escalate]
    for rule in policy.rules:
        parts += [part for part in (rule.condition, rule.outcome) if part is not None]
    for part in parts:
        if isinstance(part, type(policy.basics)) and kind == "group":
            continue
        for field in fields(part):
            if field.metadata.get("names") != kind:
                continue
            value = getattr(part, field.name)
            for each in (value,) if isinstance(value, str) else value:
                name = each[0] if isinstance(each, tuple) else each
                if name:
                    yield name
