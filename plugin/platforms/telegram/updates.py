"""Telegram's updates as events. Pure: no call, no clock; the same message gives the same event by webhook, poll and echo.

Source: Bot API, "Update". An update of a kind that was not asked for, and the housekeeping of groups, is `UnsupportedEvent`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import ContactReachability, MessageDeleted, MessageEdited, MessageReceived, PlatformEvent, ReactionChanged
from plugin.domain.ids import ContactRef, MessageRef
from plugin.domain.model import Contact, Visibility
from plugin.platforms.telegram.commands import chosen
from plugin.platforms.telegram.content import read_content, service_kind
from plugin.platforms.telegram.refs import Thread

ALLOWED_UPDATES = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "message_reaction",
    "my_chat_member",
)
"""Must be named to `setWebhook` and `getUpdates`: reactions come only when asked for."""

_RIGHTS = {
    "reply to messages": "can_reply",
    "mark messages as read": "can_read_messages",
    "delete sent messages": "can_delete_sent_messages",
}
"""What an account can allow that we make use of (Bot API, "BusinessBotRights")."""
_REACHABLE = ("member", "administrator", "creator", "restricted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one bot's updates are read. `groups` and `commands` are those of `Settings`."""

    groups: str
    commands: Mapping[str, str] = field(default_factory=dict)

    def events(self, update: Any) -> Sequence[PlatformEvent]:
        """The events in one update.

        Raises:
            MalformedPayload: it lacks what makes it an update of its kind.
            UnsupportedEvent: it is of no kind we carry.
        """
        if not isinstance(update, Mapping) or not isinstance(update.get("update_id"), int):
            raise MalformedPayload("This is no Telegram update: it has no update_id. It was kept as it came.")
        kind = next((name for name in update if name in _READERS), "") or next((name for name in update if name != "update_id"), "")
        read = _READERS.get(kind)
        if read is None:
            raise UnsupportedEvent(f"Telegram updates of the kind “{kind or 'nothing'}” are not carried; it was counted.")
        body = update[kind]
        if not isinstance(body, Mapping):
            raise MalformedPayload(f"This Telegram update's {kind} is no object; it was kept as it came.")
        return read(self, body, update["update_id"])

    def received(self, message: Mapping[str, Any], update_id: int) -> Sequence[PlatformEvent]:
        """Something was said."""
        thread = self._thread(message)
        service = service_kind(message)
        if service:
            raise UnsupportedEvent(f"Telegram's own notice “{service}” says nothing that a customer said; it was counted.")
        if message.get("is_automatic_forward") is True:
            raise UnsupportedEvent("Telegram itself carried a channel's post on into the group where it is discussed; it was counted.")
        content = read_content(message)
        ref = thread.message(_number(message, "message_id"))
        parent = message.get("reply_to_message")
        return [
            MessageReceived(
                event_key=f"message:{ref}",
                occurred_at=_time(message, "date"),
                message_ref=ref,
                thread_key=thread.key,
                visibility=self._visibility(message),
                author=_author(message),
                text=content.text,
                attachments=content.attachments,
                parent_ref=thread.message(_number(parent, "message_id")) if _is_parent(parent, thread) else None,
                url=_url(_chat(message), ref),
                is_own=_is_own(message),
                remarks=(*content.remarks, *chosen(message, self.commands)),
                album=str(message.get("media_group_id") or ""),
            )
        ]

    def edited(self, message: Mapping[str, Any], update_id: int) -> Sequence[PlatformEvent]:
        """Something now reads differently. Telegram dates edits to the second; the content tells two within one second apart."""
        thread = self._thread(message)
        location = message.get("location")
        if isinstance(location, Mapping) and location.get("live_period"):
            raise UnsupportedEvent("A live location moved; its first and its last place are carried, the way between is counted.")
        content = read_content(message)
        ref = thread.message(_number(message, "message_id"))
        edited_at = _number(message, "edit_date") if "edit_date" in message else 0
        files = [(file.filename, file.size) for file in content.attachments]  # one file may be given several ids
        said = json.dumps([content.text.plain, repr(content.text.marks), files, content.remarks])
        return [
            MessageEdited(
                event_key=f"edit:{ref}:{edited_at}:{hashlib.sha256(said.encode()).hexdigest()[:16]}",
                occurred_at=_time(message, "edit_date"),
                message_ref=ref,
                revision=f"{edited_at:011d}.{update_id:012d}",
                text=content.text,
                attachments=content.attachments,
                thread_key=thread.key,
                is_own=_is_own(message),
                remarks=content.remarks,
            )
        ]

    def deleted(self, notice: Mapping[str, Any], update_id: int) -> Sequence[PlatformEvent]:
        """Messages of a business account's chat were taken back."""
        thread = self._thread(notice)
        numbers = notice.get("message_ids")
        if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
            raise MalformedPayload("Telegram's notice of deleted messages names none; it was kept as it came.")
        refs = [thread.message(number) for number in numbers]
        return [MessageDeleted(event_key=f"deleted:{ref}", occurred_at=None, message_ref=ref, thread_key=thread.key) for ref in refs]

    def reacted(self, change: Mapping[str, Any], update_id: int) -> Sequence[PlatformEvent]:
        """Somebody's reactions to a message changed. Telegram does not say in which topic, so no thread is named."""
        thread = self._thread(change)
        ref = thread.message(_number(change, "message_id"))
        author = _sender(change.get("user") or change.get("actor_chat"))
        before, after = (_emoji(change.get(name)) for name in ("old_reaction", "new_reaction"))
        changes = [(emoji, False) for emoji in before if emoji not in after] + [(emoji, True) for emoji in after if emoji not in before]
        return [
            ReactionChanged(
                event_key=f"reaction:{update_id}:{'+' if added else '-'}{emoji}",
                occurred_at=_time(change, "date"),
                message_ref=ref,
                author=author,
                emoji=emoji,
                added=added,
            )
            for emoji, added in changes
        ]

    def membership(self, change: Mapping[str, Any], update_id: int) -> Sequence[PlatformEvent]:
        """The customer blocked or unblocked the bot, or a group let it in or threw it out."""
        thread = self._thread(change)
        member = change.get("new_chat_member")
        status = member.get("status") if isinstance(member, Mapping) else None
        if not isinstance(status, str):
            raise MalformedPayload("Telegram's notice of our membership names no status; it was kept as it came.")
        reachable = status in _REACHABLE
        where = "The customer" if _chat(change).get("type") == "private" else "The group"
        says = "lets the bot write (again)" if reachable else "blocked the bot or removed it"
        return [
            ContactReachability(
                event_key=f"membership:{update_id}",
                occurred_at=_time(change, "date"),
                thread_key=thread.key,
                is_reachable=reachable,
                detail=f"{where} {says}.",
            )
        ]

    def connected(self, connection: Mapping[str, Any], update_id: int) -> Sequence[PlatformEvent]:
        """A business account (dis)connected the bot, or gave it other rights: no customer said anything. What it may not do is named."""
        if not connection.get("is_enabled"):
            raise UnsupportedEvent(
                "A Telegram business account disconnected the bot; it was counted. Replies into its chats will be refused."
            )
        rights = connection.get("rights")
        given = rights if isinstance(rights, Mapping) else {"can_reply": connection.get("can_reply")}
        missing = [name for name, right in _RIGHTS.items() if given.get(right) is not True]
        lacks = f" It did not allow: {', '.join(missing)} (Settings, Telegram Business, Chatbots)." if missing else ""
        raise UnsupportedEvent(f"A Telegram business account connected the bot; it was counted. Its chats follow from there.{lacks}")

    def _thread(self, body: Mapping[str, Any]) -> Thread:
        chat = _chat(body)
        if self.groups == "ignore" and chat.get("type") != "private":
            raise UnsupportedEvent('This channel ignores groups (groups = "ignore"); it was counted.')
        number = str(_number(chat, "id"))
        business, direct = body.get("business_connection_id"), body.get("direct_messages_topic")
        if isinstance(business, str) and business:
            return Thread(chat=number, business=business)
        if isinstance(direct, Mapping):
            return Thread(chat=number, direct=str(_number(direct, "topic_id")))
        if body.get("is_topic_message") is True and "message_thread_id" in body:
            return Thread(chat=number, topic=str(_number(body, "message_thread_id")))
        return Thread(chat=number)

    def _visibility(self, message: Mapping[str, Any]) -> Visibility:
        is_personal = _chat(message).get("type") == "private" or "direct_messages_topic" in message
        return Visibility.PUBLIC if self.groups == "public" and not is_personal else Visibility.PRIVATE


