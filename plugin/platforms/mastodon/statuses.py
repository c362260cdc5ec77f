"""Reads statuses: wire JSON into our events. Pure: no calls, no clock; whatever a server leaves out is empty.

Sources: Mastodon documentation, entities "Status", "Account", "MediaAttachment", "Poll", "Quote".
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from plugin.contracts.reading import read_count, read_object, read_objects, read_string, read_time
from plugin.domain.events import MessageEdited, MessageReceived
from plugin.domain.html import from_html
from plugin.domain.ids import ContactRef, MessageRef
from plugin.domain.model import Attachment, Contact, Visibility
from plugin.domain.text import MarkKind, Text
from plugin.platforms.mastodon.keys import Thread, media_ref, seen_by
from plugin.platforms.mastodon.server import qualified
from plugin.platforms.mastodon.values import read_id

_TYPES = {"image": "image/jpeg", "gifv": "video/mp4", "video": "video/mp4", "audio": "audio/mpeg"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A status with what the polls look at. `stamp` changes with every edit; `raw` is the whole as it came."""

    id: str
    author: str
    parent: str
    visibility: str
    created_at: datetime | None
    stamp: str
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def seen_by(self) -> Visibility:
        """Who may read it."""
        return seen_by(self.visibility)

    @property
    def mentions(self) -> dict[str, str]:
        """Names (`user`, or `user@host` elsewhere) of those addressed, by account id."""
        listed = read_objects(self.raw.get("mentions"))
        return {read_id(one.get("id")): read_string(one.get("acct")) for one in listed}


def read_status(raw: object) -> Status | None:
    """A status; None when it has no id or no author."""
    data = read_object(raw)
    found, author = read_id(data.get("id")), read_id(read_object(data.get("account")).get("id"))
    if not found or not author:
        return None
    return Status(
        id=found,
        author=author,
        parent=read_id(data.get("in_reply_to_id")),
        visibility=read_string(data.get("visibility")),
        created_at=read_time(data.get("created_at")),
        stamp=_stamp(data),
        raw=data,
    )


def received(status: Status, thread: Thread, *, own: str, domain: str, found_by: str = "") -> MessageReceived:
    """The status as something said in `thread`, by the customer or by us (`own` is our account's id). `found_by`: by that saved search."""
    return MessageReceived(
        event_key=status.id,
        occurred_at=status.created_at,
        message_ref=MessageRef(status.id),
        thread_key=thread.key,
        visibility=thread.visibility,
        author=read_contact(status, domain),
        text=read_text(status),
        attachments=tuple(_attachments(status)),
        parent_ref=MessageRef(status.parent) if status.parent else None,
        url=read_string(status.raw.get("url")) or read_string(status.raw.get("uri")),
        is_own=status.author == own,
        remarks=tuple(_remarks(status, own)),
        found_by=found_by,
    )


def edited(status: Status, thread: Thread | None, *, own: str, revision: int = 0) -> MessageEdited:
    """The status as another wording of one that is known: by the time of the edit, or the `revision`th where a server does not tell it.

    `thread`: None where only the status is known.
    """
    return MessageEdited(
        event_key=f"{status.id} {status.stamp}",
        occurred_at=read_time(status.raw.get("edited_at")),
        message_ref=MessageRef(status.id),
        revision=read_string(status.raw.get("edited_at")) or f"{revision:06d}",
        text=read_text(status),
        attachments=tuple(_attachments(status)),
        thread_key=None if thread is None else thread.key,
        author_ref=ContactRef(status.author),
        is_own=status.author == own,
        remarks=tuple(_remarks(status, own)),
    )


def read_text(status: Status) -> Text:
    """The words with their links; links to the people addressed are mentions of them."""
    is_quote = bool(read_object(status.raw.get("quote")))
    # Mastodon writes the quoted post's address before the words, for apps that know no quotes; it stands in a remark.
    text = from_html(
        read_string(status.raw.get("content")),
        skip=lambda _, attributes: is_quote and "quote-inline" in attributes.get("class", "").split(),
    )
    people = {read_string(one.get("url")): read_id(one.get("id")) for one in read_objects(status.raw.get("mentions"))}
    marks = (
        replace(mark, kind=MarkKind.MENTION, target=people[mark.target])
        if mark.kind is MarkKind.LINK and mark.target and people.get(mark.target)
        else mark
        for mark in text.marks
    )
    return Text(text.plain, tuple(marks))


