"""The Mastodon platform: what it can carry, and one account of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits, Readback
from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection, Grant, Polled, Probe
from plugin.domain.errors import SignatureInvalid, TargetGone, UnsupportedEvent
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, PlatformEvent
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, File, OutboundMessage, Receipt, Visibility
from plugin.platforms.mastodon.checks import SCOPES, checks
from plugin.platforms.mastodon.client import Client
from plugin.platforms.mastodon.delivery import Delivery
from plugin.platforms.mastodon.hearing import Hearing
from plugin.platforms.mastodon.intake import Intake
from plugin.platforms.mastodon.looking import AT_ONCE, Looking
from plugin.platforms.mastodon.media import Media
from plugin.platforms.mastodon.schema import Settings, SettingsSchema
from plugin.platforms.mastodon.searching import Search
from plugin.platforms.mastodon.server import Server
from plugin.platforms.mastodon.signing_in import SigningIn
from plugin.platforms.mastodon.wording import ROOM, ruler

CAPABILITIES = Capabilities(
    replies_public=Level.FULL,
    replies_private=Level.FULL,
    attachments_in=Level.FULL,
    attachments_out=Level.PARTIAL,
    edits_in=Level.PARTIAL,
    edits_out=Level.FULL,
    deletes_in=Level.PARTIAL,
    deletes_out=Level.FULL,
    threads=Level.FULL,
    listens=Level.PARTIAL,
    visibilities=(Visibility.PUBLIC, Visibility.PRIVATE),
    events=frozenset({MessageReceived, MessageEdited, MessageDeleted}),
    idempotency=Idempotency.NONE,
    readback=Readback.LAGGING,
    limits=Limits(
        text_length=500 - ROOM,
        ruler=ruler(),
        file_bytes=16_777_216,
        files_per_message=4,
        content_types=("image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "video/webm", "audio/mpeg", "audio/ogg"),
        calls_per_second=1.0,
        concurrency=2,
        readback_lag=10.0,
    ),
)
"""300 calls in five minutes (Mastodon documentation, "Rate limits"). The rest as on a Mastodon that nobody changed, until the server has told
its own. The Idempotency-Key is sent and not declared: it lives for an hour, and servers that speak Mastodon's API ignore it without a word,
so a repeated call is only safe after a look at what is there."""


class MastodonAdapter:
    """One account on a server that speaks Mastodon's API."""

    search_seconds = 60.0
    recheck_seconds = 300.0
    recheck_batch = AT_ONCE

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.poll_seconds = settings.poll_seconds
        self._clock = connection.clock
        self._client = Client(settings, connection)
        self._server = Server(self._client, settings, connection)
        self._hearing = Hearing(self._client, self._server, url=settings.url)
        self._media = Media(self._client, settings, connection)
        self._delivery = Delivery(self._client, self._server, self._media)

    @property
    def capabilities(self) -> Capabilities:
        """What is declared, with the server's own limits once they were read. Makes no call."""
        known = self._server.known
        if known is None:
            return CAPABILITIES
        limits = replace(
            CAPABILITIES.limits,
            text_length=max(100, known.text_length - ROOM),
            ruler=ruler(known.url_length),
            file_bytes=known.file_bytes,
            files_per_message=known.files,
            content_types=known.content_types or CAPABILITIES.limits.content_types,
        )
        return replace(CAPABILITIES, limits=limits)

    def verify(self, request: WebhookRequest) -> None:
        """Mastodon is polled: whatever comes is not from there.

        Raises:
            SignatureInvalid: always.
        """
        raise SignatureInvalid("Mastodon sends no webhooks; this request was not from there and nothing was kept.")

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """Mastodon is polled.

        Raises:
            UnsupportedEvent: always.
        """
        raise UnsupportedEvent("Mastodon sends no webhooks; its news are polled.")

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """Mentions, our own answers, edits and deletions since `position`.

        Raises:
            RemoteError: any of its kinds.
        """
        return Intake(self._client, self._server, now=self._clock.now()).poll(position)

    def hear(self, on_news: Callable[[], None], is_over: Callable[[], bool]) -> None:
        """Listen to the stream of notifications.

        Raises:
            RemoteRejected: the server has none, or none for us.
            RemoteError: any other of its kinds.
        """
        self._hearing.hear(on_news, is_over)

    def recheck(self, message_refs: Sequence[MessageRef]) -> Sequence[PlatformEvent]:
        """Edits and deletions among the statuses of open tickets, found ones included.

        Raises:
            RemoteError: any of its kinds.
        """
        return Looking(self._client).again(message_refs, own=self._server.own().id)

    def search(self, name: str, query: str, position: Mapping[str, Any] | None, *, most: int) -> Polled:
        """Public posts with a hashtag, or with words where the server has full-text search, since `position`.

        Raises:
            RemoteRejected: the query is neither.
            RemoteError: any other of its kinds.
        """
        return Search(self._client, self._server, now=self._clock.now()).ask(name, query, position, most=most)

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Post below the status that is answered, never more public than it.

        Raises:
            TargetGone: the status to answer is deleted, or hidden from us.
            RemoteError: any other of its kinds.
        """
        return self._delivery.post(message, marker=marker)

    def find_delivered(self, message: OutboundMessage, *, marker: Marker) -> Receipt | None:
        """Look among our own statuses for one that answers the same and says the same. The marker is nowhere to be read there."""
        del marker
        return self._delivery.find(message)

    def edit(self, message_ref: MessageRef, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Make a status of ours say something else. Doing it twice is harmless.

        Raises:
            TargetGone: it is deleted.
            RemoteRejected: it is somebody else's, or the server refuses the text.
            RemoteError: any other of its kinds.
        """
        del marker
        return self._delivery.rewrite(message_ref, message)

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """Delete a status of ours. One that is already gone is success.

        Raises:
            RemoteError: any of its kinds.
        """
        del thread_key, marker
        try:
            self._client.write("status_delete", message_ref)
        except TargetGone:
            return

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """The bytes of an attachment.

        Raises:
            RemoteError: any of its kinds.
        """
        return self._media.fetch(attachment, max_bytes=max_bytes)

    def probe(self) -> Sequence[Probe]:
        """Sign in, look at scopes, notifications, their policy and the server."""
        return tuple(checks(self._client, self._server))


class ConnectedMastodonAdapter(MastodonAdapter):
    """The same for an account that a person connects in a browser."""

    scopes: tuple[str, ...] = SCOPES

    def __init__(self, settings: Settings, connection: Connection) -> None:
        super().__init__(settings, connection)
        self._signing_in = SigningIn(settings, connection)

    def authorize_url(self, grant: Grant) -> str:
        """Where the person signs in to the server and agrees."""
        return self._signing_in.authorize_url(grant)

    def exchange(self, code: str, grant: Grant) -> None:
        """Store the account's token."""
        self._signing_in.exchange(code, grant)


class Mastodon:
    """Mastodon before it is configured."""

    name = "mastodon"
    display_name = "Mastodon"
    capabilities = CAPABILITIES
    settings_schema = SettingsSchema()

    def connect(self, channel: ChannelKey, settings: Settings, connection: Connection) -> MastodonAdapter:
        """Bind to one account. Makes no call."""
        kind = ConnectedMastodonAdapter if settings.client_id else MastodonAdapter
        return kind(settings, connection)


PLATFORM = Mastodon()
