"""The Reddit platform: what it can carry, and one account of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from plugin.contracts.capabilities import Capabilities, Level, Limits, Readback
from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection, Grant, PlatformAdapter, Polled, Probe
from plugin.contracts.rulers import CODE_POINTS
from plugin.contracts.settings import SettingsSchema as AnySettingsSchema
from plugin.domain.errors import CredentialsRejected, RemoteError, SignatureInvalid, UnsupportedEvent
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, PlatformEvent
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import OutboundMessage, Receipt, Visibility
from plugin.platforms.reddit.client import Client
from plugin.platforms.reddit.delivery import Delivery
from plugin.platforms.reddit.intake import AT_ONCE, Intake
from plugin.platforms.reddit.modmail import Modmail, is_modmail
from plugin.platforms.reddit.schema import Settings, SettingsSchema

_CONNECT = "Run crossdesk channel connect for this channel and sign in to Reddit as the account; with a script app, check `password`."
CAPABILITIES = Capabilities(
    replies_public=Level.FULL,
    replies_private=Level.PARTIAL,
    edits_in=Level.PARTIAL,
    edits_out=Level.FULL,
    deletes_in=Level.PARTIAL,
    deletes_out=Level.PARTIAL,
    threads=Level.FULL,
    listens=Level.PARTIAL,
    visibilities=(Visibility.PUBLIC, Visibility.PRIVATE),
    events=frozenset({MessageReceived, MessageEdited, MessageDeleted}),
    readback=Readback.LAGGING,
    limits=Limits(text_length=10_000, ruler=CODE_POINTS, calls_per_second=1.0, concurrency=1, readback_lag=30.0),
    may_answer="everybody, below posts that are not locked or archived and where the subreddit's rules allow companies to answer",
)


class RedditAdapter:
    """One account."""

    search_seconds = 300.0
    recheck_seconds = 900.0
    recheck_batch = AT_ONCE

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.capabilities = CAPABILITIES
        self.scopes = settings.scopes
        self.poll_seconds = settings.poll_seconds
        self._settings = settings
        self._clock = connection.clock
        self._client = Client(settings, connection)
        self._delivery = Delivery(self._client)
        self._modmail = Modmail(self._client)

    def verify(self, request: WebhookRequest) -> None:
        """Reddit is polled: whatever comes is not from there.

        Raises:
            SignatureInvalid: always.
        """
        raise SignatureInvalid("Reddit sends no webhooks; this request was not from there and nothing was kept.")

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """Reddit is polled.

        Raises:
            UnsupportedEvent: always.
        """
        raise UnsupportedEvent("Reddit sends no webhooks; its news are polled.")

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """Mentions, answers, comments and posts of the subreddits, private messages, and our own comments since `position`."""
        return self._intake().poll(position)

    def search(self, name: str, query: str, position: Mapping[str, Any] | None, *, most: int) -> Polled:
        """Posts since `position` that answer a query in Reddit's search language."""
        return self._intake().search(name, query, position, most=most)

    def recheck(self, message_refs: Sequence[MessageRef]) -> Sequence[PlatformEvent]:
        """Edits and deletions among comments and posts."""
        return self._intake().recheck(message_refs)

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Answer in public or in private."""
        del marker  # Reddit carries no sign of ours
        return self._modmail.send(message) if is_modmail(message.thread_key) else self._delivery.send(message)

    def find_delivered(self, message: OutboundMessage, *, marker: Marker) -> Receipt | None:
        """What an earlier delivery made, known by what it answers, its words and its time."""
        del marker
        return self._modmail.find(message) if is_modmail(message.thread_key) else self._delivery.find(message)

    def edit(self, message_ref: MessageRef, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Make a comment of ours say something else."""
        del marker
        return self._delivery.rewrite(message_ref, message)

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """Take a comment of ours back."""
        del thread_key, marker
        self._delivery.take_back(message_ref)

    def authorize_url(self, grant: Grant) -> str:
        """Where the person signs in to Reddit and agrees."""
        return self._client.tokens.authorize_url(grant)

    def exchange(self, code: str, grant: Grant) -> None:
        """Keep the sign-in that a code stands for, if it is the right account's."""
        token = self._client.tokens.exchange(code, grant)
        name = self._client.identify(token)
        if name.lower() != self._settings.username.lower():
            raise CredentialsRejected(
                f"This is the account u/{name[:40]}, and the channel is for u/{self._settings.username}. Nothing was kept; sign in to Reddit as "
                "the right account, or correct `username`."
            )
        self._client.tokens.keep(token)

    def probe(self) -> Sequence[Probe]:
        """Who we are, and what the account allowed."""
        return list(self._probes())

    def _probes(self) -> Iterator[Probe]:
        try:
            _, token = self._client.tokens.current()
            name = self._client.identify(token)
        except RemoteError as problem:
            yield Probe(name="account", is_ok=False, answer=str(problem), next_step=_CONNECT)
            return
        is_ours = name.lower() == self._settings.username.lower()
        yield Probe(name="account", is_ok=is_ours, answer=f"u/{name[:40]}", next_step="" if is_ours else _CONNECT)
        yield self._client.tokens.probe(token, _CONNECT)

    def _intake(self) -> Intake:
        return Intake(self._client, now=self._clock.now())


class Reddit:
    """Reddit before any configuration."""

    name = "reddit"
    display_name = "Reddit"
    capabilities = CAPABILITIES

    def __init__(self) -> None:
        self.settings_schema = cast(AnySettingsSchema, SettingsSchema())

    def connect(self, channel: ChannelKey, settings: Any, connection: Connection) -> PlatformAdapter:
        """Bind to one account. Makes no call."""
        del channel
        return RedditAdapter(settings, connection)


PLATFORM = Reddit()
