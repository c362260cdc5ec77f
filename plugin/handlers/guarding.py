"""The thread guard at work: labels who else speaks in a customer's thread, keeps why, and counts likely impostors for the policy."""

from __future__ import annotations

from typing import Any

from plugin.domain.events import MessageReceived
from plugin.handlers import crossing
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.routing import Desktop
from plugin.policy.safety import thread_guard
from plugin.policy.safety.thread_guard import Likeness
from plugin.store.decisions import NewDecision

_KIND = "bystander"


def label(desktop: Desktop, policy: PolicyAtWork, event: MessageReceived, author_id: int | None) -> dict[str, Any]:
    """What the wish to file a bystander's message must know: the label for the agent, and whether its links are to be defanged.

    A likely impostor is a decision too. It names the reasons and points; the profile and the words stay in the event, so that an erasure
    need not look for them here.
    """
    if not policy.watch.labels_bystanders:
        return {}
    found = thread_guard.judge(event.author, event.text, ours=policy.watch.ours, now=desktop.held.now)
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
    return {"label": thread_guard.sentence(found), "is_impostor": found.likeness is Likeness.IMPOSTOR}
