"""What is found out about an agent's reply before its wishes are made: under which lock it was written, and what it would give away."""

from __future__ import annotations

from typing import Any

from plugin.domain.events import ArticleAdded
from plugin.domain.model import Lane, Visibility
from plugin.handlers import locking
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.routing import Desktop
from plugin.policy.safety import preflight
from plugin.policy.safety.preflight import Severity


def seen_by(desktop: Desktop) -> Visibility:
    """Who will read a reply: as the conversation is, or the customer alone where the agent chose so in the ticket."""
    chooses_private = desktop.course.ticket_fields.get("reply_as") == Visibility.PRIVATE
    return Visibility.PRIVATE if chooses_private else Visibility(desktop.held.visibility)


def stamps(desktop: Desktop, event: ArticleAdded) -> dict[str, Any]:
    """What the wishes of a reply must know at the gate. Without a policy nothing is asked."""
    policy, held = desktop.policy, desktop.held
    way = {"private": True} if held.visibility is Visibility.PUBLIC and seen_by(desktop) is Visibility.PRIVATE else {}
    if policy is None:
        return way
    return {**way, **locking.stamps(desktop, policy, event), **_preflight(desktop, policy, event)}


def _preflight(desktop: Desktop, policy: PolicyAtWork, event: ArticleAdded) -> dict[str, Any]:
    """Why it must not leave as it is; what is only doubtful is told, and leaves."""
    visibility, capabilities = seen_by(desktop), desktop.channel.adapter.capabilities
    concerns = preflight.check(event.text, visibility=visibility, capabilities=capabilities, house=policy.watch.house)
    stopped = preflight.stopped_by(concerns, policy.book.safety.stops_outbound)
    doubts = [concern.sentence for concern in concerns if concern.severity is Severity.WARN]
    if doubts and not stopped:
        told = " ".join(["About this reply:", *dict.fromkeys(doubts)])
        desktop.commit(desktop.wish(Lane.TO_HELPDESK, "note:doubts", {"kind": "note", "text": told}))
    return {"preflight": " ".join(dict.fromkeys(concern.sentence for concern in stopped))} if stopped else {}
