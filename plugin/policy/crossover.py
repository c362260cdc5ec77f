"""The crossover as a state machine: pure, one function. The same state, input and moment give the same step.

`social` -> `handoff` -> `formal` -> `confirming` -> `resolved`; back to `social` by a supervisor, back to `formal` by the customer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from plugin.domain.model import Stage, TicketChange
from plugin.policy import presses
from plugin.policy.contract import (
    ASK,
    FORMAL,
    OFFER,
    POSTPONED,
    PROMISE,
    REMINDER,
    SILENCE,
    Alarm,
    Broke,
    Change,
    Changed,
    Contract,
    Decided,
    Elapsed,
    Fired,
    Input,
    Note,
    Pressed,
    Replied,
    Requeue,
    Spoke,
    State,
    Step,
    Tell,
    Word,
    takes_score,
)
from plugin.policy.moves import cross_over, deny, put, resolve, to_formal, to_quick
from plugin.policy.verdicts import Move

_RECLOSINGS = 5
_RECLOSING_SPAN = timedelta(hours=1)


def transition(state: State, happened: Input, contract: Contract, *, now: datetime) -> Step:
    """What becomes of a conversation in `state` when this happens."""
    step = _MOVES[type(happened)](state, happened, contract, now)
    if step.state.stage is not state.stage and Stage.RESOLVED in {step.state.stage, state.stage}:
        return replace(step, state=replace(step.state, ended_at=now if step.state.stage is Stage.RESOLVED else None))
    return step


def _fired(state: State, happened: Fired, contract: Contract, now: datetime) -> Step:
    """A rule's verdict counts once: in stage `social`, unless it was postponed, undone, or offered before."""
    verdict = happened.verdict
    is_open = state.stage is Stage.SOCIAL or (state.stage is Stage.CONFIRMING and state.is_light)
    is_postponed = state.postponed_until is not None and now < state.postponed_until
    if not is_open or is_postponed or verdict.rule in state.undone:
        return Step(state=state)
    if verdict.move is Move.FORCE:
        return cross_over(state, verdict, contract, promised_by=happened.promised_by, group=happened.group, kind="crossover", now=now)
    if state.offered == verdict.rule:
        return Step(state=state)
    text = (
        f"The policy suggests to make this a formal ticket (rule {verdict.rule}: {verdict.reason}). Press `handoff` to do so, or `postpone` with "
        "a reason to go on here."
    )
    return Step(
        state=replace(state, offered=verdict.rule).with_timer(OFFER, now + contract.offer_waits),
        orders=(Note(name="offered", text=text),),
        decided=Decided(kind="crossover", rule=verdict.rule, reason=verdict.reason, outcome={"move": "offered"}),
    )


def _broke(state: State, happened: Broke, _: Contract, __: datetime) -> Step:
    """The message goes on; the public side waits for a person."""
    if state.broken == happened.rule:
        return Step(state=state)
    text = (
        f"The rule {happened.rule} of the policy could not be judged: {happened.problem} The customer's message is filed as ever, and nothing more is "
        "posted in public here. Have an admin repair the rule (`crossdesk policy lint`), then a supervisor press `release`."
    )
    return Step(
        state=replace(state, broken=happened.rule),
        orders=(Note(name="broken", text=text), Alarm(code=f"policy:{happened.rule}", text=text)),
        decided=Decided(kind="broken", rule=happened.rule, reason=happened.problem, is_broken=True),
    )


def _spoke(state: State, happened: Spoke, contract: Contract, now: datetime) -> Step:
    if not happened.is_reaction and happened.word not in {Word.THANKS, Word.YES}:
        state = state.with_timer(ASK, None)  # It goes on, so nobody asks whether it is over.
    match state.stage:
        case Stage.CONFIRMING:
            return _answered(state, happened, contract, now)
        case Stage.RESOLVED:
            return _after_the_end(state, happened, contract, now)
        case Stage.HANDOFF | Stage.FORMAL if not happened.is_reaction:
            return _pointed(state, happened, contract, now)
    return Step(state=state)


