"""What an Instagram professional account can carry."""

from __future__ import annotations

from dataclasses import replace

from plugin.contracts.capabilities import Capabilities, Level, Limits
from plugin.contracts.rulers import CODE_POINTS, UTF8
from plugin.domain.events import DeliveryUpdated, MessageDeleted, MessageEdited, MessageReceived, ReactionChanged
from plugin.domain.model import Visibility

DAY = 86_400.0
COMMENT_LENGTH = 300
"""A comment takes 300 characters, a direct message 1,000 bytes (Instagram Platform, "IG Comment: replies" and "Messaging API")."""
SCOPES = {
    "facebook": (
        "instagram_basic",
        "instagram_manage_comments",
        "instagram_manage_messages",
        "pages_show_list",
        "pages_manage_metadata",
        "pages_read_engagement",
    ),
    "instagram": ("instagram_business_basic", "instagram_business_manage_comments", "instagram_business_manage_messages"),
}
FIELDS = (
    "comments",
    "mentions",
    "messages",
    "message_reactions",
    "messaging_postbacks",
    "messaging_seen",
    "live_comments",
    "message_edit",
    "standby",
)
"""What the webhook is asked for."""
WELCOME = frozenset({"live_comments", "message_edit", "standby"})
"""Those of the fields that not every version and login of Meta's knows: refused, the others are asked for without them."""
PAGE_FIELDS = ("messages",)
"""With Facebook Login the Page must be subscribed to the app with any field; what is told follows the app's."""
PROFILE = "name,username,profile_pic,follower_count,is_verified_user"
"""What is asked of a person who wrote to us."""
_PUBLIC = Limits(text_length=COMMENT_LENGTH, ruler=CODE_POINTS, calls_per_second=5.0, max_lifetime=180.0)
PRIVATE = replace(
    _PUBLIC,
    text_length=1_000,
    ruler=UTF8,
    caption_length=0,
    file_bytes=8_000_000,
    files_per_message=1,
    content_types=("image/jpeg", "image/png", "image/gif", "video/mp4", "audio/mp4", "audio/mpeg", "audio/wav", "application/pdf"),
    choices_per_message=13,
    choice_length=20,
    reply_window=DAY,
)

CAPABILITIES = Capabilities(
    replies_public=Level.FULL,
    replies_private=Level.FULL,
    attachments_in=Level.PARTIAL,
    attachments_out=Level.PARTIAL,
    edits_in=Level.PARTIAL,
    deletes_in=Level.FULL,
    deletes_out=Level.PARTIAL,
    threads=Level.FULL,
    reactions_in=Level.PARTIAL,
    delivery_reports=Level.PARTIAL,
    hides=Level.FULL,
    choices=Level.PARTIAL,
    visibilities=(Visibility.PUBLIC, Visibility.PRIVATE),
    events=frozenset({MessageReceived, MessageEdited, MessageDeleted, ReactionChanged, DeliveryUpdated}),
    limits=_PUBLIC,
    private_limits=PRIVATE,
    may_answer="everybody who comments or mentions us; one private reply to each comment, within 7 days",
)
