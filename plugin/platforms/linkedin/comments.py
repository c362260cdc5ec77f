"""LinkedIn's comments as messages. Pure. Source: LinkedIn Marketing API, "Comments API", "Reactions API"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.errors import MalformedPayload
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, ReactionChanged
from plugin.domain.ids import ContactRef, MediaRef, MessageRef
from plugin.domain.model import Attachment, Contact, Visibility
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms._oauth.values import read_count
from plugin.platforms.linkedin.urns import (
    SITE,
    CommentUrn,
    actor_urn,
    comment_number,
    comment_urn,
    contact_number,
    media_urn,
    post_urn,
    thread_key,
)

_MEMBER = "com.linkedin.common.MemberAttributedEntity"
_COMPANY = "com.linkedin.common.CompanyAttributedEntity"
_EMOJI = {"LIKE": "👍", "PRAISE": "👏", "EMPATHY": "❤️", "INTEREST": "💡", "APPRECIATION": "🫶", "ENTERTAINMENT": "😄"}
CLOSED = "Comments are switched off below this post on LinkedIn."


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment as it is now. `top` is the comment that begins the thread, the comment itself where that is it. `replies`: None if not told."""

    urn: CommentUrn
    top: CommentUrn
    author: str
    text: Text
    pictures: tuple[Attachment, ...]
    at: datetime | None
    changed: datetime | None
    replies: int | None
    first_named: str
    """The member whom the text begins with, which is how LinkedIn shows whom a reply is to."""

    @property
    def is_top(self) -> bool:
        """Whether it stands directly below the post."""
        return self.urn == self.top


def read_comment(raw: Mapping[str, Any]) -> Comment:
    """A comment resource, as lists and single answers have it.

    Raises:
        MalformedPayload: it has no id or no text.
    """
    urn = _own_urn(raw)
    message = raw.get("message")
    if urn is None or not isinstance(message, dict) or not isinstance(message.get("text"), str):
        raise MalformedPayload("A comment from LinkedIn has no id or no text; it was kept as it came.")
    created, changed = read_object(raw.get("created")), read_object(raw.get("lastModified"))
    summary = read_object(raw.get("commentsSummary"))
    counts = [read_count(summary.get(name)) for name in ("aggregatedTotalComments", "totalFirstLevelComments")]
    text, first = _text(message)
    at, then = read_millis(created.get("time")), read_millis(changed.get("time"))
    return Comment(
        urn=urn,
        top=comment_urn(raw.get("parentComment")) or urn,
        author=actor_urn(raw.get("actor")) or actor_urn(created.get("actor")),
        text=text,
        pictures=_pictures(raw, urn),
        at=at,
        changed=then if then is not None and at is not None and then > at else None,
        replies=max((count for count in counts if count is not None), default=None),
        first_named=first,
    )


def received(comment: Comment, *, customer: str, organization: str, is_open: bool = True) -> Sequence[MessageReceived]:
    """A comment, and its pictures as a message of their own: the webhook tells of the words alone, and both must be the same fact."""
    is_own = comment.author == organization
    common: dict[str, Any] = {
        "occurred_at": comment.at,
        "thread_key": thread_key(comment.urn.post, customer if is_own else str(contact(comment.author, comment.urn).ref)),
        "visibility": Visibility.PUBLIC,
        "author": contact(comment.author, comment.urn),
        "url": comment.urn.url,
        "is_own": is_own,
        "no_reply": "" if is_open or is_own else CLOSED,
    }
    told = []
    if comment.text or not comment.pictures:
        parent = None if comment.is_top else comment.top.ref
        told.append(
            MessageReceived(
                event_key=f"comment:{comment.urn.id}", message_ref=comment.urn.ref, text=comment.text, parent_ref=parent, **common
            )
        )
    if comment.pictures:
        told.append(
            MessageReceived(
                event_key=f"comment:{comment.urn.id}:pictures",
                message_ref=MessageRef(f"{comment.urn}#pictures") if told else comment.urn.ref,
                text=Text(""),
                attachments=comment.pictures,
                parent_ref=comment.urn.ref if told else None if comment.is_top else comment.top.ref,
                **common,
            )
        )
    return told


def edited(urn: CommentUrn, text: Text, at: datetime, *, is_own: bool) -> MessageEdited:
    """A comment that says something else now, since `at`."""
    revision = f"{at.timestamp():017.3f}"
    return MessageEdited(
        event_key=f"comment:{urn.id}:edited:{revision}", occurred_at=at, message_ref=urn.ref, revision=revision, text=text, is_own=is_own
    )


