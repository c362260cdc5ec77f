"""One Slack message as events: the same whether the Events API tells it or `conversations.history` shows it. Pure; knows no call.

Source: Slack API, "message event" and its subtypes, "File object".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugin.contracts.reading import read_count, read_object, read_objects, read_string
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived
from plugin.domain.ids import ContactRef, Marker, MediaRef
from plugin.domain.model import Attachment, Contact, Visibility
from plugin.domain.text import Text
from plugin.platforms.slack.keys import is_channel, message_ref, thread_key
from plugin.platforms.slack.schema import Settings
from plugin.platforms.slack.values import read_ts, ts_time
from plugin.platforms.slack.wording import read_mrkdwn, read_text

MARKER_TYPE = "crossdesk_message"
"""The `event_type` of the metadata by which our own messages are known."""

_CARRIED = frozenset({"", "bot_message", "file_share", "me_message", "thread_broadcast"})
_SLACKBOT = "USLACKBOT"
"""Slack's own voice in each workspace: reminders, answers to set words."""
_GONE_FILE = frozenset({"tombstone", "hidden_by_limit"})
_FILE_ID = re.compile(r"F[A-Z0-9]{2,30}")
_CONTENT_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_UNFIT = re.compile(r"[\x00-\x1f\x7f/\\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Where something was said. `kind` is Slack's `channel_type`: `channel`, `group`, `mpim` or `im`."""

    channel: str
    kind: str

    @property
    def is_direct(self) -> bool:
        """A conversation with the bot alone."""
        return self.kind == "im"


def room(channel: object, kind: object) -> Room:
    """The room of an event. Where Slack does not tell its kind, the id does, and of what it leaves open the more public is taken.

    Raises:
        MalformedPayload: it names none.
    """
    name = read_string(channel)
    if not is_channel(name):
        raise MalformedPayload("This Slack event names no channel; it was kept as it came.")
    told = read_string(kind)
    return Room(
        channel=name, kind=told if told in ("channel", "group", "mpim", "im") else {"D": "im", "G": "group"}.get(name[0], "channel")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one app's messages are read."""

    settings: Settings

    def check(self, where: Room) -> None:
        """Whether this room is listened to at all.

        Raises:
            UnsupportedEvent: the settings say that it is not.
        """
        if where.kind == "channel" and self.settings.channels == "ignore":
            raise UnsupportedEvent('This channel ignores what is said in open channels (channels = "ignore"); it was counted.')

    def visibility(self, where: Room) -> Visibility:
        """Who reads along."""
        return Visibility.PUBLIC if where.kind == "channel" and self.settings.channels == "public" else Visibility.PRIVATE

    def is_own(self, message: Mapping[str, Any]) -> bool:
        """Whether our own app said it."""
        told = read_string(message.get("app_id")) or read_string(read_object(message.get("bot_profile")).get("app_id"))
        return told == self.settings.app_id

    def received(self, message: Mapping[str, Any], where: Room) -> MessageReceived:
        """Something was said.

        Raises:
            MalformedPayload: it has no time stamp, or nobody said it.
            UnsupportedEvent: it is the channel's own housekeeping.
        """
        self.check(where)
        subtype, ts = read_string(message.get("subtype")), _ts(message)
        if subtype not in _CARRIED:
            raise UnsupportedEvent(f"Slack's own notice “{subtype}” says nothing that a customer said; it was counted.")
        root = read_ts(message.get("thread_ts")) or ts
        text, files, remarks = _content(message)
        ref, own = message_ref(where.channel, ts), self.is_own(message)
        return MessageReceived(
            event_key=f"message:{ref}",
            occurred_at=ts_time(ts),
            message_ref=ref,
            thread_key=thread_key(where.channel, root, is_direct=where.is_direct),
            visibility=self.visibility(where),
            author=author(message),
            text=text,
            attachments=files,
            parent_ref=message_ref(where.channel, root) if root != ts else None,
            url=self.url(where.channel, ts, root),
            is_own=own,
            marker=marker_of(message) if own else None,
            remarks=remarks,
        )

    def edited(self, message: Mapping[str, Any], where: Room, *, told_at: str) -> MessageEdited:
        """It reads differently now. `told_at` tells edits apart that Slack does not date, such as those of bots."""
        ts = _ts(message)
        ref, revision = message_ref(where.channel, ts), edited_at(message) or told_at
        text, files, remarks = _content(message)
        return MessageEdited(
            event_key=f"edit:{ref}:{revision}",
            occurred_at=ts_time(revision),
            message_ref=ref,
            revision=f"{revision:0>18}",
            text=text,
            attachments=files,
            thread_key=thread_key(where.channel, read_ts(message.get("thread_ts")) or ts, is_direct=where.is_direct),
            is_own=self.is_own(message),
            remarks=remarks,
        )

    def deleted(self, ts: str, previous: Mapping[str, Any], where: Room, *, told_at: str) -> MessageDeleted:
        """It was taken back. `previous` is what it was, as far as Slack tells."""
        ref = message_ref(where.channel, ts)
        return MessageDeleted(
            event_key=f"deleted:{ref}",
            occurred_at=ts_time(told_at),
            message_ref=ref,
            thread_key=thread_key(where.channel, read_ts(previous.get("thread_ts")) or ts, is_direct=where.is_direct),
            is_own=self.is_own(previous),
        )

    def url(self, channel: str, ts: str, root: str) -> str:
        """Where members of the workspace read it; empty where the settings name no workspace."""
        if not self.settings.workspace_url:
            return ""
        within = f"?thread_ts={root}&cid={channel}" if root != ts else ""
        return f"{self.settings.workspace_url}/archives/{channel}/p{ts.replace('.', '')}{within}"


def author(message: Mapping[str, Any]) -> Contact:
    """Who said it. Slack names people by their id alone, but for guests from other workspaces; `users.info` knows the rest.

    Raises:
        MalformedPayload: nobody did.
    """
    bot, profile = read_object(message.get("bot_profile")), read_object(message.get("user_profile"))
    user, bot_id = read_string(message.get("user")), read_string(message.get("bot_id"))
    if not (user or bot_id):
        raise MalformedPayload("This Slack message does not say who wrote it; it was kept as it came.")
    shown = read_string(profile.get("real_name")) or read_string(profile.get("display_name"))
    return Contact(
        ref=ContactRef(user or bot_id),
        display_name=(read_string(message.get("username")) or read_string(bot.get("name"))) if bot_id else shown,
        handle=read_string(profile.get("name")),
        is_bot=bool(bot_id) or user == _SLACKBOT,
    )


def marker_of(message: Mapping[str, Any]) -> Marker | None:
    """The marker in the message's metadata. Only our own app's is to be believed."""
    metadata = read_object(message.get("metadata"))
    marker = read_string(read_object(metadata.get("event_payload")).get("marker"))
    return Marker(marker) if metadata.get("event_type") == MARKER_TYPE and marker else None


def edited_at(message: Mapping[str, Any]) -> str:
    """When its author last changed it, as a time stamp; empty for never."""
    return read_ts(read_object(message.get("edited")).get("ts"))


def says_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two states of a message differ in their look only: Slack tells of link previews as of edits."""
    return edited_at(one) == edited_at(other) and _content(one) == _content(other)


def _ts(message: Mapping[str, Any]) -> str:
    ts = read_ts(message.get("ts"))
    if not ts:
        raise MalformedPayload("This Slack message has no time stamp, which is its id; it was kept as it came.")
    return ts


def _content(message: Mapping[str, Any]) -> tuple[Text, tuple[Attachment, ...], tuple[str, ...]]:
    text, remarks = read_text(message), list[str]()
    files: list[Attachment] = []
    for file in read_objects(message.get("files")):
        found, remark = _file(file)
        files += [found] if found is not None else []
        remarks += [remark] if remark else []
    for shown in read_objects(message.get("attachments")):
        words, remark = _shown(shown)
        text = text or words
        remarks += [remark] if remark else []
    if not text and not files and not remarks:
        remarks.append("This message has no words in a form that Slack tells. Look on Slack.")
    return text, tuple(files), tuple(remarks)


def _file(file: Mapping[str, Any]) -> tuple[Attachment | None, str]:
    file_id, mode = read_string(file.get("id")), read_string(file.get("mode"))
    name = _UNFIT.sub("", read_string(file.get("name")) or read_string(file.get("title"))).strip()[-200:] or "file"
    if mode in _GONE_FILE or not _FILE_ID.fullmatch(file_id):
        return None, f"The file “{name}” is gone, or the workspace's plan hides it."
    if mode == "external" or file.get("is_external") is True:
        return None, f"Shared “{name}”, which lies elsewhere: {read_string(file.get('url_private'))[:500]}"
    kind = read_string(file.get("mimetype"))
    attachment = Attachment(
        media_ref=MediaRef(file_id),
        filename=name,
        content_type=kind if _CONTENT_TYPE.fullmatch(kind) else "application/octet-stream",
        size=read_count(file.get("size")),
        description=read_string(file.get("alt_txt")),
    )
    return attachment, ""


def _shown(shown: Mapping[str, Any]) -> tuple[Text, str]:
    """What hangs below a message: another message that is passed on, or an app's box. Previews of links say nothing new."""
    words = read_mrkdwn(read_string(shown.get("text")) or read_string(shown.get("fallback")) or read_string(shown.get("title")))
    if shown.get("is_share") is True or shown.get("is_msg_unfurl") is True:
        who = read_string(shown.get("author_name")) or "somebody"
        return Text(""), f"Passes on a message of {who}, not the sender's own words: “{words.plain[:1000]}”"
    return (Text(""), "") if shown.get("from_url") else (words, "")