_READERS: dict[str, Callable[[Reading, Mapping[str, Any], int], Sequence[PlatformEvent]]] = {
    "message": Reading.received,
    "channel_post": Reading.received,
    "business_message": Reading.received,
    "edited_message": Reading.edited,
    "edited_channel_post": Reading.edited,
    "edited_business_message": Reading.edited,
    "deleted_business_messages": Reading.deleted,
    "message_reaction": Reading.reacted,
    "my_chat_member": Reading.membership,
    "business_connection": Reading.connected,
}


def _is_own(message: Mapping[str, Any]) -> bool:
    """Our side spoke: the owner of a business account (the chat bears the customer's id), or whoever may post in a channel."""
    chat, sender = _chat(message), message.get("from")
    if "business_connection_id" in message:
        return isinstance(sender, Mapping) and sender.get("id") != chat.get("id")
    return chat.get("type") == "channel"


def _is_parent(parent: Any, thread: Thread) -> bool:
    """Whether the message really answers another: in a topic, Telegram shows the topic's first message as answered by each."""
    return isinstance(parent, Mapping) and not (thread.topic and str(parent.get("message_id")) == thread.topic)


def _author(message: Mapping[str, Any]) -> Contact:
    return _sender(message.get("sender_chat") or message.get("from") or _chat(message))


