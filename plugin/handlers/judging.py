"""When the policy is asked, and what each event means to the crossover: messages, reactions, replies, the ticket's data, presses and timers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from plugin.contracts.helpdesk import NamesPresser
from plugin.domain.codec import encode
from plugin.domain.events import ActionTaken, ArticleAdded, MessageReceived, Presser, ReactionChanged, TicketChanged, TimerElapsed
from plugin.domain.model import Lane, Origin, Stage, TicketChange, Visibility
from plugin.handlers import approving, crossing, gathering, promising
from plugin.handlers.crossing import happen
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.introducing import DESCRIBED
from plugin.handlers.routing import Desktop, Ignored, Routed, Verdict
from plugin.policy import approvals, words
from plugin.policy.contract import POSTPONED, REVIEW, TARGET, Broke, Changed, Elapsed, Pressed, Replied, Spoke, State, Word, takes_score
from plugin.policy.facts import MessageFacts, Trigger
from plugin.policy.verdicts import Broken, Filtered, Participation, Routing
from plugin.store import conversations, holds, intake, intents, loads
from plugin.store.decisions import NewDecision
from plugin.store.intake import Arrival

FIELD = "crossdesk:field:"
"""Begins the key of a press that came by the ticket's own field."""
PROMOTED = "promoted"
"""The reason of an event that was filtered and that a person wants as a ticket all the same."""
_IDLE = frozenset({"", "idle", "none", "-"})
_BY_SUPERVISORS_ALONE = frozenset({"close"})
"""Commands of the ticket's field that the helpdesk lets none but supervisors choose."""


def noise(desktop: Desktop, policy: PolicyAtWork, found: MessageFacts) -> str | None:
    """The rule by which a message becomes no ticket, None when it does. A rule that cannot be judged filters nothing."""
    if desktop.course.has_ticket or desktop.row.reason == PROMOTED:
        return None
    facts = crossing.gather(desktop, policy, Trigger.MESSAGE, message=found)
    verdict = policy.judge.filter(facts)
    match verdict:
        case Broken():
            happen(desktop, policy, Broke(rule=verdict.rule, problem=verdict.problem), facts=facts)
        case Filtered():
            decision = NewDecision(
                event_id=desktop.row.id,
                kind="filter",
                rule=verdict.rule,
                reason=verdict.reason,
                facts=encode(gathering.kept(facts)),
            )
            crossing.record(desktop, policy, decision)
            return verdict.rule
    return None


def file_by(desktop: Desktop, policy: PolicyAtWork, event: MessageReceived, found: MessageFacts) -> dict[str, Any]:
    """What the message's own wish must know: where a new ticket goes, and whether an old one is opened again."""
    _begin_anew(desktop, policy, event)
    promising.fold(desktop, policy)
    payload: dict[str, Any] = {}
    if _says_no_more(desktop.course.state, policy, event, desktop.held.now):
        payload["reopen"] = False
    if desktop.held.ticket_ref is None and not desktop.course.has_ticket:
        payload |= _route(desktop, policy, found)
    return payload


def _begin_anew(desktop: Desktop, policy: PolicyAtWork, event: MessageReceived) -> None:
    """Where late messages open tickets of their own, always or after so long, each ticket is a matter of its own."""
    course, held, now = desktop.course, desktop.held, desktop.held.now
    within, ended = policy.contract.reopens_within, course.state.ended_at
    if not held.ticket_closed or _says_no_more(course.state, policy, event, now):
        return
    is_late = within is not None and ended is not None and now > ended + within
    if is_late and held.continued_by is None and not intents.has_unsettled(desktop.connection, held.id, (Lane.TO_HELPDESK,)):
        left = {"former_ticket_ref": held.ticket_ref, "ticket_ref": None, "article_cursor": None, "ticket_closed": False}
        conversations.update(desktop.connection, held.id, left)
        desktop.held = replace(held, former_ticket_ref=held.ticket_ref, ticket_ref=None, article_cursor=None, ticket_closed=False)
        course.begin_anew(now)
        course.has_ticket = False
        reason = "The customer wrote again so long after the end that it is a new matter."
        decision = NewDecision(event_id=desktop.row.id, kind="answer", rule="new matter", reason=reason)
        crossing.record(desktop, policy, decision)
    elif desktop.channel.late != "reopen" and course.state.stage is Stage.RESOLVED:
        course.begin_anew(now)


