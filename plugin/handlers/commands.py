"""What agents ask of a conversation besides the crossover: going on in private, the mark of a scam, sending again, a second person's eyes.

Runs inside a turn's transaction. A press that cannot be done changes nothing and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from plugin.domain.events import ActionTaken
from plugin.domain.model import TicketChange, Visibility
from plugin.handlers import approving, crossing
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.routing import Desktop, Routed, Verdict
from plugin.policy.presses import SUPERVISING
from plugin.policy.texts import Saying
from plugin.store import conversations, holds, replies
from plugin.store.decisions import NewDecision

REQUEST_APPROVAL = "request_approval"
SCAM_TAG = "cd-scam"
_SAY_WHY = "say why, so that the reason stands in the ledger."


def pressed(desktop: Desktop, policy: PolicyAtWork, event: ActionTaken) -> Verdict:
    """Do what was pressed, or say why not."""
    refused = _COMMANDS[event.action](desktop, policy, event)
    if refused:
        desktop.commit(crossing.note(desktop, "refused", f"`{event.action}` by {event.actor} was not done: {refused}"))
    outcome = {"by": event.actor, **({"refused": "yes"} if refused else {})}
    decision = NewDecision(event_id=desktop.row.id, kind="action", rule=event.action, reason=refused or event.reason, outcome=outcome)
    crossing.record(desktop, policy, decision)
    return Routed()


def _to_private(desktop: Desktop, policy: PolicyAtWork, _: ActionTaken) -> str:
    """The customer is asked, where they wrote, to go on in private."""
    if desktop.held.visibility is Visibility.PRIVATE:
        return "the conversation is private already."
    if desktop.course.state.is_monitored:
        return "the policy says that here we only listen."
    if not crossing.way(desktop, policy):
        return (
            f"{desktop.channel.platform_name} has no private messages for us, and the policy names no page on which the customer can go on."
        )
    crossing.tell(desktop, policy, Saying.MOVE)
    return ""


def _mark_scam(desktop: Desktop, policy: PolicyAtWork, event: ActionTaken) -> str:
    """Nothing more is said to somebody who deceives us, until a supervisor says otherwise."""
    if desktop.held.is_scam:
        return "it is marked already; a supervisor may press `not_scam`."
    if not event.reason.strip():
        return _SAY_WHY
    conversations.update(desktop.connection, desktop.held.id, {"is_scam": True})
    desktop.held = replace(desktop.held, is_scam=True)
    crossing.change(desktop, "scam", TicketChange(add_tags=(SCAM_TAG,)))
    stops = " Replies are held until a supervisor presses `not_scam`." if policy.book.safety.scam_stops_replies else ""
    desktop.commit(crossing.note(desktop, "scam", f"{event.actor} marked this conversation as a scam: {event.reason}{stops}"))
    return ""


def _not_scam(desktop: Desktop, _: PolicyAtWork, event: ActionTaken) -> str:
    if not desktop.held.is_scam:
        return "it is not marked as a scam."
    if event.role not in SUPERVISING:
        return "only a supervisor may do this."
    if not event.reason.strip():
        return _SAY_WHY
    conversations.update(desktop.connection, desktop.held.id, {"is_scam": False})
    desktop.held = replace(desktop.held, is_scam=False)
    holds.free(desktop.connection, desktop.held.id, is_exception=False)
    crossing.change(desktop, "scam", TicketChange(remove_tags=(SCAM_TAG,)))
    desktop.commit(crossing.note(desktop, "scam", f"{event.actor} lifted the mark of a scam: {event.reason}"))
    return ""


def _retry(desktop: Desktop, _: PolicyAtWork, event: ActionTaken) -> str:
    """The last reply that did not reach the customer is sent again: a person has looked."""
    place, key = desktop.source(), desktop.row.event_key
    number = replies.send_again(desktop.connection, desktop.held.id, by=desktop.row.id, place=place, key=key)
    if number is None:
        return "no reply of this ticket waits for another try. What the platform could not deliver is written again; what is held says what to press."
    desktop.commit(crossing.note(desktop, "retry", f"{event.actor} sends reply {number} again."))
    return ""


def _request_approval(desktop: Desktop, policy: PolicyAtWork, event: ActionTaken) -> str:
    """The reply that waits, or else the next one, shall be seen by a second person before it leaves."""
    number = approving.request(desktop, policy, by=event.actor)
    if number is None:
        desktop.course.state = replace(desktop.course.state, wants_approval=True)
        desktop.commit(
            crossing.note(desktop, "approval-next", f"{event.actor} asks for approval: the next reply waits for a second person's yes.")
        )
    return ""


_COMMANDS: Mapping[str, Callable[[Desktop, PolicyAtWork, ActionTaken], str]] = {
    "to_private": _to_private,
    "mark_scam": _mark_scam,
    "not_scam": _not_scam,
    "retry": _retry,
    REQUEST_APPROVAL: _request_approval,
}
ACTIONS = tuple(_COMMANDS)
