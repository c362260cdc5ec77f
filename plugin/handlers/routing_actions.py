"""Routing of what a person pressed: each action becomes wishes, like everything else that leaves. Who pressed it stands in the audit."""

from __future__ import annotations

import json
from collections.abc import Callable

from plugin.domain.codec import encode
from plugin.domain.events import ActionTaken
from plugin.domain.ids import Place
from plugin.domain.model import Lane
from plugin.domain.text import Text
from plugin.handlers import approving, commands, continuing, judging, learning, locking, protecting, proving
from plugin.handlers.routing import Desktop, Ignored, Routed, Verdict
from plugin.policy.approvals import ACTIONS as APPROVAL_ACTIONS
from plugin.policy.locks import ACTIONS as LOCK_ACTIONS
from plugin.policy.presses import ACTIONS as CROSSOVER_ACTIONS
from plugin.store import messages

_RULINGS = (*APPROVAL_ACTIONS, approving.RECALL)
_BRIDGE = Place("bridge")
"""Where messages are known that neither side has named yet."""


def action_taken(desktop: Desktop, event: ActionTaken) -> Verdict:
    """Do what was pressed; what nobody knows is ignored by name, unless it stood in a ticket: then the agent is told."""
    if desktop.policy is not None and event.action in LOCK_ACTIONS:
        return locking.pressed(desktop, desktop.policy, event)
    if desktop.policy is not None and event.action in _RULINGS:
        return approving.pressed(desktop, desktop.policy, event)
    if desktop.policy is not None and event.action in commands.ACTIONS:
        return commands.pressed(desktop, desktop.policy, event)
    if event.action in {*CROSSOVER_ACTIONS, *LOCK_ACTIONS, *_RULINGS, *commands.ACTIONS} or event.event_key.startswith(judging.FIELD):
        return judging.action_taken(desktop, event)
    action = _ACTIONS.get(event.action)
    return Ignored(reason=f"unknown_action: {event.action}"[:100]) if action is None else action(desktop, event)


def _hide(desktop: Desktop, event: ActionTaken) -> Verdict:
    """Hide somebody's message on the platform, or show it again."""
    payload = {"kind": "hide", "message_ref": dict(event.arguments)["ref"], "is_hidden": event.action == "hide", "actor": event.actor}
    desktop.commit(desktop.wish(Lane.AT_SOCIAL, "hide", payload))
    return Routed()


def _template(desktop: Desktop, event: ActionTaken) -> Verdict:
    """Send a prepared text where a reply would go."""
    arguments = dict(event.arguments)
    text = Text(arguments["text"])
    message_id = messages.create(
        desktop.connection,
        _BRIDGE,
        event.event_key,
        conversation_id=desktop.held.id,
        event_id=desktop.row.id,
        direction="outbound",
        contact_id=None,
        plain=text.plain,
        occurred_at=event.occurred_at,
    )
    payload = {
        "kind": "template",
        "template": {"name": arguments["name"], "language": arguments["language"], "values": json.loads(arguments["values"])},
        "text": encode(text),
        "files": [],
        "reply_to": messages.last_inbound_ref(desktop.connection, desktop.place, desktop.held.id, before_event=desktop.row.id),
        "actor": event.actor,
    }
    desktop.commit(desktop.wish(Lane.TO_SOCIAL, "template", payload, message_id=message_id))
    return Routed()


_ACTIONS: dict[str, Callable[[Desktop, ActionTaken], Verdict]] = {
    "hide": _hide,
    "show": _hide,
    "template": _template,
    learning.SOLVED: learning.pressed,
    learning.WITHDRAWN: learning.pressed,
    continuing.PROVED: continuing.pressed,
    proving.WORD: proving.pressed,
    proving.JOINED: proving.pressed,
    proving.SPLIT: proving.pressed,
    protecting.WARN: protecting.pressed,
}
