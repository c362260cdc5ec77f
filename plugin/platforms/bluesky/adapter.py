"""The Bluesky platform: what it can carry, and one account of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits, Readback
from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection, Polled, Probe
from plugin.domain.errors import CredentialsRejected, RemoteError, RemoteRejected, SignatureInvalid, Unsupported, UnsupportedEvent
from plugin.domain.events import ContactReachability, MessageDeleted, MessageEdited, MessageReceived, PlatformEvent, ReactionChanged
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, Contact, File, OutboundMessage, Receipt, Visibility
from plugin.platforms.bluesky.chats import is_chat
from plugin.platforms.bluesky.chatting import Chats
from plugin.platforms.bluesky.client import Client
from plugin.platforms.bluesky.delivery import Delivery
from plugin.platforms.bluesky.intake import Intake
from plugin.platforms.bluesky.keys import POST, post_of
from plugin.platforms.bluesky.media import Directory
from plugin.platforms.bluesky.people import contact_of
from plugin.platforms.bluesky.schema import Settings, SettingsSchema
from plugin.platforms.bluesky.searching import Search
from plugin.platforms.bluesky.wording import CARRIED, CHAT_LENGTH, LENGTH, RULER

_CHATS = "chats"
CAPABILITIES = Capabilities(
    replies_public=Level.FULL,
    replies_private=Level.FULL,
    attachments_in=Level.FULL,
    attachments_out=Level.PARTIAL,
    edits_in=Level.PARTIAL,
    deletes_in=Level.PARTIAL,
    deletes_out=Level.PARTIAL,
    threads=Level.FULL,
    reactions_in=Level.PARTIAL,
    listens=Level.FULL,
    visibilities=(Visibility.PUBLIC, Visibility.PRIVATE),
    marks=CARRIED,
    events=frozenset({MessageReceived, MessageEdited, MessageDeleted, ReactionChanged, ContactReachability}),
    idempotency=Idempotency.NATURAL,
    readback=Readback.STRONG,
    private_idempotency=Idempotency.NONE,
    private_limits=Limits(text_length=CHAT_LENGTH, ruler=RULER, calls_per_second=5.0),
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
"""Posts stand under a key of ours, chat messages do not: they are looked up by their words. 3,000 calls in five minutes and 1,600 posts an hour are
allowed (Bluesky documentation, "Rate Limits"); pictures as in lexicon `app.bsky.embed.images`; chats as in `chat.bsky.convo.defs`."""
_IN_PUBLIC = replace(CAPABILITIES, replies_private=Level.REJECTED, visibilities=(Visibility.PUBLIC,), private_limits=None)
"""Of a channel whose app password does not open chats."""


class BlueskyAdapter:
    """One Bluesky account."""

    search_seconds = 60.0

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.capabilities = CAPABILITIES if settings.private_messages else _IN_PUBLIC
        self.poll_seconds = settings.poll_seconds
        self._settings = settings
        self._clock = connection.clock
        self._client = Client(settings, connection)
        self._directory = Directory(settings, connection)
        self._delivery = Delivery(self._client, self._directory, connection)
        self._chats = Chats(self._client, settings.chat_service)

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
        """Mentions, replies and quotes, our own answers, edits, deletions, continued threads and chats, since `position`.

        Raises:
            RemoteError: any of its kinds.
        """
        now = self._clock.now()
        polled = Intake(self._client, now=now, turn=int(now.timestamp() // self.poll_seconds)).poll(position)
        if not self._settings.private_messages:
            return polled
        before = (position or {}).get(_CHATS)
        heard = self._chats.hear(before, now=now)
        stands = polled.position if polled.position is not None else position
        at = heard.position if heard.position is not None else before
        return replace(
            polled,
            events=(*polled.events, *heard.events),
            skipped=(*polled.skipped, *heard.skipped),
            position=polled.position if at == before and stands is position else {**(stands or {}), _CHATS: at},
            has_more=polled.has_more or heard.has_more,
        )

    def search(self, name: str, query: str, position: Mapping[str, Any] | None, *, most: int) -> Polled:
        """Posts that Bluesky's search finds, since `position`.

        Raises:
            RemoteRejected: the query cannot be understood.
            RemoteError: any other of its kinds.
        """
        return Search(self._client, now=self._clock.now()).ask(name, query, position, most=most)

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Post below the message that is answered, under a key of the marker's own; or say it in the chat.

        Raises:
            WindowClosed: a block, or the author limits who may answer or write.
            TargetGone: the post to answer is deleted, or the chat gone.
            RemoteError: any other of its kinds.
        """
        if is_chat(message.thread_key):
            return self._chats.send(message)
        return self._delivery.put(message, marker=marker)

    def find_delivered(self, message: OutboundMessage, *, marker: Marker) -> Receipt | None:
        """Look into our own repository, which knows for certain; or into the chat, for a message of ours with these words."""
        if is_chat(message.thread_key):
            return self._chats.find(message)
        return self._delivery.find(message, marker=marker)

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """Delete a post of ours. One that is already gone is success.

        Raises:
            Unsupported: it was said in a chat.
            RemoteRejected: it is somebody else's.
            RemoteError: any other of its kinds.
        """
        if is_chat(thread_key):
            raise Unsupported("In a Bluesky chat nobody can take back what the other has received. Nothing was deleted.")
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

    def describe(self, contact: Contact) -> Contact:
        """The contact with name, handle, picture, followers, verification and age of the account as they are now."""
        shown = contact_of(self._client.query("app.bsky.actor.getProfile", [("actor", contact.ref)]), ref=contact.ref)
        told = {field.name: value for field in fields(shown) if (value := getattr(shown, field.name)) not in ("", None)}
        return replace(contact, **told)

    def mark_read(self, thread_key: ThreadKey, message_ref: MessageRef) -> None:
        """Show in a chat that its messages were read; posts know no such thing.

        Raises:
            RemoteError: any of its kinds.
        """
        if is_chat(thread_key):
            self._chats.mark_read(thread_key, message_ref)

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
            *(self._probe_chats() if self._settings.private_messages else ()),
        )

    def _probe_chats(self) -> Sequence[Probe]:
        return (
            _tried(
                "read chats",
                self._chats.count,
                next_step="Make a new app password with *Allow access to your direct messages* and enter it, or set private_messages = false.",
            ),
            _tried(
                "be written to",
                self._chats.welcome,
                next_step="In the Bluesky app, under Chats, Settings, let everyone send messages to the account.",
            ),
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
