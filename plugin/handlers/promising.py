"""Promises at work: the clocks of an SLA, their steps, what the ticket says is due, one clock for one person, and the receipt out of hours.

Clocks run while the customer waits for us, and rest while the customer is awaited. Runs inside a turn's transaction; calls nobody.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from plugin.domain.events import MessageReceived, TimerElapsed
from plugin.domain.model import Stage, TicketChange, Visibility
from plugin.handlers import crossing
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.routing import Desktop
from plugin.policy.contract import TARGET, State
from plugin.policy.facts import ChannelFacts, ClockFacts, ConversationFacts, Facts, Trigger
from plugin.policy.verdicts import Due, Targets
from plugin.store import places, waits
from plugin.store.decisions import NewDecision

_RESTING = frozenset({Stage.CONFIRMING, Stage.RESOLVED})
_PROMISING = frozenset({Stage.HANDOFF, Stage.FORMAL})


def fold(desktop: Desktop, policy: PolicyAtWork) -> None:
    """Who posts again elsewhere gains no second place in the queue and no second clock: those of the first post count."""
    course, held, fairness = desktop.course, desktop.held, policy.book.fairness
    if not fairness.fold_repeats or course.progress.unanswered_since != held.now or held.contact_id is None:
        return
    batch = desktop.batch
    if batch.elsewhere is None:
        batch.elsewhere = waits.longest(desktop.connection, held.contact_id, other_than=held.id, within=fairness.fold_within)
    if not batch.elsewhere:
        course.state = replace(course.state, folded_into=0)
        return
    first = batch.elsewhere[0]
    course.progress = replace(course.progress, unanswered_since=first.unanswered_since)
    course.state = replace(course.state, folded_into=first.id)
    _record(desktop, policy, "fold", "one clock per person", f"The same person waits in conversation {first.id} already.")


def due_at_opening(desktop: Desktop, policy: PolicyAtWork) -> datetime | None:
    """Start the clocks and say what a new ticket must say is due; None for nothing."""
    targets = _run(desktop, policy)
    desktop.course.state = replace(desktop.course.state, due=_due(desktop, targets))
    return desktop.course.state.due


def settle(desktop: Desktop, policy: PolicyAtWork) -> None:
    """After an event: start or rest the clocks, set the timer for the next step, and have the ticket say what is due."""
    course = desktop.course
    if desktop.held.continued_by is not None or course.progress.opened_at is None:
        return
    targets = _run(desktop, policy)
    steps = _open_steps(course.state, targets)
    course.state = course.state.with_timer(TARGET, steps[0].at if steps else None)
    due = _due(desktop, targets)
    if due != course.state.due and course.state.stage is not Stage.RESOLVED:
        course.state = replace(course.state, due=due)
        written = due.isoformat() if due is not None else ""
        crossing.change(desktop, "due", TicketChange(fields=(("due_at", written),)))


def elapsed(desktop: Desktop, policy: PolicyAtWork, event: TimerElapsed) -> None:
    """A step's moment came: told to its group in a note, and to the supervisors by an alert once the target is missed."""
    course, held = desktop.course, desktop.held
    course.state = course.state.with_timer(TARGET, None)
    now = max(held.now, event.occurred_at or held.now)
    due = [step for step in _open_steps(course.state, _run(desktop, policy)) if step.at <= now]
    if not due:
        return
    course.state = replace(course.state, escalated=(*course.state.escalated, *(step.name for step in due)))
    first = course.state.folded_into
    if first and waits.is_waiting(desktop.connection, first):
        _record(desktop, policy, "clock", due[-1].name, f"Told in conversation {first}, where the same person waits.")
        return
    for number, step in enumerate(due):
        _take(desktop, policy, step, number)


def receipt(desktop: Desktop, policy: PolicyAtWork, event: MessageReceived) -> None:
    """Tell who writes while nobody is at work when somebody is: once in each conversation until then, and once in a period to each person."""
    course, held, wants = desktop.course, desktop.held, policy.book.expectations
    state = course.state
    is_wanted = wants.receipt_out_of_hours and (event.visibility is Visibility.PRIVATE or wants.receipt_in_public)
    if not is_wanted or state.is_monitored or state.stage is not Stage.SOCIAL or held.continued_by is not None:
        return
    now, opens = held.now, crossing.team(desktop, policy).hours.next_open(held.now)
    is_told = state.receipted_until is not None and now < state.receipted_until
    if opens is None or opens <= now or is_told:
        return
    if held.contact_id is not None and waits.was_receipted(desktop.connection, held.contact_id, within=wants.receipt_once_in):
        return
    course.state = replace(state, receipted_at=now, receipted_until=opens)
    crossing.tell(desktop, policy, "receipt", by=opens)
    _record(desktop, policy, "receipt", "out of hours", f"Nobody is at work until {opens:%Y-%m-%d %H:%M} UTC.")


