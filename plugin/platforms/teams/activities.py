"""The Bot Framework's activities as events. Pure: no call, no clock.

Sources: Microsoft Learn, "Bot Framework Activity schema", "Handle bot events in Teams", "Format your bot messages", "Send and receive files
through the bot", "Messages in bot conversations" (suggested actions, read receipts).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any

from plugin.contracts.reading import read_object, read_objects, read_string, read_time
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
from plugin.domain.ids import ContactRef, MediaRef, MessageRef, ThreadKey
from plugin.domain.model import Attachment, Contact, Visibility
from plugin.domain.text import Text
from plugin.platforms.teams.schema import Settings

FILE = "application/vnd.microsoft.teams.file.download.info"
_READ = "application/vnd.microsoft.readreceipt"
_AT = re.compile(r"<at(?:\s[^>]{0,100})?>(.{0,200}?)</at>", re.DOTALL)
_CHANNEL = re.compile(r";messageid=|@thread\.(?:tacv2|skype)\Z")
"""A conversation that can only stand in a team's channel, where Teams does not say so: what is told less well must not be taken for private."""
_ROOT = re.compile(r";messageid=[^;]*")
_CONTENT_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_UNFIT = re.compile(r"[\x00-\x1f\x7f/\\]")
_LONGEST = 500
_EMOJI = {"like": "👍", "heart": "❤️", "laugh": "😆", "surprised": "😮", "sad": "😢", "angry": "😡"}


def read_activity(activity: Any, settings: Settings) -> Sequence[PlatformEvent]:
    """The events in one activity.

    Raises:
        MalformedPayload: it lacks what makes it an activity of its kind.
        UnsupportedEvent: it is of no kind that we carry.
    """
    if not isinstance(activity, dict) or not read_string(activity.get("type")):
        raise MalformedPayload("This is no activity of the Bot Framework: it has no type. It was kept as it came.")
    kind, told = activity["type"], read_string(read_object(activity.get("channelData")).get("eventType"))
    if kind == "message":
        return [_received(activity, settings)]
    if kind == "messageUpdate":
        return [_edited(activity, settings, is_restored=told == "undeleteMessage")]
    if kind == "messageDelete":
        ref = message_ref(activity)
        return [
            MessageDeleted(
                event_key=f"deleted:{ref}:{_stamp(activity)}", occurred_at=_time(activity), message_ref=ref, thread_key=_thread(activity)
            )
        ]
    if kind == "messageReaction":
        return _reactions(activity)
    if kind == "installationUpdate":
        return [_installation(activity)]
    if kind == "event" and read_string(activity.get("name")).lower() == _READ:
        return [_read(activity)]
    raise UnsupportedEvent(f"Teams activities of the kind “{kind}” are not carried; it was counted.")


def message_ref(activity: Mapping[str, Any], activity_id: str = "") -> MessageRef:
    """A message of a conversation: its id is unique there only, and a channel's threads share their channel's.

    Raises:
        MalformedPayload: it names none.
    """
    found = activity_id or read_string(activity.get("id"))
    if not found or len(found) > _LONGEST:
        raise MalformedPayload("This Teams activity has no usable id; it was kept as it came.")
    return MessageRef(f"{_ROOT.sub('', _thread(activity))}|{found}")


def split_message(ref: MessageRef) -> str:
    """The activity's id."""
    return ref.rpartition("|")[2]


def is_personal(thread: ThreadKey) -> bool:
    """Whether it is a chat of one person with the bot: the Bot Framework writes such ids apart from those of Teams' own chats and channels."""
    return thread.startswith("a:")


def _received(activity: Mapping[str, Any], settings: Settings) -> MessageReceived:
    text, files, remarks = _content(activity)
    if read_object(activity.get("value")) and not text and not files:
        raise UnsupportedEvent("Buttons and cards that are filled in are not carried; it was counted.")
    ref, answered = message_ref(activity), read_string(activity.get("replyToId"))
    author = _contact(activity)
    return MessageReceived(
        event_key=f"message:{ref}",
        occurred_at=_time(activity),
        message_ref=ref,
        thread_key=_thread(activity),
        visibility=_visibility(activity, settings),
        author=author,
        text=text,
        attachments=files,
        parent_ref=message_ref(activity, answered) if answered and answered != split_message(ref) else None,
        url=_url(activity, settings),
        is_own=author.ref == f"28:{settings.app_id}",
        remarks=remarks,
    )