def _says_no_more(state: State, policy: PolicyAtWork, event: MessageReceived, now: datetime) -> bool:
    plain = event.text.plain
    if state.stage is Stage.RESOLVED:
        has_scored = takes_score(state, policy.contract, now) and words.score(plain) is not None
        return has_scored or words.meaning(plain) in {Word.THANKS, Word.YES}
    return state.stage is Stage.CONFIRMING and words.meaning(plain) in {Word.THANKS, Word.YES}


def _route(desktop: Desktop, policy: PolicyAtWork, found: MessageFacts) -> dict[str, Any]:
    facts = crossing.gather(desktop, policy, Trigger.MESSAGE, message=found)
    routing, broken = policy.judge.route(facts)
    for item in broken:
        happen(desktop, policy, Broke(rule=item.rule, problem=item.problem), facts=facts)
    course = desktop.course
    waits = routing.participation is Participation.STEP_IN
    is_monitored = routing.participation is Participation.MONITOR or waits
    course.state = replace(course.state, is_monitored=is_monitored, waits_to_step_in=waits)
    if not found.is_bystander:
        _step_in(desktop, found)
    course.state = replace(course.state, sla=routing.sla, overtakes=routing.overtakes)
    routing = _assign(desktop, routing)
    if routing.rules and course.progress.customer_messages <= 1:
        crossing.record(
            desktop,
            policy,
            NewDecision(
                event_id=desktop.row.id,
                kind="route",
                rule=routing.rules[0],
                reason=", ".join(routing.rules) + _without_room(routing),
                outcome=encode(routing),
                facts=encode(gathering.kept(facts)),
            ),
        )
    if routing.overtakes:
        reason = "It goes before others that have waited longer."
        crossing.record(desktop, policy, NewDecision(event_id=desktop.row.id, kind="overtake", rule=routing.overtakes, reason=reason))
    due = promising.due_at_opening(desktop, policy)
    if due is not None:
        routing = replace(routing, fields=(*routing.fields, ("due_at", due.isoformat())))
    return {"routing": encode(routing)} if routing.rules or due is not None else {}


def _assign(desktop: Desktop, routing: Routing) -> Routing:
    """By skill and capacity: of those who can do it, whoever has the fewest open tickets; nobody when all have as many as they may."""
    if not routing.owners:
        return routing
    has = loads.open_tickets(desktop.connection, desktop.channel.helpdesk, routing.owners)
    free = [owner for owner, count in has.items() if not routing.capacity or count < routing.capacity]
    return replace(routing, owner=min(free, key=has.__getitem__, default=""))


def _without_room(routing: Routing) -> str:
    if routing.owner or not routing.owners:
        return ""
    return f"; none of {', '.join(routing.owners)} has room for more than {routing.capacity}, so nobody owns it yet"


def _step_in(desktop: Desktop, found: MessageFacts | None) -> None:
    """Where we answer only when asked: somebody speaks to us, gives wrong advice, or a rule made it ours."""
    course = desktop.course
    is_asked = found is not None and not found.is_found and not found.is_bystander
    if course.state.waits_to_step_in and (is_asked or course.impostors or course.state.stage is not Stage.SOCIAL or course.state.offered):
        course.state = replace(course.state, is_monitored=False, waits_to_step_in=False)
        holds.free(desktop.connection, desktop.held.id, is_exception=False)