def _answered(state: State, happened: Spoke, contract: Contract, now: datetime) -> Step:
    if happened.word is Word.YES:
        return resolve(state, contract, "confirmed", kind="answer", reason="The customer said yes.")
    if happened.word is Word.NO:
        return deny(state, kind="answer", reason="The customer said no.")
    if happened.is_reaction or happened.word is Word.THANKS:
        return Step(state=state)
    if happened.word is Word.STATUS:
        return _pointed(state, happened, contract, now)
    back = to_quick(state) if state.is_light else to_formal(state)
    note = "The customer answered neither yes nor no, so the conversation goes on. Press `confirm` to ask again when it is solved."
    return Step(
        state=back,
        orders=(
            Note(name="goes-on", text=note),
            Change(name="stage", change=TicketChange(stage=back.stage)),
        ),
        decided=Decided(kind="answer", rule="other words", outcome={"stage": back.stage}),
    )


def _after_the_end(state: State, happened: Spoke, contract: Contract, now: datetime) -> Step:
    if takes_score(state, contract, now) and happened.score is not None:
        return _scored(replace(state, awaits_score=False), happened.score, contract)
    if happened.word in {Word.THANKS, Word.YES} or happened.is_reaction:
        return Step(state=state)
    stage = Stage.FORMAL if state.handoffs else Stage.SOCIAL
    return Step(
        state=replace(state, stage=stage, outcome="", awaits_score=False),
        orders=(Requeue(), Change(name="reopen", change=TicketChange(stage=stage))),
        decided=Decided(kind="answer", rule="wrote again", outcome={"stage": stage, "after": state.outcome}),
    )


def _scored(state: State, score: int, contract: Contract) -> Step:
    outcome = {"score": str(score)}
    if score > contract.bad_score:
        return Step(
            state=state,
            orders=(Note(name="score", text=f"The customer gives {score} of 5."), Tell(notice="thanks")),
            decided=Decided(kind="answer", rule="score", outcome=outcome),
        )
    text = f"The customer gives {score} of 5, so the ticket is open again for a follow-up. Find out what went wrong and answer."
    # A quick question stays one: nobody was told of a formal ticket.
    back = replace(to_formal(state) if state.handoffs else to_quick(state), outcome="")
    change = TicketChange(
        is_closed=False,
        stage=back.stage,
        group=contract.bad_score_group or None,
        priority=contract.bad_score_priority or None,
        add_tags=("cd-bad-score",),
    )
    return Step(
        state=back,
        orders=(Note(name="score", text=text), Change(name="reopen", change=change), Requeue(), Tell(notice="low")),
        decided=Decided(kind="answer", rule="bad score", reason=text, outcome={**outcome, "stage": back.stage}),
    )


def _pointed(state: State, happened: Spoke, contract: Contract, now: datetime) -> Step:
    """In public one pointer in each period, whatever was said; in private the status when it is asked for."""
    if happened.is_public:
        if state.pointed_at is not None and now < state.pointed_at + contract.pointer_period:
            return Step(state=state)
        notice = "status" if happened.word is Word.STATUS and contract.answers_status else "pointer"
        return Step(state=replace(state, pointed_at=now), orders=(Tell(notice=notice),), decided=Decided(kind="answer", rule=notice))
    if happened.word is not Word.STATUS or not contract.answers_status:
        return Step(state=state)
    if state.told_status_at is not None and now < state.told_status_at + contract.status_period:
        return Step(state=state)
    return Step(state=replace(state, told_status_at=now), orders=(Tell(notice="status"),), decided=Decided(kind="answer", rule="status"))


def _replied(state: State, _: Replied, __: Contract, ___: datetime) -> Step:
    """A quick question goes on when an agent says more."""
    if state.stage is Stage.CONFIRMING and state.is_light:
        return Step(state=to_quick(state))
    return Step(state=state.with_timer(ASK, None))


