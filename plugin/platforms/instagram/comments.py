"""Comments and mentions as Instagram tells them. Sources: Instagram Platform, "Webhooks", "Comment Moderation" and "Mentions".

A mention's webhook names the place and not the words: they are fetched as the message's file, at once, because somebody else may delete them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from plugin.contracts.reading import read_object, read_string
from plugin.domain.errors import RemoteRejected, UnsupportedEvent
from plugin.domain.events import MessageReceived, PlatformEvent
from plugin.domain.ids import ContactRef, MediaRef, MessageRef
from plugin.domain.model import Attachment, Contact, File, Visibility
from plugin.domain.text import Text
from plugin.platforms._graph.client import Graph, segment
from plugin.platforms._graph.envelopes import Told, need
from plugin.platforms._graph.values import read_id, read_time
from plugin.platforms.instagram.keys import mention_thread, public_thread

_COMMENTS = frozenset({"comments", "live_comments"})
_MENTION = "mention "
_NO_WORDS = "This comment came without words, in a form that is not told. Look on Instagram."


def read_change(told: Told, account: str) -> Sequence[PlatformEvent]:
    """The events in one change of `account`.

    Raises:
        MalformedPayload: an id is missing.
        UnsupportedEvent: it is of a kind that is not carried.
    """
    if told.field in _COMMENTS:
        return [_comment(told, account)]
    if told.field == "mentions":
        return [_mention(told)]
    raise UnsupportedEvent(f"The field {told.field or 'without name'} is not carried: it holds nothing that was said.")


def comment(
    said: Mapping[str, Any], *, media: str, parent: str, account: str, at: datetime | None, remarks: Sequence[str] = ()
) -> MessageReceived:
    """A comment, told or read, as its event."""
    ref = MessageRef(need(read_id(said.get("id")) or read_id(said.get("comment_id")), "comment id"))
    author = read_object(said.get("from"))
    author_id, name = read_id(author.get("id")), read_string(author.get("username")) or read_string(said.get("username"))
    text = read_string(said.get("text"))
    thread_key = public_thread(media, parent or ref)
    return MessageReceived(
        event_key=f"message:{ref}",
        occurred_at=at,
        message_ref=ref,
        thread_key=thread_key,
        visibility=Visibility.PUBLIC,
        author=Contact(
            ref=ContactRef(author_id or (f"name:{name}" if name else f"unknown:{thread_key}")),
            display_name="" if author_id or name else "Somebody on Instagram",
            handle=name,
            url=f"https://www.instagram.com/{name}/" if name else "",
        ),
        text=Text(text),
        parent_ref=MessageRef(parent) if parent else None,
        is_own=author_id == account or author.get("self_ig_scoped_id") == account,
        remarks=(*remarks, *(() if text else (_NO_WORDS,))),
    )


def _comment(told: Told, account: str) -> MessageReceived:
    value, about = told.value, read_object(told.value.get("media"))
    media = read_id(about.get("id")) or read_id(value.get("media_id")) or "unknown"
    remarks = []
    if told.field == "live_comments":
        remarks.append("This was said during a live broadcast; it can be answered in private only while that lasts.")
    if read_id(about.get("ad_id")):
        title = read_string(about.get("ad_title"))
        remarks.append(f"This stands below an advertisement{f' (“{title}”)' if title else ''}.")
    at = read_time(value.get("timestamp")) or read_time(value.get("created_time")) or told.at
    return comment(value, media=media, parent=read_id(value.get("parent_id")), account=account, at=at, remarks=remarks)


def _mention(told: Told) -> MessageReceived:
    media, found = need(read_id(told.value.get("media_id")), "media id"), read_id(told.value.get("comment_id"))
    thread_key = mention_thread(media, found)
    return MessageReceived(
        event_key=f"message:{thread_key}",
        occurred_at=told.at,
        message_ref=MessageRef(thread_key),
        thread_key=thread_key,
        visibility=Visibility.PUBLIC,
        author=Contact(ref=ContactRef(f"unknown:{thread_key}"), display_name="Somebody on Instagram"),
        text=Text(""),
        attachments=(
            Attachment(media_ref=MediaRef(f"{_MENTION}{media} {found}"), filename="what-was-said.txt", content_type="text/plain"),
        ),
        remarks=(f"Somebody mentioned us in a {'comment' if found else 'caption'} of their own. The words are in the file.",),
    )


def is_mention(attachment: Attachment) -> bool:
    """Whether a file stands for the words of a mention."""
    return attachment.media_ref.startswith(_MENTION)


def fetch_mention(graph: Graph, account: str, attachment: Attachment) -> File:
    """The words of a mention, with who said them and where.

    Raises:
        RemoteRejected: they are gone.
        RemoteError: any other of its kinds.
    """
    media, _, found = attachment.media_ref.removeprefix(_MENTION).partition(" ")
    if found:
        edge, asked = "mentioned_comment", f"mentioned_comment.comment_id({found}){{id,text,timestamp,username,media{{permalink}}}}"
    else:
        edge, asked = "mentioned_media", f"mentioned_media.media_id({media}){{id,caption,timestamp,username,permalink}}"
    said = read_object(graph.read(f"/{segment(account)}", {"fields": asked}).get(edge))
    words = read_string(said.get("text")) or read_string(said.get("caption"))
    if not said or not words:
        raise RemoteRejected("Instagram does not give the words of the mention out (any more). Look on Instagram.")
    where = read_string(said.get("permalink")) or read_string(read_object(said.get("media")).get("permalink"))
    content = f"@{read_string(said.get('username')) or 'unknown'}: {words}\n{where}".strip()
    return File(filename=attachment.filename, content_type="text/plain", content=content.encode("utf-8", "replace"))