def said(desktop: Desktop, policy: PolicyAtWork, event: MessageReceived, found: MessageFacts, *, is_bystander: bool) -> None:
    """Somebody spoke and it is filed: an answer to what we asked, or something that a rule fires on."""
    course = desktop.course
    if not is_bystander:
        if found.language and found.language != course.state.language:
            course.state = replace(course.state, language=found.language)
        plain = event.text.plain
        spoke = Spoke(is_public=event.visibility is Visibility.PUBLIC, word=words.meaning(plain), score=words.score(plain))
        crossing.resume_lead(desktop)
        happen(desktop, policy, spoke)
    _judge(desktop, policy, Trigger.MESSAGE, message=found)
    _step_in(desktop, found)
    if not is_bystander:
        promising.receipt(desktop, policy, event)
    promising.settle(desktop, policy)


def _judge(desktop: Desktop, policy: PolicyAtWork, trigger: Trigger, *, message: MessageFacts | None = None) -> None:
    state = desktop.course.state
    if state.stage is Stage.SOCIAL or state.is_light:
        crossing.judge(desktop, policy, crossing.gather(desktop, policy, trigger, message=message))
    crossing.plan_review(desktop, policy)


def reacted(desktop: Desktop, policy: PolicyAtWork, event: ReactionChanged, *, direction: str) -> None:
    """The customer's reaction to what Crossdesk said may be an answer."""
    contact = desktop.held.contact
    if event.added and direction == "notice" and contact is not None and contact.ref == event.author.ref:
        word = words.of_sign(event.emoji)
        is_public = desktop.held.visibility is Visibility.PUBLIC
        happen(desktop, policy, Spoke(is_public=is_public, word=word, is_reaction=True))
        promising.settle(desktop, policy)


def replied(desktop: Desktop, policy: PolicyAtWork, event: ArticleAdded, *, parts: Sequence[str], answers: str | None) -> None:
    """An agent wrote a reply, which the gate sees after this. `parts` is what will be posted, `answers` the message that it answers."""
    happen(desktop, policy, Replied())
    found = gathering.of_reply(policy, event, desktop.held.visibility)
    facts = crossing.gather(desktop, policy, Trigger.REPLY, message=found, agent=gathering.of_agent(policy, event))
    approving.ask(desktop, policy, event, facts, parts=parts, answers=answers)
    if desktop.course.state.stage is Stage.SOCIAL or desktop.course.state.is_light:
        crossing.judge(desktop, policy, facts)
    crossing.plan_review(desktop, policy)
    promising.settle(desktop, policy)


def ticket_changed(desktop: Desktop, policy: PolicyAtWork, event: TicketChanged, *, closed: bool | None) -> None:
    """The ticket's data: closed or opened by somebody, required fields, and the command slot."""
    fields = dict(event.fields)
    if desktop.held.continued_by is not None:
        return
    is_complete = _is_complete(policy, fields)
    happen(desktop, policy, Changed(closed=closed, is_complete=is_complete))
    if closed is not None:
        desktop.course.state = replace(desktop.course.state, ended_at=desktop.held.now if closed else None)
    _read_slot(desktop, policy, event, fields)
    if fields.get(gathering.TAGS, "") != desktop.held.ticket_fields.get(gathering.TAGS, ""):
        _judge(desktop, policy, Trigger.ACTION)
    promising.settle(desktop, policy)


def _is_complete(policy: PolicyAtWork, fields: dict[str, str]) -> bool:
    return all(fields.get(name, "").strip() for name in policy.contract.required_fields)


def _read_slot(desktop: Desktop, policy: PolicyAtWork, event: TicketChanged, fields: dict[str, str]) -> None:
    """A command that an agent chose in the ticket becomes a press, once, and the slot is emptied. It is read again when that was done."""
    command, course = fields.get("action", "").strip().casefold(), desktop.course
    if command in _IDLE or course.state.slot:
        return
    who = event.presser or Presser()
    known = (("agent_ref", who.ref), ("groups", ",".join(who.groups)))
    pressed = ActionTaken(
        event_key=f"{FIELD}{desktop.held.id}:{event.event_key}",
        occurred_at=desktop.held.now,
        action=command,
        actor=who.name or who.ref or event.owner or "an agent",
        role="supervisor" if _is_supervisor(desktop, policy, event, command) else "agent",
        reason=fields.get("reason", "").strip(),
        arguments=tuple((name, value) for name, value in known if value),
    )
    intake.insert_for_conversation(desktop.connection, desktop.place, desktop.held.id, [Arrival(event=pressed, origin=Origin.ACTION)])
    # What is written in the same save is routed next.
    course.state = replace(course.state, slot=command, wants_approval=course.state.wants_approval or command == "request_approval")
    crossing.change(desktop, "reset", TicketChange(fields=(("action", ""), ("reason", ""))))


