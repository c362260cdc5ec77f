"""Messages as Messenger and Instagram tell them, in one shape for both: what was said, edited, taken back, reacted to, delivered and read.

Sources: Messenger Platform, "Webhook Events"; Instagram Platform, "Webhooks". Content that disappears by Instagram's rules (stories) is never kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plugin.contracts.batches import Member
from plugin.contracts.reading import read_count, read_object, read_objects, read_string
from plugin.domain.errors import UnsupportedEvent
from plugin.domain.events import (
    DeliveryStatus,
    DeliveryUpdated,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    PlatformEvent,
    ReactionChanged,
)
from plugin.domain.ids import ContactRef, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, Contact, Visibility
from plugin.domain.text import Text
from plugin.platforms._graph.envelopes import Told, need, whole
from plugin.platforms._graph.media import attachment
from plugin.platforms._graph.values import digest, read_id, read_time

_MARKER = re.compile(r"[0-9a-z]{26}")
_THUMBS = {"369239263222822": "👍", "369239343222814": "👍", "369239383222810": "👍"}
_FILES = frozenset({"image", "video", "audio", "file"})
_SHARED = frozenset({"fallback", "share", "ig_post", "ig_reel", "reel", "post", "template"})
_REACTIONS = {"love": "❤️", "smile": "😆", "wow": "😮", "sad": "😢", "angry": "😠", "like": "👍", "dislike": "👎", "yes": "👍", "no": "👎"}
STANDBY = (
    "Another app answers this conversation on Meta's side (Conversation Routing). Take it over in the Page's inbox, or make our app the "
    "default app in the Page's settings; then answer again."
)
_STORY_REPLY = "This answers a story of ours. Stories disappear; by the platform's rules nothing of it is kept here."
_STORY_MENTION = (
    "The customer mentioned us in a story. Stories disappear; by the platform's rules nothing of it is kept here. Look on Instagram."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Who speaks to whom: `customer` is the one that is not the account."""

    customer: str
    is_own: bool
    at: datetime | None

    @property
    def thread_key(self) -> ThreadKey:
        """The conversation."""
        return private_thread(self.customer)


def members(told: Told, account: str, read_change: Callable[[Told, str], Sequence[PlatformEvent]]) -> Sequence[Member]:
    """A member of a delivery for `account`: a change, which each of the two platforms has of its own, or what was said in private."""

    def read(told: Told) -> Sequence[PlatformEvent]:
        if told.account != account:
            raise UnsupportedEvent(
                f"This is about another account ({told.account}). One app tells one address: give each account an app of its own."
            )
        return read_change(told, account) if told.kind == "changes" else read_member(told, account)

    return (whole(told, read, None if told.kind == "changes" else thread_hint(told, account)),)


def private_thread(customer: str) -> ThreadKey:
    """The conversation of messages with a person."""
    return ThreadKey(f"dm:{customer}")


def thread_hint(told: Told, account: str) -> ThreadKey | None:
    """The conversation of a member that may be unreadable otherwise."""
    people = [read_id(read_object(told.value.get(name)).get("id")) for name in ("sender", "recipient")]
    other = [one for one in people if one and one != account]
    return private_thread(other[0]) if len(other) == 1 else None


def read_member(told: Told, account: str) -> Sequence[PlatformEvent]:
    """The events in one member of `messaging` or `standby` of `account`.

    Raises:
        MalformedPayload: an id is missing.
        UnsupportedEvent: it is of a kind that is not carried.
    """
    value = told.value
    sender, recipient = (read_id(read_object(value.get(name)).get("id")) for name in ("sender", "recipient"))
    message = read_object(value.get("message"))
    is_own = message.get("is_echo") is True or sender == account
    at = read_time(value.get("timestamp")) or told.at
    pair = Pair(customer=recipient if is_own else sender, is_own=is_own, at=at)
    if message:
        need(pair.customer, "sender or recipient")
        return [_message(message, pair, account, no_reply=STANDBY if told.kind == "standby" and not is_own else "")]
    if "message_edit" in value:
        return [_edit(read_object(value["message_edit"]), pair, sender)]
    if "reaction" in value:
        return [_reaction(read_object(value["reaction"]), pair, sender)]
    if "postback" in value:
        need(pair.customer, "sender")
        return [_postback(read_object(value["postback"]), pair, told)]
    if "delivery" in value:
        return _delivery(read_object(value["delivery"]), pair)
    if "read" in value:
        return _read(read_object(value["read"]), pair)
    known = next((name for name in value if name not in ("sender", "recipient", "timestamp")), "nothing")
    raise UnsupportedEvent(f"{known} is told by Meta and not carried: it holds nothing that was said.")


