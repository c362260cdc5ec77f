"""The contract's events as the domain's. Pure: no calls, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote

from marshmallow import ValidationError

from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import (
    ContactReachability,
    DeliveryStatus,
    DeliveryUpdated,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    PlatformEvent,
    ReactionChanged,
)
from plugin.domain.html import from_html
from plugin.domain.ids import ContactRef, Marker, MessageRef, ThreadKey
from plugin.domain.model import Contact, Visibility
from plugin.domain.text import Text
from plugin.platforms.webhook import files, wire

_MARKER_LENGTH = 26
_MOST_NAMED = 5
_LONGEST_NAMED = 60


def read_event(payload: Any, *, visibility: Visibility) -> PlatformEvent:
    """One event; `visibility` is that of messages which do not say it.

    Raises:
        MalformedPayload: it is not as the contract says; the sentence names the fields.
        UnsupportedEvent: the contract has no such type.
    """
    envelope = _loaded(wire.Envelope(), payload)
    kind = wire.KINDS.get(envelope["type"])
    if kind is None:
        raise UnsupportedEvent(
            f"The contract has no event of the type {envelope['type'][:_LONGEST_NAMED]!r}; it was counted and left out.",
            detail=envelope["type"][:_LONGEST_NAMED],
        )
    schema = kind()
    data = _loaded(schema, envelope["data"], "data")
    remarks = _remarks([*wire.unknown_fields(wire.Envelope(), payload), *wire.unknown_fields(schema, envelope["data"], "data.")])
    return _READERS[kind](_Said(data, envelope["timestamp"], visibility, remarks))


def thread_key(conversation_id: str, visibility: Visibility) -> ThreadKey:
    """A conversation's key: one that is both public and private is two."""
    return ThreadKey(f"{visibility.value}:{conversation_id}")


def conversation_of(key: ThreadKey) -> tuple[str, Visibility]:
    """The reverse of `thread_key`."""
    visibility, _, conversation_id = key.partition(":")
    return conversation_id, Visibility.PRIVATE if visibility == Visibility.PRIVATE.value else Visibility.PUBLIC


class _Said:
    """An event's data with what all readers ask of it."""

    def __init__(self, data: Mapping[str, Any], at: datetime, visibility: Visibility, remarks: tuple[str, ...]) -> None:
        self.data = data
        self.at = at
        self.remarks = remarks
        self.visibility = Visibility(data["visibility"]) if "visibility" in data else visibility

    @property
    def ref(self) -> MessageRef:
        return MessageRef(self.data["message_id"])

    @property
    def stamp(self) -> str:
        return self.at.strftime("%Y%m%dT%H%M%S.%fZ").rjust(23, "0")

    @property
    def thread_key(self) -> ThreadKey | None:
        found = self.data.get("conversation_id")
        return None if found is None else thread_key(found, self.visibility)

    @property
    def text(self) -> Text:
        words = self.data["text"]
        return from_html(words) if self.data.get("format") == "html" else Text(words)

    def key(self, kind: str, *parts: str) -> str:
        """Unique, whatever signs the other side's ids are made of."""
        return ":".join([kind, *(quote(part, safe="") for part in parts)])


def _created(said: _Said) -> MessageReceived:
    attachments, losses = files.read_attachments(said.data.get("attachments", ()))
    is_own = said.data.get("from_company", False)
    return MessageReceived(
        event_key=said.key("created", said.ref),
        occurred_at=said.at,
        message_ref=said.ref,
        thread_key=thread_key(said.data["conversation_id"], said.visibility),
        visibility=said.visibility,
        author=_contact(said.data["author"]),
        text=said.text,
        attachments=attachments,
        parent_ref=MessageRef(said.data["reply_to"]) if "reply_to" in said.data else None,
        url=said.data.get("url", ""),
        is_own=is_own,
        marker=_marker(said.data.get("client_id", "")) if is_own else None,
        remarks=(*losses, *said.remarks),
    )


