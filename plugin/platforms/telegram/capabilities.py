"""What a Telegram bot can carry, and which call carries which file (Bot API, "Sending files" and the `send...` methods)."""

from __future__ import annotations

from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits, Readback
from plugin.contracts.rulers import UTF16
from plugin.domain.events import ContactReachability, MessageDeleted, MessageEdited, MessageReceived, ReactionChanged
from plugin.domain.model import File, Visibility
from plugin.platforms.telegram.entities import CARRIED
from plugin.platforms.telegram.keyboards import LENGTH, MOST

MEGABYTE = 1 << 20
DOWNLOAD_BYTES = 20 * MEGABYTE
CAPTION_LENGTH = 1024
_PHOTO_BYTES = 10 * MEGABYTE

CAPABILITIES = Capabilities(
    receives=Level.FULL,
    replies_public=Level.FULL,
    replies_private=Level.FULL,
    attachments_in=Level.PARTIAL,
    attachments_out=Level.FULL,
    edits_in=Level.FULL,
    edits_out=Level.FULL,
    deletes_in=Level.PARTIAL,
    deletes_out=Level.PARTIAL,
    threads=Level.FULL,
    reactions_in=Level.FULL,
    delivery_reports=Level.REJECTED,
    choices=Level.PARTIAL,
    visibilities=(Visibility.PRIVATE, Visibility.PUBLIC),
    marks=CARRIED,
    events=frozenset({MessageReceived, MessageEdited, MessageDeleted, ReactionChanged, ContactReachability}),
    idempotency=Idempotency.NONE,
    readback=Readback.NONE,
    limits=Limits(
        text_length=4096,
        ruler=UTF16,
        caption_length=CAPTION_LENGTH,
        file_bytes=50 * MEGABYTE,
        files_per_message=1,
        choices_per_message=MOST,
        choice_length=LENGTH,
        calls_per_second=25.0,
        max_lifetime=180.0,
    ),
)

_SENDS = {
    "image/jpeg": ("sendPhoto", "photo"),
    "image/png": ("sendPhoto", "photo"),
    "image/gif": ("sendAnimation", "animation"),
    "video/mp4": ("sendVideo", "video"),
    "audio/mpeg": ("sendAudio", "audio"),
    "audio/mp4": ("sendAudio", "audio"),
}


def sending(file: File) -> tuple[str, str]:
    """The method that shows a file best, and the name of its file parameter."""
    method, field = _SENDS.get(file.content_type, ("sendDocument", "document"))
    if method == "sendPhoto" and len(file.content) > _PHOTO_BYTES:
        return "sendDocument", "document"
    return method, field
