"""The content of a message event, read as words, files and remarks. Any shape is survived: senders write what they like.

Matrix spec, Client-Server API, "Instant messaging" and "Rich replies". Knows nothing of rooms, threads and calls.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from plugin.domain.html import from_html
from plugin.domain.ids import MediaRef
from plugin.domain.model import Attachment
from plugin.domain.text import MarkKind, Text
from plugin.platforms.matrix.rooms import media_parts, person_of

ENCRYPTED = "This message is end-to-end encrypted and cannot be read here. Ask the customer to write in a room without encryption."
_POLLS = ("m.poll.start", "org.matrix.msc3381.poll.start")
_FILES = frozenset({"m.image", "m.file", "m.audio", "m.video", "m.sticker"})
_WORDS = frozenset({"m.text", "m.notice", "m.emote", "m.location", "m.server_notice"})
_FALLBACK = re.compile(r"> (?:\* )?<@[^>\n]+>[^\n]*\n(?:>[^\n]*\n)*\n?")
"""The quote that older clients put before a reply's plain body."""
_CONTENT_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*", re.IGNORECASE)
_BYTES = "application/octet-stream"
_UNFIT = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a message says."""

    text: Text = Text("")  # noqa: RUF009  (frozen)
    attachments: tuple[Attachment, ...] = ()
    remarks: tuple[str, ...] = ()


def said(event_type: str, content: Mapping[str, Any], *, sender: str, is_reply: bool) -> Said:
    """Read `content`. What cannot be carried is named in a remark."""
    if event_type == "m.room.encrypted":
        return Said(remarks=(ENCRYPTED,))
    if event_type in _POLLS:
        return Said(text=_poll(content), remarks=("This is a poll; votes are not carried.",))
    given = content.get("msgtype")
    kind = "m.sticker" if event_type == "m.sticker" else given if isinstance(given, str) else ""
    if kind in _FILES:
        return _file(content, is_sticker=kind == "m.sticker", is_reply=is_reply)
    text = _words(content, is_reply=is_reply)
    if kind == "m.emote":
        text = Text(f"* {sender.removeprefix('@').partition(':')[0]} ") + text
    if kind == "m.location" and isinstance(content.get("geo_uri"), str):
        text = Text(f"{text.plain}\n{content['geo_uri']}".strip())
    if kind not in _WORDS:
        return Said(text=text, remarks=(f"This message is of a kind that cannot be shown here ({kind[:60] or 'none'}); only its text is.",))
    return Said(text=text, remarks=() if text.plain else ("This message has no text.",))


def _words(content: Mapping[str, Any], *, is_reply: bool) -> Text:
    formatted, body = content.get("formatted_body"), content.get("body")
    if content.get("format") == "org.matrix.custom.html" and isinstance(formatted, str):
        text = _mentions(from_html(formatted, skip=lambda name, _: name == "mx-reply"))
        if text.plain:
            return text
    if not isinstance(body, str):
        return Text("")
    found = _FALLBACK.match(body) if is_reply else None
    return Text(body[found.end() :] if found else body).strip()


def _mentions(text: Text) -> Text:
    """Links to people are mentions."""
    marks = (
        replace(mark, kind=MarkKind.MENTION, target=person)
        if mark.kind is MarkKind.LINK and (person := person_of(mark.target)) is not None
        else mark
        for mark in text.marks
    )
    return Text(text.plain, tuple(marks))


def _file(content: Mapping[str, Any], *, is_sticker: bool, is_reply: bool) -> Said:
    """A file with its caption: where `filename` is given and differs from the body, the body is what the sender wrote of it."""
    body, name = content.get("body"), content.get("filename")
    has_caption = isinstance(name, str) and isinstance(body, str) and name != body
    text = _words(content, is_reply=is_reply) if has_caption else Text("")
    filename = _filename(name if isinstance(name, str) else body)
    if isinstance(content.get("file"), Mapping):
        return Said(text=text, remarks=(f"The file {filename} is end-to-end encrypted and cannot be fetched.",))
    address, info = content.get("url"), content.get("info")
    if media_parts(address) is None:
        return Said(text=text, remarks=(f"The file {filename} has no address on a homeserver and cannot be fetched.",))
    info = info if isinstance(info, Mapping) else {}
    content_type, size = info.get("mimetype"), info.get("size")
    attachment = Attachment(
        media_ref=MediaRef(str(address)),
        filename=filename,
        content_type=content_type if isinstance(content_type, str) and _CONTENT_TYPE.fullmatch(content_type) else _BYTES,
        size=size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**53 else None,
        description=body if is_sticker and isinstance(body, str) else "",
    )
    return Said(text=text, attachments=(attachment,), remarks=("This is a sticker.",) if is_sticker else ())


def _filename(name: object) -> str:
    """The last part of what the sender calls the file, at most 200 characters, never empty."""
    words = _UNFIT.sub("", name) if isinstance(name, str) else ""
    last = words.replace("\\", "/").rpartition("/")[2].strip()
    return last[-200:] if last.strip(".") else "file"


def _poll(content: Mapping[str, Any]) -> Text:
    """The poll's own text alternative, or its question."""
    start: Mapping[str, Any] = next((content[name] for name in _POLLS if isinstance(content.get(name), Mapping)), {})
    for words in (content.get("m.text"), content.get("org.matrix.msc1767.text"), content.get("body"), start.get("question")):
        found = _plain(words)
        if found:
            return Text(found)
    return Text("")


def _plain(words: object) -> str:
    """Extensible text: a string, or representations of which the plain one is taken."""
    if isinstance(words, str):
        return words.strip()
    if isinstance(words, Mapping):
        return next((found for name in ("m.text", "org.matrix.msc1767.text", "body") if (found := _plain(words.get(name)))), "")
    if isinstance(words, list):
        return next((found for item in words if isinstance(item, Mapping) and (found := _plain(item.get("body")))), "")
    return ""
