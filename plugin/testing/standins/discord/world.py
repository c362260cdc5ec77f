"""Servers with channels, threads, people and messages. Knows no HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from plugin.testing.standins.serving import Json, Refusal

BOT, GUILD = "100000000000000042", "100000000000000001"
EPOCH = 1_420_070_400.0


class Refused(Refusal):
    """An answer `{"code", "message"}` with a status."""

    def __init__(self, status: int, code: int, message: str, **more: Any) -> None:
        super().__init__(status, {"code": code, "message": message, **more})


def invalid(field_name: str, reason: str) -> Refused:
    """50035: the form is wrong."""
    return Refused(400, 50035, "Invalid Form Body", errors={field_name: {"_errors": [{"code": "INVALID", "message": reason}]}})


@dataclass(slots=True, kw_only=True)
class Channel:
    """A channel or thread; messages by id, in order. `kind` is Discord's number of the type."""

    about: Json
    is_visible: bool = True
    may_send: bool = True
    messages: dict[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class World:
    """Everything there is."""

    now: Callable[[], float]
    host: Callable[[], str]
    channels: dict[str, Channel] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    nonces: dict[str, tuple[float, Json]] = field(default_factory=dict)
    reactions: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    """Who reacted, by message and emoji."""
    reads_content: bool = True
    lock: threading.RLock = field(default_factory=threading.RLock)
    _count: int = 0

    def snowflake(self) -> str:
        """The next id: unique, and rising with the time."""
        self._count += 1
        return str((int((self.now() - EPOCH) * 1000) << 22) + self._count)

    def channel(self, channel: str) -> Channel:
        """A channel that the bot sees.

        Raises:
            Refused: in Discord's words.
        """
        found = self.channels.get(channel)
        if found is None:
            raise Refused(404, 10003, "Unknown Channel")
        if not found.is_visible:
            raise Refused(403, 50001, "Missing Access")
        return found

    def message(self, channel: str, message: str) -> Json:
        """A message of such a channel."""
        found = self.channel(channel).messages.get(message)
        if found is None:
            raise Refused(404, 10008, "Unknown Message")
        return found

    def add(self, channel: str, author: Json, content: str, **fields: Any) -> Json:
        """Put a message into a channel."""
        place, message_id = self.channels[channel], self.snowflake()
        message: Json = {
            "id": message_id,
            "channel_id": channel,
            "type": 0,
            "author": author,
            "content": content,
            "timestamp": self.stamp(),
            "edited_timestamp": None,
            "attachments": [],
            "embeds": [],
            "mentions": [],
            **fields,
        }
        answered = place.messages.get(message.get("message_reference", {}).get("message_id", ""))
        if answered is not None:
            message |= {"type": 19, "referenced_message": {name: value for name, value in answered.items() if name != "referenced_message"}}
        place.messages[message_id] = message
        place.about["last_message_id"] = message_id
        return message

    def attach(self, name: str, content: bytes, content_type: str, **more: Any) -> Json:
        """A file as it stands at a message."""
        file_id = self.snowflake()
        self.files[file_id] = content
        url = f"{self.host()}/attachments/{file_id}?ex=1&is=2&hm=3"
        return {"id": file_id, "filename": name, "size": len(content), "content_type": content_type, "url": url, **more}

    def stamp(self) -> str:
        """Now, as Discord writes it."""
        return datetime.fromtimestamp(self.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")

    def shown(self, message: Json) -> Json:
        """A message as the bot is shown it: without its nonce, and without others' words where it lacks the intent."""
        seen = {name: value for name, value in message.items() if name != "nonce"}
        if not self.reads_content and message["author"]["id"] != BOT:
            seen |= {"content": "", "attachments": [], "embeds": []}
        return seen
