"""The thread guard at work: labels who else speaks in a customer's thread, keeps why, and counts likely impostors for the policy."""

from __future__ import annotations

from typing import Any

from plugin.domain.events import MessageReceived
from plugin.domain.model import Visibility
from plugin.handlers import crossing
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.routing import Desktop
from plugin.policy import sections
from plugin.policy.safety import thread_guard
from plugin.policy.safety.thread_guard import Likeness
from plugin.store import evidence
from plugin.store.decisions import NewDecision

_KIND = "bystander"


def label(desktop: Desktop, policy: PolicyAtWork, event: MessageReceived, author_id: int | None) -> dict[str, Any]:
    """What the wish to file a bystander's message must know: the label for the agent, and whether its links are to be defanged.

    A likely impostor is a decision too. It names the reasons and points; the profile and the words are kept as evidence, in one place, so that an
    erasure need not look for them here.
    """
    if not policy.watch.labels_bystanders:
        return {}
    found = thread_guard.judge(event.author, event.text, ours=policy.watch.ours, now=desktop.held.now, channel=desktop.channel.key)
    if found.likeness is Likeness.IMPOSTOR:
        outcome = {
            "likeness": found.likeness.value,
            "contact": author_id if author_id is not None else f"event {desktop.row.id}",
            "score": found.score,
            "reasons": [[reason.name, reason.points] for reason in found.reasons],
        }
        reasons = ", ".join(reason.name for reason in found.reasons if reason.points > 0)
        crossing.record(
            desktop, policy, NewDecision(event_id=desktop.row.id, kind=_KIND, rule="thread_guard", reason=reasons, outcome=outcome)
        )
        seen = thread_guard.evidence(found, event.author, event.text, seen_at=desktop.held.now)
        evidence.keep(desktop.connection, desktop.held.id, desktop.row.id, seen)
    can_warn = event.visibility is Visibility.PUBLIC and policy.book.safety.warn is not sections.Warning.NEVER
    offer = " Press `warn` to post a warning under it." if found.likeness is Likeness.IMPOSTOR and can_warn else ""
    return {"label": thread_guard.sentence(found) + offer, "is_impostor": found.likeness is Likeness.IMPOSTOR}
