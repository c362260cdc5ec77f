"""What the contract can carry at most, and what is left of it on a channel whose other side can do less."""

from __future__ import annotations

from dataclasses import replace

from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits, Readback
from plugin.contracts.rulers import CODE_POINTS
from plugin.domain.events import (
    ContactReachability,
    DeliveryUpdated,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    ReactionChanged,
)
from plugin.domain.model import Visibility
from plugin.domain.text import MarkKind
from plugin.platforms.webhook.schema import MEGABYTE, RULERS, Settings

_THEIR_SECONDS = 60.0
"""How long the other side may still be working on a call that we no longer wait for: part of the contract."""

CAPABILITIES = Capabilities(
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
    delivery_reports=Level.FULL,
    choices=Level.FULL,
    visibilities=(Visibility.PUBLIC, Visibility.PRIVATE),
    marks=frozenset(MarkKind) - {MarkKind.MENTION},
    events=frozenset((MessageReceived, MessageEdited, MessageDeleted, ReactionChanged, DeliveryUpdated, ContactReachability)),
    idempotency=Idempotency.NATURAL,
    readback=Readback.STRONG,
    limits=Limits(
        text_length=10_000,
        ruler=CODE_POINTS,
        file_bytes=5 * MEGABYTE,
        files_per_message=4,
        choices_per_message=20,
        choice_length=20,
        max_lifetime=15.0 + _THEIR_SECONDS,
    ),
)
"""With every option in use and the limits at their defaults."""


def bound(settings: Settings) -> Capabilities:
    """What is carried on one channel."""
    return replace(
        CAPABILITIES,
        replies_public=_level(is_there="public" in settings.replies),
        replies_private=_level(is_there="private" in settings.replies),
        attachments_out=_level(is_there=settings.files_per_message > 0),
        edits_out=_level(is_there=settings.edits),
        deletes_out=_level(is_there=settings.deletes),
        choices=_level(is_there=settings.choices > 0),
        marks=CAPABILITIES.marks if settings.formatting else frozenset(),
        idempotency=Idempotency.NATURAL if settings.idempotent else Idempotency.NONE,
        readback=Readback.STRONG if settings.readback_url else Readback.NONE,
        limits=Limits(
            text_length=settings.text_length,
            ruler=RULERS[settings.text_ruler],
            file_bytes=settings.file_bytes if settings.files_per_message else None,
            files_per_message=settings.files_per_message,
            content_types=settings.content_types,
            choices_per_message=settings.choices,
            choice_length=settings.choice_length if settings.choices else None,
            edit_window=settings.edit_window,
            reply_window=settings.reply_window,
            calls_per_second=settings.calls_per_second,
            max_lifetime=settings.timeout + _THEIR_SECONDS,
        ),
    )


def _level(*, is_there: bool) -> Level:
    return Level.FULL if is_there else Level.REJECTED
