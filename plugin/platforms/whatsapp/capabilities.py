"""What a WhatsApp number can carry, and which kind of message carries which file (WhatsApp Cloud API, "Media")."""

from __future__ import annotations

from plugin.contracts.capabilities import Capabilities, Level, Limits
from plugin.contracts.rulers import CODE_POINTS
from plugin.domain.events import ContactReachability, DeliveryUpdated, MessageDeleted, MessageEdited, MessageReceived, ReactionChanged
from plugin.domain.model import File, Visibility
from plugin.platforms.whatsapp.formatting import CARRIED

DAY = 86_400.0
CAPTION_LENGTH = 1_024
TEXT_LENGTH = 4_096
BUTTONS_LENGTH = 1_024
"""A text with buttons below it ("Interactive reply buttons messages"): shorter than others."""
MEDIA_BYTES = 100_000_000
SCOPES = ("whatsapp_business_management", "whatsapp_business_messaging")
FIELDS = ("messages", "smb_message_echoes")
"""What the webhook is asked for."""
_KINDS = {
    "image/jpeg": ("image", 5_000_000),
    "image/png": ("image", 5_000_000),
    "video/mp4": ("video", 16_000_000),
    "video/3gpp": ("video", 16_000_000),
    "audio/aac": ("audio", 16_000_000),
    "audio/mp4": ("audio", 16_000_000),
    "audio/mpeg": ("audio", 16_000_000),
    "audio/amr": ("audio", 16_000_000),
    "audio/ogg": ("audio", 16_000_000),
}

CAPABILITIES = Capabilities(
    replies_private=Level.FULL,
    attachments_in=Level.FULL,
    attachments_out=Level.FULL,
    edits_in=Level.FULL,
    deletes_in=Level.FULL,
    threads=Level.PARTIAL,
    reactions_in=Level.FULL,
    delivery_reports=Level.FULL,
    templates=Level.FULL,
    choices=Level.FULL,
    visibilities=(Visibility.PRIVATE,),
    marks=CARRIED,
    events=frozenset({MessageReceived, MessageEdited, MessageDeleted, ReactionChanged, DeliveryUpdated, ContactReachability}),
    limits=Limits(
        text_length=TEXT_LENGTH,
        ruler=CODE_POINTS,
        caption_length=CAPTION_LENGTH,
        file_bytes=MEDIA_BYTES,
        files_per_message=1,
        choices_per_message=3,
        choice_length=20,
        reply_window=DAY,
        calls_per_second=20.0,
        max_lifetime=180.0,
    ),
)


def kind_of(file: File, *, has_caption: bool) -> str:
    """The kind of message that carries a file: as what it is where WhatsApp shows it so, else as a document."""
    kind, most = _KINDS.get(file.content_type.partition(";")[0].strip().lower(), ("document", MEDIA_BYTES))
    return "document" if len(file.content) > most or (kind == "audio" and has_caption) else kind
