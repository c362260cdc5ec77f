"""What the bot says, as event content. Pure; knows nothing of calls.

Matrix spec, Client-Server API, "Instant messaging", "Rich replies", "Threading" and "Event replacements".
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from plugin.domain.html import to_html
from plugin.domain.ids import Marker, MessageRef
from plugin.domain.model import File, OutboundMessage, Visibility
from plugin.domain.text import MarkKind, Text, fold
from plugin.platforms.matrix.rooms import person_url
from plugin.platforms.matrix.timeline import DELIVERY

Content = dict[str, Any]
_LARGEST = 60_000
"""Bytes of content that surely fit into an event of 65,536 with everything the homeserver adds."""
_LOOK_LOST = "The formatting was left out: with it the message would have been too large for Matrix."
_KINDS = {"image": "m.image", "audio": "m.audio", "video": "m.video"}


def words(text: Text) -> tuple[Content, tuple[str, ...]]:
    """A text message, and sentences on what was lost of its look."""
    plain, _ = fold(text, frozenset())
    people = {mark.target for mark in text.marks if mark.kind is MarkKind.MENTION and mark.target.startswith("@")}
    content: Content = {"msgtype": "m.text", "body": plain.plain, "m.mentions": _mentions(people)}
    if not text.marks:
        return content, ()
    linked = (replace(mark, kind=MarkKind.LINK, target=person_url(mark.target)) if mark.target in people else mark for mark in text.marks)
    formatted = to_html(Text(text.plain, tuple(linked)))
    rich = {**content, "format": "org.matrix.custom.html", "formatted_body": formatted}
    if len(json.dumps(rich, ensure_ascii=False).encode()) > _LARGEST:
        return content, (_LOOK_LOST,)
    return rich, ()


def file(sent: File, address: str) -> Content:
    """A message that is a file, at `address` (`mxc://...`)."""
    return {
        "msgtype": _KINDS.get(sent.content_type.partition("/")[0], "m.file"),
        "body": sent.description or sent.filename,
        "filename": sent.filename,
        "url": address,
        "info": {"mimetype": sent.content_type, "size": len(sent.content)},
    }


def placed(content: Content, message: OutboundMessage, *, root: str | None, is_first: bool) -> Content:
    """`content` in its thread, answering what `message` answers. In public the answered person is told."""
    answered = message.reply_to if is_first else None
    relation: Content = {}
    if root is not None:
        relation = {"rel_type": "m.thread", "event_id": root, "is_falling_back": answered is None}
        answered = answered or MessageRef(root)
    if answered is not None:
        relation["m.in_reply_to"] = {"event_id": answered}
    people = set(content.get("m.mentions", {}).get("user_ids", ()))
    if is_first and message.visibility is Visibility.PUBLIC and message.contact.ref.startswith("@"):
        people.add(message.contact.ref)
    return {**content, "m.mentions": _mentions(people), **({"m.relates_to": relation} if relation else {})}


def replacement(content: Content, target: MessageRef) -> Content:
    """An edit of `target` that makes it say `content`; the star is for clients that know no edits."""
    old = {**content, "body": f"* {content['body']}"}
    if "formatted_body" in content:
        old["formatted_body"] = f"* {content['formatted_body']}"
    return {**old, "m.new_content": content, "m.relates_to": {"rel_type": "m.replace", "event_id": target}}


def marked(content: Content, marker: Marker, *, part: int = 1, parts: int = 1) -> Content:
    """`content` with our own name for the delivery, by which its echo is known."""
    return {**content, DELIVERY: {"marker": marker, "part": part, "parts": parts}}


def _mentions(people: set[str]) -> Content:
    return {"user_ids": sorted(people)} if people else {}
