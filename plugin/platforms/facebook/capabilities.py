"""What a Facebook Page can carry."""

from __future__ import annotations

from dataclasses import replace

from plugin.contracts.capabilities import Capabilities, Level, Limits
from plugin.contracts.rulers import CODE_POINTS
from plugin.domain.events import DeliveryUpdated, MessageDeleted, MessageEdited, MessageReceived, ReactionChanged
from plugin.domain.model import Visibility

DAY = 86_400.0
SCOPES = (
    "pages_show_list",
    "pages_messaging",
    "pages_manage_metadata",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_manage_engagement",
)
FIELDS = (
    "feed",
    "mention",
    "messages",
    "message_echoes",
    "message_edits",
    "message_reactions",
    "message_deliveries",
    "message_reads",
    "messaging_postbacks",
    "standby",
)
"""What the webhook is asked for."""
PROFILE = "name,first_name,last_name,profile_pic"
"""What is asked of a person: language and time zone need permissions of their own, and one field too many has all of them refused."""
_PUBLIC = Limits(
    text_length=8_000,
    ruler=CODE_POINTS,
    caption_length=8_000,
    file_bytes=10_000_000,
    files_per_message=1,
    content_types=("image/jpeg", "image/png", "image/gif", "image/webp"),
    calls_per_second=10.0,
    max_lifetime=180.0,
)
PRIVATE = replace(
    _PUBLIC,
    text_length=2_000,
    caption_length=0,
    file_bytes=25_000_000,
    content_types=(),
    choices_per_message=13,
    choice_length=20,
    reply_window=DAY,
)

CAPABILITIES = Capabilities(
    replies_public=Level.FULL,
    replies_private=Level.FULL,
    attachments_in=Level.FULL,
    attachments_out=Level.PARTIAL,
    edits_in=Level.FULL,
    edits_out=Level.PARTIAL,
    deletes_in=Level.FULL,
    deletes_out=Level.PARTIAL,
    threads=Level.FULL,
    reactions_in=Level.FULL,
    delivery_reports=Level.PARTIAL,
    hides=Level.FULL,
    choices=Level.FULL,
    visibilities=(Visibility.PUBLIC, Visibility.PRIVATE),
    events=frozenset({MessageReceived, MessageEdited, MessageDeleted, ReactionChanged, DeliveryUpdated}),
    limits=_PUBLIC,
    private_limits=PRIVATE,
    may_answer="everybody who comments; one private reply to each comment, within 7 days",
)
