"""The posts of the fake network, and what the contract calls them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived
from plugin.domain.ids import Marker, MediaRef, MessageRef, ThreadKey
from plugin.domain.model import Attachment, Contact, File, Receipt, Visibility
from plugin.domain.text import Text

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One thing said, as it stands now."""

    ref: MessageRef
    thread_key: ThreadKey
    author: Contact
    visibility: Visibility
    text: Text
    parent_ref: MessageRef | None
    files: tuple[File, ...] = ()
    is_own: bool = False
    marker: Marker | None = None
    revision: int = 0
    is_deleted: bool = False
    choices: tuple[str, ...] = ()
    at: datetime = BEGINNING
    """When it was said, by the network's clock."""


def received(post: Post) -> MessageReceived:
    """A post as the event that brings it."""
    return MessageReceived(
        event_key=f"said:{post.ref}",
        occurred_at=post.at,
        message_ref=post.ref,
        thread_key=post.thread_key,
        visibility=post.visibility,
        author=post.author,
        text=post.text,
        attachments=tuple(
            Attachment(
                media_ref=MediaRef(f"{post.ref}/{number}"),
                filename=file.filename,
                content_type=file.content_type,
                size=len(file.content),
            )
            for number, file in enumerate(post.files)
        ),
        parent_ref=post.parent_ref,
        is_own=post.is_own,
        marker=post.marker,
    )


def edited(post: Post) -> MessageEdited:
    """A post's last edit as the event that tells of it."""
    return MessageEdited(
        event_key=f"edited:{post.ref}:{post.revision}",
        occurred_at=None,
        message_ref=post.ref,
        revision=f"{post.revision:06}",
        text=post.text,
        thread_key=post.thread_key,
        is_own=post.is_own,
    )


def deleted(post: Post) -> MessageDeleted:
    """A post's deletion as the event that tells of it."""
    return MessageDeleted(
        event_key=f"deleted:{post.ref}", occurred_at=None, message_ref=post.ref, thread_key=post.thread_key, is_own=post.is_own
    )


def last_change(post: Post | None) -> MessageEdited | MessageDeleted | None:
    """What a second look at a post tells: its last edit or its deletion, None where it stands as it was said."""
    if post is None or post.is_deleted:
        return None if post is None else deleted(post)
    return edited(post) if post.revision else None


def receipt(post: Post) -> Receipt:
    """What a delivery that made the post answers."""
    return Receipt(message_ref=post.ref, url=f"https://fake.example/{post.ref}")
