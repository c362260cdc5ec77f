"""What an agent may press on a ticket now, and why not. The same pure functions decide that act on the press later, so both always agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plugin.domain.model import Stage
from plugin.handlers.installation import PolicyAtWork
from plugin.policy.contract import Pressed, State
from plugin.policy.presses import ACTIONS, SUPERVISING, press
from ui_extensions.panel.signing import Agent

_LABELS = {
    "handoff": "Hand off to a formal ticket",
    "postpone": "Put the handoff off",
    "undo": "Take the handoff back",
    "confirm": "Ask the customer to confirm",
    "confirmed": "Mark as confirmed",
    "denied": "Mark as not solved",
    "close": "Close without confirmation",
    "release": "Let held replies go",
}
_DANGEROUS = frozenset({"undo", "close", "release"})
_ASKS_FIRST = frozenset({"handoff", "confirm"}) | _DANGEROUS


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A conversation as the buttons see it."""

    state: State
    held_replies: int
    group: str
    now: datetime


def all_of(policy: PolicyAtWork | None, case: Case, agent: Agent) -> list[dict[str, Any]]:
    """Every button, those that can be pressed first."""
    if policy is None:
        return []
    found = [_button(policy, case, agent, action) for action in ACTIONS]
    return sorted(found, key=lambda button: not button["enabled"])


def needs_supervisor(policy: PolicyAtWork, case: Case, agent: Agent, action: str) -> bool:
    """Whether a supervisor could do what this agent can't."""
    return agent.role not in SUPERVISING and not _refusal(policy, case, agent, action, role="supervisor")


def _button(policy: PolicyAtWork, case: Case, agent: Agent, action: str) -> dict[str, Any]:
    why_not = _refusal(policy, case, agent, action)
    if not why_not and action == "release" and not case.held_replies and not case.state.broken:
        why_not = "nothing is held."
    if not why_not and action == "confirm" and case.state.stage is Stage.CONFIRMING:
        why_not = "the customer has been asked already."
    needs = [] if why_not or not _refusal(policy, case, agent, action, reason="") else ["reason"]
    return {
        "id": action,
        "label": _confirm_label(case) if action == "confirm" else _LABELS.get(action, action),
        "enabled": not why_not,
        "why_not": why_not[:1].upper() + why_not[1:],
        "needs": needs,
        "confirm": action in _ASKS_FIRST,
        "danger": action in _DANGEROUS,
    }


def _confirm_label(case: Case) -> str:
    return "The ticket is complete" if case.state.stage is Stage.HANDOFF else _LABELS["confirm"]


def _refusal(policy: PolicyAtWork, case: Case, agent: Agent, action: str, *, reason: str = "-", role: str = "") -> str:
    """What would be said against it."""
    pressed = Pressed(
        action=action, actor=agent.name, role=role or agent.role, promised_by=case.now, reason=reason, group=case.group, is_complete=True
    )
    decided = press(case.state, pressed, policy.contract, now=case.now).decided
    return decided.reason if decided is not None and decided.outcome.get("refused") else ""


def pending(presses: Sequence[Any]) -> list[dict[str, Any]]:
    """What was pressed and is not done yet."""
    return [
        {"action": row.payload.get("action", ""), "by": row.payload.get("actor", ""), "at": row.received_at.isoformat()} for row in presses
    ]
