"""What an X account can carry. Lengths by X's own count; private messages have limits of their own."""

from __future__ import annotations

from dataclasses import replace

from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits, Readback
from plugin.contracts.rulers import CODE_POINTS
from plugin.domain.events import DeliveryUpdated, MessageDeleted, MessageEdited, MessageReceived
from plugin.domain.model import Visibility
from plugin.platforms.x.schema import SHORTEST_POST, Settings
from plugin.platforms.x.uploads import KINDS, LARGEST
from plugin.platforms.x.wording import WEIGHED

_LONGEST_MESSAGE = 10_000
_LIMITS = Limits(
    text_length=SHORTEST_POST,
    ruler=WEIGHED,
    file_bytes=max(LARGEST.values()),
    files_per_message=4,
    content_types=tuple(KINDS),
    concurrency=2,
    max_lifetime=90.0,
    readback_lag=30.0,
)
CAPABILITIES = Capabilities(
    receives=Level.FULL,
    replies_public=Level.PARTIAL,
    replies_private=Level.PARTIAL,
    attachments_in=Level.FULL,
    attachments_out=Level.PARTIAL,
    edits_in=Level.PARTIAL,
    deletes_in=Level.PARTIAL,
    deletes_out=Level.FULL,
    threads=Level.FULL,
    delivery_reports=Level.PARTIAL,
    hides=Level.FULL,
    listens=Level.PARTIAL,
    visibilities=(Visibility.PUBLIC, Visibility.PRIVATE),
    events=frozenset({MessageReceived, MessageEdited, MessageDeleted, DeliveryUpdated}),
    idempotency=Idempotency.NONE,
    readback=Readback.LAGGING,
    limits=_LIMITS,
    private_limits=replace(_LIMITS, text_length=_LONGEST_MESSAGE, ruler=CODE_POINTS, files_per_message=1),
    link_cost="X bills a post that holds a link at about 0.20 USD, against 0.015 without one. Say it without the link, or answer in private, if you can.",
    may_answer="only those who mentioned this account or quoted one of its posts",
)
_REFUSED = (
    "This channel sends no public post that holds a link, which X bills at about 0.20 USD: the reply would not be sent. Take the link out, or "
    "answer in private."
)


def capabilities_of(settings: Settings) -> Capabilities:
    """Those of one account: Premium accounts may write longer posts, and not everybody minds what a link costs."""
    link_cost = {"allow": "", "refuse": _REFUSED}.get(settings.links, CAPABILITIES.link_cost)
    return replace(CAPABILITIES, limits=replace(_LIMITS, text_length=settings.longest_post), link_cost=link_cost)