def read_contact(status: Status, domain: str) -> Contact:
    """Who wrote it. `domain` is our own server's name."""
    account = read_object(status.raw.get("account"))
    followers = read_count(account.get("followers_count"))
    fields = read_objects(account.get("fields"))
    return Contact(
        ref=ContactRef(status.author),
        display_name=read_string(account.get("display_name")),
        handle=qualified(read_string(account.get("acct")), domain),
        url=read_string(account.get("url")),
        avatar_url=read_string(account.get("avatar")),
        language=read_string(status.raw.get("language")),
        is_bot=account.get("bot") is True,
        is_verified=any(read_time(one.get("verified_at")) for one in fields) if fields else None,
        followers=followers,
        created_at=read_time(account.get("created_at")),
    )


def media_of(status: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The files of a status with their ids; one without an id has its place."""
    for number, media in enumerate(read_objects(status.get("media_attachments")), 1):
        yield read_id(media.get("id")) or f"n{number}", media


def _attachments(status: Status) -> Iterator[Attachment]:
    for number, (media_id, media) in enumerate(media_of(status.raw), 1):
        kind = read_string(media.get("type"))
        content_type = next(filter(None, map(_type_of, (media.get("remote_url"), media.get("url")))), _TYPES.get(kind, ""))
        yield Attachment(
            media_ref=media_ref(status.id, media_id),
            filename=f"{kind if kind in _TYPES else 'file'}-{number}{mimetypes.guess_extension(content_type) or '.bin'}",
            content_type=content_type or "application/octet-stream",
            description=read_string(media.get("description")),
        )


def _type_of(address: object) -> str:
    try:
        return mimetypes.guess_type(urlsplit(read_string(address)).path)[0] or ""
    except ValueError:
        return ""


def _stamp(data: Mapping[str, Any]) -> str:
    """The time of the last edit, or a hash of the words where a server does not tell it."""
    if "edited_at" in data:
        return read_string(data["edited_at"])
    words = f"{read_string(data.get('spoiler_text'))}\n{read_string(data.get('content'))}"
    return "#" + hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:12]


def _remarks(status: Status, own: str) -> Iterator[str]:
    raw = status.raw
    if warning := read_string(raw.get("spoiler_text")).strip():
        yield f"Content warning: {warning}"
    elif raw.get("sensitive") is True and raw.get("media_attachments"):
        yield "The sender marked the files as sensitive."
    if status.visibility == "private":
        yield "Shown to the sender's followers only; the answer goes to the sender alone."
    if status.seen_by is Visibility.PRIVATE:
        others = sorted(f"@{name}" for person, name in status.mentions.items() if person not in {own, status.author} and name)
        if others and status.author != own:
            yield f"Also addressed to {', '.join(others)}, who can read it; the answer goes to the sender alone."
    if poll := read_object(raw.get("poll")):
        options = "; ".join(read_string(one.get("title")) for one in read_objects(poll.get("options")))
        yield f"Holds a poll: {options}. Votes are not carried; see the original."
    yield from _quotes(raw)
    words = read_string(raw.get("content")) + read_string(raw.get("spoiler_text"))
    codes = sorted(
        {code for one in read_objects(raw.get("emojis")) if (code := read_string(one.get("shortcode"))) and f":{code}:" in words}
    )
    if codes:
        yield f"Pictures of the server's own stand as names: {', '.join(f':{code}:' for code in codes)}."


def _quotes(raw: Mapping[str, Any]) -> Iterator[str]:
    quote = read_object(raw.get("quote"))
    if not quote:
        return
    quoted = read_object(quote.get("quoted_status")) or quote
    address = read_string(quoted.get("url")) or read_string(quoted.get("uri"))
    yield f"Quotes the post {address}" if address else "Quotes a post that is not shown to us."
