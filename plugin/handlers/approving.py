"""Approval at work: asks the policy when a reply is routed, and does what approvers, authors and deadlines decide. Runs inside a turn's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from plugin.domain.codec import decode
from plugin.domain.events import ActionTaken, ArticleAdded, TimerElapsed
from plugin.domain.model import Lane
from plugin.domain.text import Text
from plugin.handlers import crossing
from plugin.handlers.agents import author, groups, presser
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.routing import Desktop, Ignored, Routed, Verdict
from plugin.policy import approvals
from plugin.policy.approvals import Candidate
from plugin.policy.contract import Broke
from plugin.policy.facts import Facts
from plugin.policy.locks import Agent
from plugin.policy.verdicts import ApprovalNeeded, Broken
from plugin.store import holds, intents, places
from plugin.store.decisions import NewDecision

RECALL = "recall"
REQUEST = "request"
"""The rule's name of an approval that an agent asked for."""


def ask(desktop: Desktop, policy: PolicyAtWork, event: ArticleAdded, facts: Facts, *, parts: Sequence[str], answers: str | None) -> None:
    """Whether this reply needs a second person; if so, who that may be is told with what will be posted."""
    verdict = policy.judge.approval(facts)
    if verdict is None and desktop.course.state.wants_approval:
        verdict = _requested(policy, "An agent asked for it.")
    match verdict:
        case Broken():
            crossing.happen(desktop, policy, Broke(rule=verdict.rule, problem=verdict.problem), facts=facts)
        case ApprovalNeeded() if parts:
            desktop.course.state = replace(desktop.course.state, wants_approval=False)
            _wait(desktop, policy, verdict, number=desktop.row.id, writer=author(event), parts=parts, answers=answers)


def request(desktop: Desktop, policy: PolicyAtWork, *, by: str) -> int | None:
    """The newest reply that has not left waits for a second person now; its number, or None where there is none."""
    waiting = holds.waiting_replies(desktop.connection, desktop.held.id)
    newest = max((row.event_id for row in waiting if "agent" in row.payload), default=None)
    if newest is None:
        found = max((item.number for item in desktop.course.candidates), default=None)
        return found if found in {wish.event_id for wish in desktop.batch.wishes} else None
    rows = [row for row in waiting if row.event_id == newest]
    if any(row.part > 0 for row in rows[:1]):
        return None
    if approvals.find(desktop.course.candidates, newest) is None:
        parts = [decode(Text, row.payload["text"]).plain for row in rows]
        verdict, writer = _requested(policy, f"{by} asked for it."), decode(Agent, rows[0].payload["agent"])
        _wait(desktop, policy, verdict, number=newest, writer=writer, parts=parts, answers=rows[0].payload.get("reply_to"))
    return int(newest)


def _requested(policy: PolicyAtWork, reason: str) -> ApprovalNeeded:
    """What an agent's own wish for a second person comes to: asked are the approvers of the first rule, else supervisors alone."""
    rules = policy.book.approval_rules
    approvers = rules[0].outcome.approvers if rules else policy.book.people.supervisors
    within = rules[0].outcome.within if rules else timedelta(minutes=30)
    return ApprovalNeeded(rule=REQUEST, reason=reason, approvers=approvers or "the supervisors", within=within)


def _wait(
    desktop: Desktop,
    policy: PolicyAtWork,
    verdict: ApprovalNeeded,
    *,
    number: int,
    writer: Agent,
    parts: Sequence[str],
    answers: str | None,
) -> None:
    candidate = Candidate(
        number=number,
        author=writer,
        rule=verdict.rule,
        reason=verdict.reason,
        approvers=verdict.approvers,
        within=verdict.within.total_seconds(),
        deadline=desktop.held.now + verdict.within,
        next_approvers=policy.book.next_approvers(verdict.rule),
        needs_four_eyes=verdict.needs_four_eyes,
        holding_line=verdict.holding_line,
        answers=answers or "",
    )
    desktop.course.candidates = (*desktop.course.candidates, candidate)
    shown = approvals.preview(parts, desktop.channel.platform_name)
    _tell(desktop, "approval", f"Not sent yet: {approvals.why_held(candidate)}\n{shown}")
    _record(desktop, policy, candidate, rule=verdict.rule, reason=verdict.reason, asked=verdict.approvers)


def pressed(desktop: Desktop, policy: PolicyAtWork, event: ActionTaken) -> Verdict:
    """Somebody approves, rejects or recalls a reply."""
    named = dict(event.arguments)
    who = presser(event)
    reply = named.get("reply", "")
    number = int(reply) if reply.isascii() and reply.isdecimal() else None
    if event.action == RECALL:
        return _recall(desktop, policy, event, who, number)
    _forget_ended(desktop)
    ruled = approvals.press(
        desktop.course.candidates, event.action, who, role=event.role, groups=groups(event), reason=event.reason, number=number
    )
    if ruled.candidate is None:
        return _refuse(desktop, policy, event, ruled.refused)
    desktop.course.candidates = ruled.left
    candidate = ruled.candidate
    why = f": {event.reason}" if event.reason.strip() else "."
    if event.action == "reject":
        draft = _withdraw(desktop, candidate.number)
        text = f"{event.actor} rejected reply {candidate.number} by {candidate.author}{why} It was not sent. Change it and send it again. The draft:\n{draft}"
        _tell(desktop, "rejected", text)
    else:
        _tell(desktop, "approved", f"{event.actor} approved reply {candidate.number} by {candidate.author}{why}")
    _record(desktop, policy, candidate, rule=event.action, reason=event.reason, by=event.actor)
    return Routed()


