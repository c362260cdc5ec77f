"""The crossover at work: asks the policy, moves the state machine, and turns its orders into wishes. Runs inside a turn's transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from plugin.contracts.capabilities import Capabilities, Level
from plugin.contracts.rulers import CODE_POINTS
from plugin.contracts.splitting import split
from plugin.domain.codec import encode
from plugin.domain.ids import MessageRef
from plugin.domain.model import Lane, Stage, TicketChange, Visibility
from plugin.domain.text import Text
from plugin.handlers import gathering, wording
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.routing import Desktop
from plugin.policy.contract import (
    REVIEW,
    Alarm,
    Broke,
    Change,
    Discard,
    Fired,
    Free,
    Input,
    Note,
    OpenLinked,
    Order,
    Requeue,
    Tell,
)
from plugin.policy.crossover import transition
from plugin.policy.facts import AgentFacts, Facts, MessageFacts, Trigger
from plugin.policy.safety.thread_guard import Likeness
from plugin.policy.saying import NUMBER, say
from plugin.policy.teams import Team
from plugin.policy.texts import Saying
from plugin.policy.verdicts import Broken, Crossover
from plugin.store import conversations, counts, decisions, holds, leads, messages, places
from plugin.store.counts import Counts
from plugin.store.decisions import NewDecision
from plugin.store.intents import NewIntent


def happen(desktop: Desktop, policy: PolicyAtWork, happened: Input, *, facts: Facts | None = None) -> None:
    """One input to the machine: the new state, what was decided, and what is to be done."""
    course = desktop.course
    step = transition(course.state, happened, policy.contract, now=desktop.held.now)
    has_ended = step.state.stage is Stage.RESOLVED and course.state.stage is not Stage.RESOLVED
    course.state = step.state
    if step.decided is not None:
        decided = step.decided
        kept = encode(gathering.kept(facts)) if facts is not None else {}
        record(
            desktop,
            policy,
            NewDecision(
                event_id=desktop.row.id,
                kind=decided.kind,
                rule=decided.rule,
                reason=decided.reason,
                outcome=decided.outcome,
                facts=kept,
                is_broken=decided.is_broken,
            ),
        )
    for order in step.orders:
        _carry_out(desktop, policy, order)
    if has_ended and policy.book.follow_up.learn:
        desktop.commit(note(desktop, "learn", wording.WHAT_SOLVED_IT))


def record(desktop: Desktop, policy: PolicyAtWork, decision: NewDecision) -> None:
    """Keep a decision with the policy that made it."""
    desktop.course.decisions.append(replace(decision, policy=policy.judge.digest))


def gather(
    desktop: Desktop, policy: PolicyAtWork, trigger: Trigger, *, message: MessageFacts | None = None, agent: AgentFacts | None = None
) -> Facts:
    """The facts of this moment."""
    held = desktop.held
    suspicious = frozenset[str]()
    if desktop.course.progress.bystander_messages:
        suspicious = decisions.taken_for(desktop.connection, held.id, Likeness.IMPOSTOR) | desktop.course.impostors
    return gathering.facts(
        trigger=trigger,
        policy=policy,
        channel=desktop.channel,
        held=held,
        state=desktop.course.state,
        progress=desktop.course.progress,
        counts=_counts(desktop),
        message=message,
        agent=agent,
        suspicious_bystanders=len(suspicious),
        fields=desktop.course.ticket_fields,
    )


def _counts(desktop: Desktop) -> Counts:
    """Asked once for a batch: what the contact adds to it is counted on the way."""
    batch, held = desktop.batch, desktop.held
    if batch.counts is None:
        batch.counts = counts.read(desktop.connection, held.place, contact_id=held.contact_id, conversation_id=held.id)
        batch.heard = 0
    return batch.counts.and_heard(batch.heard)


def judge(desktop: Desktop, policy: PolicyAtWork, facts: Facts) -> None:
    """Ask whether the conversation must become formal, while it may."""
    if desktop.held.continued_by is not None:
        return
    verdict = policy.judge.crossover(facts)
    match verdict:
        case Broken():
            happen(desktop, policy, Broke(rule=verdict.rule, problem=verdict.problem), facts=facts)
        case Crossover():
            fired = Fired(verdict=verdict, promised_by=promise(desktop, policy, facts, verdict), group=desktop.held.ticket_group)
            happen(desktop, policy, fired, facts=facts)


def promise(desktop: Desktop, policy: PolicyAtWork, facts: Facts, verdict: Crossover | None = None) -> datetime:
    """When the customer will hear of us: the policy's next step, in the hours of the team that takes over; the SLA's moment where that is sooner."""
    now, went = desktop.held.now, desktop.course.progress
    group = (verdict.group if verdict is not None else "") or policy.contract.group or desktop.held.ticket_group
    answers = policy.book.team_of(group=group, channel=desktop.channel.key, channel_group=desktop.channel.group)
    promised = policy.book.next_step_by(answers, now) or now + policy.book.handoff.next_step
    sla = (verdict.sla if verdict is not None else "") or policy.contract.sla or desktop.course.state.sla
    facts = replace(facts, conversation=replace(facts.conversation, group=group))
    targets = policy.judge.targets(facts, sla=sla, opened_at=went.opened_at or now, unanswered_since=went.unanswered_since) if sla else None
    due = (targets.first_reply_by, targets.next_reply_by) if targets is not None else ()
    return min([promised, *(moment for moment in due if moment is not None and moment > now)])


def plan_review(desktop: Desktop, policy: PolicyAtWork) -> None:
    """Have rules about time asked again: at set times after the opening, and before the reply window shuts."""
    course, held = desktop.course, desktop.held
    state, opened = course.state, course.progress.opened_at
    if state.stage is not Stage.SOCIAL or opened is None or held.continued_by is not None:
        course.state = state.with_timer(REVIEW, None)
        return
    moments = [opened + span for span in policy.contract.reviews]
    window = desktop.channel.adapter.capabilities.limits.reply_window
    if window is not None and held.last_inbound_at is not None:
        moments.append(held.last_inbound_at + timedelta(seconds=window) - policy.contract.window_margin)
    ahead = [moment for moment in moments if moment > held.now]
    course.state = state.with_timer(REVIEW, min(ahead, default=None))


# Orders


def _carry_out(desktop: Desktop, policy: PolicyAtWork, order: Order) -> None:
    connection, held = desktop.connection, desktop.held
    match order:
        case Tell():
            tell(desktop, policy, order.notice)
        case Change():
            change(desktop, order.name, order.change)
        case Note():
            desktop.commit(note(desktop, order.name, order.text))
        case OpenLinked():
            _open_linked(desktop, order)
        case Free():
            holds.free(connection, held.id, is_exception=order.is_exception)
            if order.settles_broken:
                decisions.settle_broken(connection, held.id)
        case Discard():
            if count := holds.discard(connection, held.id):
                which, stay = ("1 held public reply was", "It stays") if count == 1 else (f"{count} held public replies were", "They stay")
                told = f"{which} not sent: the matter is closed. {stay} in this ticket."
                desktop.commit(note(desktop, "discarded", told))
        case Requeue():
            desktop.course.requeue(held.now)
        case Alarm():
            places.raise_alert(connection, held.place, f"{order.code}:{held.id}", f"Conversation {held.id}: {order.text}")


def change(desktop: Desktop, name: str, wanted: TicketChange) -> None:
    """Wish the ticket changed."""
    desktop.commit(desktop.wish(Lane.TO_HELPDESK, f"change:{name}", {"kind": "change", "change": encode(wanted)}))


def note(desktop: Desktop, name: str, text: str) -> NewIntent:
    """A note for the agents, as a wish."""
    return desktop.wish(Lane.TO_HELPDESK, f"note:{name}", {"kind": "note", "text": text})


def _open_linked(desktop: Desktop, order: OpenLinked) -> None:
    """The first ticket says where it goes on, and the formal one is opened; what follows in the lane stands in that."""
    left = "This goes on as a formal ticket that is linked to this one. Answer there: replies in this ticket do not reach the customer any more."
    opened = (
        "This is the formal ticket of a conversation that began on the social channel; the ticket linked to it holds what was said before."
    )
    payload = {"kind": "formal", "text": opened, "group": order.group, "priority": order.priority}
    desktop.commit(
        desktop.wish(Lane.TO_HELPDESK, "note:left", {"kind": "note", "text": left}),
        desktop.wish(Lane.TO_HELPDESK, "change:left", {"kind": "change", "change": encode(TicketChange(is_closed=True))}),
        desktop.wish(Lane.TO_HELPDESK, "formal", payload),
    )


def tell(
    desktop: Desktop,
    policy: PolicyAtWork,
    notice: str,
    *,
    by: datetime | None = None,
    words: str = "",
    secret: str = "",
    reply_to: MessageRef | None = None,
) -> None:
    """Say something to the customer, in their language and as the platform counts, and write it into the ticket.

    `by`: the moment it speaks of. `words`: instead of the text. `secret`: a part of it that is for the customer alone. `reply_to`: below which
    message, if not the customer's last.
    """
    held, state, capabilities = desktop.held, desktop.course.state, desktop.channel.adapter.capabilities
    limits = capabilities.limits
    ruler, most = limits.ruler or CODE_POINTS, limits.text_length
    contact_language = held.contact.language if held.contact is not None else ""
    texts, hours = policy.book.texts, team(desktop, policy).hours
    number = held.ticket_number if held.ticket_number and not policy.contract.is_linked else NUMBER
    language = texts.language(state.language or contact_language, policy.language)
    plain = words or say(
        texts,
        notice,
        state,
        language=language,
        now=held.now,
        zone=hours.zone,
        number=number,
        link=way(desktop, policy),
        limits=limits,
        by=by,
    )
    shown = plain.replace(secret, "••••") if secret else plain
    message_id = messages.create_notice(desktop.connection, held.id, desktop.row.id, plain)
    parts = split(Text(plain), most, ruler) if most is not None else (Text(plain),)
    choices = () if words else capabilities.offered(texts.choices(Saying(notice), language=language), held.visibility)
    answered: str | None = reply_to
    for before in (desktop.row.id + 1, 2**62):
        answered = answered or messages.last_inbound_ref(desktop.connection, held.place, held.id, before_event=before)
    said: dict[str, object] = {"files": [], "reply_to": answered, "parts": len(parts)}
    if NUMBER in plain:
        said |= {"needs_ticket": True, "needs_linked": policy.contract.is_linked}
    desktop.commit(
        *(
            desktop.wish(
                Lane.NOTICES,
                f"say:{notice}",
                {"text": encode(part), "choices": list(choices if part is parts[-1] else ()), **said},
                part=number,
                message_id=message_id,
            )
            for number, part in enumerate(parts)
        ),
        desktop.wish(Lane.TO_HELPDESK, f"note:told:{notice}", {"kind": "note", "text": f"Crossdesk tells the customer:\n{shown}"}),
    )


def way(desktop: Desktop, policy: PolicyAtWork) -> str:
    """How the customer goes on: right here (nothing to say), by private message where the platform has that, else by the signed link to our own page."""
    contract = policy.contract
    if desktop.held.visibility is Visibility.PRIVATE:
        return ""
    has_private = goes_private(desktop.channel.adapter.capabilities)
    if policy.page is not None and contract.page_open_for is not None and (contract.prefers_page or not has_private):
        return policy.page.address(desktop.held.id, expires=desktop.held.now + contract.page_open_for)
    return Saying.DIRECT if has_private else ""


def goes_private(capabilities: Capabilities) -> bool:
    """Whether the platform lets us answer in private."""
    return capabilities.replies_private is not Level.REJECTED and Visibility.PRIVATE in capabilities.visibilities


def has_page(policy: PolicyAtWork) -> bool:
    """Whether customers can go on, on a page of our own."""
    return policy.page is not None and policy.contract.page_open_for is not None


def team(desktop: Desktop, policy: PolicyAtWork) -> Team:
    """Who answers for the ticket."""
    channel = desktop.channel
    return policy.book.team_of(group=desktop.held.ticket_group, channel=channel.key, channel_group=channel.group)


def follow_lead(desktop: Desktop) -> None:
    """A first private message goes into the ticket of the public conversation that a private answer of ours came from, or became formal.

    A private answer is known by the thread that it opened, as the platform told it; never by who seems to write.
    """
    held, course = desktop.held, desktop.course
    if held.visibility is not Visibility.PRIVATE or course.has_ticket or course.progress.customer_messages or held.contact_id is None:
        return
    state = leads.follow_opened(desktop.connection, held.id, held.place, held.thread_key)
    if state is None and desktop.policy is not None:
        state = leads.follow_lead(desktop.connection, held.id, held.contact_id)
    if state is not None:
        course.state, course.has_ticket = state, True
        told = "The customer goes on by private message. Replies go there now; in public nothing more is posted."
        desktop.commit(note(desktop, "followed", told))


def resume_lead(desktop: Desktop) -> None:
    """The private conversation that took the ticket over has ended: this one is its own again."""
    held, course = desktop.held, desktop.course
    if held.continued_by is not None:
        lead = leads.read_lead(desktop.connection, held.continued_by)
        if lead.stage is Stage.RESOLVED:
            conversations.update(desktop.connection, held.id, {"continued_by": None})
            course.state = lead
