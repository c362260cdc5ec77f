"""Saying, changing and taking back what the bot said. Knows nothing of what comes in.

A delivery is one event for each file and one for the words, which come last: transaction id `marker` for the last event, `marker-N` for
the N-th before it. Only the last one's echo carries the marker outward, so an echo never stands for a delivery that is not complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from plugin.domain.errors import RemoteRejected, RemoteUnavailable, TargetGone
from plugin.domain.ids import Marker, MessageRef, ThreadKey
from plugin.domain.model import OutboundMessage, Receipt
from plugin.platforms.matrix import contents
from plugin.platforms.matrix.client import Homeserver, room_path
from plugin.platforms.matrix.rooms import event_url, room_and_root
from plugin.platforms.matrix.schema import MatrixSettings
from plugin.platforms.matrix.timeline import delivery_of, moment

_CLOCKS_DIFFER = timedelta(hours=1)
_MOST_PAGES = 50
_NO_FILES_IN_EDITS = "An edit cannot add files; only the words were changed."


class Deliveries:
    """What one bot says."""

    def __init__(self, homeserver: Homeserver, settings: MatrixSettings) -> None:
        self._homeserver = homeserver
        self._settings = settings

    def deliver(self, message: OutboundMessage, marker: Marker) -> Receipt:
        """As `PlatformAdapter.deliver`. A repeat sends only what is not there yet."""
        room_id, root = room_and_root(message.thread_key)
        parts = len(message.files) + bool(message.text)
        if not parts:
            raise RemoteRejected("The message has neither words nor files; nothing was sent. Write something and send it again.")
        # Transaction ids are forgotten after a day: where a crash can have left half a delivery, look first.
        there = self._parts_there(room_id, marker, since=message.created_at) if parts > 1 else {}
        if _LAST in there:
            return _receipt(room_id, there)
        ready: list[contents.Content] = []
        losses: tuple[str, ...] = ()
        for part, file in enumerate(message.files, 1):
            address = self._upload(message, part) if part not in there else ""
            ready.append(contents.file(file, address))
        if message.text:
            content, losses = contents.words(message.text)
            ready.append(content)
        refs: list[MessageRef] = []
        for part, content in enumerate(ready, 1):
            placed = contents.placed(content, message, root=root, is_first=part == 1)
            transaction = marker if part == parts else f"{marker}-{part}"
            path = room_path(room_id, "send", "m.room.message", transaction)
            try:
                refs.append(there.get(part) or self._homeserver.send(path, contents.marked(placed, marker, part=part, parts=parts)))
            except RemoteRejected as refusal:
                if not refs:
                    raise
                raise RemoteRejected(f"{refusal} Of {parts} parts, {len(refs)} were delivered before.", detail=refusal.detail) from refusal
        return Receipt(message_ref=refs[-1], url=event_url(room_id, refs[-1]), extra_refs=tuple(refs[:-1]), losses=losses)

    def find(self, message: OutboundMessage, marker: Marker) -> Receipt | None:
        """As `ReadsBack.find_delivered`; the message's files need not be there."""
        room_id, _ = room_and_root(message.thread_key)
        there = self._parts_there(room_id, marker, since=message.created_at)
        return _receipt(room_id, there) if _LAST in there else None

    def edit(self, message_ref: MessageRef, message: OutboundMessage, marker: Marker) -> Receipt:
        """As `EditsMessages.edit`."""
        room_id, _ = room_and_root(message.thread_key)
        content, losses = contents.words(message.text)
        changed = contents.marked(contents.replacement(content, message_ref), marker)
        try:
            edit_ref = self._homeserver.send(room_path(room_id, "send", "m.room.message", marker), changed)
        except RemoteRejected as refusal:
            if "relation to unknown event" in refusal.detail:
                raise TargetGone("The message that was to be changed is not in the room any more.", detail=refusal.detail) from refusal
            raise
        if message.files:
            losses = (*losses, _NO_FILES_IN_EDITS)
        return Receipt(message_ref=message_ref, url=event_url(room_id, message_ref), extra_refs=(edit_ref,), losses=losses)

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, marker: Marker) -> None:
        """As `DeletesMessages.delete`."""
        room_id, _ = room_and_root(thread_key)
        try:
            self._homeserver.send(room_path(room_id, "redact", message_ref, marker), {})
        except TargetGone:
            return

    def _upload(self, message: OutboundMessage, part: int) -> str:
        file = message.files[part - 1]
        return self._homeserver.upload(file.content, filename=file.filename, content_type=file.content_type)

    def _parts_there(self, room_id: str, marker: Marker, *, since: datetime) -> dict[int, MessageRef]:
        """The events of a delivery that stand in the room, by part; the last part also under `_LAST`.

        Goes back through the bot's own messages to an hour before `since`, as far as clocks may differ.
        """
        bound, found = since - _CLOCKS_DIFFER, dict[int, MessageRef]()
        query = {"senders": [self._settings.user_id], "types": ["m.room.message"]}
        for number, page in enumerate(self._homeserver.pages_back(room_id, query), 1):
            for event in page.events:
                delivery = delivery_of(event) if event.get("sender") == self._settings.user_id else None
                if delivery is not None and delivery[0] == marker and isinstance(event.get("event_id"), str):
                    _, part, parts = delivery
                    found[part] = MessageRef(event["event_id"])
                    if part == parts:
                        found[_LAST] = found[part]
            times = [time for event in page.events if (time := moment(event)) is not None]
            if _LAST in found or (times and max(times) < bound):
                return found
            if number == _MOST_PAGES:
                raise RemoteUnavailable(
                    f"The bot has said more than could be looked through in this room since {since:%Y-%m-%d %H:%M} UTC; whether this "
                    "message is there is not known. It was kept."
                )
        return found


def _receipt(room_id: str, there: Mapping[int, MessageRef]) -> Receipt:
    last = there[_LAST]
    others = tuple(ref for _, ref in sorted(there.items()) if ref != last)
    return Receipt(message_ref=last, url=event_url(room_id, last), extra_refs=others)


_LAST = 0
"""Where the last part is found whatever its number; parts count from one."""
