"""The moves that several inputs lead to: across, to formal, to the end, and back from it. Pure; used by the crossover machine alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from plugin.domain.model import Stage, TicketChange
from plugin.policy.contract import (
    ASK,
    OFFER,
    POSTPONED,
    PROMISE,
    REMINDER,
    REVIEW,
    SILENCE,
    TARGET,
    Change,
    Contract,
    Decided,
    Discard,
    Free,
    Note,
    OpenLinked,
    Order,
    Requeue,
    State,
    Step,
    Tell,
    quiet,
)
from plugin.policy.verdicts import Crossover


def cross_over(
    state: State, verdict: Crossover, contract: Contract, *, promised_by: datetime, group: str, kind: str, now: datetime
) -> Step:
    """The handoff, in one step: stage, ticket, note, and the customer told once. `group` is where the ticket stands now."""
    target = verdict.group or contract.group
    priority = verdict.priority or contract.priority
    crossed = replace(
        state,
        stage=Stage.HANDOFF,
        handoffs=state.handoffs + 1,
        rule=verdict.rule,
        reason=verdict.reason,
        offered="",
        postponed_until=None,
        promised_by=promised_by,
        home=group,
        pointed_at=now,
        is_light=False,
        outcome="",
        awaits_score=False,
        sla=verdict.sla or contract.sla or state.sla,
        due=promised_by,
    )
    crossed = quiet(crossed, SILENCE, REMINDER, POSTPONED, OFFER, REVIEW, ASK).with_timer(PROMISE, promised_by)
    named = (("sla", verdict.sla or contract.sla), ("type", verdict.ticket_type or contract.ticket_type))
    fields = tuple((name, value) for name, value in named if value)
    change = TicketChange(
        is_closed=False if state.is_light else None,
        group=target or None,
        priority=priority or None,
        stage=Stage.HANDOFF,
        fields=(*fields, ("due_at", promised_by.isoformat())),
    )
    missing = f" Fill in {', '.join(contract.required_fields)}" if contract.required_fields else " Press `confirm`"
    why = (verdict.reason or "none given").removesuffix(".")
    text = (
        f"This is a formal ticket now. Rule: {verdict.rule}. Reason: {why}. The customer is told, and shall hear of us by "
        f"{promised_by:%Y-%m-%d %H:%M} UTC. Nothing more is posted in public.{missing} when the ticket is complete. A supervisor may press `undo`."
    )
    opening: tuple[Order, ...] = (OpenLinked(group=target, priority=priority),) if contract.is_linked else ()
    return Step(
        state=crossed,
        orders=(*opening, Change(name="handoff", change=change), Note(name="handoff", text=text), Tell(notice="handoff")),
        decided=Decided(
            kind=kind,
            rule=verdict.rule,
            reason=verdict.reason,
            outcome={"move": "handoff", "stage": Stage.HANDOFF, "group": target, "promised_by": promised_by.isoformat()},
        ),
    )


def to_formal(state: State) -> State:
    """The state as a formal ticket that is being worked on."""
    return quiet(replace(state, stage=Stage.FORMAL, is_light=False), SILENCE, REMINDER, ASK)


def ask(state: State, contract: Contract, *, is_light: bool, now: datetime) -> State:
    """The state in which the customer's yes or no is awaited."""
    asked = quiet(replace(state, stage=Stage.CONFIRMING, is_light=is_light), ASK)
    asked = asked.with_timer(SILENCE, now + (contract.quick_silence if is_light else contract.silence))
    reminds = contract.reminder is not None and not is_light
    return asked.with_timer(REMINDER, now + contract.reminder if reminds and contract.reminder else None)


