"""What an agent may press on a ticket now, and why not. The same pure functions decide that act on the press later, so both always agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from plugin.contracts.platform import SendsTemplates
from plugin.domain.model import Stage
from plugin.handlers.commands import REQUEST_APPROVAL
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.learning import SOLVED
from plugin.handlers.protecting import WARN
from plugin.policy import approvals, locks, sections
from plugin.policy.approvals import Candidates
from plugin.policy.contract import Pressed, State
from plugin.policy.locks import Agent as Author
from plugin.policy.locks import Lock
from plugin.policy.presses import ACTIONS, SUPERVISING, press
from ui_extensions.panel.signing import Agent

_SCAM, _NO_SCAM = "mark_scam", "not_scam"
_TO_PRIVATE, RETRY = "to_private", "retry"
TEMPLATE = "template"
LABELS = {
    "handoff": "Hand off to a formal ticket",
    "postpone": "Put the handoff off",
    "undo": "Take the handoff back",
    "confirm": "Ask the customer to confirm",
    "confirmed": "Mark as confirmed",
    "denied": "Mark as not solved",
    "close": "Close without confirmation",
    "release": "Let held replies go",
    "take_lock": "Take the lock",
    "take_over": "Take over",
    "release_lock": "Give the lock back",
    "approve": "Approve the reply",
    "reject": "Reject the reply",
    "recall": "Take the reply back",
    SOLVED: "Keep what solved it",
    WARN: "Warn in the thread",
    _SCAM: "Mark as a scam",
    _NO_SCAM: "It is no scam",
    _TO_PRIVATE: "Ask to go on in private",
    REQUEST_APPROVAL: "Have a second person approve",
    RETRY: "Send the last reply again",
    TEMPLATE: "Send a template",
    "hide": "Hide",
    "show": "Show again",
}
_DANGEROUS = frozenset({"undo", "close", "release"})
_ASKS_FIRST = frozenset({"handoff", "confirm"}) | _DANGEROUS
_RECALL = "recall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A conversation as the buttons see it."""

    state: State
    held_replies: int
    group: str
    now: datetime
    is_closed: bool = False
    is_scam: bool = False
    has_impostor: bool = False
    """Somebody in the public thread was taken for an impostor, and nobody was warned of them yet."""
    has_failed: bool = False
    """A reply did not arrive, or nobody knows whether it did."""
    is_private: bool = False
    can_go_private: bool = False
    """The platform has private messages for us, or the policy a page of our own."""
    lock: Lock = field(default_factory=Lock)
    candidates: Candidates = ()
    """Replies that wait for a second person."""
    waiting: Mapping[int, Author] = field(default_factory=dict)
    """All replies that have not left, by number, with their authors."""


def all_of(policy: PolicyAtWork | None, case: Case, agent: Agent) -> list[dict[str, Any]]:
    """Every button, those that can be pressed first."""
    if policy is None:
        return []
    found = [
        *(_button(case, action, partial(_approval, case, agent, action)) for action in _approval_buttons(case)),
        *(_button(case, action, partial(_lock, policy, case, agent, action)) for action in _lock_buttons(case, agent)),
        *(_button(case, action, partial(_refusal, policy, case, agent, action)) for action in ACTIONS),
    ]
    return [*sorted([*_protection(policy, case, agent), *found, *_replying(case)], key=lambda button: not button["enabled"]), _lesson(case)]


def _replying(case: Case) -> list[dict[str, Any]]:
    """What concerns replies and where they go, as `plugin.handlers.commands` does it."""
    return [
        _plain(_TO_PRIVATE, _why_not_private(case), asks_first=True),
        _plain(REQUEST_APPROVAL, "The next reply waits for a second person already." if case.state.wants_approval else ""),
        _plain(RETRY, "" if case.has_failed else "No reply of this ticket has failed.", asks_first=True),
    ]


def _why_not_private(case: Case) -> str:
    if case.is_private:
        return "The conversation is private already."
    if case.state.is_monitored:
        return "The policy says that here we only listen."
    return "" if case.can_go_private else "The platform has no private messages for us, and the policy names no page to go on."


def _protection(policy: PolicyAtWork, case: Case, agent: Agent) -> list[dict[str, Any]]:
    """Warning of an impostor, where there is one, and the mark of a scam."""
    found = []
    if case.has_impostor and policy.book.safety.warn is not sections.Warning.NEVER:
        found.append(_plain(WARN, asks_first=True))
    if not case.is_scam:
        found.append(_plain(_SCAM, needs_reason=True, asks_first=True))
    else:
        why_not = "" if agent.role in SUPERVISING else "Only a supervisor may do this."
        found.append(_plain(_NO_SCAM, why_not, needs_reason=True))
    return found


def _lesson(case: Case) -> dict[str, Any]:
    """What solved it, as the reason: last, for it changes nothing of the conversation."""
    is_over = case.state.stage in {Stage.CONFIRMING, Stage.RESOLVED} or case.is_closed
    return _plain(SOLVED, "" if is_over else "It has not been solved yet.", needs_reason=True)