def read_marker(value: object) -> Marker | None:
    """Our marker where a message carries it back."""
    text = read_string(value)
    return Marker(text) if _MARKER.fullmatch(text) else None


def _message(message: Mapping[str, Any], pair: Pair, account: str, *, no_reply: str) -> PlatformEvent:
    mid = MessageRef(need(read_id(message.get("mid")), "message id"))
    if message.get("is_deleted") is True:
        return MessageDeleted(
            event_key=f"deleted:{mid}", occurred_at=pair.at, message_ref=mid, thread_key=pair.thread_key, is_own=pair.is_own
        )
    files, words, remarks = _attachments(message, mid)
    reply = read_object(message.get("reply_to"))
    if "story" in reply:
        remarks.append(_STORY_REPLY)
    advert = read_object(message.get("referral"))
    if advert:
        title = read_string(read_object(advert.get("ads_context_data")).get("ad_title"))
        remarks.append(f"The customer came by an advertisement{f' (“{title}”)' if title else ''}.")
    text = "\n".join(filter(None, (read_string(message.get("text")), *words)))
    if message.get("is_unsupported") is True or not (text or files or remarks):
        remarks.append("This is a message of a kind that Meta does not hand on. Look into the conversation on the platform.")
    return MessageReceived(
        event_key=f"message:{mid}",
        occurred_at=pair.at,
        message_ref=mid,
        thread_key=pair.thread_key,
        visibility=Visibility.PRIVATE,
        author=Contact(ref=ContactRef(account if pair.is_own else pair.customer)),
        text=Text(text),
        attachments=tuple(files),
        parent_ref=MessageRef(found) if (found := read_id(reply.get("mid"))) else None,
        is_own=pair.is_own,
        marker=read_marker(message.get("metadata")) if pair.is_own else None,
        remarks=tuple(remarks),
        no_reply=no_reply,
    )


def _attachments(message: Mapping[str, Any], mid: str) -> tuple[list[Attachment], list[str], list[str]]:
    files: list[Attachment] = []
    words: list[str] = []
    remarks: list[str] = []
    for one in read_objects(message.get("attachments")):
        kind, payload = read_string(one.get("type")), read_object(one.get("payload"))
        url, sticker = read_string(payload.get("url")) or read_string(one.get("url")), read_id(payload.get("sticker_id"))
        place = read_object(payload.get("coordinates"))
        if sticker in _THUMBS:
            words.append(_THUMBS[sticker])
        elif kind == "like_heart":
            words.append("❤️")
        elif kind == "story_mention":
            remarks.append(_STORY_MENTION)
        elif kind in _FILES and url:
            files.append(attachment("sticker" if sticker else kind, mid, len(files), url))
        elif place:
            words.append(f"Location: {place.get('lat')}, {place.get('long')}")
        elif kind in _SHARED and (shown := _shared(one, payload, url)):
            words.append(shown)
        else:
            remarks.append(
                f"An attachment of the kind “{kind or 'unknown'}” could not be carried. Look into the conversation on the platform."
            )
    return files, words, remarks


def _shared(one: Mapping[str, Any], payload: Mapping[str, Any], url: str) -> str:
    """What was passed on, in words: a link or post with its title, or the words on the cards of a template."""
    cards = [*read_objects(payload.get("elements")), *read_objects(read_object(payload.get("product")).get("elements"))]
    titles = [read_string(payload.get("title")) or read_string(one.get("title")), read_string(payload.get("text"))]
    titles += [": ".join(filter(None, (read_string(card.get("title")), read_string(card.get("subtitle"))))) for card in cards]
    found = [*filter(None, titles), *filter(None, (f"https://www.facebook.com{url}" if url.startswith("/") else url,))]
    return " ".join(("Shared:", *found)) if found else ""


