"""What the bot can carry. Sources: Slack API, "chat.postMessage", "Rate limits", "Rich text block", "conversations.history"."""

from __future__ import annotations

from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits, Readback
from plugin.contracts.rulers import CODE_POINTS
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, ReactionChanged
from plugin.domain.model import Visibility
from plugin.domain.text import MarkKind
from plugin.platforms.slack.buttons import LENGTH, MOST

SCOPES = (
    "channels:history",
    "channels:read",
    "chat:write",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "mpim:history",
    "mpim:read",
    "reactions:read",
    "users:read",
)
EVENTS = ("message.channels", "message.groups", "message.im", "message.mpim", "reaction_added", "reaction_removed")

CAPABILITIES = Capabilities(
    receives=Level.FULL,
    replies_public=Level.FULL,
    replies_private=Level.FULL,
    attachments_in=Level.FULL,
    attachments_out=Level.FULL,
    edits_in=Level.FULL,
    edits_out=Level.FULL,
    deletes_in=Level.FULL,
    deletes_out=Level.FULL,
    threads=Level.FULL,
    reactions_in=Level.FULL,
    choices=Level.PARTIAL,
    visibilities=(Visibility.PUBLIC, Visibility.PRIVATE),
    marks=frozenset(MarkKind),
    events=frozenset({MessageReceived, MessageEdited, MessageDeleted, ReactionChanged}),
    idempotency=Idempotency.NONE,
    readback=Readback.LAGGING,
    limits=Limits(
        text_length=4000,
        ruler=CODE_POINTS,
        file_bytes=1 << 30,
        files_per_message=10,
        choices_per_message=MOST,
        choice_length=LENGTH,
        calls_per_second=1.0,
        concurrency=2,
        max_lifetime=90.0,
        readback_lag=10.0,
    ),
)
"""4,000 letters are what Slack advises; it cuts off at 40,000. One message a second in a channel is what it allows; we keep to that in all."""
