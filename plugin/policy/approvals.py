"""Approval: replies that wait for a second person's yes, who may give it, and what follows when nobody does in time. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from plugin.policy.locks import Agent

ACTIONS = ("approve", "reject")
TIMER = "approval"
_SUPERVISING = frozenset({"supervisor", "admin"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A reply that waits. Kept as JSON with its conversation; `number` is the id of the event by which it came."""

    number: int
    author: Agent
    rule: str
    reason: str
    approvers: str
    within: float
    """Seconds that a group of approvers has."""
    deadline: datetime | None = None
    """None: nobody further is asked."""
    next_approvers: str = ""
    needs_four_eyes: bool = True
    holding_line: str = ""
    answers: str = ""
    """The customer's message that it answers."""
    is_told: bool = False
    """The customer was told that it takes longer."""


Candidates = tuple[Candidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """What a press came to: what still waits, and which reply was ruled on. `refused`: why nothing was done."""

    left: Candidates
    candidate: Candidate | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapsed:
    """What a deadline brought: what waits now, which replies somebody else is asked about or nobody, and whose holding line the customer hears."""

    left: Candidates
    asked_on: Candidates = ()
    given_up: Candidates = ()
    tells: Candidate | None = None


def find(candidates: Candidates, number: int) -> Candidate | None:
    """The reply of this number, if it waits."""
    return next((candidate for candidate in candidates if candidate.number == number), None)


def deadline(candidates: Candidates) -> datetime | None:
    """When the next one's time is up."""
    return min((candidate.deadline for candidate in candidates if candidate.deadline is not None), default=None)


def without(candidates: Candidates, numbers: Collection[int]) -> Candidates:
    """Those that wait when these do not any more."""
    return tuple(candidate for candidate in candidates if candidate.number not in numbers)


def press(candidates: Candidates, action: str, who: Agent, *, role: str, groups: Collection[str], reason: str, number: int | None) -> Ruled:
    """`approve` or `reject` by somebody who has this `role` and is in these `groups` of the helpdesk."""
    chosen = [candidate for candidate in candidates if number in {None, candidate.number}]
    if len(chosen) != 1:
        return Ruled(left=candidates, refused=_unclear(candidates, number))
    candidate = chosen[0]
    if candidate.needs_four_eyes and candidate.author.is_same(who):
        return Ruled(left=candidates, refused="nobody approves or rejects a reply of their own; the author may press `recall`.")
    if role not in _SUPERVISING and (role != "agent" or candidate.approvers not in groups):
        return Ruled(left=candidates, refused=f"only members of {candidate.approvers} and supervisors may do this.")
    if action == "reject" and not reason.strip():
        return Ruled(left=candidates, refused="say why, so that the author knows what to change.")
    return Ruled(left=without(candidates, {candidate.number}), candidate=candidate)


def may_recall(author: Agent, who: Agent, *, role: str) -> bool:
    """Whether somebody may take a reply back."""
    return role in _SUPERVISING or (role == "agent" and author.is_same(who))


def lapse(candidates: Candidates, *, now: datetime) -> Lapsed:
    """The time of some is up: the customer hears a holding line, once for each of their messages, and the next approvers are asked."""
    left: list[Candidate] = []
    asked_on: list[Candidate] = []
    given_up: list[Candidate] = []
    told = {candidate.answers for candidate in candidates if candidate.is_told}
    tells: Candidate | None = None
    for candidate in candidates:
        if candidate.deadline is None or candidate.deadline > now:
            left.append(candidate)
            continue
        if tells is None and candidate.answers not in told:
            tells = candidate
        if candidate.next_approvers:
            changed = replace(
                candidate, approvers=candidate.next_approvers, next_approvers="", deadline=now + timedelta(seconds=candidate.within)
            )
            asked_on.append(changed)
        else:
            changed = replace(candidate, deadline=None)
            given_up.append(changed)
        left.append(changed)
    if tells is not None:
        left = [replace(candidate, is_told=True) if candidate.answers == tells.answers else candidate for candidate in left]
    return Lapsed(left=tuple(left), asked_on=tuple(asked_on), given_up=tuple(given_up), tells=tells)


def why_held(candidate: Candidate) -> str:
    """What is read of a reply that waits."""
    until = f" until {candidate.deadline:%Y-%m-%d %H:%M} UTC" if candidate.deadline is not None else ""
    why = (candidate.reason or "none given").removesuffix(".")
    return (
        f"Reply {candidate.number} by {candidate.author} waits for a second person{until}. Rule: {candidate.rule}. Reason: {why}. "
        f"Somebody of {candidate.approvers}, or a supervisor, presses `approve`, or `reject` with a reason; {candidate.author} may press `recall`."
    )


def preview(parts: Sequence[str], platform: str) -> str:
    """What will stand on the platform, word for word."""
    if len(parts) == 1:
        return f"On {platform} this will be posted:\n{parts[0]}"
    return "\n".join([f"On {platform} this will be posted as {len(parts)} messages:", *(f"{n}. {part}" for n, part in enumerate(parts, 1))])


def _unclear(candidates: Candidates, number: int | None) -> str:
    if not candidates:
        return "no reply waits for approval here."
    waiting = ", ".join(f"{candidate.number} by {candidate.author}" for candidate in candidates)
    return (f"reply {number} does not wait for approval." if number is not None else "name the reply.") + f" These wait: {waiting}."
