"""The practice network's events as the domain's. Pure: no calls, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from plugin.contracts.batches import Member, read_members
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, PlatformEvent
from plugin.domain.ids import ContactRef, Marker, MediaRef, MessageRef, ThreadKey
from plugin.domain.model import Attachment, Contact, Visibility
from plugin.domain.text import Text


def read_events(payload: Any) -> Sequence[PlatformEvent]:
    """What a webhook's body or a poll's answer tells, in its order. The company's words to nobody in particular are left out.

    Raises:
        MalformedPayload: it cannot be read.
    """
    try:
        own = _text(payload["account"], "id")
        items = _list(payload, "events")
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise _malformed(problem) from None
    try:
        return read_members(Member(raw=item, read=partial(_try, item, own)) for item in items)
    except UnsupportedEvent:
        return []


def _try(item: Any, own: str) -> Iterable[PlatformEvent]:
    try:
        return list(_read(item, own))
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise _malformed(problem) from None


def _malformed(problem: Exception) -> MalformedPayload:
    return MalformedPayload("The practice network sent something that cannot be read; it was kept as it came.", detail=repr(problem)[:200])


def _read(item: Any, own: str) -> Iterable[PlatformEvent]:
    kind, _, change = _text(item, "type").partition(".")
    if kind not in {"post", "message"} or change not in {"created", "edited", "deleted"}:
        return
    post = item["post"]
    thread_key = _thread_key(kind, post)
    if thread_key is None:
        return
    parent, marker = _optional(post, "reply_to"), _optional(post, "client_ref")
    ref, occurred_at = MessageRef(_text(post, "id")), _moment(item, "at")
    is_own = _text(post["author"], "id") == own
    if change == "created":
        yield MessageReceived(
            event_key=f"created:{ref}",
            occurred_at=occurred_at,
            message_ref=ref,
            thread_key=thread_key,
            visibility=Visibility.PRIVATE if kind == "message" else Visibility.PUBLIC,
            author=_contact(post["author"]),
            text=Text(_text(post, "text")),
            attachments=_attachments(post),
            parent_ref=MessageRef(parent) if parent else None,
            url=_text(post, "url"),
            is_own=is_own,
            marker=Marker(marker) if is_own and marker else None,
        )
    elif change == "edited":
        revision = f"{_number(post, 'revision'):06d}"
        yield MessageEdited(
            event_key=f"edited:{ref}:{revision}",
            occurred_at=occurred_at,
            message_ref=ref,
            revision=revision,
            text=Text(_text(post, "text")),
            attachments=_attachments(post),
            thread_key=thread_key,
            is_own=is_own,
        )
    else:
        yield MessageDeleted(event_key=f"deleted:{ref}", occurred_at=occurred_at, message_ref=ref, thread_key=thread_key, is_own=is_own)


def _thread_key(kind: str, post: Any) -> ThreadKey | None:
    """`private:USER`, or `public:POST` after the customer's first post of the branch; None where no customer is in it yet."""
    conversation = post["conversation"]
    customer = _optional(conversation, "with")
    if not customer:
        return None
    return ThreadKey(f"private:{customer}" if kind == "message" else f"public:{_text(conversation, 'id')}")


def _contact(data: Any) -> Contact:
    return Contact(
        ref=ContactRef(_text(data, "id")),
        display_name=_text(data, "name"),
        handle=_text(data, "handle"),
        url=_text(data, "url"),
    )


def _attachments(post: Any) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(
            media_ref=MediaRef(_text(file, "id")),
            filename=_text(file, "filename"),
            content_type=_text(file, "content_type"),
            size=_number(file, "size"),
            description=_text(file, "description"),
        )
        for file in _list(post, "media")
    )


def _text(data: Any, key: str) -> str:
    value = data[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    return value


def _optional(data: Any, key: str) -> str:
    """A text, empty for null. The field itself must be there."""
    return "" if data[key] is None else _text(data, key)


def _number(data: Any, key: str) -> int:
    value = data[key]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**12:
        raise TypeError(f"{key} is no number")
    return value


def _list(data: Any, key: str) -> list[Any]:
    value = data[key]
    if not isinstance(value, list):
        raise TypeError(f"{key} is no list")
    return value


def _moment(data: Any, key: str) -> datetime:
    moment = datetime.fromisoformat(_text(data, key))
    if moment.tzinfo is None:
        raise ValueError(f"{key} has no time zone")
    return moment