def _plain(action: str, why_not: str = "", *, needs_reason: bool = False, asks_first: bool = False) -> dict[str, Any]:
    return {
        "id": action,
        "label": LABELS[action],
        "enabled": not why_not,
        "why_not": why_not,
        "needs": ["reason"] if needs_reason and not why_not else [],
        "confirm": asks_first,
        "danger": action in {_SCAM, RETRY},
        "arguments": {},
    }


def author(agent: Agent) -> Author:
    """The agent as locks and approvals know agents."""
    return Author(ref=agent.login or agent.id, name=agent.name)


def needs_supervisor(policy: PolicyAtWork, case: Case, agent: Agent, action: str) -> bool:
    """Whether a supervisor could do what this agent can't."""
    return agent.role not in SUPERVISING and not _refusal(policy, case, agent, action, role="supervisor")


def _button(case: Case, action: str, refusal: Callable[[str], str]) -> dict[str, Any]:
    why_not = refusal("-")
    if not why_not and action == "release" and not case.held_replies and not case.state.broken:
        why_not = "nothing is held."
    if not why_not and action == "confirm" and case.state.stage is Stage.CONFIRMING:
        why_not = "the customer has been asked already."
    return {
        "id": action,
        "label": _confirm_label(case) if action == "confirm" else LABELS.get(action, action),
        "enabled": not why_not,
        "why_not": why_not[:1].upper() + why_not[1:],
        "needs": [] if why_not or not refusal("") else ["reason"],
        "confirm": action in _ASKS_FIRST,
        "danger": action in _DANGEROUS,
        "arguments": {"reply": str(_reply(case))} if action in {*approvals.ACTIONS, _RECALL} and _reply(case) is not None else {},
    }


def _reply(case: Case) -> int | None:
    """The reply that approving, rejecting and recalling is about: the first that waits for a second person, else the first that waits at all."""
    return case.candidates[0].number if case.candidates else min(case.waiting, default=None)


def _approval_buttons(case: Case) -> tuple[str, ...]:
    return (*(approvals.ACTIONS if case.candidates else ()), *((_RECALL,) if case.waiting else ()))


def _approval(case: Case, agent: Agent, action: str, reason: str) -> str:
    if action == _RECALL:
        number = _reply(case)
        whose = case.waiting.get(number) if number is not None else None
        may = whose is not None and approvals.may_recall(whose, author(agent), role=agent.role)
        return "" if may else "only its author or a supervisor may take a reply back."
    ruled = approvals.press(
        case.candidates, action, author(agent), role=agent.role, groups=agent.groups, reason=reason, number=_reply(case)
    )
    return ruled.refused


def _lock_buttons(case: Case, agent: Agent) -> tuple[str, ...]:
    holder = case.lock.holder_at(case.now)
    if holder is None:
        return ("take_lock",)
    return ("release_lock",) if holder.is_same(author(agent)) else ("take_over", "release_lock")


def _lock(policy: PolicyAtWork, case: Case, agent: Agent, action: str, reason: str) -> str:
    rules, who = policy.book.locks, author(agent)
    if action == "take_lock":
        return locks.take(case.lock, who, now=case.now, lease=rules.lease).refused
    if action == "take_over":
        return locks.take_over(case.lock, who, now=case.now, lease=rules.lease, reason=reason, needs_reason=rules.needs_reason).refused
    return locks.give_back(case.lock, who, now=case.now, role=agent.role).refused


def _confirm_label(case: Case) -> str:
    return "The ticket is complete" if case.state.stage is Stage.HANDOFF else LABELS["confirm"]


def _refusal(policy: PolicyAtWork, case: Case, agent: Agent, action: str, reason: str = "-", *, role: str = "") -> str:
    """What would be said against it."""
    pressed = Pressed(
        action=action, actor=agent.name, role=role or agent.role, promised_by=case.now, reason=reason, group=case.group, is_complete=True
    )
    decided = press(case.state, pressed, policy.contract, now=case.now).decided
    return decided.reason if decided is not None and decided.outcome.get("refused") else ""


def template(adapter: object) -> list[dict[str, Any]]:
    """The button for a text that the platform has approved beforehand, where it has such."""
    if not isinstance(adapter, SendsTemplates):
        return []
    told = {"id": TEMPLATE, "label": LABELS[TEMPLATE], "enabled": True, "why_not": "", "needs": ["template"]}
    return [{**told, "confirm": True, "danger": False, "arguments": {}}]


def pending(presses: Sequence[Any]) -> list[dict[str, Any]]:
    """What was pressed and is not done yet."""
    told = [(row.payload.get("action", ""), row) for row in presses]
    return [
        {"action": action, "label": LABELS.get(action, action), "by": row.payload.get("actor", ""), "at": row.received_at.isoformat()}
        for action, row in told
    ]
