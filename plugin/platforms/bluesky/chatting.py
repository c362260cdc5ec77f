"""Chats: one look at what was said in them, and one delivery into them. Everything goes through the account's server to the chat service.

The service keeps a log for each account, in rising order, with a cursor; a first look reads the newest messages instead. It knows no key of ours, so
a delivery without an answer is looked up by its words. Sources: lexicons `chat.bsky.convo.getLog`, `listConvos`, `getMessages`, `sendMessage`, `acceptConvo`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from plugin.contracts.batches import unreadable_key
from plugin.contracts.platform import Skipped
from plugin.domain.errors import (
    MalformedPayload,
    OutcomeUnknown,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
    UnsupportedEvent,
    WindowClosed,
)
from plugin.domain.events import MessageReceived, ReactionChanged
from plugin.domain.ids import MessageRef, ThreadKey
from plugin.domain.model import OutboundMessage, Receipt
from plugin.domain.text import fold
from plugin.platforms.bluesky.chats import Chat, chat_in, chat_of, is_lost, kind_of, message_of, reacted, read_chat, ref_of, said
from plugin.platforms.bluesky.client import Client, Refused
from plugin.platforms.bluesky.people import BLOCKED
from plugin.platforms.bluesky.values import listed, read_object, read_string, read_time
from plugin.platforms.bluesky.wording import CARRIED, facets_of, losses_of

LOOK_BACK = timedelta(minutes=15)
_SKEW = timedelta(seconds=30)
"""How far the service's clock may be behind ours."""
_PAGE = "100"
_PAGES = 10
_REACTIONS = frozenset({"logAddReaction", "logRemoveReaction"})
_GONE = ("InvalidConvo", "RecipientNotFound", "Convo not found", "Account does not exist", "recipient does not exist")
_SHUT = (
    (("BlockedActor", "block between recipient and sender"), BLOCKED),
    (("MessagesDisabled", "recipient has disabled incoming messages"), "The customer takes no direct messages on Bluesky."),
    (
        ("NotFollowedBySender", "recipient requires incoming messages to come from someone they follow"),
        "The customer takes direct messages on Bluesky only from accounts that they follow, and they do not follow this one.",
    ),
)
"""The service's error names, and the sentences that it used before it had names."""
_KEPT_BACK = "The message was not sent; reach the customer another way, or wait until they write."
Event = MessageReceived | ReactionChanged


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one look brought. `position` is where the next one goes on; None: where this one began."""

    events: tuple[Event, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    position: Mapping[str, Any] | None = None
    has_more: bool = False


class Chats:
    """The chats of one account."""

    def __init__(self, client: Client, service: str) -> None:
        self._client = client
        self._service = service

    def hear(self, position: Mapping[str, Any] | None, *, now: datetime) -> Heard:
        """What was said since `position`, oldest first. A fault of the chat service never keeps back what was said in public: it is told of once an hour."""
        try:
            return self._first(now) if position is None else self._since_or_lately(read_string(position.get("cursor")), now)
        except (RemoteUnavailable, RemoteRejected) as problem:
            reason = UnsupportedEvent(f"Bluesky's chats could not be read: {problem}", detail=problem.detail)
            return Heard(skipped=(Skipped(event_key=f"chats unread {now:%Y-%m-%d %H}h", reason=reason),))

    def _since_or_lately(self, cursor: str, now: datetime) -> Heard:
        """What the log tells since `cursor`; where the service does not know that place any more, what was said lately."""
        try:
            return self._since(cursor)
        except Refused as refused:
            reason = UnsupportedEvent(
                "Bluesky's chat service lost the place in its log: what was said longer ago than 15 minutes may be missing.",
                detail=refused.detail,
            )
            told = Skipped(event_key=f"chats' place lost {cursor}", reason=reason)
            heard = self._first(now)
            return replace(heard, skipped=(*heard.skipped, told))

    def send(self, message: OutboundMessage) -> Receipt:
        """Say it, after a look whether we may.

        Raises:
            WindowClosed: one blocks the other, or the customer takes no messages from us.
            TargetGone: the chat or the customer's account is gone.
            RemoteError: any other of its kinds.
        """
        key = chat_of(message.thread_key)
        try:
            chat = self._open(key)
            body = self._client.write(
                "chat.bsky.convo.sendMessage", {"convoId": chat.key, "message": _words(message)}, service=self._service
            )
        except Refused as refused:
            raise _meaning(refused) from None
        sent = read_object(body).get("id")
        if not isinstance(sent, str) or not sent:
            raise OutcomeUnknown("Bluesky took the message and named none; it is looked up before anything is sent again.")
        return Receipt(message_ref=ref_of(key, sent), losses=losses_of(message.text))

    def find(self, message: OutboundMessage) -> Receipt | None:
        """The latest message of ours with these words, sent since the wish was made."""
        key, own = chat_of(message.thread_key), self._client.session.did
        words, since = _essence(fold(message.text, CARRIED)[0].plain), message.created_at - _SKEW
        try:
            for one in self._messages(key, since):
                is_ours = read_object(one.get("sender")).get("did") == own and isinstance(one.get("text"), str)
                if is_ours and _essence(one["text"]) == words and read_string(one.get("id")):
                    return Receipt(message_ref=ref_of(key, one["id"]))
        except Refused as refused:
            if isinstance(meant := _meaning(refused), TargetGone):
                return None
            raise meant from None
        return None

    def mark_read(self, thread_key: ThreadKey, message_ref: MessageRef) -> None:
        """Show that everything up to a message was read."""
        body = {"convoId": chat_of(thread_key), "messageId": message_of(message_ref)}
        self._client.write("chat.bsky.convo.updateRead", body, service=self._service)

    def count(self) -> str:
        """For a probe: whether the chats can be read.

        Raises:
            RemoteError: they cannot.
        """
        page = self._client.query("chat.bsky.convo.listConvos", [("limit", "1")], service=self._service)
        return "there are chats" if page.get("convos") else "no chats yet"

    def welcome(self) -> str:
        """For a probe: that everybody may write to the account.

        Raises:
            RemoteRejected: not everybody may.
            RemoteError: any other of its kinds.
        """
        own = self._client.session.did
        params = [("repo", own), ("collection", "chat.bsky.actor.declaration"), ("rkey", "self")]
        try:
            record = read_object(self._client.query("com.atproto.repo.getRecord", params).get("value"))
        except Refused as refused:
            if not refused.says_gone:
                raise
            record = {}
        allowed = read_string(record.get("allowIncoming")) or "following"
        if allowed != "all":
            whom = "nobody" if allowed == "none" else "only those whom the account follows"
            raise RemoteRejected(f"Direct messages are taken from {whom}, so customers cannot begin one.")
        return "everybody may begin a chat"

    def _first(self, now: datetime) -> Heard:
        """The newest messages of the chats in which something was just said, and the log's end."""
        chats, since = [], now - LOOK_BACK
        for page in self._pages("chat.bsky.convo.listConvos", []):
            chats += [chat for one in listed(page.get("convos")) if (chat := read_chat(one, self._client.session.did)) is not None]
        events: list[Event] = []
        skipped: list[Skipped] = []
        for chat in chats:
            at = read_time(chat.said_at)
            if chat.customer is None or at is None or at < since:
                continue
            for one in self._messages(chat.key, since):
                event = said(one, chat, self._client.session.did)
                if event is not None:
                    events.append(event)
                elif is_lost(one):
                    skipped.append(_unread({"convoId": chat.key, "rev": one.get("rev"), "message": one}))
        events.sort(key=lambda event: event.occurred_at or now)
        return Heard(events=tuple(events), skipped=tuple(skipped), position={"cursor": max((chat.rev for chat in chats), default="")})

    def _since(self, cursor: str) -> Heard:
        events: list[Event] = []
        skipped: list[Skipped] = []
        chats: dict[str, Chat | None] = {}
        has_more, at = True, cursor
        for _ in range(_PAGES):
            page = self._client.query("chat.bsky.convo.getLog", [("cursor", at)] if at else [], service=self._service)
            if not isinstance(page.get("logs"), list):
                raise RemoteUnavailable("Bluesky's chat service answered with something that is no log.")
            for entry in listed(page["logs"]):
                self._take(entry, chats, events, skipped)
            before, at = at, read_string(page.get("cursor")) or at
            has_more = bool(page["logs"]) and at != before
            if not has_more:
                break
        return Heard(events=tuple(events), skipped=tuple(skipped), position={"cursor": at}, has_more=has_more)

    def _take(self, entry: Mapping[str, Any], chats: dict[str, Chat | None], events: list[Event], skipped: list[Skipped]) -> None:
        kind, key, own = kind_of(entry), chat_in(entry), self._client.session.did
        if kind and kind not in {"logCreateMessage", *_REACTIONS}:
            return
        if not kind or not key:
            skipped.append(_unread(entry))
            return
        if key not in chats:
            chats[key] = self._shown(key)
        chat = chats[key]
        event: Event | None = None
        if chat is None or chat.customer is None:
            reason = UnsupportedEvent(
                "Something was said in a group chat of Bluesky, or in a chat that this account has left; it makes no ticket."
            )
            skipped.append(Skipped(event_key=f"chat {key} {read_string(entry.get('rev'))}", reason=reason))
        elif kind in _REACTIONS:
            event = reacted(entry, chat, own)
        else:
            event = said(entry.get("message"), chat, own)
            if event is None and is_lost(entry.get("message")):
                skipped.append(_unread(entry))
        if event is not None:
            events.append(event)

    def _shown(self, key: str) -> Chat | None:
        try:
            page = self._client.query("chat.bsky.convo.getConvo", [("convoId", key)], service=self._service)
        except Refused:
            return None
        return read_chat(page.get("convo"), self._client.session.did)

    def _open(self, key: str) -> Chat:
        """The chat, accepted if it is a stranger's request.

        Raises:
            WindowClosed: we cannot write into it.
            Refused: the service's own words.
        """
        page = self._client.query("chat.bsky.convo.getConvo", [("convoId", key)], service=self._service)
        chat = read_chat(page.get("convo"), self._client.session.did)
        if chat is None:
            raise RemoteUnavailable("Bluesky's chat service did not show the chat; it is tried again.")
        if chat.why_shut:
            raise WindowClosed(f"{chat.why_shut} {_KEPT_BACK}")
        if chat.is_request:
            try:
                self._client.write("chat.bsky.convo.acceptConvo", {"convoId": key}, service=self._service)
            except OutcomeUnknown as unclear:
                raise RemoteUnavailable("Whether the chat was accepted is not clear; nothing was sent and it is tried again.") from unclear
        return chat

    def _messages(self, key: str, since: datetime) -> Iterator[Mapping[str, Any]]:
        """The messages of a chat sent at or after `since`, newest first."""
        for page in self._pages("chat.bsky.convo.getMessages", [("convoId", key)]):
            if not isinstance(page.get("messages"), list):
                raise RemoteUnavailable("Bluesky's chat service answered with something that is no list of messages.")
            for one in listed(page["messages"]):
                at = read_time(one.get("sentAt"))
                if at is not None and at < since:
                    return
                yield one

    def _pages(self, method: str, params: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
        cursor = ""
        for _ in range(_PAGES):
            more = [("cursor", cursor)] if cursor else []
            page = self._client.query(method, [*params, ("limit", _PAGE), *more], service=self._service)
            yield page
            before, cursor = cursor, read_string(page.get("cursor"))
            if not cursor or cursor == before:
                return


def _unread(entry: Mapping[str, Any]) -> Skipped:
    reason = MalformedPayload("Bluesky's chats hold an entry that cannot be read; see the chats in its app.")
    key, rev = chat_in(entry), read_string(entry.get("rev"))
    return Skipped(event_key=f"chat {key} {rev}" if key and rev else unreadable_key(entry), reason=reason, payload=dict(entry))


def _words(message: OutboundMessage) -> dict[str, Any]:
    text, _ = fold(message.text, CARRIED)
    facets = facets_of(text, message.contact)
    return {"text": text.plain, **({"facets": facets} if facets else {})}


def _essence(text: str) -> str:
    return " ".join(text.split())


def _meaning(refused: Refused) -> RemoteError:
    """What the service's refusal means. It says so by name, by a sentence, or by both in one."""
    told = f"{refused.name}: {refused.detail}"
    for signs, sentence in _SHUT:
        if any(sign in told for sign in signs):
            return WindowClosed(f"{sentence} {_KEPT_BACK}", detail=refused.detail)
    if any(sign in told for sign in _GONE):
        return TargetGone(
            "The chat or the customer's account does not exist on Bluesky any more. The message was not sent.", detail=refused.detail
        )
    if "ConvoLocked" in told:
        return RemoteRejected(
            "The chat is locked on Bluesky. The message was not sent; reach the customer another way.", detail=refused.detail
        )
    if "Account is disabled" in told or "AccountSuspended" in told:
        return RemoteRejected(
            "Bluesky has taken this account's chat away. The message was not sent; look at the account in the Bluesky app.",
            detail=refused.detail,
        )
    return refused