def _changed(state: State, happened: Changed, contract: Contract, now: datetime) -> Step:
    if happened.closed:
        return _closed(state, contract, now)
    if happened.closed is False and state.stage is Stage.RESOLVED:
        stage = Stage.FORMAL if state.handoffs else Stage.SOCIAL
        back = replace(state, stage=stage, outcome="", awaits_score=False)
        orders = (Change(name="stage", change=TicketChange(stage=stage)),)
        return Step(state=back, orders=orders, decided=Decided(kind="ticket", rule="opened by an agent", outcome={"stage": stage}))
    if happened.closed is False and state.stage is Stage.CONFIRMING and state.is_light:
        return Step(state=to_quick(state))
    if happened.is_complete and state.stage is Stage.HANDOFF and contract.required_fields:
        return Step(
            state=to_formal(state),
            orders=(Change(name="stage", change=TicketChange(stage=Stage.FORMAL)),),
            decided=Decided(kind="ticket", rule="required fields complete", outcome={"stage": Stage.FORMAL}),
        )
    return Step(state=state)


def _closed(state: State, contract: Contract, now: datetime) -> Step:
    """Somebody or something closed the ticket in the helpdesk."""
    if state.stage is Stage.SOCIAL and contract.confirms_quick:
        return put(state, contract, Decided(kind="ticket", rule="quick confirmation"), now=now)
    if not state.is_formal:
        return Step(state=state)
    if not contract.closing_needs_reason:
        return resolve(state, contract, "unconfirmed", kind="ticket", reason="It was closed in the helpdesk.")
    is_new_span = state.reclosed_since is None or now - state.reclosed_since > _RECLOSING_SPAN
    counted = replace(state, reclosed=1 if is_new_span else state.reclosed + 1, reclosed_since=now if is_new_span else state.reclosed_since)
    decided = Decided(kind="ticket", rule="closed without the customer's confirmation", outcome={"reopened": "yes"})
    if counted.reclosed > _RECLOSINGS:
        text = (
            f"This ticket was closed {counted.reclosed} times within an hour without the customer's confirmation: something in the helpdesk seems to close "
            "it by itself. It stays closed now, and the conversation stays open. Look for a trigger or scheduler that closes tickets."
        )
        return Step(
            state=counted,
            orders=(Alarm(code="reclosing", text=text), Note(name="reclosing", text=text)),
            decided=replace(decided, outcome={}),
        )
    text = (
        "This ticket was closed without the customer's confirmation, so it is open again. Press `confirm` to ask the customer; their yes, or their "
        "silence, closes it. A supervisor may press `close` with a reason."
    )
    change = TicketChange(is_closed=False, stage=state.stage)
    return Step(state=counted, orders=(Change(name="reopen", change=change), Note(name="reopened", text=text)), decided=decided)


def _elapsed(state: State, happened: Elapsed, contract: Contract, now: datetime) -> Step:
    if state.timer(happened.name) != happened.at:
        return Step(state=state)
    if happened.name == ASK and state.stage in {Stage.SOCIAL, Stage.FORMAL}:
        return put(state, contract, Decided(kind="timer", rule="question"), now=now)
    state = state.with_timer(happened.name, None)
    if happened.name == SILENCE and state.stage is Stage.CONFIRMING:
        return resolve(state, contract, "unconfirmed", kind="timer", reason="The customer did not answer.")
    if happened.name == PROMISE and state.stage in FORMAL:
        text = f"The customer was promised to hear of us by {happened.at:%Y-%m-%d %H:%M} UTC. Answer now, or tell them when you will."
        return Step(
            state=state,
            orders=(Note(name="overdue", text=text), Change(name="overdue", change=TicketChange(add_tags=("cd-overdue",)))),
            decided=Decided(kind="timer", rule="promise overdue", outcome={"promised_by": happened.at.isoformat()}),
        )
    if happened.name == REMINDER and state.stage is Stage.CONFIRMING:
        return Step(state=state, orders=(Tell(notice="confirm"),), decided=Decided(kind="timer", rule="reminder"))
    if happened.name == POSTPONED:
        return Step(state=replace(state, postponed_until=None, offered=""))
    if happened.name == OFFER:
        return Step(state=replace(state, offered=""))
    return Step(state=state)


def _pressed(state: State, happened: Pressed, contract: Contract, now: datetime) -> Step:
    return presses.press(state, happened, contract, now=now)


_MOVES: Mapping[type[Any], Callable[[State, Any, Contract, datetime], Step]] = {
    Fired: _fired,
    Broke: _broke,
    Pressed: _pressed,
    Spoke: _spoke,
    Replied: _replied,
    Changed: _changed,
    Elapsed: _elapsed,
}
