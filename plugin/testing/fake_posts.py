"""The posts of the fake network, and what the contract calls them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from plugin.domain.events import MessageReceived
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


def received(post: Post) -> MessageReceived:
    """A post as the event that brings it."""
    return MessageReceived(
        event_key=f"said:{post.ref}",
        occurred_at=BEGINNING + timedelta(seconds=int(post.ref[1:])),
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


def receipt(post: Post) -> Receipt:
    """What a delivery that made the post answers."""
    return Receipt(message_ref=post.ref, url=f"https://fake.example/{post.ref}")
