"""The YouTube platform: what it can carry, and one channel of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from plugin.contracts.capabilities import Capabilities, Level, Limits, Readback
from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection, Grant, PlatformAdapter, Polled, Probe
from plugin.contracts.reading import read_object, read_string
from plugin.contracts.rulers import CODE_POINTS
from plugin.contracts.settings import SettingsSchema as AnySettingsSchema
from plugin.domain.errors import CredentialsRejected, RemoteError, SignatureInvalid, UnsupportedEvent
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, PlatformEvent
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import OutboundMessage, Receipt, Visibility
from plugin.platforms._oauth.values import read_id
from plugin.platforms.youtube.client import SCOPE, Client
from plugin.platforms.youtube.delivery import ROOM, Delivery
from plugin.platforms.youtube.intake import AT_ONCE, Intake
from plugin.platforms.youtube.schema import Settings, SettingsSchema

_CONNECT = "Run crossdesk channel connect for this channel and sign in to Google as the owner of the YouTube channel."
CAPABILITIES = Capabilities(
    receives=Level.PARTIAL,
    replies_public=Level.FULL,
    edits_in=Level.PARTIAL,
    edits_out=Level.FULL,
    deletes_in=Level.PARTIAL,
    deletes_out=Level.FULL,
    threads=Level.PARTIAL,
    hides=Level.FULL,
    listens=Level.PARTIAL,
    visibilities=(Visibility.PUBLIC,),
    events=frozenset({MessageReceived, MessageEdited, MessageDeleted}),
    readback=Readback.LAGGING,
    limits=Limits(text_length=10_000 - ROOM, ruler=CODE_POINTS, calls_per_second=1.0, concurrency=2, readback_lag=30.0),
    may_answer="everybody who comments on this channel or its videos, about 150 times a day with Google's usual quota",
)


class YouTubeAdapter:
    """One channel."""

    search_seconds = 3600.0
    recheck_seconds = 900.0
    recheck_batch = AT_ONCE
    scopes = (SCOPE,)

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.capabilities = CAPABILITIES
        self.poll_seconds = settings.poll_seconds
        self._settings = settings
        self._clock = connection.clock
        self._client = Client(settings, connection)
        self._delivery = Delivery(self._client)

    def verify(self, request: WebhookRequest) -> None:
        """YouTube is polled: whatever comes is not from there.

        Raises:
            SignatureInvalid: always.
        """
        raise SignatureInvalid("YouTube sends no webhooks for comments; this request was not from there and nothing was kept.")

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """YouTube is polled.

        Raises:
            UnsupportedEvent: always.
        """
        raise UnsupportedEvent("YouTube sends no webhooks for comments; they are polled.")

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """Comments and answers since `position`."""
        return self._intake().poll(position)

    def search(self, name: str, query: str, position: Mapping[str, Any] | None, *, most: int) -> Polled:
        """Videos that were published since `position` and answer a query in YouTube's search language. Costs 100 units."""
        return self._intake().search(name, query, position, most=most)

    def recheck(self, message_refs: Sequence[MessageRef]) -> Sequence[PlatformEvent]:
        """Edits and deletions among comments."""
        return self._intake().recheck(message_refs)

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Answer below a comment. Costs 50 units."""
        del marker  # a comment carries no sign of ours
        return self._delivery.send(message)

    def find_delivered(self, message: OutboundMessage, *, marker: Marker) -> Receipt | None:
        """What an earlier delivery made, known by its thread, words and time."""
        del marker
        return self._delivery.find(message)

    def edit(self, message_ref: MessageRef, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Make an answer of ours say something else. Costs 50 units."""
        del marker
        return self._delivery.rewrite(message_ref, message)

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """Take an answer of ours back. Costs 50 units."""
        del thread_key, marker
        self._delivery.take_back(message_ref)

    def hide(self, message_ref: MessageRef, thread_key: ThreadKey, *, is_hidden: bool) -> None:
        """Hold somebody's comment for review, or publish it again. Costs 50 units."""
        del thread_key
        self._delivery.hide(message_ref, is_hidden=is_hidden)

    def authorize_url(self, grant: Grant) -> str:
        """Where the person signs in to Google and agrees."""
        return self._client.tokens.authorize_url(grant)

    def exchange(self, code: str, grant: Grant) -> None:
        """Keep the sign-in that a code stands for, if it is the right channel's."""
        token = self._client.tokens.exchange(code, grant)
        found = self._client.own(token)
        if read_id(found.get("id")) != self._settings.channel_id:
            raise CredentialsRejected(
                f"This is the channel {_told(found)}, and the one configured is {self._settings.channel_id}. Nothing was kept; sign in again and "
                "choose the right channel, or correct `channel_id`."
            )
        self._client.tokens.keep(token)

    def probe(self) -> Sequence[Probe]:
        """Which channel the sign-in belongs to, what it allows, and what is left of the day's units."""
        return list(self._probes())

    def _probes(self) -> Iterator[Probe]:
        try:
            _, token = self._client.tokens.current()
            found = self._client.own(token)
        except RemoteError as problem:
            yield Probe(name="account", is_ok=False, answer=str(problem), next_step=_CONNECT)
        else:
            is_ours = read_id(found.get("id")) == self._settings.channel_id
            yield Probe(name="account", is_ok=is_ours, answer=_told(found), next_step="" if is_ours else _CONNECT)
            yield self._client.tokens.probe(token, _CONNECT)
        quota = self._client.quota
        step = "Polls rest until midnight Pacific time. Ask Google for more quota, or poll less often (`poll_seconds`)."
        has_room = quota.has_room(0)
        yield Probe(
            name="quota",
            is_ok=has_room,
            answer=f"{quota.used()} of {quota.daily} units were used today (midnight Pacific time)",
            next_step="" if has_room else step,
        )

    def _intake(self) -> Intake:
        now = self._clock.now()
        return Intake(self._client, now=now, turn=int(now.timestamp() // self.poll_seconds))


def _told(found: Mapping[str, Any]) -> str:
    return f"{read_string(read_object(found.get('snippet')).get('title')) or 'no channel'} ({read_id(found.get('id')) or 'none'})"


class YouTube:
    """YouTube before any configuration."""

    name = "youtube"
    display_name = "YouTube"
    capabilities = CAPABILITIES

    def __init__(self) -> None:
        self.settings_schema = cast(AnySettingsSchema, SettingsSchema())

    def connect(self, channel: ChannelKey, settings: Any, connection: Connection) -> PlatformAdapter:
        """Bind to one channel. Makes no call."""
        del channel
        return YouTubeAdapter(settings, connection)


PLATFORM = YouTube()
