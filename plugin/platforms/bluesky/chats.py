"""Reads chats: a log entry and its conversation become an event. Pure; makes no calls, and whatever an answer holds, nothing here fails.

Chat is a service of its own beside the network, reached through the account's server. It knows no edits, no files and no keys of ours.
Sources: lexicons `chat.bsky.convo.defs`, `chat.bsky.actor.defs`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plugin.domain.errors import RemoteRejected
from plugin.domain.events import MessageReceived, ReactionChanged
from plugin.domain.ids import ContactRef, MessageRef, ThreadKey
from plugin.domain.model import Contact, Visibility
from plugin.platforms.bluesky.keys import profile_url, read_uri
from plugin.platforms.bluesky.people import contact_of, on_account, why_apart
from plugin.platforms.bluesky.posts import read_text
from plugin.platforms.bluesky.values import listed, read_object, read_string, read_time

_CHAT = "chat/"
_LONGEST = 200
_MUTE = "Bluesky does not let the customer's account take part in chats."


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A conversation as the service shows it to us. `customer` is None where it is not between two."""

    key: str
    customer: Mapping[str, Any] | None
    is_request: bool = False
    """Nobody of our side accepted it yet."""
    said_at: str = ""
    """When its newest message was sent, as the service writes it."""
    rev: str = ""
    """Its place in the log."""

    @property
    def why_shut(self) -> str:
        """A sentence on why we cannot write into it; empty when we can."""
        customer = self.customer or {}
        return why_apart(customer) or (_MUTE if customer.get("chatDisabled") is True else "")


def is_chat(key: ThreadKey) -> bool:
    """Whether a conversation of ours is a chat."""
    return key.startswith(_CHAT)


def thread_of(chat: str) -> ThreadKey:
    """One chat is one conversation: the service keeps one for each two people."""
    return ThreadKey(f"{_CHAT}{chat}")


def chat_of(key: ThreadKey) -> str:
    """The service's own name of a chat."""
    return key.removeprefix(_CHAT)


def ref_of(chat: str, message: str) -> MessageRef:
    """A message: names are unique within their chat only."""
    return MessageRef(f"{_CHAT}{chat}/{message}")


def message_of(ref: MessageRef) -> str:
    """The service's own name of a message; empty when the reference is not one of a chat.

    Raises:
        RemoteRejected: it is a post, where only a chat's message will do.
    """
    kind, _, rest = ref.partition("/")
    name = rest.rpartition("/")[2]
    if f"{kind}/" != _CHAT or not name:
        raise RemoteRejected("This is not a message of a Bluesky chat. Nothing was done.", detail=ref)
    return name


def read_chat(data: object, own_did: str) -> Chat | None:
    """A `convoView`; None when it is none."""
    view = read_object(data)
    key, members = _name(view.get("id")), [one for one in listed(view.get("members")) if _name(one.get("did"))]
    if not key or not members:
        return None
    others = [one for one in members if one["did"] != own_did]
    is_group = read_string(read_object(view.get("kind")).get("$type")).endswith("#groupConvo")
    return Chat(
        key=key,
        customer=others[0] if len(others) == 1 and not is_group else None,
        is_request=view.get("status") == "request",
        said_at=read_string(read_object(view.get("lastMessage")).get("sentAt")),
        rev=_name(view.get("rev")),
    )


def kind_of(entry: Mapping[str, Any]) -> str:
    """`logCreateMessage` and the like."""
    return read_string(entry.get("$type")).rpartition("#")[2]


def chat_in(entry: Mapping[str, Any]) -> str:
    """Which chat a log entry is about; empty when it names none."""
    return _name(entry.get("convoId"))


def said(data: object, chat: Chat, own_did: str) -> MessageReceived | None:
    """A `messageView` as something said; None for what is deleted, said by the service itself, or unreadable."""
    message = read_object(data)
    key, sender = _name(message.get("id")), _name(read_object(message.get("sender")).get("did"))
    if not key or not sender or not isinstance(message.get("text"), str) or chat.customer is None:
        return None
    is_own = sender == own_did
    return MessageReceived(
        event_key=f"chat {chat.key} {key}",
        occurred_at=read_time(message.get("sentAt")),
        message_ref=ref_of(chat.key, key),
        thread_key=thread_of(chat.key),
        visibility=Visibility.PRIVATE,
        author=Contact(ref=ContactRef(own_did), url=profile_url(own_did)) if is_own else contact_of(chat.customer),
        text=read_text(message),
        is_own=is_own,
        remarks=() if is_own else tuple(_remarks(message, chat.customer)),
        no_reply="" if is_own else chat.why_shut,
    )


def is_lost(data: object) -> bool:
    """Whether what `said` makes nothing of should have been a message: deleted ones, and those of the service itself, hold nothing."""
    kind = read_string(read_object(data).get("$type")).rpartition("#")[2]
    return kind not in ("deletedMessageView", "systemMessageView")


def reacted(entry: Mapping[str, Any], chat: Chat, own_did: str) -> ReactionChanged | None:
    """A `logAddReaction` or `logRemoveReaction`; None for our own, or one that cannot be read."""
    reaction, message = read_object(entry.get("reaction")), _name(read_object(entry.get("message")).get("id"))
    sender, emoji, rev = _name(read_object(reaction.get("sender")).get("did")), _name(reaction.get("value")), _name(entry.get("rev"))
    if not (message and emoji and rev) or sender in ("", own_did) or chat.customer is None:
        return None
    return ReactionChanged(
        event_key=f"chat {chat.key} {message} {rev}",
        occurred_at=read_time(reaction.get("createdAt")) if kind_of(entry) == "logAddReaction" else None,
        message_ref=ref_of(chat.key, message),
        author=contact_of(chat.customer),
        emoji=emoji,
        added=kind_of(entry) == "logAddReaction",
        thread_key=thread_of(chat.key),
    )


def _remarks(message: Mapping[str, Any], customer: Mapping[str, Any]) -> Iterator[str]:
    embed = read_object(message.get("embed"))
    if embed:
        shown = read_object(embed.get("record"))
        uri = read_uri(shown.get("uri"))
        words = " ".join(read_string(read_object(shown.get("value")).get("text")).split())
        if uri is None:
            yield "Holds something of Bluesky that is not a post; see the original in the app."
        else:
            yield f"Passes on the post {uri.url()}" + (f": “{words}”" if words else "")
    yield from on_account(customer)


def _name(value: object) -> str:
    """Something that may stand in a key."""
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST and "\0" not in value else ""