def put(state: State, contract: Contract, decided: Decided, *, now: datetime) -> Step:
    """The question to the customer: after a while where that was agreed, at once when it is put again meanwhile, or its moment has come."""
    if contract.ask_after and state.timer(ASK) is None and state.stage is not Stage.CONFIRMING:
        at = now + contract.ask_after
        text = f"The customer is asked at {at:%Y-%m-%d %H:%M} UTC whether it is solved, unless something is said before. Press `confirm` to ask now."
        later = replace(decided, outcome={**decided.outcome, "stage": state.stage, "asks_at": at.isoformat()})
        return Step(state=state.with_timer(ASK, at), orders=(Note(name="asks-later", text=text),), decided=later)
    is_light = state.stage is Stage.SOCIAL or state.is_light
    return Step(
        state=ask(state, contract, is_light=is_light, now=now),
        orders=(Tell(notice="quick" if is_light else "confirm"), Change(name="stage", change=TicketChange(stage=Stage.CONFIRMING))),
        decided=replace(decided, outcome={**decided.outcome, "stage": Stage.CONFIRMING}),
    )


def to_quick(state: State) -> State:
    """The state as a quick question that goes on."""
    return quiet(replace(state, stage=Stage.SOCIAL, is_light=False), SILENCE, REMINDER, ASK)


def resolve(state: State, contract: Contract, outcome: str, *, kind: str, reason: str) -> Step:
    """The end, with what came of the question: confirmed, unconfirmed, or by a supervisor."""
    asks_score = outcome == "confirmed" and contract.asks_score and kind == "answer"
    ended = replace(state, stage=Stage.RESOLVED, is_light=False, outcome=outcome, awaits_score=asks_score, offered="", broken=state.broken)
    ended = quiet(ended, SILENCE, REMINDER, PROMISE, REVIEW, POSTPONED, OFFER, TARGET, ASK)
    tags = {"unconfirmed": ("cd-unconfirmed-close",), "supervisor": ("cd-unconfirmed-close",)}.get(outcome, ())
    orders: list[Order] = [
        *((Discard(),) if state.is_formal else ()),
        Change(name="close", change=TicketChange(is_closed=True, stage=Stage.RESOLVED, add_tags=tags)),
        Note(name="resolved", text=f"Resolved, {outcome}. {reason}"),
    ]
    if outcome == "confirmed" and kind == "answer":
        orders.append(Tell(notice="csat" if asks_score else "thanks"))
    return Step(
        state=ended,
        orders=tuple(orders),
        decided=Decided(kind=kind, rule=outcome, reason=reason, outcome={"stage": Stage.RESOLVED, "outcome": outcome}),
    )


def deny(state: State, *, kind: str, reason: str) -> Step:
    """It is not solved: open again, at the old place in the queue."""
    back = to_quick(state) if state.is_light else to_formal(state)
    return Step(
        state=back,
        orders=(
            Requeue(),
            Change(name="reopen", change=TicketChange(is_closed=False, stage=back.stage)),
            Note(name="denied", text=f"Not solved. {reason} The ticket is open again, at its old place in the queue."),
            Tell(notice="reopened"),
        ),
        decided=Decided(kind=kind, rule="denied", reason=reason, outcome={"stage": back.stage, "outcome": "no"}),
    )


def undo(state: State, *, actor: str, reason: str) -> Step:
    """A supervisor takes the handoff back: the ticket goes home and what was held may leave."""
    back = replace(
        state,
        stage=Stage.SOCIAL,
        is_light=False,
        promised_by=None,
        undone=tuple(dict.fromkeys((*state.undone, state.rule))),
        rule="",
        reason="",
    )
    back = quiet(back, SILENCE, REMINDER, PROMISE, ASK)
    change = TicketChange(group=state.home or None, stage=Stage.SOCIAL)
    text = f"{actor} took the handoff back: {reason} Public replies leave again, those that were held first. The rule {state.rule} does not fire here again."
    return Step(
        state=back,
        orders=(Change(name="undo", change=change), Note(name="undo", text=text), Free()),
        decided=Decided(kind="action", rule="undo", reason=reason, outcome={"stage": Stage.SOCIAL, "by": actor, "undone": state.rule}),
    )