def elapsed(desktop: Desktop, policy: PolicyAtWork, event: TimerElapsed) -> Verdict:
    """Nobody decided in time: the customer hears so, once, and the next approvers are asked."""
    if approvals.deadline(desktop.course.candidates) != event.occurred_at or event.occurred_at is None:
        return Ignored(reason="replaced")
    _forget_ended(desktop)
    lapsed = approvals.lapse(desktop.course.candidates, now=max(desktop.held.now, event.occurred_at))
    desktop.course.candidates = lapsed.left
    if lapsed.tells is not None and not desktop.course.state.holds_public:
        crossing.tell(desktop, policy, "holding", words=lapsed.tells.holding_line)
    for candidate in lapsed.asked_on:
        _tell(desktop, f"late:{candidate.number}", f"Nobody decided in time. {approvals.why_held(candidate)}")
        _record(desktop, policy, candidate, rule="late", reason="Nobody decided in time.", asked=candidate.approvers)
    for candidate in lapsed.given_up:
        text = f"Nobody decided in time, and nobody further is named. {approvals.why_held(candidate)}"
        _tell(desktop, f"late:{candidate.number}", text)
        places.raise_alert(desktop.connection, desktop.place, f"approval:{desktop.held.id}", f"Conversation {desktop.held.id}: {text}")
        _record(desktop, policy, candidate, rule="late", reason="Nobody decided in time.", asked="")
    return Routed()


def _recall(desktop: Desktop, policy: PolicyAtWork, event: ActionTaken, who: Agent, number: int | None) -> Verdict:
    """A reply that has not left is taken back, whatever it waits for."""
    waiting = {row.event_id: row for row in reversed(holds.waiting_replies(desktop.connection, desktop.held.id)) if "agent" in row.payload}
    theirs = [
        row.event_id
        for row in waiting.values()
        if number in {None, row.event_id} and approvals.may_recall(decode(Agent, row.payload["agent"]), who, role=event.role)
    ]
    if len(theirs) != 1:
        known = ", ".join(str(number) for number in sorted(waiting)) or "none"
        return _refuse(desktop, policy, event, f"name one reply that waits and is your own, or be a supervisor. Waiting: {known}.")
    row = waiting[theirs[0]]
    if row.part > 0:
        return _refuse(desktop, policy, event, f"a part of reply {row.event_id} is on the platform already; the rest follows.")
    draft = _withdraw(desktop, row.event_id)
    desktop.course.candidates = approvals.without(desktop.course.candidates, {row.event_id})
    _tell(desktop, "recalled", f"{event.actor} took reply {row.event_id} back. It was not sent. The draft:\n{draft}")
    outcome = {"reply": str(row.event_id), "by": event.actor}
    crossing.record(
        desktop, policy, NewDecision(event_id=desktop.row.id, kind="approval", rule=RECALL, reason=event.reason, outcome=outcome)
    )
    return Routed()


def _withdraw(desktop: Desktop, number: int) -> str:
    """The reply never leaves; returns its words as they would have been posted."""
    wishes = desktop.batch.wishes
    unborn = [wish for wish in wishes if wish.event_id == number and wish.lane == Lane.TO_SOCIAL]
    wishes[:] = [wish for wish in wishes if wish not in unborn]
    rows = holds.withdraw(desktop.connection, desktop.held.id, [number])
    payloads = [*(row.payload for row in rows), *(wish.payload for wish in unborn)]
    return "\n".join(decode(Text, payload["text"]).plain for payload in payloads)


def _forget_ended(desktop: Desktop) -> None:
    """Replies that ended otherwise (the matter was closed, say) wait for nobody."""
    gone = [item.number for item in desktop.course.candidates if not intents.is_open(desktop.connection, item.number, "reply")]
    own = {wish.event_id for wish in desktop.batch.wishes}
    desktop.course.candidates = approvals.without(desktop.course.candidates, set(gone) - own)


def _refuse(desktop: Desktop, policy: PolicyAtWork, event: ActionTaken, why: str) -> Verdict:
    _tell(desktop, "refused", f"`{event.action}` by {event.actor} was not done: {why}")
    outcome = {"refused": "yes", "by": event.actor}
    crossing.record(desktop, policy, NewDecision(event_id=desktop.row.id, kind="approval", rule=event.action, reason=why, outcome=outcome))
    return Routed()


def _tell(desktop: Desktop, name: str, text: str) -> None:
    warns = {"warns": True} if name == "approval" else {}
    desktop.commit(desktop.wish(Lane.TO_HELPDESK, f"note:{name}", {"kind": "note", "text": text, **warns}))


def _record(desktop: Desktop, policy: PolicyAtWork, candidate: Candidate, *, rule: str, reason: str, **outcome: str) -> None:
    within = str(timedelta(seconds=candidate.within))
    kept = {"reply": str(candidate.number), "author": str(candidate.author), "within": within, **outcome}
    crossing.record(desktop, policy, NewDecision(event_id=desktop.row.id, kind="approval", rule=rule, reason=reason, outcome=kept))