def _edit(edit: Mapping[str, Any], pair: Pair, sender: str) -> MessageEdited:
    mid = MessageRef(need(read_id(edit.get("mid")), "message id"))
    revision = f"{read_count(edit.get('num_edit')) or 1:06}"
    return MessageEdited(
        event_key=f"edited:{mid}:{revision}",
        occurred_at=pair.at,
        message_ref=mid,
        revision=revision,
        text=Text(read_string(edit.get("text"))),
        thread_key=pair.thread_key if pair.customer else None,
        author_ref=ContactRef(sender) if sender and not pair.is_own else None,
        is_own=pair.is_own,
    )


def _reaction(reaction: Mapping[str, Any], pair: Pair, sender: str) -> ReactionChanged:
    mid = MessageRef(need(read_id(reaction.get("mid")), "message id"))
    author = need(sender, "sender")
    emoji = read_string(reaction.get("emoji")) or _REACTIONS.get(read_string(reaction.get("reaction")), "")
    added = read_string(reaction.get("action")) != "unreact"
    stamp = f"{pair.at.timestamp():.3f}" if pair.at is not None else ""
    return ReactionChanged(
        event_key=f"reaction:{mid}:{author}:{'+' if added else '-'}{emoji}:{stamp}",
        occurred_at=pair.at,
        message_ref=mid,
        author=Contact(ref=ContactRef(author)),
        emoji=emoji or "❔",
        added=added,
        thread_key=pair.thread_key,
    )


def _postback(postback: Mapping[str, Any], pair: Pair, told: Told) -> MessageReceived:
    title, payload = read_string(postback.get("title")), read_string(postback.get("payload"))
    stamp = f"{pair.at.timestamp():.3f}" if pair.at is not None else digest(title, payload)
    mid = MessageRef(read_id(postback.get("mid")) or f"postback:{pair.customer}:{stamp}")
    return MessageReceived(
        event_key=f"message:{mid}",
        occurred_at=pair.at,
        message_ref=mid,
        thread_key=pair.thread_key,
        visibility=Visibility.PRIVATE,
        author=Contact(ref=ContactRef(pair.customer)),
        text=Text(title or payload),
        remarks=("The customer pressed a button.",),
        no_reply=STANDBY if told.kind == "standby" else "",
    )


def _delivery(delivery: Mapping[str, Any], pair: Pair) -> Sequence[DeliveryUpdated]:
    mids = delivery.get("mids")
    found = [one for one in mids if isinstance(one, str) and one] if isinstance(mids, list) else []
    return [_status(mid, DeliveryStatus.DELIVERED, pair) for mid in found] or [_all_until(delivery, DeliveryStatus.DELIVERED, pair)]


def _read(read: Mapping[str, Any], pair: Pair) -> Sequence[DeliveryUpdated]:
    mid = read_id(read.get("mid"))
    return [_status(mid, DeliveryStatus.READ, pair) if mid else _all_until(read, DeliveryStatus.READ, pair)]


def _all_until(told: Mapping[str, Any], status: DeliveryStatus, pair: Pair) -> DeliveryUpdated:
    """Messenger names no message but a moment: everything of ours up to then came so far."""
    until = read_time(told.get("watermark"))
    if until is None or not pair.customer:
        raise UnsupportedEvent("Meta tells that messages came on, and neither which ones nor up to when.")
    return DeliveryUpdated(
        event_key=f"status:{pair.customer}:{until.timestamp():.3f}:{status.value}",
        occurred_at=pair.at,
        message_ref=MessageRef(""),
        status=status,
        thread_key=pair.thread_key,
        until=until,
    )


def _status(mid: str, status: DeliveryStatus, pair: Pair) -> DeliveryUpdated:
    return DeliveryUpdated(event_key=f"status:{mid}:{status.value}", occurred_at=pair.at, message_ref=MessageRef(mid), status=status)