def _edited(activity: Mapping[str, Any], settings: Settings, *, is_restored: bool) -> MessageEdited:
    text, files, remarks = _content(activity)
    ref, stamp = message_ref(activity), _stamp(activity)
    author = _contact(activity)
    return MessageEdited(
        event_key=f"edit:{ref}:{stamp}",
        occurred_at=_time(activity),
        message_ref=ref,
        revision=stamp,
        text=text,
        attachments=files,
        thread_key=_thread(activity),
        author_ref=author.ref,
        is_own=author.ref == f"28:{settings.app_id}",
        remarks=(*remarks, *(("It was deleted before, and is restored.",) if is_restored else ())),
    )


def _reactions(activity: Mapping[str, Any]) -> Sequence[PlatformEvent]:
    ref, author, stamp = message_ref(activity, read_string(activity.get("replyToId"))), _contact(activity), _stamp(activity)
    listed = [(one, True) for one in read_objects(activity.get("reactionsAdded"))] + [
        (one, False) for one in read_objects(activity.get("reactionsRemoved"))
    ]
    found = {(read_string(one.get("type")), added) for one, added in listed if read_string(one.get("type"))}
    return [
        ReactionChanged(
            event_key=f"reaction:{ref}:{author.ref}:{'+' if added else '-'}{kind}:{stamp}",
            occurred_at=_time(activity),
            message_ref=ref,
            author=author,
            emoji=_EMOJI.get(kind, kind),
            added=added,
            thread_key=_thread(activity),
        )
        for kind, added in sorted(found)
    ]


def _installation(activity: Mapping[str, Any]) -> ContactReachability:
    is_there = not read_string(activity.get("action")).startswith("remove")
    return ContactReachability(
        event_key=f"installation:{_thread(activity)}:{_stamp(activity)}",
        occurred_at=_time(activity),
        thread_key=_thread(activity),
        is_reachable=is_there,
        detail="The bot was added (again)." if is_there else "The bot was removed; nothing can be written here until it is added again.",
    )


def _read(activity: Mapping[str, Any]) -> DeliveryUpdated:
    """The person has read the chat: everything of ours that stood there by then. Of a chat with several it would not be told who."""
    thread, at, last = _thread(activity), _time(activity), read_string(read_object(activity.get("value")).get("lastReadMessageId"))
    if not is_personal(thread):
        raise UnsupportedEvent("Somebody has read a chat of several; that says nothing of the others. It was counted.")
    if at is None or not last or len(last) > _LONGEST:
        raise MalformedPayload("This read receipt of Teams does not say when or what was read; it was kept as it came.")
    return DeliveryUpdated(
        event_key=f"read:{thread}:{last}",
        occurred_at=at,
        message_ref=MessageRef(""),
        status=DeliveryStatus.READ,
        thread_key=thread,
        until=at,
    )


def _thread(activity: Mapping[str, Any]) -> ThreadKey:
    conversation = read_string(read_object(activity.get("conversation")).get("id"))
    if not conversation or len(conversation) > _LONGEST:
        raise MalformedPayload("This Teams activity names no conversation; it was kept as it came.")
    return ThreadKey(conversation)


def _visibility(activity: Mapping[str, Any], settings: Settings) -> Visibility:
    conversation = read_object(activity.get("conversation"))
    told = read_string(conversation.get("conversationType"))
    is_thread = not told and _CHANNEL.search(_thread(activity)) is not None
    is_channel = told == "channel" or is_thread or bool(read_object(activity.get("channelData")).get("channel"))
    return Visibility.PUBLIC if is_channel and settings.channels == "public" else Visibility.PRIVATE


