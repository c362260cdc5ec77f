"""The Bluesky platform: what it can carry, and one account of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits, Readback
from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection, Polled, Probe
from plugin.domain.errors import CredentialsRejected, RemoteError, RemoteRejected, SignatureInvalid, UnsupportedEvent
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, PlatformEvent
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, File, OutboundMessage, Receipt, Visibility
from plugin.platforms.bluesky.client import Client
from plugin.platforms.bluesky.delivery import Delivery
from plugin.platforms.bluesky.intake import Intake
from plugin.platforms.bluesky.keys import POST, post_of
from plugin.platforms.bluesky.media import Directory
from plugin.platforms.bluesky.schema import Settings, SettingsSchema
from plugin.platforms.bluesky.searching import Search
from plugin.platforms.bluesky.wording import CARRIED, LENGTH, RULER

CAPABILITIES = Capabilities(
    replies_public=Level.FULL,
    attachments_in=Level.FULL,
    attachments_out=Level.PARTIAL,
    edits_in=Level.PARTIAL,
    deletes_in=Level.PARTIAL,
    deletes_out=Level.FULL,
    threads=Level.FULL,
    listens=Level.FULL,
    visibilities=(Visibility.PUBLIC,),
    marks=CARRIED,
    events=frozenset({MessageReceived, MessageEdited, MessageDeleted}),
    idempotency=Idempotency.NATURAL,
    readback=Readback.STRONG,
    limits=Limits(
        text_length=LENGTH,
        ruler=RULER,
        file_bytes=2_000_000,
        files_per_message=4,
        content_types=("image/jpeg", "image/png", "image/webp", "image/gif"),
        calls_per_second=5.0,
        concurrency=4,
    ),
)
"""Private messages, reactions and outbound edits are not carried. 3,000 calls in five minutes and 1,600 posts an hour are allowed
(Bluesky documentation, "Rate Limits"); pictures as in lexicon `app.bsky.embed.images`."""


class BlueskyAdapter:
    """One Bluesky account."""

    capabilities = CAPABILITIES
    search_seconds = 60.0

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.poll_seconds = settings.poll_seconds
        self._settings = settings
        self._clock = connection.clock
        self._client = Client(settings, connection)
        self._directory = Directory(settings, connection)
        self._delivery = Delivery(self._client, self._directory, connection)

    def verify(self, request: WebhookRequest) -> None:
        """Bluesky sends no webhooks: whatever comes is not from there.

        Raises:
            SignatureInvalid: always.
        """
        raise SignatureInvalid("Bluesky sends no webhooks; this request was not from there and nothing was kept.")

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """Bluesky sends no webhooks.

        Raises:
            UnsupportedEvent: always.
        """
        raise UnsupportedEvent("Bluesky sends no webhooks; its news are polled.")

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """Mentions, replies and quotes, our own answers, edits, deletions and continued threads, since `position`.

        Raises:
            RemoteError: any of its kinds.
        """
        now = self._clock.now()
        return Intake(self._client, now=now, turn=int(now.timestamp() // self.poll_seconds)).poll(position)

    def search(self, name: str, query: str, position: Mapping[str, Any] | None, *, most: int) -> Polled:
        """Posts that Bluesky's search finds, since `position`.

        Raises:
            RemoteRejected: the query cannot be understood.
            RemoteError: any other of its kinds.
        """
        return Search(self._client, now=self._clock.now()).ask(name, query, position, most=most)

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Post below the message that is answered, under a key of the marker's own.

        Raises:
            WindowClosed: a block, or the author limits who may answer.
            TargetGone: the post to answer is deleted.
            RemoteError: any other of its kinds.
        """
        return self._delivery.put(message, marker=marker)

    def find_delivered(self, message: OutboundMessage, *, marker: Marker) -> Receipt | None:
        """Look into our own repository, which knows for certain."""
        return self._delivery.find(message, marker=marker)

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """Delete a post of ours. One that is already gone is success.

        Raises:
            RemoteRejected: it is somebody else's.
            RemoteError: any other of its kinds.
        """
        uri, own = post_of(message_ref), self._client.session
        if uri.did != own.did:
            raise RemoteRejected("Only posts of the connected account can be deleted on Bluesky; this one is somebody else's and stays.")
        self._client.write("com.atproto.repo.deleteRecord", {"repo": own.did, "collection": POST, "rkey": uri.rkey})

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """The original bytes of a picture or video, from its author's server.

        Raises:
            RemoteError: any of its kinds.
        """
        return self._directory.file(attachment, max_bytes=max_bytes)

    def probe(self) -> Sequence[Probe]:
        """Sign in, read notifications, read our own repository."""
        signing_in = _tried(
            "sign in",
            lambda: f"@{self._client.session.handle} ({self._client.session.did})",
            next_step="Make a new app password in the Bluesky app under Settings, Privacy and security, App passwords, and enter it.",
        )
        if not signing_in.is_ok:
            return (signing_in,)
        return (
            signing_in,
            _tried(
                "read notifications", self._count_notifications, next_step="Look at the account in the Bluesky app: it may be suspended."
            ),
            _tried("read our own posts", self._count_posts, next_step="Check `service`: it must be the server on which the account lives."),
        )

    def _count_notifications(self) -> str:
        page = self._client.query("app.bsky.notification.listNotifications", [("limit", "1"), ("priority", "false")])
        return "there are notifications" if page.get("notifications") else "no notifications yet"

    def _count_posts(self) -> str:
        params = [("repo", self._client.session.did), ("collection", POST), ("limit", "1")]
        return "there are posts" if self._client.query("com.atproto.repo.listRecords", params).get("records") else "no posts yet"


class Bluesky:
    """Bluesky before it is configured."""

    name = "bluesky"
    display_name = "Bluesky"
    capabilities = CAPABILITIES
    settings_schema = SettingsSchema()

    def connect(self, channel: ChannelKey, settings: Settings, connection: Connection) -> BlueskyAdapter:
        """Bind to one account. Makes no call."""
        return BlueskyAdapter(settings, connection)


PLATFORM = Bluesky()


def _tried(name: str, ask: Callable[[], str], *, next_step: str) -> Probe:
    try:
        return Probe(name=name, is_ok=True, answer=ask())
    except CredentialsRejected as problem:
        return Probe(name=name, is_ok=False, answer=str(problem), next_step=next_step)
    except RemoteError as problem:
        step = "Wait, then test again." if problem.retryable else next_step
        return Probe(name=name, is_ok=False, answer=f"{problem} {problem.detail}".strip(), next_step=step)
