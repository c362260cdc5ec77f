"""Reads posts: a record and its author become an event. Pure; whatever a record holds, nothing here fails and nothing is dropped unsaid.

Sources: lexicons `app.bsky.feed.post`, `app.bsky.richtext.facet`, `app.bsky.embed.*`, `com.atproto.label.defs`.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from plugin.domain.events import MessageEdited, MessageReceived
from plugin.domain.ids import ContactRef, Marker
from plugin.domain.model import Attachment, Contact, Visibility
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.bluesky.keys import PostUri, media_ref, profile_url, read_uri, thread_key

MARKER_FIELD = "crossdeskMarker"
"""Our own field in our own records: what is unknown to a lexicon is kept and ignored by everyone else."""
_QUIET_LABELS = frozenset({"!no-unauthenticated"})
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
    def parent(self) -> PostUri | None:
        """The post this one answers."""
        return read_uri(_object(_object(self.record.get("reply")).get("parent")).get("uri"))

    @property
    def quoted(self) -> PostUri | None:
        """The post that it quotes."""
        quoted = (read_uri(_object(embed.get("record")).get("uri")) for kind, embed in _embeds(self.record) if kind == "record")
        return next((uri for uri in quoted if uri is not None), None)

    @property
    def root(self) -> PostUri:
        """The first post of its thread."""
        return read_uri(_object(_object(self.record.get("reply")).get("root")).get("uri")) or self.uri

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
        cid=_string(data.get("cid")),
        author=author or _object(data.get("author")),
        record=_object(data.get("record") or data.get("value")),
        indexed_at=read_time(data.get("indexedAt")),
        labels=tuple(_labels(data.get("labels"))),
        replies=replies if isinstance(replies, int) else 0,
        is_closed=_object(data.get("viewer")).get("replyDisabled") is True,
    )


def read_time(value: object) -> datetime | None:
    """A datetime of the protocol as UTC; None when it is none."""
    try:
        moment = datetime.fromisoformat(_string(value))
    except ValueError:
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None


def received(post: Post, *, own_did: str, customer: str, found_by: str = "") -> MessageReceived:
    """The post as something said in the conversation with `customer`, by them or by us. `found_by`: by that saved search."""
    marker = _string(post.record.get(MARKER_FIELD))
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
    plain = _string(record.get("text"))
    octets = plain.encode("utf-8", "replace")
    marks: list[Mark] = []
    for facet in _objects(record.get("facets")):
        index = _object(facet.get("index"))
        start, end = _at(octets, index.get("byteStart")), _at(octets, index.get("byteEnd"))
        if start is None or end is None or start >= end:
            continue
        for feature in _objects(facet.get("features")):
            kind = _string(feature.get("$type")).rpartition("#")[2]
            if kind == "link" and feature.get("uri"):
                marks.append(Mark(start, end, MarkKind.LINK, _string(feature["uri"])))
            elif kind == "mention" and feature.get("did"):
                marks.append(Mark(start, end, MarkKind.MENTION, _string(feature["did"])))
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
    author = post.author
    handle = _string(author.get("handle"))
    handle = "" if handle == "handle.invalid" else handle
    status = _string(_object(author.get("verification")).get("verifiedStatus"))
    followers = author.get("followersCount")
    languages = post.record.get("langs")
    return Contact(
        ref=ContactRef(post.uri.did),
        display_name=_string(author.get("displayName")),
        handle=handle,
        url=profile_url(handle or post.uri.did),
        avatar_url=_string(author.get("avatar")),
        language=_string(languages[0]) if isinstance(languages, list) and languages else "",
        is_bot="bot" in _labels(author.get("labels")),
        is_verified={"valid": True, "invalid": False, "none": False}.get(status),
        followers=followers if isinstance(followers, int) else None,
        created_at=read_time(author.get("createdAt")),
    )


def _embeds(record: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Kind and content of what is embedded; a quote with media is both."""
    embed = _object(record.get("embed"))
    kind = _string(embed.get("$type")).removeprefix("app.bsky.embed.")
    if kind == "recordWithMedia":
        yield "record", _object(embed.get("record"))
        yield from _embeds({"embed": embed.get("media")})
    elif kind:
        yield kind, embed


def _attachments(post: Post) -> Iterator[Attachment]:
    for kind, embed in _embeds(post.record):
        if kind == "images":
            for number, image in enumerate(_objects(embed.get("images")), 1):
                yield from _attachment(post, image.get("image"), f"image-{number}", _string(image.get("alt")))
        elif kind == "video":
            yield from _attachment(post, embed.get("video"), "video-1", _string(embed.get("alt")))


def _attachment(post: Post, blob: object, name: str, description: str) -> Iterator[Attachment]:
    data = _object(blob)
    cid = _string(_object(data.get("ref")).get("$link")) or _string(data.get("cid"))
    if not cid:
        return
    content_type = _string(data.get("mimeType")) or "application/octet-stream"
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
        card = _object(embed.get("external"))
        address = _string(card.get("uri"))
        if kind == "external" and address:
            return _string(card.get("title")).strip() or address, address
    return None


def _remarks(post: Post, own_did: str) -> Iterator[str]:
    for kind, embed in _embeds(post.record):
        if kind == "record":
            quoted = _string(_object(embed.get("record")).get("uri"))
            uri = read_uri(quoted)
            if uri is None:
                yield f"Shows something of Bluesky that is not a post ({quoted}); see the original."
            else:
                words = f": “{post.quoted_words}”" if post.quoted_words else ""
                yield f"Quotes {'your' if uri.did == own_did else 'the'} post {uri.url()}{words}"
        elif kind not in {"images", "video", "external"}:
            yield f"Holds something that could not be carried ({kind}); see the original on Bluesky."
    own_labels = _labels(_object(post.record.get("labels")).get("values"))
    if labels := sorted({*post.labels, *own_labels} - _QUIET_LABELS):
        yield f"Bluesky labels this post: {', '.join(labels)}."
    if labels := sorted(set(_labels(post.author.get("labels"))) - _QUIET_LABELS):
        yield f"Bluesky labels this account: {', '.join(labels)}."


def _labels(value: object) -> list[str]:
    return [_string(label["val"]) for label in _objects(value) if label.get("val") and not label.get("neg")]


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
