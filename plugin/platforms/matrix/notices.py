"""What the bot tells by itself: that it cannot read an encrypted room. Once in each room, under one transaction id, so that a repeat is none.

What is still to be told stands in the poll's position. Such a notice is no message of an agent's, and its echo makes no article.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from plugin.domain.errors import RemoteError, RemoteRejected, TargetGone
from plugin.platforms.matrix.client import Homeserver, room_path
from plugin.platforms.matrix.timeline import NOTICE

_TRANSACTION = "crossdesk-encrypted"
_AT_ONCE = 10
_MOST_ROOMS = 5000


class Notices:
    """Tells rooms that they are encrypted; `{room: whether it was told}`."""

    def __init__(self, homeserver: Homeserver, *, user_id: str, words: str) -> None:
        self._homeserver = homeserver
        self._user_id = user_id
        self._words = words

    def tell(self, before: Mapping[str, bool], read: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[str, bool]:
        """Tell each room in which somebody spoke encrypted, and those that could not be told before. No error comes out of it."""
        if not self._words:
            return {}
        rooms = dict(before)
        for room_id, events in read.items():
            if any(self._is_unreadable(event) for event in events):
                rooms.setdefault(room_id, False)
        for room_id in [room_id for room_id, is_told in rooms.items() if not is_told][:_AT_ONCE]:
            try:
                self._send(room_id)
            except (RemoteRejected, TargetGone):
                rooms[room_id] = True  # The bot may not speak there; asking again would change nothing.
            except RemoteError:
                break
            else:
                rooms[room_id] = True
        return dict(list(rooms.items())[-_MOST_ROOMS:])

    def _is_unreadable(self, event: Mapping[str, Any]) -> bool:
        return event.get("type") == "m.room.encrypted" and event.get("sender") != self._user_id

    def _send(self, room_id: str) -> None:
        content = {"msgtype": "m.notice", "body": self._words, NOTICE: "encrypted"}
        self._homeserver.send(room_path(room_id, "send", "m.room.message", _TRANSACTION), content)
