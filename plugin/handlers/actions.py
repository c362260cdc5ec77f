"""What an admin or agent has done with one message: hidden, shown again, answered by a template. Each is an event first, then a wish."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from plugin.contracts.platform import HidesMessages, SendsTemplates, Template
from plugin.domain.errors import ConfigError, Unsupported
from plugin.domain.events import ActionTaken
from plugin.domain.ids import MessageRef, Place
from plugin.domain.model import Origin
from plugin.handlers.installation import Installation
from plugin.handlers.pressing import Press
from plugin.store import conversations, events, intake, ledger, messages, panels
from plugin.store.database import Database, now
from plugin.store.intake import Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """It is committed and will be done. `event_key` finds its story in the ledger."""

    event_key: str
    place: Place
    message_ref: MessageRef


class Actions:
    """Presses for an installation."""

    def __init__(self, installation: Installation, database: Database) -> None:
        self._installation = installation
        self._database = database

    def hide(self, reference: str, *, is_hidden: bool, actor: str, reason: str = "") -> Pressed:
        """Have a message hidden on the platform, or shown again.

        Raises:
            ConfigError: no message, or more than one, is known by this reference; or it is our own.
            Unsupported: the platform lets nobody do that.
        """
        with self._database.begin() as connection:
            row = self._find(connection, reference)
            if not isinstance(self._installation.adapter(row.place), HidesMessages):
                raise Unsupported(f"{self._platform(row)} lets us hide nothing. Nothing was changed; use the platform's own app.")
            if row.direction != "inbound":
                raise ConfigError(f"{reference} is our own message: only what others said can be hidden. Nothing was changed.")
            return self._press(connection, row, "hide" if is_hidden else "show", (), actor=actor, reason=reason)

    def send_template(self, reference: str, template: Template, *, text: str, actor: str, reason: str = "") -> Pressed:
        """Have a template sent to where a reply to this message would go; `text` is what the ticket shows.

        Raises:
            ConfigError: no message, or more than one, is known by this reference.
            Unsupported: the platform has no templates.
        """
        with self._database.begin() as connection:
            row = self._find(connection, reference)
            if not isinstance(self._installation.adapter(row.place), SendsTemplates):
                raise Unsupported(f"{self._platform(row)} has no templates. Nothing was sent; reply in the ticket.")
            arguments = (
                ("name", template.name),
                ("language", template.language),
                ("values", json.dumps(template.values)),
                ("text", text),
            )
            return self._press(connection, row, "template", arguments, actor=actor, reason=reason)

    def press_on(self, message_id: int, pressed: Press) -> int | None:
        """Have something done with one message, as `pressed` says; its key makes it one press, however often it is told.

        Returns the event's id; None when it was told before, or the message is not there any more.
        """
        with self._database.begin() as connection:
            row = panels.addressed(connection, message_id)
            if row is None:
                return None
            key = f"crossdesk:action:{row.conversation_id}:{pressed.key}"
            arguments = tuple({**(pressed.arguments or {}), "ref": row.ref}.items())
            event = ActionTaken(
                event_key=key,
                occurred_at=now(connection),
                action=pressed.action,
                actor=pressed.actor,
                role=pressed.role,
                reason=pressed.reason,
                arguments=arguments,
            )
            conversations.lock(connection, row.conversation_id)
            arrivals = [Arrival(event=event, origin=Origin.ACTION)]
            if not intake.insert_for_conversation(connection, row.helpdesk, row.conversation_id, arrivals):
                return None
            told = {"reason": pressed.reason, "event": key}
            ledger.record(
                connection, actor=pressed.actor, action=f"message {pressed.action}", subject=f"{row.place} {row.ref}", detail=told
            )
            return events.id_of(connection, row.helpdesk, key)

    def _find(self, connection: Connection, reference: str) -> Row[Any]:
        rows = messages.find_anywhere(connection, list(self._installation.adapters), reference)
        rows = [row for row in rows if row.place in self._installation.channels]
        if len(rows) == 1:
            return rows[0]
        if not rows:
            raise ConfigError(
                f"No message is known as {reference!r}; nothing was changed. Give its id on the platform or its article's id in the helpdesk; "
                "`crossdesk ledger show TICKET-NUMBER` lists both."
            )
        named = ", ".join(f"{row.ref} at {row.place}" for row in rows)
        raise ConfigError(f"More than one message is known as {reference!r}: {named}. Nothing was changed; give the id on the platform.")

    def _platform(self, row: Row[Any]) -> str:
        return self._installation.channels[row.place].platform_name

    def _press(
        self, connection: Connection, row: Row[Any], action: str, arguments: tuple[tuple[str, str], ...], *, actor: str, reason: str
    ) -> Pressed:
        event = ActionTaken(
            event_key=f"press:{uuid.uuid4().hex}",
            occurred_at=now(connection),
            action=action,
            actor=actor,
            role="admin",
            reason=reason,
            arguments=(("ref", row.ref), *arguments),
        )
        conversations.lock(connection, row.conversation_id)
        intake.insert_for_conversation(connection, row.helpdesk, row.conversation_id, [Arrival(event=event, origin=Origin.ACTION)])
        told = {"reason": reason, "event": event.event_key, **{name: value for name, value in arguments if name != "text"}}
        ledger.record(connection, actor=actor, action=f"message {action}", subject=f"{row.place} {row.ref}", detail=told)
        return Pressed(event_key=event.event_key, place=Place(row.place), message_ref=MessageRef(row.ref))
