"""What people may press, who may, and what comes of it. Pure; a press that is not allowed changes nothing and says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from plugin.domain.model import Stage, TicketChange
from plugin.policy.contract import (
    OFFER,
    POSTPONED,
    Change,
    Contract,
    Decided,
    Free,
    Note,
    Pressed,
    State,
    Step,
)
from plugin.policy.moves import cross_over, deny, put, resolve, to_formal, undo
from plugin.policy.verdicts import Crossover

SUPERVISING = frozenset({"supervisor", "admin"})
ACTIONS = ("handoff", "postpone", "undo", "confirm", "confirmed", "denied", "close", "release")
_LONGEST = 60 * 24 * 30


def press(state: State, happened: Pressed, contract: Contract, *, now: datetime) -> Step:
    """What a press comes to."""
    pressed = _PRESSES.get(happened.action)
    if pressed is None:
        return _refuse(state, happened, f"There is no `{happened.action}`. What can be pressed: {', '.join(ACTIONS)}.")
    return pressed(state, happened, contract, now)


def _refuse(state: State, happened: Pressed, why: str) -> Step:
    return Step(
        state=state,
        orders=(Note(name="refused", text=f"`{happened.action}` by {happened.actor} was not done: {why}"),),
        decided=Decided(kind="action", rule=happened.action, reason=why, outcome={"refused": "yes", "by": happened.actor}),
    )


def _handoff(state: State, happened: Pressed, contract: Contract, now: datetime) -> Step:
    if state.is_formal:
        return _refuse(state, happened, "this is a formal ticket already.")
    named = happened.arguments
    verdict = Crossover(
        rule=state.offered or f"{happened.role}'s request",
        reason=happened.reason or f"Asked for by {happened.actor}.",
        group=named.get("group", ""),
        priority=named.get("priority", ""),
        sla=named.get("sla", ""),
        ticket_type=named.get("type", ""),
    )
    return cross_over(state, verdict, contract, promised_by=happened.promised_by, group=happened.group, kind="action", now=now)


def _postpone(state: State, happened: Pressed, contract: Contract, now: datetime) -> Step:
    if state.stage is not Stage.SOCIAL:
        return _refuse(state, happened, "there is no handoff to put off; a supervisor may press `undo`.")
    if not happened.reason.strip():
        return _refuse(state, happened, "say why, so that the reason stands in the ledger.")
    minutes = happened.arguments.get("minutes", "")
    wanted = timedelta(minutes=min(int(minutes), _LONGEST)) if minutes.isascii() and minutes.isdecimal() else contract.postponement
    until = now + min(wanted, contract.longest_postponement)
    text = f"{happened.actor} put the handoff off until {until:%Y-%m-%d %H:%M} UTC: {happened.reason}"
    return Step(
        state=replace(state, postponed_until=until, offered="").with_timer(POSTPONED, until).with_timer(OFFER, None),
        orders=(Note(name="postponed", text=text),),
        decided=Decided(kind="action", rule="postpone", reason=happened.reason, outcome={"until": until.isoformat(), "by": happened.actor}),
    )


def _undo(state: State, happened: Pressed, _: Contract, __: datetime) -> Step:
    if not state.is_formal:
        return _refuse(state, happened, "this is no formal ticket.")
    why = _supervising(happened)
    return _refuse(state, happened, why) if why else undo(state, actor=happened.actor, reason=happened.reason)


def _confirm(state: State, happened: Pressed, contract: Contract, now: datetime) -> Step:
    """From `handoff` it says that the ticket is complete; later it asks the customer."""
    if state.stage is Stage.HANDOFF:
        return Step(
            state=to_formal(state),
            orders=(Change(name="stage", change=TicketChange(stage=Stage.FORMAL)),),
            decided=Decided(kind="action", rule="confirm", reason=happened.reason, outcome={"stage": Stage.FORMAL, "by": happened.actor}),
        )
    if state.stage is Stage.RESOLVED:
        return _refuse(state, happened, "it is resolved already.")
    return put(state, contract, Decided(kind="action", rule="confirm", reason=happened.reason, outcome={"by": happened.actor}), now=now)


def _confirmed(state: State, happened: Pressed, contract: Contract, _: datetime) -> Step:
    """The customer said yes where we do not hear it."""
    why = _elsewhere(state, happened)
    if why:
        return _refuse(state, happened, why)
    return resolve(state, contract, "confirmed", kind="action", reason=f"{happened.actor}: {happened.reason}")


def _denied(state: State, happened: Pressed, _: Contract, __: datetime) -> Step:
    why = _elsewhere(state, happened)
    return _refuse(state, happened, why) if why else deny(state, kind="action", reason=f"{happened.actor}: {happened.reason}")


def _elsewhere(state: State, happened: Pressed) -> str:
    if state.stage not in {Stage.FORMAL, Stage.CONFIRMING}:
        return "only a formal ticket's end is confirmed; press `confirm` first."
    return "" if happened.reason.strip() else "say where and when the customer said so."


def _close(state: State, happened: Pressed, contract: Contract, _: datetime) -> Step:
    if state.stage is Stage.RESOLVED:
        return _refuse(state, happened, "it is resolved already.")
    why = _supervising(happened)
    if why:
        return _refuse(state, happened, why)
    return resolve(state, contract, "supervisor", kind="action", reason=f"{happened.actor}: {happened.reason}")


def _release(state: State, happened: Pressed, _: Contract, __: datetime) -> Step:
    why = _supervising(happened)
    if why:
        return _refuse(state, happened, why)
    text = f"{happened.actor} let the held replies of this conversation go: {happened.reason}"
    return Step(
        state=replace(state, broken=""),
        orders=(Free(is_exception=True, settles_broken=bool(state.broken)), Note(name="released", text=text)),
        decided=Decided(kind="action", rule="release", reason=happened.reason, outcome={"by": happened.actor}),
    )


def _supervising(happened: Pressed) -> str:
    if happened.role not in SUPERVISING:
        return "only a supervisor may do this."
    return "" if happened.reason.strip() else "say why, so that the reason stands in the ledger."


_PRESSES: Mapping[str, Callable[[State, Pressed, Contract, datetime], Step]] = {
    "handoff": _handoff,
    "postpone": _postpone,
    "undo": _undo,
    "confirm": _confirm,
    "confirmed": _confirmed,
    "denied": _denied,
    "close": _close,
    "release": _release,
}
