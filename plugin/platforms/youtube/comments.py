"""YouTube's comments and videos as messages. Pure.

Source: YouTube Data API, "Comments", "CommentThreads", "Search: list", "Channels".
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from plugin.contracts.reading import read_object, read_objects, read_string, read_time
from plugin.domain.errors import MalformedPayload
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived
from plugin.domain.html import from_html
from plugin.domain.ids import ContactRef, MessageRef, ThreadKey
from plugin.domain.model import Contact, Visibility
from plugin.domain.text import Text, fold
from plugin.platforms._oauth.values import read_count, read_id

SITE = "https://www.youtube.com"
_VIDEO = "video:"
_HTML = re.compile(r"<br ?/?>|<a href=\"|</[abi]>|&(?:#39|quot|amp|lt|gt);")
_SHUT = "YouTube takes no answers below this comment (its author, the video or the channel does not allow them)."
_ELSEWHERE = (
    "Crossdesk answers on YouTube only below comments on its own channel: what is said to an answer below somebody else's video is told to "
    "nobody. Comment there on YouTube itself."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment as it is now. `parent` is the comment that begins the thread, empty for that one itself."""

    id: str
    parent: str
    video: str
    author: Contact
    text: str
    at: datetime | None
    revision: str
    """When it was changed, as YouTube writes it; empty when it never was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A comment with its answers, of which only some may be shown."""

    top: Comment
    count: int
    shown: tuple[Comment, ...]
    is_open: bool


def read_comment(raw: Mapping[str, Any], *, video: str = "") -> Comment:
    """A `comment` resource.

    Raises:
        MalformedPayload: it has no id or no content.
    """
    one, snippet = read_id(raw.get("id")), read_object(raw.get("snippet"))
    shown = snippet.get("textDisplay")
    if not one or not isinstance(shown, str):
        raise MalformedPayload("A YouTube comment has no id or no text; it was kept as it came.")
    published, updated = read_time(snippet.get("publishedAt")), read_time(snippet.get("updatedAt"))
    is_edited = published is not None and updated is not None and updated > published
    return Comment(
        id=one,
        parent=read_id(snippet.get("parentId")),
        video=read_id(snippet.get("videoId")) or video,
        author=_author(snippet, one),
        text=_plain(shown, snippet),
        at=published,
        revision=read_string(snippet.get("updatedAt")) if is_edited else "",
    )


def _plain(shown: str, snippet: Mapping[str, Any]) -> str:
    """The words. YouTube is asked for plain text; where HTML comes all the same, it is undone."""
    if not _HTML.search(shown):
        return shown
    return read_string(snippet.get("textOriginal")) or fold(from_html(shown), frozenset())[0].plain


def read_thread(raw: Mapping[str, Any]) -> Thread:
    """A `commentThread` resource.

    Raises:
        MalformedPayload: its first comment cannot be read.
    """
    snippet = read_object(raw.get("snippet"))
    video = read_id(snippet.get("videoId"))
    shown = []
    for one in read_objects(read_object(raw.get("replies")).get("comments")):
        try:
            shown.append(read_comment(one, video=video))
        except MalformedPayload:
            continue  # the count differs then, and the whole list is asked for
    return Thread(
        top=read_comment(read_object(snippet.get("topLevelComment")), video=video),
        count=read_count(snippet.get("totalReplyCount")) or 0,
        shown=tuple(shown),
        is_open=snippet.get("canReply") is not False,
    )


def thread_key(top: Comment, author: ContactRef, *, account: str) -> ThreadKey:
    """A customer's comment is one conversation; below a comment of ours, each customer has one of their own."""
    return ThreadKey(top.id if top.author.ref != account else f"{top.id}/{author}")


def thread_of(key: ThreadKey) -> str:
    """The comment below which an answer goes; empty for a video and for what is not ours."""
    return "" if key.startswith(_VIDEO) else read_id(key.partition("/")[0])


