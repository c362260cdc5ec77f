"""Protection at work: the way to private for who posts personal data in public, and warnings of likely impostors.

What is found in a message is `plugin.policy.safety`'s affair.
"""

from __future__ import annotations

from plugin.contracts.capabilities import Level
from plugin.domain.events import ActionTaken, MessageReceived
from plugin.domain.ids import MessageRef
from plugin.domain.model import Lane, Stage, Visibility
from plugin.handlers import crossing
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.routing import Desktop, Ignored, Routed, Verdict
from plugin.policy import sections
from plugin.policy.facts import MessageFacts
from plugin.policy.safety.findings import TITLES, Kind
from plugin.policy.safety.names import visible
from plugin.policy.texts import Saying
from plugin.store import decisions, evidence
from plugin.store.decisions import NewDecision

WARN = "warn"
_ASKED = "ask to go on in private"


def guard_privacy(desktop: Desktop, policy: PolicyAtWork, event: MessageReceived, found: MessageFacts) -> None:
    """The customer posted personal data where all can read it: hide it, and ask them, once in a conversation, to go on in private."""
    if event.visibility is not Visibility.PUBLIC or found.is_found:
        return
    kinds = [kind for kind in found.personal_data if kind != Kind.ORDER_NUMBER]
    if not kinds:
        return
    told = " and ".join(TITLES[Kind(kind)] for kind in kinds)
    does = []
    safety, state = policy.book.safety, desktop.course.state
    if safety.hide_personal_data and desktop.channel.adapter.capabilities.hides >= Level.PARTIAL:
        payload = {"kind": "hide", "message_ref": event.message_ref, "is_hidden": True, "actor": "The policy"}
        desktop.commit(desktop.wish(Lane.AT_SOCIAL, "hide", payload))
        does.append("hide")
    may_speak = state.stage is Stage.SOCIAL and not state.is_monitored and not event.no_reply
    if safety.ask_private and may_speak and not decisions.was_decided(desktop.connection, desktop.held.id, "privacy", _ASKED):
        crossing.tell(desktop, policy, Saying.PRIVATE)
        does.append(_ASKED)
    if does:
        reason = f"The post has {told} in it."
        crossing.record(
            desktop,
            policy,
            NewDecision(event_id=desktop.row.id, kind="privacy", rule=does[-1], reason=reason, outcome={"did": ", ".join(does)}),
        )


def pressed(desktop: Desktop, event: ActionTaken) -> Verdict:
    """A person warns the thread."""
    policy = desktop.policy
    if policy is None:
        return Ignored(reason="no_policy")
    refused = _warn(desktop, policy, event)
    if refused:
        desktop.commit(crossing.note(desktop, "refused", f"`{event.action}` by {event.actor} was not done: {refused}"))
        outcome = {"refused": "yes", "by": event.actor}
        decision = NewDecision(event_id=desktop.row.id, kind="action", rule=event.action, reason=refused, outcome=outcome)
        crossing.record(desktop, policy, decision)
    return Routed()


def _warn(desktop: Desktop, policy: PolicyAtWork, event: ActionTaken) -> str:
    """One warning for each likely impostor, under what they said."""
    if policy.book.safety.warn is sections.Warning.NEVER:
        return "the policy says that no warnings are posted."
    if desktop.held.visibility is not Visibility.PUBLIC:
        return "this conversation is private; tell the customer in a reply."
    row = evidence.impostor(desktop.connection, desktop.held.id)
    if row is None:
        return "nobody in this thread was taken for an impostor."
    if row.is_warned:
        return "the thread has been warned already."
    handle = f"@{visible(row.handle or row.ref, longest=40)}"
    texts, limits = policy.book.texts, desktop.channel.adapter.capabilities.limits
    language = texts.language(desktop.course.state.language, policy.language)
    words = texts.say(Saying.SCAM, language=language, places={"handle": handle}, limits=limits)
    crossing.tell(desktop, policy, Saying.SCAM, words=words, reply_to=MessageRef(row.message_ref))
    decision = NewDecision(
        event_id=desktop.row.id, kind="warning", rule=WARN, reason=event.reason, outcome={"contact": row.ref, "by": event.actor}
    )
    crossing.record(desktop, policy, decision)
    return ""
