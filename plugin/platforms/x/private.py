"""Direct messages as events, in the form of webhooks (v1.1) and in that of v2. Encrypted chats, of which X tells only that something was said.

Sources: X documentation, "Legacy DM events", "Chat events (XChat)"; "Direct Messages lookup"; data dictionary v1.1, "Direct message event".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import DeliveryStatus, DeliveryUpdated, MessageReceived
from plugin.domain.ids import ContactRef
from plugin.domain.model import Contact, Visibility
from plugin.domain.text import Text
from plugin.platforms.x.files import files_of, of_post, own_links
from plugin.platforms.x.keys import PrivateThread, between, chat_key, chat_ref, private_ref
from plugin.platforms.x.people import SITE, People, contact, people_of
from plugin.platforms.x.values import need_id, pick, read_object, read_stamp, read_string, read_time
from plugin.platforms.x.wording import said

_ENCRYPTED = "This is an encrypted chat message, which X hands over in no readable form. Read and answer it in the X app."
_ENCRYPTED_OWN = "Somebody of our side answered in an encrypted chat, which X hands over in no readable form. It stands in the X app."
_SHARED = "The message passes on a post: "
_LONGEST_NAME = 200


def received_old(raw: Mapping[str, Any], people: People, account: str) -> MessageReceived:
    """A direct message as webhooks tell of it.

    Raises:
        UnsupportedEvent: it is no message.
        MalformedPayload: it cannot be read.
    """
    if raw.get("type") != "message_create":
        raise UnsupportedEvent(
            "This kind of direct message event is not carried; it was counted.", detail=read_string(raw.get("type"))[:40]
        )
    made = read_object(raw.get("message_create"))
    sender, target = need_id(made, "sender_id"), need_id(read_object(made.get("target")), "recipient_id")
    if account not in (sender, target):
        raise UnsupportedEvent("A direct message between others; it was counted and left out.", detail="not this account's")
    data = read_object(made.get("message_data"))
    attachment = read_object(data.get("attachment"))
    media = [read_object(attachment["media"])] if isinstance(attachment.get("media"), dict) else []
    files, missing = files_of(media)
    hidden = own_links(data.get("entities")) | {read_string(one.get("url")) for one in media if read_string(one.get("url"))}
    return _received(
        need_id(raw, "id"),
        thread=between(sender, target),
        author=contact(sender, people),
        is_own=sender == account,
        text=said(read_string(data.get("text")), data.get("entities"), hidden=frozenset(hidden) if media else frozenset()),
        at=read_stamp(raw.get("created_timestamp")),
        files=files,
        remarks=missing,
    )


def received(raw: Mapping[str, Any], includes: Mapping[str, Any], account: str) -> MessageReceived:
    """A direct message as v2 tells of it.

    Raises:
        UnsupportedEvent: it is no message.
        MalformedPayload: it cannot be read.
    """
    if raw.get("event_type", "MessageCreate") != "MessageCreate":
        raise UnsupportedEvent("Somebody joined or left a group; it was counted.", detail=read_string(raw.get("event_type"))[:40])
    sender, conversation = need_id(raw, "sender_id"), read_string(raw.get("dm_conversation_id"))
    if not conversation or not conversation.replace("-", "").isdigit() or not conversation.isascii():
        raise MalformedPayload("This direct message names no conversation; it was kept as it came.")
    files, missing = of_post(raw, includes)
    shared = [read_string(one.get("id")) for one in _listed(pick(raw, "referenced_tweets", "referenced_posts"))]
    told = tuple(f"{_SHARED}{SITE}/i/status/{one}" for one in shared if one)
    return _received(
        need_id(raw, "id"),
        thread=PrivateThread(conversation),
        author=contact(sender, people_of(includes.get("users"))),
        is_own=sender == account,
        text=said(
            read_string(raw.get("text")), raw.get("entities"), hidden=own_links(raw.get("entities")) if files or missing else frozenset()
        ),
        at=read_time(raw.get("created_at")),
        files=files,
        remarks=(*missing, *told),
    )


def read_by(raw: Mapping[str, Any], account: str) -> DeliveryUpdated:
    """That the other side has read up to a message.

    Raises:
        UnsupportedEvent: we read, not they.
        MalformedPayload: it cannot be read.
    """
    sender, last = need_id(raw, "sender_id"), need_id(raw, "last_read_event_id")
    if sender == account:
        raise UnsupportedEvent("This account read a direct message; it was counted.", detail="own read receipt")
    return DeliveryUpdated(
        event_key=f"dm:{last}:read",
        occurred_at=read_stamp(raw.get("created_timestamp")),
        message_ref=private_ref(last),
        status=DeliveryStatus.READ,
    )


def encrypted(raw: Mapping[str, Any], account: str) -> MessageReceived:
    """That something was said in an encrypted chat.

    Raises:
        MalformedPayload: it names no message, conversation or sender.
    """
    one, conversation = read_string(raw.get("id")), read_string(raw.get("conversation_id"))
    sender = need_id(raw, "sender_id")
    if not one or not conversation or max(len(one), len(conversation)) > _LONGEST_NAME:
        raise MalformedPayload("This encrypted chat message names no conversation; it was kept as it came.")
    is_own = sender == account
    return MessageReceived(
        event_key=f"chat:{one}",
        occurred_at=read_stamp(raw.get("created_at_msec")),
        message_ref=chat_ref(one),
        thread_key=chat_key(conversation),
        visibility=Visibility.PRIVATE,
        author=Contact(ref=ContactRef(sender), url=f"{SITE}/i/user/{sender}"),
        text=Text(""),
        is_own=is_own,
        remarks=(_ENCRYPTED_OWN if is_own else _ENCRYPTED,),
    )


def _received(
    one: str, *, thread: PrivateThread, author: Contact, is_own: bool, text: Text, at: Any, files: Any, remarks: Any
) -> MessageReceived:
    return MessageReceived(
        event_key=f"dm:{one}",
        occurred_at=at,
        message_ref=private_ref(one),
        thread_key=thread.key,
        visibility=Visibility.PRIVATE,
        author=author,
        text=text,
        attachments=files,
        is_own=is_own,
        remarks=remarks,
    )


def _listed(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
