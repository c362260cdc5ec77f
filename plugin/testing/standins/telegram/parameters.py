"""The parameters of the stand-in's calls: their names and types, and how each way of sending them is read."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugin.testing.standins.telegram.files import Upload
from plugin.testing.standins.telegram.refusals import bad_request

MEGABYTE = 1 << 20
SENDING = {
    "chat_id": int,
    "message_thread_id": int,
    "direct_messages_topic_id": int,
    "business_connection_id": str,
    "reply_parameters": dict,
    "disable_notification": bool,
    "protect_content": bool,
    "reply_markup": dict,
    "message_effect_id": str,
}
CAPTION = {"caption": str, "caption_entities": list, "parse_mode": str}
TARGET = {"chat_id": int, "message_id": int, "business_connection_id": str, "inline_message_id": str, "reply_markup": dict}
WEBHOOK = {
    "url": str,
    "secret_token": str,
    "allowed_updates": list,
    "max_connections": int,
    "drop_pending_updates": bool,
    "ip_address": str,
}
TEXT = {"text": str, "entities": list, "parse_mode": str, "link_preview_options": dict}


@dataclass(frozen=True, slots=True)
class Call:
    """One call: parameters by name, of the declared types, and uploaded files by field."""

    given: Mapping[str, Any]
    files: Mapping[str, Upload]

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter."""
        return self.given.get(name, default)


def check_photo(upload: Upload) -> None:
    """Pictures up to 10 MB, readable, not too long in one direction."""
    if upload.claimed > 10 * MEGABYTE:
        raise bad_request(f"file of size {upload.claimed} bytes is too big for a photo; the maximum size is {10 * MEGABYTE} bytes")
    if not upload.content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) and upload.content[8:12] != b"WEBP":
        raise bad_request("IMAGE_PROCESS_FAILED")
    if upload.content.startswith(b"\x89PNG") and len(upload.content) >= 24:
        width, height = struct.unpack(">II", upload.content[16:24])
        if width + height > 10_000 or max(width, height) > 20 * max(1, min(width, height)):
            raise bad_request("PHOTO_INVALID_DIMENSIONS")


def check_markup(call: Call, chat_type: str) -> None:
    """A reply keyboard: rows of buttons with words, not in channels and not for a business account; nothing else is known here."""
    markup = call.get("reply_markup")
    if markup is None:
        return
    if unknown := set(markup) - {"keyboard", "resize_keyboard", "one_time_keyboard"}:
        raise bad_request(f"the stand-in knows no {', '.join(sorted(unknown))} in reply_markup")
    rows = markup.get("keyboard")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) and row for row in rows):
        raise bad_request("can't parse reply keyboard markup JSON object")
    for button in (button for row in rows for button in row):
        if not isinstance(button, dict) or set(button) != {"text"} or not str(button["text"]).strip():
            raise bad_request("can't parse keyboard button: a text is needed, and the stand-in knows nothing else")
    if call.get("business_connection_id") or chat_type == "channel":
        raise bad_request("reply keyboards are neither for business accounts nor for channels")


def typed(name: str, value: Any, kind: type) -> Any:
    """A parameter as its type: forms and query strings bring all of them as text, objects and lists as JSON."""
    if kind in (dict, list) and isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name} JSON object") from None
    if kind is int and isinstance(value, str) and value.removeprefix("-").isdecimal():
        value = int(value)
    if kind is bool and isinstance(value, str):
        value = value.lower() in ("true", "yes", "1")
    if kind is int and name == "chat_id" and not isinstance(value, int):
        raise bad_request("chat_id is empty" if not value else "chat not found")
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise bad_request(f'parameter "{name}" must be of the type {kind.__name__}')
    return value


def chat_of(call: Call) -> int:
    """The chat that a call is for."""
    chat = call.get("chat_id")
    if chat is None:
        raise bad_request("chat_id is empty")
    return int(chat)
