"""Reads posts: a record and its author become an event. Pure; whatever a record holds, nothing here fails and nothing is dropped unsaid.

Sources: lexicons `app.bsky.feed.post`, `app.bsky.richtext.facet`, `app.bsky.embed.*`, `com.atproto.label.defs`.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plugin.domain.events import MessageEdited, MessageReceived
from plugin.domain.ids import ContactRef, Marker
from plugin.domain.model import Attachment, Contact, Visibility
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.bluesky.keys import PostUri, media_ref, read_uri, thread_key
from plugin.platforms.bluesky.people import contact_of, labels_in, loud, on_account
from plugin.platforms.bluesky.values import listed, read_object, read_string, read_time

MARKER_FIELD = "crossdeskMarker"
"""Our own field in our own records: what is unknown to a lexicon is kept and ignored by everyone else."""
_EXTENSIONS = {"image/jpeg": ".jpg", "image/webp": ".webp", "video/mp4": ".mp4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post as the network shows it now: `cid` is the hash of its content, `indexed_at` the earlier of its own time and its arrival."""

    uri: PostUri
    cid: str
    author: Mapping[str, Any]
    record: Mapping[str, Any]
    indexed_at: datetime | None
    labels: tuple[str, ...] = ()
    replies: int = 0
    is_closed: bool = False
    """Its author does not let us answer it."""
    quoted_words: str = ""
    """What the post says that it quotes, where somebody looked that up."""

    @property
    def event_key(self) -> str:
        """Unique for this wording of this post, however it was found."""
        return f"{self.uri} {self.cid}"

    @property
    def is_readable(self) -> bool:
        """Whether its record is one of a post: every one has words, if only none."""
        return isinstance(self.record.get("text"), str)

    @property
    def parent(self) -> PostUri | None:
        """The post this one answers."""
        return read_uri(read_object(read_object(self.record.get("reply")).get("parent")).get("uri"))

    @property
    def quoted(self) -> PostUri | None:
        """The post that it quotes."""
        quoted = (read_uri(read_object(embed.get("record")).get("uri")) for kind, embed in _embeds(self.record) if kind == "record")
        return next((uri for uri in quoted if uri is not None), None)

    @property
    def root(self) -> PostUri:
        """The first post of its thread."""
        return read_uri(read_object(read_object(self.record.get("reply")).get("root")).get("uri")) or self.uri

    def addresses(self, did: str) -> bool:
        """Whether it answers, quotes or mentions this account."""
        mentioned = {mark.target for mark in read_text(self.record).marks if mark.kind is MarkKind.MENTION}
        return did in mentioned or did in {uri.did for uri in (self.parent, self.quoted) if uri is not None}

    @property
    def occurred_at(self) -> datetime | None:
        """When it was said: its own word, but never later than when the network saw it."""
        said = read_time(self.record.get("createdAt"))
        if said is None or self.indexed_at is None:
            return self.indexed_at or said
        return min(said, self.indexed_at)


def read_post(data: Mapping[str, Any], author: Mapping[str, Any] | None = None) -> Post | None:
    """A notification, a post view or a record of a listing (then with its `author`); None when it is not a post."""
    uri = read_uri(data.get("uri"))
    if uri is None:
        return None
    replies = data.get("replyCount")
    return Post(
        uri=uri,
        cid=read_string(data.get("cid")),
        author=author or read_object(data.get("author")),
        record=read_object(data.get("record") or data.get("value")),
        indexed_at=read_time(data.get("indexedAt")),
        labels=tuple(labels_in(data.get("labels"))),
        replies=replies if isinstance(replies, int) else 0,
        is_closed=read_object(data.get("viewer")).get("replyDisabled") is True,
    )


def received(post: Post, *, own_did: str, customer: str, found_by: str = "") -> MessageReceived:
    """The post as something said in the conversation with `customer`, by them or by us. `found_by`: by that saved search."""
    marker = read_string(post.record.get(MARKER_FIELD))
    is_own = post.uri.did == own_did
    author = _contact(post)
    return MessageReceived(
        event_key=post.event_key,
        occurred_at=post.occurred_at,
        message_ref=post.uri.ref,
        thread_key=thread_key(post.root, customer),
        visibility=Visibility.PUBLIC,
        author=author,
        text=read_text(post.record),
        attachments=tuple(_attachments(post)),
        parent_ref=post.parent.ref if post.parent else None,
        url=post.uri.url(author.handle),
        is_own=is_own,
        marker=Marker(marker) if is_own and marker else None,
        remarks=tuple(_remarks(post, own_did)),
        found_by=found_by,
        no_reply="Its author lets only some people answer, and this account is not among them." if post.is_closed else "",
    )


