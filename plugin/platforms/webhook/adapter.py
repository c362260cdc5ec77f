"""The generic channel: signed events in, signed calls out, both as docs/webhook-channel.md lays down."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection, Polled, Probe, Skipped
from plugin.contracts.signing import is_fresh
from plugin.domain.errors import (
    MalformedPayload,
    RemoteError,
    RemoteUnavailable,
    SignatureInvalid,
    TargetGone,
    Unsupported,
    UnsupportedEvent,
)
from plugin.domain.events import PlatformEvent
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, File, OutboundMessage, Receipt, Visibility
from plugin.platforms.webhook import capabilities, files, outbound, signatures
from plugin.platforms.webhook.client import Client
from plugin.platforms.webhook.events import conversation_of, read_event
from plugin.platforms.webhook.schema import Settings, SettingsSchema

PAGE = 100
_LONGEST_CURSOR = 1_000


class WebhookAdapter:
    """One thing that speaks the contract."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.capabilities = capabilities.bound(settings)
        self._settings, self._connection = settings, connection
        self._visibility = Visibility(settings.visibility)
        self._client = Client(settings, connection.http, connection.clock)

    def verify(self, request: WebhookRequest) -> None:
        """A Standard Webhooks signature by the channel's secret, or the one before it; signed within five minutes of now."""
        wish, stamp = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
        given = request.headers.get("webhook-signature", "")
        if not signatures.is_signed(request.body, self._settings.receive_keys, wish=wish, stamp=stamp, given=given):
            raise SignatureInvalid("The webhook is not signed with this channel's receive_secret; nothing was kept.")
        if not is_fresh(stamp, self._connection.clock.now()):
            raise SignatureInvalid("The webhook was signed more than five minutes ago, or a clock is wrong; nothing was kept.")

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """The one event of a delivery."""
        return (read_event(request.json(), visibility=self._visibility),)

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """`message.send`. The marker is its id: by contract the other side does it once, however often it comes."""
        data = outbound.sending(message, marker, self.capabilities)
        return outbound.receipt(self._client.write("message.send", data, wish=marker, at=message.created_at))

    def find_delivered(self, message: OutboundMessage, *, marker: Marker) -> Receipt | None:
        """What the other side has under the marker; the first of several."""
        if not self._settings.readback_url:
            raise Unsupported("This channel cannot be asked what arrived: it has no readback_url. Look on the other side.")
        found = self._client.read(self._settings.readback_url, [("client_id", marker)]).get("messages")
        if not isinstance(found, list) or not all(isinstance(one, dict) and isinstance(one.get("message_id"), str) for one in found):
            raise RemoteUnavailable("The other side's answer holds no list of messages; it is asked again. Is readback_url right?")
        return outbound.receipt(found[0]) if found else None

    def edit(self, message_ref: MessageRef, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """`message.edit`. Files stay as they are."""
        if not self._settings.edits:
            raise Unsupported("The other side of this channel knows no edits. The customer still sees the first version.")
        data = outbound.editing(message_ref, message, marker, self.capabilities)
        return outbound.receipt(self._client.write("message.edit", data, wish=marker, at=message.created_at))

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """`message.delete`. What is gone already is deleted."""
        if not self._settings.deletes:
            raise Unsupported("The other side of this channel knows no deletions. The customer still sees the message.")
        conversation_id, visibility = conversation_of(thread_key)
        data = {"client_id": marker, "message_id": message_ref, "conversation_id": conversation_id, "visibility": visibility.value}
        try:
            self._client.write("message.delete", data, wish=marker)
        except TargetGone:
            return

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """A file that an event named or held."""
        return files.fetch(self._connection.http, attachment, max_bytes=max_bytes)

    def probe(self) -> Sequence[Probe]:
        """A signed ping, and each address that can be asked."""
        theirs = f"Let the other side post its events to {self._connection.webhook_url}, signed with receive_secret."
        return [
            self._ping(),
            Probe(name="events to us", is_ok=True, answer=theirs),
            *self._asked("read-back", self._settings.readback_url, ("client_id", "ping")),
            *self._asked("events", self._settings.events_url, ("limit", "1")),
        ]

    def _ping(self) -> Probe:
        try:
            self._client.write("ping", {"reply_to": self._connection.webhook_url}, wish=f"ping_{uuid.uuid4().hex}")
        except RemoteError as problem:
            step = "Compare url and send_secret; the other side must answer a signed ping with 204, or 200 and a JSON object."
            return Probe(name="ping", is_ok=False, answer=str(problem), next_step=step)
        return Probe(name="ping", is_ok=True, answer="it accepts our signature")

    def _asked(self, name: str, url: str, parameter: tuple[str, str]) -> Sequence[Probe]:
        if not url:
            return ()
        try:
            self._client.read(url, [parameter])
        except RemoteError as problem:
            return (Probe(name=name, is_ok=False, answer=str(problem), next_step=f"Check the address {url}, and what is signed of a GET."),)
        return (Probe(name=name, is_ok=True, answer="it answers"),)


class PollingWebhookAdapter(WebhookAdapter):
    """The same where events can be asked for."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        super().__init__(settings, connection)
        self.poll_seconds = settings.poll_seconds

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """The next page; from the newest on where the other side has forgotten the cursor."""
        cursor = (position or {}).get("cursor")
        limit = [("limit", str(PAGE))]
        try:
            page = self._client.read(self._settings.events_url, [("cursor", str(cursor)), *limit] if cursor else limit)
        except TargetGone:
            if not cursor:
                raise RemoteUnavailable("There are no events at events_url; it is asked again. Is the address right?") from None
            page = self._client.read(self._settings.events_url, limit)
        listed, following = page.get("events"), page.get("cursor")
        if not isinstance(listed, list) or not isinstance(following, str) or not 0 < len(following) <= _LONGEST_CURSOR:
            raise RemoteUnavailable("The other side's page of events lacks events or cursor; nothing was skipped, it is asked again.")
        found: list[PlatformEvent] = []
        skipped: list[Skipped] = []
        keys: set[str] = set()
        for item in listed:
            try:
                event = read_event(item, visibility=self._visibility)
            except (MalformedPayload, UnsupportedEvent) as reason:
                skipped.append(Skipped(event_key=_digest(item), reason=reason, payload=item))
            else:
                if event.event_key not in keys:
                    keys.add(event.event_key)
                    found.append(event)
        return Polled(
            events=tuple(found),
            position={"cursor": following},
            # A cursor that stands still would be asked for ever.
            has_more=page.get("has_more") is True and following != cursor,
            skipped=tuple(skipped),
        )


class Webhook:
    """The generic channel before any configuration exists."""

    name = "webhook"
    display_name = "Webhook (anything else)"
    capabilities = capabilities.CAPABILITIES
    settings_schema = SettingsSchema()

    def connect(self, channel: ChannelKey, settings: Settings, connection: Connection) -> WebhookAdapter:
        """Bind to one channel. Makes no call."""
        kind = PollingWebhookAdapter if settings.events_url else WebhookAdapter
        return kind(settings, connection)


PLATFORM = Webhook()


def _digest(item: Any) -> str:
    return "skipped:" + hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()[:32]
