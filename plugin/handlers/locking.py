"""The agents' lock at work: presses, replies, assignments and native answers take, prolong, give back and break it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from plugin.contracts.helpdesk import TakesLock
from plugin.domain.codec import decode, encode
from plugin.domain.events import ActionTaken, ArticleAdded, TicketChanged
from plugin.domain.model import Lane, Visibility
from plugin.handlers import crossing, judging
from plugin.handlers.agents import author, presser
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.routing import Desktop, Routed, Verdict
from plugin.policy import locks
from plugin.policy.locks import Agent, Turned
from plugin.policy.sections import NativeAnswer
from plugin.store import holds, places
from plugin.store.decisions import NewDecision


def stamps(desktop: Desktop, policy: PolicyAtWork, event: ArticleAdded) -> dict[str, Any]:
    """A reply takes the lock if that is free, and carries its fence: `fence` where the gate shall ask for it, else `under`."""
    course, rules = desktop.course, policy.book.locks
    course.lock, fence = locks.write(course.lock, author(event), now=desktop.held.now, lease=rules.lease)
    is_asked = rules.needs_lock and desktop.held.visibility is Visibility.PUBLIC
    return {"agent": encode(author(event)), ("fence" if is_asked else "under"): fence}


def assigned(desktop: Desktop, policy: PolicyAtWork, event: TicketChanged) -> None:
    """The ticket was given to somebody, who is meant to answer; or somebody writes in it by the helpdesk's own lock, which is ours, too."""
    course, lease = desktop.course, policy.book.locks.lease
    adapter, now = desktop.desk.adapter, desktop.held.now
    if isinstance(adapter, TakesLock) and not adapter.locks_by_owner:
        lock = course.lock
        is_free = lock.holder_at(now) is None or lock.is_found or lock.is_assigned
        if event.answering and is_free and event.answering.casefold() != lock.there.casefold():
            course.lock = locks.found(lock, Agent(ref=event.answering), now=now, lease=lease)
        elif not event.answering:
            course.lock = locks.let_go(lock)
    if event.owner and event.owner != desktop.held.ticket_owner and desktop.held.continued_by is None:
        who = Agent(ref=event.owner, name=event.owner)
        course.lock = locks.take(course.lock, who, now=desktop.held.now, lease=lease, is_assigned=True).lock


def answered_natively(desktop: Desktop, policy: PolicyAtWork) -> None:
    """Our own account answered on the platform itself, past the lock."""
    course, now, rules = desktop.course, desktop.held.now, policy.book.locks
    holder = course.lock.holder_at(now)
    if holder is None:
        return
    takes = rules.native_answer is NativeAnswer.TAKE
    by = Agent(name=f"our own account on {desktop.channel.platform_name}") if takes else None
    course.lock = locks.break_open(course.lock, now=now, by=by, lease=rules.lease)
    text = (
        f"Somebody answered on {desktop.channel.platform_name} itself while {holder} had the lock. The lock is "
        f"{'theirs now' if takes else 'broken'}, and what {holder} wrote and has not left yet is kept. Look at the answer, then press `take_lock`."
    )
    _tell(desktop, "native-lock", text)
    places.raise_alert(desktop.connection, desktop.place, f"lock:{desktop.held.id}", f"Conversation {desktop.held.id}: {text}")
    _record(desktop, policy, rule="native", reason=text, outcome={"lock": rules.native_answer.value, "from": str(holder)})


def pressed(desktop: Desktop, policy: PolicyAtWork, event: ActionTaken) -> Verdict:
    """Somebody wants the lock, takes it over or gives it back."""
    course, now = desktop.course, desktop.held.now
    former = course.lock.holder_at(now)
    turned = _turn(desktop, policy, event)
    course.lock = turned.lock
    if turned.refused:
        if event.action != "take_lock" or event.event_key.startswith(judging.FIELD):
            _tell(desktop, "refused", f"`{event.action}` by {event.actor} was not done: {turned.refused}")
        _record(desktop, policy, rule=event.action, reason=turned.refused, outcome={"refused": "yes", "by": event.actor})
        return Routed()
    holder = turned.lock.holder_at(now)
    if holder is not None:
        _renew_replies(desktop, holder)
    if event.action == "take_over" and former is not None and holder is not None and not former.is_same(holder):
        why = f": {event.reason}" if event.reason.strip() else "."
        _tell(desktop, "take_over", f"{holder} took the lock over from {former}{why}")
    outcome = {"lock": "free" if holder is None else str(holder), "by": event.actor}
    if holder is not None:
        outcome |= {"until": locks.until(turned.lock), "fence": str(turned.lock.fence)}
    _record(desktop, policy, rule=event.action, reason=event.reason, outcome=outcome)
    return Routed()


def _turn(desktop: Desktop, policy: PolicyAtWork, event: ActionTaken) -> Turned:
    lock, rules, now, who = desktop.course.lock, policy.book.locks, desktop.held.now, presser(event)
    if event.action == "release_lock":
        return locks.give_back(lock, who, now=now, role=event.role)
    if event.action == "take_over":
        return locks.take_over(lock, who, now=now, lease=rules.lease, reason=event.reason, needs_reason=rules.needs_reason)
    # A press by the ticket's field may know the owner alone, as an assignment does.
    is_assigned = event.event_key.startswith(judging.FIELD) and not who.ref
    return locks.take(lock, who, now=now, lease=rules.lease, is_assigned=is_assigned)


def _renew_replies(desktop: Desktop, holder: Agent) -> None:
    """What the new holder wrote while another had the lock stands under theirs now, and leaves."""
    lock, wishes = desktop.course.lock, desktop.batch.wishes

    def is_theirs(payload: Mapping[str, Any]) -> bool:
        return "fence" in payload and not lock.is_good(payload["fence"]) and decode(Agent, payload["agent"]).is_same(holder)

    mine = {row.event_id for row in holds.waiting_replies(desktop.connection, desktop.held.id) if is_theirs(row.payload)}
    holds.put_under(desktop.connection, desktop.held.id, sorted(mine), fence=lock.fence)
    # And what was routed a moment ago, in this very batch.
    wishes[:] = [replace(wish, payload={**wish.payload, "fence": lock.fence}) if is_theirs(wish.payload) else wish for wish in wishes]


def _tell(desktop: Desktop, name: str, text: str) -> None:
    desktop.commit(desktop.wish(Lane.TO_HELPDESK, f"note:{name}", {"kind": "note", "text": text}))


def _record(desktop: Desktop, policy: PolicyAtWork, *, rule: str, reason: str, outcome: dict[str, str]) -> None:
    crossing.record(desktop, policy, NewDecision(event_id=desktop.row.id, kind="lock", rule=rule, reason=reason, outcome=outcome))
