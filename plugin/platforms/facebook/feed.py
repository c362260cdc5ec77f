"""What happens on a Page's feed, as the webhook tells it: visitors' posts, comments in their tree, edits, removals, hiding, reactions.

Facebook hangs an answer to an answer below the top-level comment, so a conversation is a post's top-level comment with all below it.
Source: Graph API, "Webhooks Reference: Page", field `feed`. Our own posts are no messages: nobody is answered by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plugin.contracts.reading import read_object, read_string
from plugin.domain.errors import UnsupportedEvent
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, PlatformEvent, ReactionChanged
from plugin.domain.ids import ContactRef, MessageRef, ThreadKey
from plugin.domain.model import Attachment, Contact, Visibility
from plugin.domain.text import Text
from plugin.platforms._graph.envelopes import Told, need
from plugin.platforms._graph.media import attachment
from plugin.platforms._graph.values import digest, read_id, read_time
from plugin.platforms.facebook.keys import public_thread

_POSTS = frozenset({"post", "status", "photo", "video", "share", "link", "note"})
_EMOJIS = {"like": "👍", "love": "❤️", "haha": "😆", "wow": "😮", "sad": "😢", "sorry": "😢", "angry": "😠", "anger": "😠", "care": "🤗"}
_CHANGES = frozenset({"add", "edit", "edited", "hide", "unhide", "remove"})
_NO_WORDS = "This was posted without words, in a form that is not told. Look on Facebook."


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """What a change is about, and who did it."""

    ref: MessageRef
    thread_key: ThreadKey
    author: Contact
    is_own: bool
    at: datetime | None
    is_comment: bool


def read_change(told: Told, page: str) -> Sequence[PlatformEvent]:
    """The events in one change of `page`.

    Raises:
        MalformedPayload: an id is missing.
        UnsupportedEvent: it is of a kind that is not carried.
    """
    value, item, verb = told.value, read_string(told.value.get("item")), read_string(told.value.get("verb"))
    if told.field == "mention":
        return [_received(value, _spot(value, told, page), remark="The Page was mentioned here.")]
    if told.field != "feed":
        raise UnsupportedEvent(f"The field {told.field or 'without name'} is not carried: it holds nothing that was said.")
    if item in ("reaction", "like"):
        return [_reaction(value, told, page)]
    if item != "comment" and item not in _POSTS:
        raise UnsupportedEvent(f"{item or 'A change without kind'} on the feed is not carried: it holds nothing that was said.")
    if verb not in _CHANGES:
        raise UnsupportedEvent(f"{verb or 'A change without verb'} of a {item} is not carried.")
    spot = _spot(value, told, page)
    if verb == "remove":
        return [MessageDeleted(event_key=f"removed:{spot.ref}", occurred_at=spot.at, message_ref=spot.ref, thread_key=spot.thread_key)]
    if spot.is_own and not spot.is_comment:
        raise UnsupportedEvent("A post of the Page's own is no message of a customer.")
    if verb == "add":
        return [_received(value, spot)]
    if verb in ("hide", "unhide"):
        what = "comment" if spot.is_comment else "post"
        shown = f"This {what} is shown on the Page again."
        hidden = f"This {what} is hidden on the Page now: only its author and their friends see it."
        return [_edited(value, spot, (hidden if verb == "hide" else shown,))]
    return [_edited(value, spot, ())]


def _spot(value: Mapping[str, Any], told: Told, page: str) -> Spot:
    comment, parent = read_id(value.get("comment_id")), read_id(value.get("parent_id"))
    post = need(read_id(value.get("post_id")) or (parent if comment else ""), "post id")
    thread_key = thread_of(post, comment, parent, page)
    author = read_object(value.get("from"))
    author_id = read_id(author.get("id")) or read_id(value.get("sender_id"))
    name = read_string(author.get("name")) or read_string(value.get("sender_name"))
    return Spot(
        ref=MessageRef(comment or post),
        thread_key=thread_key,
        author=contact(author_id, name, thread_key),
        is_own=author_id == page,
        at=read_time(value.get("created_time")) or told.at,
        is_comment=bool(comment),
    )


def thread_of(post: str, comment: str, parent: str, page: str) -> ThreadKey:
    """The conversation of a post, or of a comment below it."""
    is_answer = bool(parent) and parent != post and not parent.startswith(f"{page}_") and parent != comment
    return public_thread(post, parent if comment and is_answer else comment)


def contact(author: str, name: str, thread_key: ThreadKey) -> Contact:
    """Who spoke. Facebook keeps names from apps without the permission and of protected people: such a one is known by the thread."""
    return Contact(ref=ContactRef(author or f"unknown:{thread_key}"), display_name=name or ("" if author else "Somebody on Facebook"))


def _received(value: Mapping[str, Any], spot: Spot, *, remark: str = "") -> MessageReceived:
    text, files = read_string(value.get("message")), _files(value, spot)
    link = read_string(value.get("link")) if not files else ""
    words = text if not link or link in text else f"{text}\n{link}".strip()
    parent = read_id(value.get("parent_id"))
    remarks = [one for one in (remark, "" if words or files else _NO_WORDS) if one]
    return MessageReceived(
        event_key=f"message:{spot.ref}",
        occurred_at=spot.at,
        message_ref=spot.ref,
        thread_key=spot.thread_key,
        visibility=Visibility.PUBLIC,
        author=spot.author,
        text=Text(words),
        attachments=files,
        parent_ref=MessageRef(parent) if spot.is_comment and parent and not spot.thread_key.endswith(f":{spot.ref}") else None,
        url=_link(value, spot),
        is_own=spot.is_own,
        remarks=tuple(remarks),
    )


def _link(value: Mapping[str, Any], spot: Spot) -> str:
    post = read_string(read_object(value.get("post")).get("permalink_url"))
    if not post.startswith("https://"):
        return f"https://www.facebook.com/{spot.ref}"
    return f"{post}{'&' if '?' in post else '?'}comment_id={spot.ref.rpartition('_')[2]}" if spot.is_comment else post


def _files(value: Mapping[str, Any], spot: Spot) -> tuple[Attachment, ...]:
    item, photos = read_string(value.get("item")), value.get("photos")
    listed = [one for one in photos if isinstance(one, str)] if isinstance(photos, list) else []
    found = [("image", url) for url in listed]
    for kind, name in (("image", "photo"), ("video", "video")):
        url = read_string(value.get(name)) or (read_string(value.get("link")) if item == name and not listed else "")
        if url.startswith("https://"):
            found.append((kind, url))
    return tuple(attachment(kind, spot.ref, index, url) for index, (kind, url) in enumerate(found))


def _edited(value: Mapping[str, Any], spot: Spot, remarks: tuple[str, ...]) -> MessageEdited:
    text, verb = read_string(value.get("message")), read_string(value.get("verb"))
    stamp = f"{int(spot.at.timestamp()):012}" if spot.at is not None and spot.at.timestamp() >= 0 else "0" * 12
    revision = f"{stamp}:{digest(verb.removesuffix('ed'), text)}"
    return MessageEdited(
        event_key=f"edited:{spot.ref}:{revision}",
        occurred_at=spot.at,
        message_ref=spot.ref,
        revision=revision,
        text=Text(text),
        attachments=_files(value, spot),
        thread_key=spot.thread_key,
        is_own=spot.is_own,
        remarks=remarks,
    )


def _reaction(value: Mapping[str, Any], told: Told, page: str) -> ReactionChanged:
    comment, author = read_id(value.get("comment_id")), read_object(value.get("from"))
    if not comment:
        raise UnsupportedEvent("A reaction to a post is not carried: it answers nobody.")
    # Old deliveries name the comment alone; where it stands is known by its id.
    who = contact(
        read_id(author.get("id")) or read_id(value.get("sender_id")),
        read_string(author.get("name")) or read_string(value.get("sender_name")),
        thread_of(read_id(value.get("post_id")), comment, read_id(value.get("parent_id")), page),
    )
    at = read_time(value.get("created_time")) or told.at
    kind, verb = read_string(value.get("reaction_type")) or "like", read_string(value.get("verb"))
    return ReactionChanged(
        event_key=f"reaction:{comment}:{who.ref}:{verb}:{kind}:{f'{at.timestamp():.0f}' if at is not None else ''}",
        occurred_at=at,
        message_ref=MessageRef(comment),
        author=who,
        emoji=_EMOJIS.get(kind.lower(), "❔"),
        added=verb != "remove",
        thread_key=None,
    )