def deleted(urn: CommentUrn, at: datetime | None = None, *, ref: str = "") -> MessageDeleted:
    """A comment that is gone. `ref`: the message of ours that it was, where that is the one with its pictures."""
    _, mark, part = ref.partition("#")
    return MessageDeleted(event_key=f"comment:{urn.id}:deleted{mark}{part}", occurred_at=at, message_ref=MessageRef(ref or urn.ref))


def reacted(raw: Mapping[str, Any], urn: CommentUrn) -> ReactionChanged:
    """A reaction to a comment.

    Raises:
        MalformedPayload: it does not say whose it is.
    """
    created, kind = read_object(raw.get("created")), read_string(raw.get("reactionType"))
    actor = actor_urn(created.get("actor")) or actor_urn(read_string(raw.get("id")).removeprefix("urn:li:reaction:(").partition(",")[0])
    if not actor or not kind:
        raise MalformedPayload("A reaction on LinkedIn does not say whose it is; it was kept as it came.")
    return ReactionChanged(
        event_key=f"reaction:{urn.id}:{actor}:{kind[:30]}",
        occurred_at=read_millis(created.get("time")),
        message_ref=urn.ref,
        author=contact(actor, urn),
        emoji=_EMOJI.get(kind, "👍"),
        added=True,
    )


def contact(author: str, urn: object) -> Contact:
    """Whoever spoke. LinkedIn names members by an id that holds for one app alone; some it does not name at all."""
    if not author:
        found = comment_urn(str(urn))
        return Contact(ref=ContactRef(f"unnamed:{found.id if found is not None else urn}"), display_name="A LinkedIn member")
    kind, number = contact_number(ContactRef(author))
    if kind == "person":
        return Contact(ref=ContactRef(author), display_name=f"LinkedIn member {number}")
    return Contact(ref=ContactRef(author), display_name=f"LinkedIn page {number}", url=f"{SITE}/company/{number}")


def picture_urls(raw: Mapping[str, Any]) -> Mapping[str, str]:
    """Where the pictures of a comment are now, by their URN. The addresses are signed and end."""
    listed = raw.get("content")
    return {
        urn: url
        for one in read_objects(listed)
        if (urn := media_urn(_media(one))) and (url := read_string(one.get("url"))).startswith("https://")
    }


def read_millis(value: Any) -> datetime | None:
    """A moment in milliseconds since 1970."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 10**14:
        return None
    return datetime.fromtimestamp(value / 1000, UTC)


def _own_urn(raw: Mapping[str, Any]) -> CommentUrn | None:
    named = comment_urn(raw.get("commentUrn")) or comment_urn(raw.get("$URN"))
    number, post = comment_number(raw.get("id")), post_urn(raw.get("object"))
    return named or (CommentUrn(post, number) if number and post else None)


def _pictures(raw: Mapping[str, Any], urn: CommentUrn) -> tuple[Attachment, ...]:
    found = [media_urn(_media(one)) for one in read_objects(raw.get("content"))]
    return tuple(
        Attachment(media_ref=MediaRef(f"{urn}|{one}"), filename=f"picture-{at}.jpg", content_type="image/jpeg")
        for at, one in enumerate(filter(None, found), 1)
    )


def _media(content: Mapping[str, Any]) -> Any:
    entity = read_object(content.get("entity"))
    return entity.get("image") or entity.get("digitalmediaAsset") or content.get("entity")


def _text(message: Mapping[str, Any]) -> tuple[Text, str]:
    """The words, with mentions marked, and the member who stands at their beginning. LinkedIn counts places in UTF-16."""
    plain, marks, first = read_string(message.get("text")).replace("\x00", "\ufffd"), [], ""
    for one in read_objects(message.get("attributes")):
        value, start, length = read_object(one.get("value")), read_count(one.get("start")), read_count(one.get("length"))
        target = actor_urn(read_object(value.get(_MEMBER)).get("member")) or actor_urn(read_object(value.get(_COMPANY)).get("company"))
        if not target or start is None or not length or start > len(plain) or length > len(plain):
            continue
        begin, end = _place(plain, start), _place(plain, start + length)
        if begin < end:
            marks.append(Mark(begin, end, MarkKind.MENTION, target))
            first = target if begin == 0 and ":person:" in target else first
    return Text(plain, tuple(sorted(set(marks)))), first


def _place(plain: str, units: int) -> int:
    """The code point at which `units` of UTF-16 have passed."""
    seen = 0
    for at, letter in enumerate(plain):
        if seen >= units:
            return at
        seen += 2 if ord(letter) > 0xFFFF else 1
    return len(plain)
