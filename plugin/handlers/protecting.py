"""Protection at work: the way to private for who posts personal data in public, scams that end all replies, and warnings of likely impostors.

What is found in a message is `plugin.policy.safety`'s affair.
"""

from __future__ import annotations

from collections.abc import Callable

from plugin.contracts.capabilities import Level
from plugin.domain.events import ActionTaken, MessageReceived
from plugin.domain.ids import MessageRef
from plugin.domain.model import Lane, Stage, Visibility
from plugin.handlers import crossing
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.routing import Desktop, Ignored, Routed, Verdict
from plugin.policy import sections
from plugin.policy.facts import MessageFacts
from plugin.policy.presses import SUPERVISING
from plugin.policy.safety.findings import TITLES, Kind
from plugin.policy.safety.names import visible
from plugin.policy.texts import Saying
from plugin.store import conversations, decisions, evidence, intents
from plugin.store.decisions import NewDecision

SCAM, NO_SCAM, WARN = "scam", "no_scam", "warn"
ACTIONS = (SCAM, NO_SCAM, WARN)
_ASKED = "ask to go on in private"


def guard_privacy(desktop: Desktop, policy: PolicyAtWork, event: MessageReceived, found: MessageFacts) -> None:
    """The customer posted personal data where all can read it: hide it, and ask them, once in a conversation, to go on in private."""
    kinds = [kind for kind in found.personal_data if kind != Kind.ORDER_NUMBER]
    if event.visibility is not Visibility.PUBLIC or not kinds or found.is_found:
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
    """A person marked a conversation as a scam or took that back, or warns the thread."""
    policy = desktop.policy
    if policy is None:
        return Ignored(reason="no_policy")
    refused = _PRESSES[event.action](desktop, policy, event)
    if refused:
        desktop.commit(crossing.note(desktop, "refused", f"`{event.action}` by {event.actor} was not done: {refused}"))
        outcome = {"refused": "yes", "by": event.actor}
        decision = NewDecision(event_id=desktop.row.id, kind="action", rule=event.action, reason=refused, outcome=outcome)
        crossing.record(desktop, policy, decision)
    return Routed()


def _mark(desktop: Desktop, policy: PolicyAtWork, event: ActionTaken) -> str:
    if not event.reason.strip():
        return "say why, so that the reason stands in the ledger."
    conversations.update(desktop.connection, desktop.held.id, {"is_scam": True})
    stops = policy.book.safety.scam_stops_replies
    told = "Nothing leaves for the platform any more, neither replies nor notices, until a supervisor takes the mark back." if stops else ""
    return _done(desktop, policy, event, f"{event.actor} marked this as a scam: {event.reason} {told}".strip())


def _clear(desktop: Desktop, policy: PolicyAtWork, event: ActionTaken) -> str:
    if event.role not in SUPERVISING:
        return "only a supervisor may do this."
    if not event.reason.strip():
        return "say why, so that the reason stands in the ledger."
    conversations.update(desktop.connection, desktop.held.id, {"is_scam": False})
    intents.free(desktop.connection, desktop.held.id, is_exception=False)
    return _done(
        desktop, policy, event, f"{event.actor} says that this is no scam: {event.reason} Replies that waited are asked about again."
    )


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


def _done(desktop: Desktop, policy: PolicyAtWork, event: ActionTaken, told: str) -> str:
    desktop.commit(crossing.note(desktop, event.action, told))
    outcome = {"by": event.actor}
    decision = NewDecision(event_id=desktop.row.id, kind="action", rule=event.action, reason=event.reason, outcome=outcome)
    crossing.record(desktop, policy, decision)
    return ""


_PRESSES: dict[str, Callable[[Desktop, PolicyAtWork, ActionTaken], str]] = {SCAM: _mark, NO_SCAM: _clear, WARN: _warn}
