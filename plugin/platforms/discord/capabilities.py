"""What the bot can carry. Sources: Discord documentation, "Create Message", "Get Channel Messages", "Rate Limits"."""

from __future__ import annotations

from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits, Readback
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, ReactionChanged
from plugin.domain.model import Visibility
from plugin.platforms.discord.wording import CARRIED, LONGEST, ruler

FILES = 10
_ROOM_FOR_MARKS = 200

CAPABILITIES = Capabilities(
    receives=Level.FULL,
    replies_public=Level.FULL,
    replies_private=Level.PARTIAL,
    attachments_in=Level.FULL,
    attachments_out=Level.FULL,
    edits_in=Level.PARTIAL,
    edits_out=Level.FULL,
    deletes_in=Level.PARTIAL,
    deletes_out=Level.FULL,
    threads=Level.FULL,
    reactions_in=Level.PARTIAL,
    visibilities=(Visibility.PUBLIC, Visibility.PRIVATE),
    marks=CARRIED,
    events=frozenset({MessageReceived, MessageEdited, MessageDeleted, ReactionChanged}),
    idempotency=Idempotency.NONE,
    readback=Readback.LAGGING,
    limits=Limits(
        text_length=LONGEST - _ROOM_FOR_MARKS,
        ruler=ruler(),
        file_bytes=10 << 20,
        files_per_message=FILES,
        calls_per_second=4.0,
        concurrency=2,
        max_lifetime=90.0,
        readback_lag=5.0,
    ),
)
"""The nonce is sent and enforced, which makes a call repeated within minutes one message; it is not declared, because Discord forgets it
after that, and a bridge that was down for an hour would say things twice. A look at what is there does not forget."""