def edited(post: Post, *, own_did: str, customer: str, revision: int) -> MessageEdited:
    """The post as another wording of one that is known. `revision` counts from 1."""
    return MessageEdited(
        event_key=post.event_key,
        occurred_at=post.occurred_at,
        message_ref=post.uri.ref,
        revision=f"{revision:06d}",
        text=read_text(post.record),
        attachments=tuple(_attachments(post)),
        thread_key=thread_key(post.root, customer),
        author_ref=ContactRef(post.uri.did),
        is_own=post.uri.did == own_did,
        remarks=tuple(_remarks(post, own_did)),
    )


def read_text(record: Mapping[str, Any]) -> Text:
    """The words with their links and mentions, and the link card behind them."""
    plain = read_string(record.get("text"))
    octets = plain.encode("utf-8", "replace")
    marks: list[Mark] = []
    for facet in listed(record.get("facets")):
        index = read_object(facet.get("index"))
        start, end = _at(octets, index.get("byteStart")), _at(octets, index.get("byteEnd"))
        if start is None or end is None or start >= end:
            continue
        for feature in listed(facet.get("features")):
            kind = read_string(feature.get("$type")).rpartition("#")[2]
            if kind == "link" and feature.get("uri"):
                marks.append(Mark(start, end, MarkKind.LINK, read_string(feature["uri"])))
            elif kind == "mention" and feature.get("did"):
                marks.append(Mark(start, end, MarkKind.MENTION, read_string(feature["did"])))
    text = Text(plain, tuple(sorted(marks)))
    card = _card(record)
    if card is None or any(mark.target == card[1] for mark in marks) or card[1] in plain:
        return text
    title, address = card
    return text + Text("\n\n" if plain else "") + Text(title, (Mark(0, len(title), MarkKind.LINK, address),))


def _at(octets: bytes, offset: object) -> int | None:
    """A byte offset as an index of code points; None outside the text or inside a character."""
    if not isinstance(offset, int) or not 0 <= offset <= len(octets):
        return None
    try:
        return len(octets[:offset].decode())
    except UnicodeDecodeError:
        return None


def _contact(post: Post) -> Contact:
    languages = post.record.get("langs")
    language = read_string(languages[0]) if isinstance(languages, list) and languages else ""
    return contact_of(post.author, ref=post.uri.did, language=language)


def _embeds(record: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Kind and content of what is embedded; a quote with media is both."""
    embed = read_object(record.get("embed"))
    kind = read_string(embed.get("$type")).removeprefix("app.bsky.embed.")
    if kind == "recordWithMedia":
        yield "record", read_object(embed.get("record"))
        yield from _embeds({"embed": embed.get("media")})
    elif kind:
        yield kind, embed


def _attachments(post: Post) -> Iterator[Attachment]:
    for kind, embed in _embeds(post.record):
        if kind == "images":
            for number, image in enumerate(listed(embed.get("images")), 1):
                yield from _attachment(post, image.get("image"), f"image-{number}", read_string(image.get("alt")))
        elif kind == "video":
            yield from _attachment(post, embed.get("video"), "video-1", read_string(embed.get("alt")))


def _attachment(post: Post, blob: object, name: str, description: str) -> Iterator[Attachment]:
    data = read_object(blob)
    cid = read_string(read_object(data.get("ref")).get("$link")) or read_string(data.get("cid"))
    if not cid:
        return
    content_type = read_string(data.get("mimeType")) or "application/octet-stream"
    size = data.get("size")
    yield Attachment(
        media_ref=media_ref(post.uri.did, cid),
        filename=name + (_EXTENSIONS.get(content_type) or mimetypes.guess_extension(content_type) or ".bin"),
        content_type=content_type,
        size=size if isinstance(size, int) else None,
        description=description,
    )


def _card(record: Mapping[str, Any]) -> tuple[str, str] | None:
    """Title and address of a link card."""
    for kind, embed in _embeds(record):
        card = read_object(embed.get("external"))
        address = read_string(card.get("uri"))
        if kind == "external" and address:
            return read_string(card.get("title")).strip() or address, address
    return None


def _remarks(post: Post, own_did: str) -> Iterator[str]:
    for kind, embed in _embeds(post.record):
        if kind == "record":
            quoted = read_string(read_object(embed.get("record")).get("uri"))
            uri = read_uri(quoted)
            if uri is None:
                yield f"Shows something of Bluesky that is not a post ({quoted}); see the original."
            else:
                words = f": “{post.quoted_words}”" if post.quoted_words else ""
                yield f"Quotes {'your' if uri.did == own_did else 'the'} post {uri.url()}{words}"
        elif kind not in {"images", "video", "external"}:
            yield f"Holds something that could not be carried ({kind}); see the original on Bluesky."
    own_labels = labels_in(read_object(post.record.get("labels")).get("values"))
    if labels := loud({*post.labels, *own_labels}):
        yield f"Bluesky labels this post: {', '.join(labels)}."
    yield from on_account(post.author)
