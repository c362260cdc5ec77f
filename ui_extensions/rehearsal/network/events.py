"""The practice network's events in their order, and how far they were told. Its owner brings the lock."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from ui_extensions.rehearsal.network.model import Event, Refused


class EventLog:
    """Everything that happened. A cursor is good for one network's life; after a fresh start it is refused, never misread."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(4)
        self.told: set[int] = set()
        """Events that the company took, or that were given up."""
        self._events: list[Event] = []

    @property
    def next_id(self) -> str:
        """The id of the event that comes next; the same again when the journal is read again."""
        return f"e_{self.epoch}_{len(self._events) + 1}"

    def append(self, lane: str, body: dict[str, Any]) -> Event:
        """Take one more."""
        event = Event(len(self._events) + 1, lane, body)
        self._events.append(event)
        return event

    def untold(self) -> Sequence[Event]:
        """What is still to be told, in order."""
        return [event for event in self._events if event.sequence not in self.told]

    def after(self, cursor: str | None, limit: int) -> tuple[Sequence[Event], str, bool]:
        """Events after `cursor` (None: the newest `limit`), the next cursor, and whether there are more.

        Raises:
            Refused: the cursor is not of this network.
        """
        start = max(0, len(self._events) - limit)
        if cursor is not None:
            epoch, _, number = cursor.partition("-")
            is_number = number.isascii() and number.isdigit() and len(number) < 16
            if epoch != self.epoch or not is_number or int(number) > len(self._events):
                raise Refused(410, "cursor_unknown", "This cursor is not one of this network's; ask without one.")
            start = int(number)
        found = self._events[start : start + limit]
        end = start + len(found)
        return found, f"{self.epoch}-{end}", end < len(self._events)