def comment_id(ref: str) -> str:
    """YouTube's id of a comment; empty for a video."""
    return "" if ref.startswith(_VIDEO) else read_id(ref)


def received(comment: Comment, thread: Thread, *, account: str) -> MessageReceived:
    """A comment of a thread that is a conversation."""
    is_own = comment.author.ref == account
    return MessageReceived(
        event_key=f"comment:{comment.id}",
        occurred_at=comment.at,
        message_ref=MessageRef(comment.id),
        thread_key=thread_key(thread.top, comment.author.ref, account=account),
        visibility=Visibility.PUBLIC,
        author=comment.author,
        text=Text(comment.text),
        parent_ref=MessageRef(comment.parent) if comment.parent else None,
        url=link(comment.video, comment.id),
        is_own=is_own,
        no_reply="" if thread.is_open or is_own else _SHUT,
    )


def edited(comment: Comment, *, account: str) -> MessageEdited:
    """A comment that was changed."""
    return MessageEdited(
        event_key=f"comment:{comment.id}:edited:{comment.revision}",
        occurred_at=read_time(comment.revision),
        message_ref=MessageRef(comment.id),
        revision=comment.revision,
        text=Text(comment.text),
        is_own=comment.author.ref == account,
    )


def deleted(one: str) -> MessageDeleted:
    """A comment that is not shown any more."""
    return MessageDeleted(event_key=f"comment:{one}:deleted", occurred_at=None, message_ref=MessageRef(one))


def found_video(raw: Mapping[str, Any], name: str) -> MessageReceived:
    """A video that a saved search found.

    Raises:
        MalformedPayload: it has no id or no title.
    """
    video, snippet = read_id(read_object(raw.get("id")).get("videoId")), read_object(raw.get("snippet"))
    channel = read_id(snippet.get("channelId"))
    if not video or not channel or not isinstance(snippet.get("title"), str):
        raise MalformedPayload("What YouTube found has no id, channel or title; it was kept as it came.")
    words = [html.unescape(read_string(snippet.get(part))).strip() for part in ("title", "description")]
    return MessageReceived(
        event_key=f"{_VIDEO}{video}",
        occurred_at=read_time(snippet.get("publishedAt")),
        message_ref=MessageRef(f"{_VIDEO}{video}"),
        thread_key=ThreadKey(f"{_VIDEO}{video}"),
        visibility=Visibility.PUBLIC,
        author=Contact(ref=ContactRef(channel), display_name=read_string(snippet.get("channelTitle")), url=f"{SITE}/channel/{channel}"),
        text=Text("\n\n".join(filter(None, words))),
        url=f"{SITE}/watch?v={video}",
        found_by=name,
        no_reply=_ELSEWHERE,
    )


def with_profile(contact: Contact, raw: Mapping[str, Any]) -> Contact:
    """A contact with what its channel tells: subscribers (rounded, and not where they are hidden), age, language."""
    snippet, counted = read_object(raw.get("snippet")), read_object(raw.get("statistics"))
    return replace(
        contact,
        followers=None if counted.get("hiddenSubscriberCount") is True else read_count(counted.get("subscriberCount")),
        created_at=read_time(snippet.get("publishedAt")),
        language=read_string(snippet.get("defaultLanguage"))[:35],
    )


def link(video: str, comment: str) -> str:
    """Where people read a comment."""
    return f"{SITE}/watch?v={video}&lc={comment}" if video else ""


def _author(snippet: Mapping[str, Any], comment: str) -> Contact:
    shown = read_string(snippet.get("authorDisplayName"))
    return Contact(
        # An account that was closed has no channel: each of its comments stands alone.
        ref=ContactRef(read_id(read_object(snippet.get("authorChannelId")).get("value")) or f"closed:{comment}"),
        display_name=shown,
        handle=shown.removeprefix("@") if shown.startswith("@") else "",
        url=read_string(snippet.get("authorChannelUrl")),
        avatar_url=read_string(snippet.get("authorProfileImageUrl")),
    )