def _edited(said: _Said) -> MessageEdited:
    attachments, losses = files.read_attachments(said.data.get("attachments", ()))
    return MessageEdited(
        event_key=said.key("edited", said.ref, said.stamp),
        occurred_at=said.at,
        message_ref=said.ref,
        revision=said.stamp,
        text=said.text,
        attachments=attachments,
        thread_key=said.thread_key,
        author_ref=ContactRef(said.data["author_id"]) if "author_id" in said.data else None,
        is_own=said.data.get("from_company", False),
        remarks=(*losses, *said.remarks),
    )


def _deleted(said: _Said) -> MessageDeleted:
    return MessageDeleted(
        event_key=said.key("deleted", said.ref),
        occurred_at=said.at,
        message_ref=said.ref,
        thread_key=said.thread_key,
        is_own=said.data.get("from_company", False),
    )


def _reaction(said: _Said) -> ReactionChanged:
    author = _contact(said.data["author"])
    return ReactionChanged(
        event_key=said.key("reaction", said.ref, author.ref, said.data["emoji"], said.stamp, "1" if said.data["added"] else "0"),
        occurred_at=said.at,
        message_ref=said.ref,
        author=author,
        emoji=said.data["emoji"],
        added=said.data["added"],
        thread_key=said.thread_key,
    )


def _delivery(said: _Said) -> DeliveryUpdated:
    return DeliveryUpdated(
        event_key=said.key("delivery", said.ref, said.data["status"]),
        occurred_at=said.at,
        message_ref=said.ref,
        status=DeliveryStatus(said.data["status"]),
        detail=said.data.get("detail", ""),
    )


def _reachability(said: _Said) -> ContactReachability:
    key = thread_key(said.data["conversation_id"], said.visibility)
    return ContactReachability(
        event_key=said.key("reachability", key, said.stamp, "1" if said.data["reachable"] else "0"),
        occurred_at=said.at,
        thread_key=key,
        is_reachable=said.data["reachable"],
        detail=said.data.get("detail", ""),
    )


_READERS: Mapping[type[wire.Wire], Callable[[_Said], PlatformEvent]] = {
    wire.Created: _created,
    wire.Edited: _edited,
    wire.Deleted: _deleted,
    wire.Reaction: _reaction,
    wire.Delivery: _delivery,
    wire.Reachability: _reachability,
}


def _loaded(schema: wire.Wire, data: Any, at: str = "") -> dict[str, Any]:
    try:
        return cast("dict[str, Any]", schema.load(data))
    except ValidationError as problem:
        wrong = "; ".join(list(wire.mistakes(problem.messages, at))[:_MOST_NAMED])[:500]
        raise MalformedPayload(
            f"The event is not as the contract says ({wrong}). It was kept as it came; have the sender corrected, then replay it.",
            detail=wrong,
        ) from None


def _contact(data: Mapping[str, Any]) -> Contact:
    return Contact(
        ref=ContactRef(data["id"]),
        display_name=data.get("name", ""),
        handle=data.get("handle", "").removeprefix("@"),
        url=data.get("url", ""),
        avatar_url=data.get("avatar_url", ""),
        language=data.get("language", ""),
        is_bot=data.get("is_bot", False),
        is_verified=data.get("is_verified"),
        followers=data.get("followers"),
        created_at=data.get("created_at"),
        reputation=data.get("reputation"),
    )


def _marker(client_id: str) -> Marker | None:
    """Ours, if it can be."""
    return Marker(client_id) if len(client_id) == _MARKER_LENGTH and client_id.isascii() and client_id.isalnum() else None


def _remarks(unknown: list[str]) -> tuple[str, ...]:
    if not unknown:
        return ()
    names = sorted({name[:_LONGEST_NAMED] for name in unknown})
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    listed = ", ".join(names[:_MOST_NAMED])
    return (f"The sender told more than the channel's contract knows, and that was left out: {listed}{more}.",)
