"""The workspace: rooms, people, messages, files, and what the Events API would tell of them. Knows no HTTP."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from plugin.testing.standins.serving import Json, Refusal

APP, BOT_USER, BOT = "A0HELPDESK1", "U0BOT00001", "B0DESK0001"
TEAM = "T0EXAMPLE1"


class Refused(Refusal):
    """`{"ok": false, "error": ...}` in a 200; `more` stands beside it."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(200, {"ok": False, "error": error, **more})


@dataclass(slots=True, kw_only=True)
class Room:
    """One conversation. `kind` is Slack's `channel_type`; messages by time stamp."""

    kind: str
    is_member: bool = True
    is_archived: bool = False
    messages: dict[str, Json] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Stored:
    """A file. `is_complete` after the last step; `is_shared` once a message names it."""

    about: Json
    content: bytes = b""
    length: int = 0
    is_complete: bool = False
    is_shared: bool = False


@dataclass(slots=True)
class Workspace:
    """Everything in it. `tell` is handed each event."""

    now: Callable[[], float]
    tell: Callable[[Json], None]
    rooms: dict[str, Room] = field(default_factory=dict)
    people: dict[str, Json] = field(default_factory=dict)
    files: dict[str, Stored] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _count: int = 0

    def stamp(self) -> str:
        """The next time stamp: unique, and rising."""
        self._count += 1
        return f"{int(self.now())}.{self._count:06d}"

    def file_id(self) -> str:
        """The next id of a file."""
        return f"F0FILE{len(self.files):05d}"

    def room(self, channel: str) -> Room:
        """A room that the bot may use.

        Raises:
            Refused: in Slack's words.
        """
        found = self.rooms.get(channel)
        if found is None:
            raise Refused("channel_not_found")
        if found.is_archived:
            raise Refused("is_archived")
        if not found.is_member:
            raise Refused("not_in_channel")
        return found

    def message(self, channel: str, ts: str) -> Json:
        """A message of such a room."""
        found = self.room(channel).messages.get(ts)
        if found is None:
            raise Refused("message_not_found")
        return found

    def add(self, channel: str, message: Json) -> Json:
        """Put a message into a room and tell of it."""
        room, root = self.rooms[channel], message.get("thread_ts")
        room.messages[message["ts"]] = message
        first = room.messages.get(root or "")
        if first is not None and first is not message:
            first["thread_ts"], first["latest_reply"] = root, message["ts"]
            first["reply_count"] = first.get("reply_count", 0) + 1
        if room.is_member:
            event = {name: value for name, value in message.items() if name not in ("latest_reply", "reply_count")}
            self.tell({**copy.deepcopy(event), "channel": channel, "channel_type": room.kind, "event_ts": message["ts"]})
        return message

    def change(self, channel: str, ts: str, changes: Json) -> None:
        """Make a message read differently and tell of it."""
        message = self.rooms[channel].messages[ts]
        before = copy.deepcopy(message)
        message.update(changes)
        told = {"subtype": "message_changed", "hidden": True, "message": copy.deepcopy(message), "previous_message": before}
        self._tell_of(channel, told)

    def remove(self, channel: str, ts: str) -> None:
        """Take a message away and tell of it; the first of a thread is emptied."""
        room = self.rooms[channel]
        message = copy.deepcopy(room.messages[ts])
        if message.get("reply_count"):
            grave = {"subtype": "tombstone", "text": "This message was deleted.", "user": "USLACKBOT", "blocks": [], "files": []}
            self.change(channel, ts, grave)
            return
        del room.messages[ts]
        self._tell_of(channel, {"subtype": "message_deleted", "hidden": True, "deleted_ts": ts, "previous_message": message})

    def _tell_of(self, channel: str, told: Json) -> None:
        ts = self.stamp()
        self.tell({"type": "message", **told, "channel": channel, "channel_type": self.rooms[channel].kind, "ts": ts, "event_ts": ts})
