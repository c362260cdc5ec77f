"""What one Telegram message says: its words, its files, and sentences on what is neither. Pure; knows no update and no call.

Nothing is left out: a kind of message that is new to us is named in a remark. Housekeeping of groups is told apart by `service_kind`.
Source: Bot API, "Message".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from plugin.domain.ids import MediaRef
from plugin.domain.model import Attachment
from plugin.domain.text import Text
from plugin.platforms.telegram.entities import to_text

SERVICE = frozenset({
    "new_chat_members", "new_chat_member", "new_chat_participant", "left_chat_member", "left_chat_participant", "new_chat_title",
    "new_chat_photo", "delete_chat_photo", "group_chat_created", "supergroup_chat_created", "channel_chat_created",
    "message_auto_delete_timer_changed", "migrate_from_chat_id", "pinned_message", "connected_website", "write_access_allowed",
    "proximity_alert_triggered", "boost_added", "chat_background_set", "forum_topic_created", "forum_topic_edited", "forum_topic_closed",
    "forum_topic_reopened", "general_forum_topic_hidden", "general_forum_topic_unhidden", "giveaway_created", "giveaway_completed",
    "video_chat_scheduled", "video_chat_started", "video_chat_ended", "video_chat_participants_invited", "voice_chat_scheduled",
    "voice_chat_started", "voice_chat_ended", "voice_chat_participants_invited", "chat_owner_left", "chat_owner_changed",
    "paid_message_price_changed", "direct_message_price_changed", "managed_bot_created", "poll_option_added", "poll_option_deleted",
})  # fmt: skip
_FRAME = frozenset({
    "business_connection_id", "sender_business_bot", "message_id", "message_thread_id", "from", "sender_chat", "sender_boost_count",
    "sender_tag", "chat", "date", "edit_date", "author_signature", "is_topic_message", "is_automatic_forward", "direct_messages_topic",
    "reply_to_message", "has_protected_content", "is_from_offline", "is_paid_post", "paid_star_count", "media_group_id", "effect_id",
    "show_caption_above_media", "has_media_spoiler", "link_preview_options", "reply_markup", "text", "entities", "caption",
    "caption_entities", "forward_from", "forward_from_chat", "forward_from_message_id", "forward_signature", "forward_sender_name",
    "forward_date", "guest_query_id", "reply_to_checklist_task_id", "reply_to_poll_option_id", "suggested_post_info",
    "video_chat_scheduled", "guest_bot_caller_user", "guest_bot_caller_chat",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Content:
    """A message's words, files and remarks."""

    text: Text
    attachments: tuple[Attachment, ...]
    remarks: tuple[str, ...]


def service_kind(message: Mapping[str, Any]) -> str:
    """The name of the housekeeping that a message is, "" where somebody says something."""
    return next((name for name in message if name in SERVICE), "")


def read_content(message: Mapping[str, Any]) -> Content:
    """Everything that a message says."""
    text = to_text(_words(message, "text"), _array(message, "entities"))
    caption = to_text(_words(message, "caption"), _array(message, "caption_entities"))
    told = [name for name in _SAYINGS if isinstance(message.get(name), Mapping) and not (name == "location" and "venue" in message)]
    remarks = [_SAYINGS[name](message[name]) for name in told]
    if "migrate_to_chat_id" in message:
        moved = message["migrate_to_chat_id"]
        remarks.append(f"This group became a supergroup ({moved}); what is said there from now on is a conversation of its own.")
    attachments = _attachments(message)
    if not text.plain and not caption.plain and isinstance(form := message.get("web_app_data"), Mapping):
        text = Text(_words(form, "data"))
        remarks.append(f"The customer filled in a form ({_words(form, 'button_text') or 'without a name'}).")
    strange = [name for name in message if name not in _KNOWN and name != "web_app_data"]
    remarks += [f"Sent something that cannot be shown here ({name}); open the chat in Telegram to see it." for name in strange]
    if not (text.plain or caption.plain or attachments or remarks):
        remarks.append("This message came without anything that Telegram tells; open the chat in Telegram to see it.")
    return Content(text if text.plain else caption, attachments, tuple(remarks))


def _attachments(message: Mapping[str, Any]) -> tuple[Attachment, ...]:
    number = message.get("message_id", 0)
    found: list[Attachment] = []
    sizes = [size for size in _array(message, "photo") if "file_id" in size]
    if sizes:
        best = max(sizes, key=_area)
        found.append(_attachment(best, name=f"photo-{number}.jpg", content_type="image/jpeg"))
    for kind, (stem, suffix, content_type) in _FILES.items():
        file = message.get(kind)
        if not isinstance(file, Mapping) or "file_id" not in file or (kind == "document" and "animation" in message):
            continue  # an animation is sent a second time as document, for old programs
        name, mime = f"{stem}-{number}{suffix}", content_type
        if kind == "sticker":
            name, mime = _sticker_form(file, number)
        found.append(_attachment(file, name=name, content_type=mime))
    live = message.get("live_photo")
    if isinstance(live, Mapping) and "file_id" in live:
        found.append(_attachment(live, name=f"live-photo-{number}.mp4", content_type="video/mp4"))
    return tuple(found)


