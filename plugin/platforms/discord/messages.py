"""One Discord message as an event. Pure; knows no call. Source: Discord documentation, "Message Object"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugin.contracts.reading import read_count, read_object, read_objects, read_string, read_time
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived
from plugin.domain.ids import ContactRef, MediaRef, MessageRef, ThreadKey
from plugin.domain.model import Attachment, Contact, Visibility
from plugin.domain.text import Text
from plugin.platforms.discord.keys import message_ref, thread_key
from plugin.platforms.discord.values import id_order, id_time, read_id
from plugin.platforms.discord.wording import read_content

_SAID = frozenset({0, 19, 20, 23})
"""Types of message that a person or an app wrote: an ordinary one, an answer, the outcome of a command."""
_LONG_PAST = 7 * 86_400_000 << 22
"""A week, as ids count time."""
_CONTENT_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_UNFIT = re.compile(r"[\x00-\x1f\x7f/\\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A channel or thread that is read. `is_thread`: all of it is one conversation."""

    channel: str
    guild: str
    is_thread: bool
    visibility: Visibility


def received(message: Mapping[str, Any], room: Room, own_id: str) -> MessageReceived:
    """Something was said.

    Raises:
        MalformedPayload: it lacks its id or its author.
        UnsupportedEvent: it is the server's own housekeeping.
    """
    message_id, author_id = read_id(message.get("id")), read_id(read_object(message.get("author")).get("id"))
    if not message_id or not author_id:
        raise MalformedPayload("This Discord message has no id, or nobody wrote it; it was kept as it came.")
    if read_count(message.get("type")) not in _SAID:
        raise UnsupportedEvent(f"Discord's own notice (type {message.get('type')}) says nothing that a customer said; it was counted.")
    ref, answered = message_ref(room.channel, message_id), _answered(message, room)
    text, files, remarks = _content(message, ref)
    return MessageReceived(
        event_key=f"message:{ref}",
        occurred_at=id_time(message_id),
        message_ref=ref,
        thread_key=_thread(message, room, author_id, own_id),
        visibility=room.visibility,
        author=contact(read_object(message.get("author"))),
        text=text,
        attachments=files,
        parent_ref=answered,
        url=url_of(room.guild, room.channel, message_id),
        is_own=author_id == own_id,
        remarks=remarks,
    )


def edited(message: Mapping[str, Any], ref: MessageRef) -> MessageEdited | None:
    """What it says since it was edited; None where it never was."""
    stamp = read_string(message.get("edited_timestamp"))
    at = read_time(stamp)
    if at is None:
        return None
    text, files, remarks = _content(message, ref)
    revision = at.strftime("%Y-%m-%dT%H:%M:%S.%f")
    return MessageEdited(
        event_key=edit_key(ref, revision), occurred_at=at, message_ref=ref, revision=revision, text=text, attachments=files, remarks=remarks
    )


def edit_key(ref: MessageRef, revision: str) -> str:
    """The key of an edit."""
    return f"edit:{ref}:{revision}"


def deleted(ref: MessageRef) -> MessageDeleted:
    """It is gone; Discord does not tell since when."""
    return MessageDeleted(event_key=f"deleted:{ref}", occurred_at=None, message_ref=ref)


def contact(author: Mapping[str, Any]) -> Contact:
    """Who wrote it. An account's id tells when it was made."""
    author_id, picture, handle = read_id(author.get("id")), read_string(author.get("avatar")), read_string(author.get("username"))
    return Contact(
        ref=ContactRef(author_id),
        display_name=read_string(author.get("global_name")) or handle,
        handle=handle,
        url=f"https://discord.com/users/{author_id}",
        avatar_url=f"https://cdn.discordapp.com/avatars/{author_id}/{picture}.png" if picture.isalnum() or "_" in picture else "",
        is_bot=author.get("bot") is True,
        created_at=id_time(author_id),
    )


def url_of(guild: str, channel: str, message: str) -> str:
    """Where members of the server read it."""
    return f"https://discord.com/channels/{guild or '@me'}/{channel}/{message}"


def _thread(message: Mapping[str, Any], room: Room, author_id: str, own_id: str) -> ThreadKey:
    """In an open channel what we answer belongs to the person who is answered, and so does what others answer to a person's question.

    An answer to an answer is its author's own, since whose question that was is not shown; so is one to what is long past, and may stand in no ticket.
    """
    if room.is_thread:
        return thread_key(room.channel)
    shown = read_object(message.get("referenced_message"))
    answered = read_id(read_object(shown.get("author")).get("id"))
    is_recent = id_order(read_id(message.get("id"))) - id_order(read_id(shown.get("id"))) < _LONG_PAST
    is_theirs = author_id == own_id or (answered != own_id and shown.get("type") == 0 and is_recent)
    return thread_key(room.channel, answered if is_theirs and answered else author_id)


def _answered(message: Mapping[str, Any], room: Room) -> MessageRef | None:
    reference = read_object(message.get("message_reference"))
    answered = read_id(reference.get("message_id"))
    is_answer = reference.get("type", 0) == 0 and reference.get("channel_id") == room.channel
    return message_ref(room.channel, answered) if answered and is_answer else None


def _content(message: Mapping[str, Any], ref: MessageRef) -> tuple[Text, tuple[Attachment, ...], tuple[str, ...]]:
    names = {
        read_id(one.get("id")): read_string(one.get("global_name")) or read_string(one.get("username"))
        for one in read_objects(message.get("mentions"))
    }
    text = read_content(read_string(message.get("content")), names)
    files = tuple(_file(file, ref) for file in read_objects(message.get("attachments")) if read_id(file.get("id")))
    remarks = [f"Sent the sticker “{read_string(one.get('name'))}”." for one in read_objects(message.get("sticker_items"))]
    for shown in read_objects(message.get("message_snapshots")):
        words = read_content(read_string(read_object(shown.get("message")).get("content")), {})
        remarks.append(f"Passes on a message, not the sender's own words: “{words.plain[:1000]}”")
    if message.get("poll"):
        question = read_string(read_object(read_object(message.get("poll")).get("question")).get("text"))
        remarks.append(f"Sent a poll: “{question}”.")
    if not text and not files and not remarks:
        titles = (read_string(one.get("title")) or read_string(one.get("description")) for one in read_objects(message.get("embeds")))
        text = Text(next(titles, ""))
        remarks += (
            [] if text else ["This message holds no words that are told. If all do, switch on the Message Content Intent of the bot."]
        )
    return text, files, tuple(remarks)


def _file(file: Mapping[str, Any], ref: MessageRef) -> Attachment:
    kind = read_string(file.get("content_type")).partition(";")[0].strip()
    return Attachment(
        media_ref=MediaRef(f"{ref}:{read_id(file.get('id'))}"),
        filename=_UNFIT.sub("", read_string(file.get("filename"))).strip()[-200:] or "file",
        content_type=kind if _CONTENT_TYPE.fullmatch(kind) else "application/octet-stream",
        size=read_count(file.get("size")),
        description=read_string(file.get("description")),
    )