def _contact(activity: Mapping[str, Any]) -> Contact:
    sender = read_object(activity.get("from"))
    ref, entra = read_string(sender.get("id")), read_string(sender.get("aadObjectId"))
    if not (entra or ref) or len(entra or ref) > _LONGEST:
        raise MalformedPayload("This Teams activity does not say who acted; it was kept as it came.")
    return Contact(
        ref=ContactRef(entra or ref),
        display_name=read_string(sender.get("name")),
        language=read_string(activity.get("locale")).partition("-")[0][:8],
        is_bot=ref.startswith("28:"),
    )


def _time(activity: Mapping[str, Any]) -> Any:
    return read_time(activity.get("timestamp"))


def _stamp(activity: Mapping[str, Any]) -> str:
    """What tells two changes of one message apart, and sorts as text."""
    at = _time(activity)
    if at is not None:
        return str(at.strftime("%Y-%m-%dT%H:%M:%S.%f"))
    return hashlib.sha256(repr(sorted(activity.items(), key=lambda item: item[0])).encode("utf-8", "replace")).hexdigest()[:16]


def _url(activity: Mapping[str, Any], settings: Settings) -> str:
    """Where members of the team read a channel's message; chats have no address that a bot could know."""
    conversation = _thread(activity)
    channel = _ROOT.sub("", conversation)
    if not re.fullmatch(r"19:[A-Za-z0-9_.@-]{1,200}", channel) or _visibility(activity, settings) is not Visibility.PUBLIC:
        return ""
    return f"https://teams.microsoft.com/l/message/{channel}/{split_message(message_ref(activity))}?tenantId={settings.tenant_id}"


def _content(activity: Mapping[str, Any]) -> tuple[Text, tuple[Attachment, ...], tuple[str, ...]]:
    listed = read_objects(activity.get("attachments"))
    pages = [read_string(one.get("content")) for one in listed if one.get("contentType") == "text/html"]
    words = next((page for page in pages if page), "")
    plain = _AT.sub(r"\1", read_string(activity.get("text")))
    text = from_html(words).strip() if words else Text(unescape(plain) if activity.get("textFormat") == "xml" else plain).strip()
    text = _without_our_name(text, read_string(read_object(activity.get("recipient")).get("name")))
    files: list[Attachment] = []
    remarks: list[str] = []
    for number, one in enumerate(listed):
        kind = read_string(one.get("contentType"))
        if kind == "text/html":
            continue
        url = read_string(read_object(one.get("content")).get("downloadUrl")) if kind == FILE else read_string(one.get("contentUrl"))
        if kind == FILE or kind.startswith("image/"):
            if url.startswith(("https://", "http://")):
                files.append(_file(one, kind, url, number))
            continue
        name = read_string(one.get("name"))
        remarks.append(
            f"Shared “{name or kind or 'something'}”, which bots are not given. Look in Teams." + (f" ({url[:500]})" if url else "")
        )
    if not text and not files and not remarks:
        remarks.append("This message has no words in a form that Teams tells. Look in Teams.")
    return text, tuple(files), tuple(remarks)


def _without_our_name(text: Text, name: str) -> Text:
    """In teams a message begins with the bot's name: that is how it reaches the bot at all."""
    for start in (f"@{name}", name):
        if name and text.plain.startswith(start):
            return text.slice(len(start), len(text.plain)).strip()
    return text


def _file(one: Mapping[str, Any], kind: str, url: str, number: int) -> Attachment:
    name = _UNFIT.sub("", read_string(one.get("name"))).strip()[-200:]
    known = kind if _CONTENT_TYPE.fullmatch(kind) and kind not in (FILE, "image/*") else "application/octet-stream"
    token = base64.urlsafe_b64encode(url.encode("utf-8", "replace")).decode()
    return Attachment(media_ref=MediaRef(token), filename=name or f"image-{number}", content_type=known)


def address_of(media_ref: MediaRef) -> str:
    """The address that a file was told to be at, empty where the reference is none of ours."""
    try:
        return base64.urlsafe_b64decode(media_ref.encode()).decode()
    except ValueError:
        return ""