_FILES = {
    "document": ("file", "", "application/octet-stream"),
    "animation": ("animation", ".mp4", "video/mp4"),
    "video": ("video", ".mp4", "video/mp4"),
    "video_note": ("video-message", ".mp4", "video/mp4"),
    "voice": ("voice-message", ".ogg", "audio/ogg"),
    "audio": ("audio", ".mp3", "audio/mpeg"),
    "sticker": ("sticker", ".webp", "image/webp"),
}


def _area(size: Mapping[str, Any]) -> int:
    width, height = size.get("width"), size.get("height")
    return width * height if isinstance(width, int) and isinstance(height, int) else 0


def _attachment(file: Mapping[str, Any], *, name: str, content_type: str) -> Attachment:
    size = file.get("file_size")
    return Attachment(
        media_ref=MediaRef(str(file["file_id"])),
        filename=str(file.get("file_name") or name),
        content_type=str(file.get("mime_type") or content_type),
        size=size if isinstance(size, int) else None,
        description=str(file.get("emoji") or ""),
    )


def _sticker_form(sticker: Mapping[str, Any], number: Any) -> tuple[str, str]:
    if sticker.get("is_animated"):
        return f"sticker-{number}.tgs", "application/x-tgsticker"
    if sticker.get("is_video"):
        return f"sticker-{number}.webm", "video/webm"
    return f"sticker-{number}.webp", "image/webp"


def _location(place: Any) -> str:
    at = f"{place.get('latitude')}, {place.get('longitude')}"
    live = ", moving" if place.get("live_period") else ""
    return f"Shared a location{live}: {at} ({_map(place)})."


def _map(place: Mapping[str, Any]) -> str:
    latitude, longitude = place.get("latitude"), place.get("longitude")
    return f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=17/{latitude}/{longitude}"


def _venue(venue: Any) -> str:
    return f"Shared a place: {venue.get('title', '')}, {venue.get('address', '')} ({_map(_mapping(venue.get('location')))})."


def _contact(contact: Any) -> str:
    name = " ".join(str(part) for part in (contact.get("first_name"), contact.get("last_name")) if part)
    return f"Shared a contact: {name}, {contact.get('phone_number', 'no number')}."


def _poll(poll: Any) -> str:
    options = "; ".join(f"“{option.get('text', '')}”" for option in _array(poll, "options"))
    return f"Sent a poll: “{poll.get('question', '')}” with the choices {options}."


def _checklist(checklist: Any) -> str:
    tasks = "; ".join(f"“{task.get('text', '')}”" for task in _array(checklist, "tasks"))
    return f"Sent a checklist: “{checklist.get('title', '')}” with {tasks}."


def _forward(origin: Any) -> str:
    user, chat = origin.get("sender_user"), origin.get("chat") or origin.get("sender_chat")
    who = origin.get("sender_user_name") or ""
    if isinstance(user, Mapping):
        who = " ".join(str(part) for part in (user.get("first_name"), user.get("last_name")) if part)
    elif isinstance(chat, Mapping):
        who = str(chat.get("title") or chat.get("first_name") or "")
    return f"Forwarded from {who or 'somebody'}: these are not the sender's own words."


_SAYINGS: dict[str, Callable[[Any], str]] = {
    "sticker": lambda sticker: f"Sent a sticker {sticker.get('emoji') or ''}".rstrip() + ".",
    "location": _location,
    "venue": _venue,
    "contact": _contact,
    "poll": _poll,
    "checklist": _checklist,
    "dice": lambda dice: f"Threw {dice.get('emoji', 'a die')}: {dice.get('value')}.",
    "game": lambda game: f"Sent the game “{game.get('title', '')}”.",
    "forward_origin": _forward,
    "quote": lambda part: f"Refers to the words “{part.get('text', '')}”.",
    "external_reply": lambda _: "Answers a message in another chat, which is not carried over.",
    "reply_to_story": lambda _: "Answers a story, which is not carried over.",
    "via_bot": lambda bot: f"Written with the help of the bot @{bot.get('username', '')}.",
}
_KNOWN = _FRAME | _SAYINGS.keys() | _FILES.keys() | {"photo", "live_photo", "migrate_to_chat_id"}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _words(message: Mapping[str, Any], name: str) -> str:
    value = message.get(name)
    return value if isinstance(value, str) else ""


def _array(message: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = message.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