def _is_supervisor(desktop: Desktop, policy: PolicyAtWork, event: TicketChanged, command: str) -> bool:
    """Whether whoever filled the slot supervises: by the policy's group, or by the role that setting the helpdesk up has made."""
    if event.presser is not None:
        return event.presser.is_supervisor or policy.book.people.supervisors in {*event.presser.groups} - {""}
    return command in _BY_SUPERVISORS_ALONE and not isinstance(desktop.desk.adapter, NamesPresser)


def action_taken(desktop: Desktop, event: ActionTaken) -> Verdict:
    """A person pressed something."""
    policy = desktop.policy
    if policy is None:
        text = (
            f"`{event.action}` by {event.actor} was not done: there is no policy in crossdesk.toml. Write one with `crossdesk policy new`."
        )
        desktop.commit(desktop.wish(Lane.TO_HELPDESK, "note:refused", {"kind": "note", "text": text}))
        return Routed()
    facts = crossing.gather(desktop, policy, Trigger.ACTION)
    pressed = Pressed(
        action=event.action,
        actor=event.actor,
        role=event.role,
        reason=event.reason,
        arguments=dict(event.arguments),
        promised_by=crossing.promise(desktop, policy, facts),
        group=desktop.held.ticket_group,
        is_complete=_is_complete(policy, dict(desktop.held.ticket_fields)),
    )
    happen(desktop, policy, pressed, facts=facts)
    _step_in(desktop, None)
    crossing.plan_review(desktop, policy)
    promising.settle(desktop, policy)
    return Routed()


def timer_elapsed(desktop: Desktop, event: TimerElapsed) -> Verdict:
    """A moment came for which the conversation waited. One that was replaced counts for nothing."""
    policy, course = desktop.policy, desktop.course
    if policy is not None and event.name == approvals.TIMER:
        return approving.elapsed(desktop, policy, event)
    if policy is not None and event.name == DESCRIBED:
        _judge(desktop, policy, Trigger.TIMER)
        promising.settle(desktop, policy)
        return Routed()
    if policy is None or event.occurred_at is None or course.state.timer(event.name) != event.occurred_at:
        return Ignored(reason="replaced")
    if event.name == TARGET:
        promising.elapsed(desktop, policy, event)
        promising.settle(desktop, policy)
        return Routed()
    facts = crossing.gather(desktop, policy, Trigger.TIMER)
    happen(desktop, policy, Elapsed(name=event.name, at=event.occurred_at), facts=facts)
    if event.name in {REVIEW, POSTPONED}:
        _judge(desktop, policy, Trigger.TIMER)
    else:
        crossing.plan_review(desktop, policy)
    promising.settle(desktop, policy)
    return Routed()


def slot_read_again(desktop: Desktop) -> None:
    """The slot was emptied by us; whatever stands in it from now on is a new command."""
    if desktop.course.state.slot:
        desktop.course.state = replace(desktop.course.state, slot="")


def keep_ticket(desktop: Desktop, event: TicketChanged) -> None:
    """What the ticket says of itself, for the facts."""
    held = desktop.held
    desktop.course.ticket_fields = dict(event.fields)
    if (event.owner, event.group, dict(event.fields)) != (held.ticket_owner, held.ticket_group, dict(held.ticket_fields)):
        conversations.keep_ticket(desktop.connection, held.id, owner=event.owner, group=event.group, fields=dict(event.fields))
