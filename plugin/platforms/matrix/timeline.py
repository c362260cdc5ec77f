"""Room events as normalised facts, the same whether the homeserver pushed them or we asked. Pure; knows nothing of the calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import ValidationError

from plugin.contracts.batches import Member
from plugin.domain.errors import MalformedPayload
from plugin.domain.events import ContactReachability, MessageDeleted, MessageEdited, MessageReceived, PlatformEvent, ReactionChanged
from plugin.domain.ids import ContactRef, Marker, MessageRef
from plugin.domain.model import Contact, Visibility
from plugin.platforms.matrix.messages import Said, said
from plugin.platforms.matrix.rooms import event_url, person_url, thread_key
from plugin.platforms.matrix.schema import MatrixSettings, RoomEventSchema

DELIVERY = "crossdesk.delivery"
"""Key in the content of what we send: `{"marker", "part", "parts"}`. Believed in the bot's own events alone."""

NOTICE = "crossdesk.notice"
"""Key in the content of what the bot says by itself; such an event of its own is nothing that is carried."""

SPOKEN = frozenset({"m.room.message", "m.sticker", "m.room.encrypted", "m.poll.start", "org.matrix.msc3381.poll.start"})
KINDS = (*sorted(SPOKEN), "m.reaction", "m.room.redaction", "m.room.member")
"""The types of event that are read, for filters."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MOMENT = 253_402_300_799_999
_TRANSACTION = re.compile(r"([0-9a-v]{26})(-[0-9]+)?")
_TAKEN_BACK = "This message was taken back before it could be read."
_FRAME = RoomEventSchema()


def moment(event: Mapping[str, Any]) -> datetime | None:
    """When the sender's homeserver says it happened; None where that is no time."""
    value = event.get("origin_server_ts")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LAST_MOMENT:
        return None
    return _EPOCH + timedelta(milliseconds=value)


def delivery_of(event: Mapping[str, Any]) -> tuple[str, int, int] | None:
    """Marker, part and parts of an event that `deliver` sent; the caller has seen that the bot is its sender.

    A redacted event has lost its content; its transaction id, where the homeserver gives it back, still tells.
    """
    delivery = _mapping(_mapping(event.get("content")).get(DELIVERY))
    marker, part, parts = (delivery.get(name) for name in ("marker", "part", "parts"))
    if isinstance(marker, str) and isinstance(part, int) and isinstance(parts, int):
        return marker, part, parts
    transaction = _mapping(event.get("unsigned")).get("transaction_id")
    found = _TRANSACTION.fullmatch(transaction) if isinstance(transaction, str) else None
    return (found[1], 1, 2 if found[2] else 1) if found else None