def _sender(sender: Any) -> Contact:
    """A user, or a group or channel that speaks as such."""
    if not isinstance(sender, Mapping):
        raise MalformedPayload("This Telegram update does not say who acted; it was kept as it came.")
    names = [str(sender[name]) for name in ("first_name", "last_name") if sender.get(name)]
    handle = str(sender.get("username") or "")
    return Contact(
        ref=ContactRef(str(_number(sender, "id"))),
        display_name=" ".join(names) or str(sender.get("title") or ""),
        handle=handle,
        url=f"https://t.me/{handle}" if handle else "",
        language=str(sender.get("language_code") or ""),
        is_bot=sender.get("is_bot") is True,
    )


def _url(chat: Mapping[str, Any], ref: MessageRef) -> str:
    """Where members of a supergroup or channel can read the message; chats with one person have no address."""
    number = ref.split(":")[1]
    if chat.get("type") not in ("supergroup", "channel"):
        return ""
    if chat.get("username"):
        return f"https://t.me/{chat['username']}/{number}"
    return f"https://t.me/c/{str(chat.get('id')).removeprefix('-100')}/{number}"


def _emoji(reactions: Any) -> list[str]:
    found = [item for item in reactions if isinstance(item, Mapping)] if isinstance(reactions, list) else []
    names = {"paid": "⭐", "custom_emoji": "a custom emoji"}
    return list(dict.fromkeys(str(item.get("emoji") or names.get(str(item.get("type")), "a reaction")) for item in found))


def _chat(body: Mapping[str, Any]) -> Mapping[str, Any]:
    chat = body.get("chat")
    if not isinstance(chat, Mapping):
        raise MalformedPayload("This Telegram update names no chat; it was kept as it came.")
    return chat


def _number(body: Any, name: str) -> int:
    value = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedPayload(f"This Telegram update has no usable {name}; it was kept as it came.")
    return value


def _time(body: Mapping[str, Any], name: str) -> datetime | None:
    value = body.get(name)
    try:
        return datetime.fromtimestamp(value, UTC) if isinstance(value, (int, float)) and value > 0 else None
    except (OverflowError, ValueError, OSError):
        return None
