"""Writes posts: one part of a reply becomes a record. Pure. The same message gives the same record to the letter.

Sources: lexicons `app.bsky.feed.post`, `app.bsky.richtext.facet`, `app.bsky.embed.images`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from plugin.contracts.capabilities import Ruler
from plugin.contracts.rulers import GRAPHEMES, UTF8
from plugin.domain.ids import Marker
from plugin.domain.model import Contact
from plugin.domain.text import Mark, MarkKind, Text, fold
from plugin.platforms.bluesky.keys import POST
from plugin.platforms.bluesky.posts import MARKER_FIELD

LENGTH = 300
CHAT_LENGTH = 1000
_OCTETS = 3000
RULER = Ruler(
    name="bluesky",
    unit="characters",
    measure=lambda text: max(GRAPHEMES.measure(text), -(-UTF8.measure(text) * LENGTH // _OCTETS)),
)
"""A post holds 300 graphemes and 3,000 bytes, a chat message 1,000 and 10,000, whichever is reached first: ten bytes count as one character."""
CARRIED = frozenset({MarkKind.LINK, MarkKind.MENTION})
_LOOKS = {MarkKind.BOLD: "bold", MarkKind.ITALIC: "italic", MarkKind.STRIKE: "struck out", MarkKind.CODE: "code", MarkKind.PRE: "code"}
_FACET = "app.bsky.richtext.facet"
_TARGET = re.compile(r"(https?://[^\s/]|mailto:[^\s/]|tel:[^\s/])\S*", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?'\u2019\u201d)\]}]")


def write_record(
    text: Text, *, contact: Contact, reply: Mapping[str, Any], images: Sequence[Mapping[str, Any]], created_at: datetime, marker: Marker
) -> dict[str, Any]:
    """The record of one reply. `reply` holds `root` and `parent` as strong references, `images` blobs with their descriptions."""
    record: dict[str, Any] = {
        "$type": POST,
        "text": text.plain,
        "createdAt": created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "reply": dict(reply),
        MARKER_FIELD: str(marker),
    }
    if facets := facets_of(text, contact):
        record["facets"] = facets
    if images:
        record["embed"] = {"$type": "app.bsky.embed.images", "images": list(images)}
    return record


def facets_of(text: Text, contact: Contact) -> list[dict[str, Any]]:
    """What is linked in the text: marks, bare addresses, and the customer's handle."""
    return [_facet(text.plain, mark) for mark in _linked(text, contact)]


def losses_of(text: Text) -> tuple[str, ...]:
    """Sentences on what Bluesky cannot show of a text."""
    _, lost = fold(text, CARRIED)
    plain = sorted({f"Bluesky shows no {_LOOKS[kind]} text; the words were sent plainly." for kind in lost if kind in _LOOKS})
    dead = (mark for mark in text.marks if mark.kind is MarkKind.LINK and not is_linkable(mark))
    return (*plain, *(f"Bluesky cannot link to {mark.target}." for mark in dead))


def is_linkable(mark: Mark) -> bool:
    """Whether Bluesky takes the mark's target: an address that a person can open, or an account."""
    return bool(_TARGET.fullmatch(mark.target)) if mark.kind is MarkKind.LINK else mark.target.startswith("did:")


def _linked(text: Text, contact: Contact) -> Iterator[Mark]:
    """The marks that become facets, in order and never overlapping. Bluesky links nothing by itself, so bare addresses are marked too."""
    marks = [mark for mark in text.marks if mark.kind in CARRIED and mark.start < mark.end and is_linkable(mark)]
    marks += (Mark(*found.span(), MarkKind.LINK, found.group()) for found in _ADDRESS.finditer(text.plain))
    if contact.handle:
        handle = re.compile(rf"(?<![\w@.])@{re.escape(contact.handle)}(?![\w-]|\.\w)", re.IGNORECASE)
        marks += (Mark(*found.span(), MarkKind.MENTION, contact.ref) for found in handle.finditer(text.plain))
    end = 0
    for mark in sorted(marks, key=lambda mark: (mark.start, -mark.end)):
        if mark.start >= end:
            yield mark
            end = mark.end


def _facet(plain: str, mark: Mark) -> dict[str, Any]:
    start = len(plain[: mark.start].encode())
    end = start + len(plain[mark.start : mark.end].encode())
    kind, name = ("link", "uri") if mark.kind is MarkKind.LINK else ("mention", "did")
    return {"index": {"byteStart": start, "byteEnd": end}, "features": [{"$type": f"{_FACET}#{kind}", name: mark.target}]}