class Timeline:
    """Reads events with one bot's eyes."""

    def __init__(self, settings: MatrixSettings) -> None:
        self._settings = settings

    def read(self, event: Any) -> PlatformEvent | None:
        """What an event, which must say its `room_id`, tells; None where that is nothing that is carried.

        Raises:
            MalformedPayload: it has not the frame that every event has.
        """
        if isinstance(event, Mapping) and isinstance(kind := event.get("type"), str) and kind not in KINDS:
            return None  # Typing, receipts and keys have another frame, and nothing in them is carried.
        try:
            return self._read(_FRAME.load(event))
        except ValidationError as problem:
            raise MalformedPayload(
                "The homeserver sent an event without the fields that every event has; it was kept for a person to see.",
                detail=", ".join(sorted(map(str, problem.messages_dict))),
            ) from None

    def member(self, event: Any) -> Member:
        """An event of a transaction."""

        def read() -> Iterable[PlatformEvent]:
            fact = self.read(event)
            return () if fact is None else (fact,)

        room = event.get("room_id") if isinstance(event, Mapping) else None
        return Member(raw=event, read=read, thread_key=thread_key(room, None) if isinstance(room, str) and room else None)

    def is_own(self, event: Mapping[str, Any]) -> bool:
        """Whether the bot sent it."""
        return event.get("sender") == self._settings.user_id

    def _read(self, event: dict[str, Any]) -> PlatformEvent | None:
        kind, content = event["type"], event["content"]
        if kind == "m.room.member":
            return self._read_membership(event)
        if event["state_key"] is not None:
            return None
        relation = _mapping(content.get("m.relates_to"))
        if kind == "m.room.redaction":
            return self._read_redaction(event)
        if kind == "m.reaction":
            return self._read_reaction(event, relation)
        if kind not in SPOKEN or content.get("msgtype") == "m.key.verification.request":
            return None
        if relation.get("rel_type") == "m.replace" and isinstance(relation.get("event_id"), str):
            return self._read_edit(event, MessageRef(relation["event_id"]))
        return self._read_message(event, relation)

    def _read_message(self, event: dict[str, Any], relation: Mapping[str, Any]) -> MessageReceived | None:
        is_own = self.is_own(event)
        if is_own and NOTICE in event["content"]:
            return None
        delivery = delivery_of(event) if is_own else None
        if delivery is not None and delivery[1] < delivery[2]:
            return None  # The echo of a part; the last part's echo stands for the whole delivery.
        answered = _text_at(relation, "m.in_reply_to", "event_id")
        root = relation.get("event_id") if relation.get("rel_type") == "m.thread" else None
        root = root if isinstance(root, str) and root.startswith("$") else None
        if root is not None and (answered is None or relation.get("is_falling_back") is True):
            answered = root
        words = self._said(event, event["content"], is_reply=answered is not None)
        return MessageReceived(
            event_key=event["event_id"],
            occurred_at=moment(event),
            message_ref=MessageRef(event["event_id"]),
            thread_key=thread_key(event["room_id"], root),
            visibility=Visibility.PUBLIC if event["room_id"] in self._settings.public_rooms else Visibility.PRIVATE,
            author=_author(event),
            text=words.text,
            attachments=words.attachments,
            parent_ref=MessageRef(answered) if answered is not None else None,
            url=event_url(event["room_id"], event["event_id"]),
            is_own=is_own,
            marker=Marker(delivery[0]) if delivery is not None else None,
            remarks=words.remarks,
        )

    def _read_edit(self, event: dict[str, Any], target: MessageRef) -> MessageEdited:
        content = event["content"]
        new = content.get("m.new_content")
        words = self._said(event, new if isinstance(new, Mapping) else content, is_reply=False)
        stamp = moment(event)
        milliseconds = int((stamp - _EPOCH) / timedelta(milliseconds=1)) if stamp is not None else 0
        return MessageEdited(
            event_key=event["event_id"],
            occurred_at=stamp,
            message_ref=target,
            revision=f"{milliseconds:015d}.{event['event_id']}",
            text=words.text,
            attachments=words.attachments,
            author_ref=ContactRef(event["sender"]),
            is_own=self.is_own(event),
            remarks=words.remarks,
        )

    @staticmethod
    def _said(event: Mapping[str, Any], content: Mapping[str, Any], *, is_reply: bool) -> Said:
        if "redacted_because" in event["unsigned"]:
            return Said(remarks=(_TAKEN_BACK,))
        return said(event["type"], content, sender=event["sender"], is_reply=is_reply)

    def _read_redaction(self, event: dict[str, Any]) -> MessageDeleted | None:
        # Since room version 11 the target stands in the content (Matrix spec, "m.room.redaction").
        target = event["content"].get("redacts", event["redacts"])
        if not isinstance(target, str):
            return None
        return MessageDeleted(
            event_key=event["event_id"], occurred_at=moment(event), message_ref=MessageRef(target), is_own=self.is_own(event)
        )

    @staticmethod
    def _read_reaction(event: dict[str, Any], relation: Mapping[str, Any]) -> ReactionChanged | None:
        target, emoji = relation.get("event_id"), relation.get("key")
        if relation.get("rel_type") != "m.annotation" or not isinstance(target, str) or not isinstance(emoji, str):
            return None
        return ReactionChanged(
            event_key=event["event_id"],
            occurred_at=moment(event),
            message_ref=MessageRef(target),
            author=_author(event),
            emoji=emoji[:200],
            added=True,
        )

    def _read_membership(self, event: dict[str, Any]) -> ContactReachability | None:
        """The bot's own coming and going; who else is in a room is the room's affair."""
        membership = event["content"].get("membership")
        if event["state_key"] != self._settings.user_id or membership not in ("join", "leave", "ban"):
            return None
        before = _mapping(event["unsigned"].get("prev_content")).get("membership")
        if membership == before:
            return None  # A new name or picture.
        is_here = membership == "join"
        return ContactReachability(
            event_key=event["event_id"],
            occurred_at=moment(event),
            thread_key=thread_key(event["room_id"], None),
            is_reachable=is_here,
            detail="" if is_here else "The bot is no longer in this room. Somebody in it must invite the bot again before it can answer.",
        )


def _author(event: Mapping[str, Any]) -> Contact:
    sender = event["sender"]
    # Pushed events carry no profile: the name that people know is the id.
    is_notice = event["content"].get("msgtype") == "m.notice"
    return Contact(ref=ContactRef(sender), handle=sender.removeprefix("@"), url=person_url(sender), is_bot=is_notice)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text_at(value: Mapping[str, Any], *path: str) -> str | None:
    found: object = value
    for name in path:
        found = _mapping(found).get(name)
    return found if isinstance(found, str) else None