def _run(desktop: Desktop, policy: PolicyAtWork) -> Targets | None:
    """The targets of the clocks that run now; those that must rest rest from now on."""
    course, now = desktop.course, desktop.held.now
    state, went = course.state, course.progress
    facts = _facts(desktop)
    waits_for_us = went.unanswered_since is not None and state.stage not in _RESTING and not state.is_monitored
    if waits_for_us and state.waits_since is None:
        course.state = _woken(state, facts, policy, since=went.unanswered_since or now, now=now)
    elif not waits_for_us and (state.awaited_since is None or state.waits_since is not None):
        course.state = replace(state, waits_since=None, awaited_since=now)
        if state.escalated:
            places.close_alerts(desktop.connection, desktop.held.place, [f"overdue:{desktop.held.id}"])
    state = course.state
    return policy.judge.targets(
        facts,
        sla=state.sla,
        opened_at=went.opened_at or now,
        unanswered_since=state.waits_since,
        rested=timedelta(seconds=state.rested),
    )


def _woken(state: State, facts: Facts, policy: PolicyAtWork, *, since: datetime, now: datetime) -> State:
    """The customer is awaited no more. A place in the queue that was given back does not count what rested meanwhile."""
    rested, awaited = state.rested, state.awaited_since
    if awaited is not None:
        rested += policy.book.hours_of(facts, sla=state.sla).between(awaited, now).total_seconds()
        since = since if since >= awaited else now
    kept = tuple(name for name in state.escalated if name.startswith("resolve"))
    return replace(state, waits_since=since, awaited_since=None, rested=rested, escalated=kept)


def _facts(desktop: Desktop) -> Facts:
    """As much as the clocks go by."""
    held, channel, course = desktop.held, desktop.channel, desktop.course
    return Facts(
        trigger=Trigger.TIMER,
        clock=ClockFacts(now=held.now),
        conversation=ConversationFacts(
            stage=course.state.stage, visibility=held.visibility, agent_replies=course.progress.agent_replies, group=held.ticket_group
        ),
        channel=ChannelFacts(key=channel.key, platform=channel.platform, group=channel.group),
    )


def _due(desktop: Desktop, targets: Targets | None) -> datetime | None:
    """The next moment that was promised to the customer."""
    state = desktop.course.state
    moments = [targets.first_reply_by, targets.next_reply_by, targets.resolve_by] if targets is not None else []
    moments.append(state.promised_by if state.stage in _PROMISING else None)
    return min((moment for moment in moments if moment is not None), default=None)


def _open_steps(state: State, targets: Targets | None) -> list[Due]:
    return [step for step in targets.steps if step.name not in state.escalated] if targets is not None else []


def _take(desktop: Desktop, policy: PolicyAtWork, step: Due, number: int) -> None:
    is_missed = step.share >= 1
    clock = step.clock.replace("_", " ")
    text = f"{step.tell}: " if step.tell else ""
    text += (
        f"The customer waits longer than was promised ({clock}). Answer now, or tell them when you will."
        if is_missed
        else f"{step.share:.0%} of the time for the {clock} have passed. Answer before it is over."
    )
    desktop.commit(crossing.note(desktop, f"target:{number}", text))
    tags = ("cd-overdue",) if is_missed else ()
    if step.priority or step.group or tags:
        crossing.change(desktop, f"target:{number}", TicketChange(group=step.group or None, priority=step.priority or None, add_tags=tags))
    if is_missed:
        held = desktop.held
        places.raise_alert(desktop.connection, held.place, f"overdue:{held.id}", f"Conversation {held.id}: {text}")
    _record(desktop, policy, "clock", step.name, text)


def _record(desktop: Desktop, policy: PolicyAtWork, kind: str, rule: str, reason: str) -> None:
    crossing.record(desktop, policy, NewDecision(event_id=desktop.row.id, kind=kind, rule=rule, reason=reason))
