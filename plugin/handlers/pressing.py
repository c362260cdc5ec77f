"""What people press, from wherever they press it: an event of the conversation, in order with all others, and an entry in the audit."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plugin.domain.errors import ConfigError
from plugin.domain.events import ActionTaken
from plugin.domain.model import Origin
from plugin.store import decisions, events, intake, leads, ledger
from plugin.store.database import Database, now
from plugin.store.intake import Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """One press. `key` is the press itself: told twice under one key it is one press; empty makes one up."""

    action: str
    actor: str
    role: str = "agent"
    reason: str = ""
    arguments: Mapping[str, str] | None = None
    key: str = ""


def press(database: Database, conversation_id: int, pressed: Press) -> int | None:
    """Have a conversation's next turn act on it. Returns the event's id; None when this very press was told before.

    Raises:
        ConfigError: there is no such conversation.
    """
    key = pressed.key or uuid.uuid4().hex
    with database.begin() as connection:
        row = leads.lead_of(connection, conversation_id)
        if row is None:
            raise ConfigError(f"There is no conversation {conversation_id}; nothing was done. `crossdesk conversation list` shows them.")
        event = ActionTaken(
            event_key=f"crossdesk:action:{row.id}:{key}",
            occurred_at=now(connection),
            action=pressed.action,
            actor=pressed.actor,
            role=pressed.role,
            reason=pressed.reason,
            arguments=tuple(sorted((pressed.arguments or {}).items())),
        )
        arrivals: Sequence[Arrival] = [Arrival(event=event, origin=Origin.ACTION)]
        if not intake.insert_for_conversation(connection, row.place, row.id, arrivals):
            return None
        detail: dict[str, Any] = {"role": pressed.role, "reason": pressed.reason, **(pressed.arguments or {})}
        ledger.record(connection, actor=pressed.actor, action=pressed.action, subject=f"conversation {row.id}", detail=detail)
        return events.id_of(connection, row.place, event.event_key)


def outcome(database: Database, conversation_id: int, event_id: int) -> list[dict[str, Any]]:
    """What was decided on a press, as soon as it was."""
    with database.begin() as connection:
        row = leads.lead_of(connection, conversation_id)
        found = decisions.of_conversation(connection, conversation_id if row is None else row.id)
        return [dict(item._mapping) for item in found if item.event_id == event_id]  # noqa: SLF001 - SQLAlchemy's public way to a mapping


def promote(database: Database, event_id: int, *, actor: str) -> bool:
    """Make a ticket of what a rule filtered out; False when the event was not filtered."""
    with database.begin() as connection:
        is_done = events.promote(connection, event_id)
        if is_done:
            ledger.record(connection, actor=actor, action="promote", subject=f"event {event_id}", detail={})
        return is_done
