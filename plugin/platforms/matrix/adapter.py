"""Matrix as a platform: the application service's door, and the contract's calls handed to the modules beside this one.

Matrix spec, "Application Service API" and "Client-Server API", version 1.15.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from plugin.contracts.batches import read_members
from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits, Readback
from plugin.contracts.http import WebhookAnswer, WebhookRequest
from plugin.contracts.platform import Connection, Platform, Polled, Probe
from plugin.contracts.rulers import UTF8
from plugin.contracts.settings import SettingsSchema
from plugin.contracts.signing import is_one_of
from plugin.domain.errors import MalformedPayload, RemoteRejected, SignatureInvalid, UnsupportedEvent
from plugin.domain.events import (
    ContactReachability,
    DeliveryUpdated,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    PlatformEvent,
    ReactionChanged,
)
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, Contact, File, OutboundMessage, Receipt, Visibility
from plugin.domain.text import MarkKind
from plugin.platforms.matrix import checks
from plugin.platforms.matrix.catchup import CatchUp
from plugin.platforms.matrix.client import CLIENT, Homeserver, room_path
from plugin.platforms.matrix.deliveries import Deliveries
from plugin.platforms.matrix.ephemeral import read_receipts
from plugin.platforms.matrix.registration import registration
from plugin.platforms.matrix.rooms import media_parts, room_and_root
from plugin.platforms.matrix.schema import MatrixSettings, MatrixSettingsSchema
from plugin.platforms.matrix.timeline import Timeline

_PREFIX = r"(?:/_matrix/app/(?:v1|unstable))?"
_TRANSACTION = re.compile(_PREFIX + r"/transactions/[^/]+")
_PING = re.compile(_PREFIX + r"/ping")
_TYPING_MILLISECONDS = 20_000
_LONGEST_NAME = 200

CAPABILITIES = Capabilities(
    receives=Level.FULL,
    replies_public=Level.FULL,
    replies_private=Level.FULL,
    attachments_in=Level.FULL,
    attachments_out=Level.FULL,
    edits_in=Level.FULL,
    edits_out=Level.PARTIAL,
    deletes_in=Level.FULL,
    deletes_out=Level.FULL,
    threads=Level.FULL,
    reactions_in=Level.FULL,
    delivery_reports=Level.PARTIAL,
    visibilities=(Visibility.PRIVATE, Visibility.PUBLIC),
    marks=frozenset(MarkKind),
    events=frozenset({MessageReceived, MessageEdited, MessageDeleted, ReactionChanged, DeliveryUpdated, ContactReachability}),
    idempotency=Idempotency.NATURAL,
    readback=Readback.STRONG,
    limits=Limits(
        # An event may have 65,536 bytes, and holds the text twice: plain and as HTML, each with its escapes.
        text_length=16_000,
        ruler=UTF8,
        # What Synapse takes unless its admin says otherwise (max_upload_size).
        file_bytes=50 * 1024 * 1024,
        files_per_message=10,
        max_lifetime=120.0,
    ),
)


class MatrixAdapter:
    """One bot on one homeserver."""

    capabilities = CAPABILITIES
    poll_seconds = 10.0
    """Invitations are answered by the poll, and people wait for that."""

    def __init__(self, settings: MatrixSettings, connection: Connection) -> None:
        self._settings = settings
        self._webhook_url = connection.webhook_url
        self._homeserver = Homeserver(connection.http, settings)
        self._timeline = Timeline(settings)
        self._deliveries = Deliveries(self._homeserver, settings)
        self._catch_up = CatchUp(self._homeserver, settings, connection.clock)

    def verify(self, request: WebhookRequest) -> None:
        """Compare the homeserver's token, in the header or, as older homeservers send it, in the address."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else request.query.get("access_token", "")
        if not is_one_of(given, self._settings.hs_token):
            raise SignatureInvalid(
                "The call does not carry the homeserver's token; nothing of it was kept. Compare hs_token with the registration."
            )

    def answer(self, request: WebhookRequest) -> WebhookAnswer | None:
        """Everything but event transactions: pings, and questions for users and rooms, none of which we make on demand."""
        if request.method == "PUT" and _TRANSACTION.fullmatch(request.path):
            return None
        self.verify(request)
        if request.method == "POST" and _PING.fullmatch(request.path):
            return _answer(200, {})
        if request.method == "GET" and re.match(_PREFIX + r"/(users|rooms|thirdparty)/", request.path):  # codespell:ignore thirdparty
            return _answer(404, {"errcode": "M_NOT_FOUND", "error": "Crossdesk makes no users and rooms on demand."})
        return _answer(404, {"errcode": "M_UNRECOGNIZED", "error": "Crossdesk does not know this call."})

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """The events of a transaction. An empty one, and one that only echoes parts of our own deliveries, is no events."""
        if request.method != "PUT" or not _TRANSACTION.fullmatch(request.path):
            raise UnsupportedEvent("Only event transactions carry something.")
        body = request.json()
        events = body.get("events") if isinstance(body, dict) else None
        if not isinstance(events, list):
            raise MalformedPayload("The transaction has no list of events; it was kept as it came.")
        receipts = list(read_receipts(body, self._settings))
        try:
            return [*read_members(self._timeline.member(event) for event in events), *receipts]
        except UnsupportedEvent:
            if receipts or all(isinstance(event, dict) and self._timeline.is_own(event) for event in events):
                return receipts
            raise UnsupportedEvent("Nothing in the transaction is a kind that is carried.") from None

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """As `PollsEvents.poll`; joins the rooms that the bot is invited to."""
        return self._catch_up.poll(position)

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """As `PlatformAdapter.deliver`: one event for each file, then one for the words."""
        return self._deliveries.deliver(message, marker)

    def find_delivered(self, message: OutboundMessage, *, marker: Marker) -> Receipt | None:
        """As `ReadsBack.find_delivered`: every event of ours says its marker."""
        return self._deliveries.find(message, marker)

    def edit(self, message_ref: MessageRef, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """As `EditsMessages.edit`; files stay as they are."""
        return self._deliveries.edit(message_ref, message, marker)

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """As `DeletesMessages.delete`: a redaction."""
        self._deliveries.delete(message_ref, thread_key, marker)

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """As `FetchesMedia.fetch_media`, through our own homeserver, wherever the file comes from."""
        parts = media_parts(attachment.media_ref)
        if parts is None:
            raise RemoteRejected("The file has no address on a homeserver and cannot be fetched. The message itself was kept.")
        if attachment.size is not None and attachment.size > max_bytes:
            raise RemoteRejected(
                f"The file has {attachment.size} bytes, more than the {max_bytes} that are taken. The message itself was kept."
            )
        answer = self._homeserver.download(*parts, max_bytes=max_bytes)
        if len(answer.body) > max_bytes:
            raise RemoteRejected(f"The file has more than the {max_bytes} bytes that are taken. The message itself was kept.")
        return File(
            filename=attachment.filename, content_type=attachment.content_type, content=answer.body, description=attachment.description
        )

    def describe(self, contact: Contact) -> Contact:
        """As `DescribesContacts.describe`: the name that they gave themselves. Their picture can only be seen by those who sign in, so it is left."""
        name = self._homeserver.ask("GET", f"{CLIENT}/profile/{quote(contact.ref, safe='')}").get("displayname")
        return replace(contact, display_name=name.strip()[:_LONGEST_NAME]) if isinstance(name, str) and name.strip() else contact

    def send_typing(self, thread_key: ThreadKey) -> None:
        """As `SendsTyping.send_typing`; it ends by itself."""
        room_id, _ = room_and_root(thread_key)
        body = {"typing": True, "timeout": _TYPING_MILLISECONDS}
        self._homeserver.ask("PUT", room_path(room_id, "typing", self._settings.user_id), body=body)

    def mark_read(self, thread_key: ThreadKey, message_ref: MessageRef) -> None:
        """As `MarksRead.mark_read`."""
        room_id, root = room_and_root(thread_key)
        body = {"thread_id": root} if root is not None else {}
        self._homeserver.ask("POST", room_path(room_id, "receipt", "m.read", message_ref), body=body)

    def registration(self) -> str:
        """As `PrintsRegistration.registration`: what the homeserver's admin installs."""
        return registration(self._settings, self._webhook_url)

    def probe(self) -> Sequence[Probe]:
        """As `PlatformAdapter.probe`; the homeserver is asked to call us back."""
        return checks.probe(self._homeserver, self._settings)


class Matrix:
    """Matrix before any configuration."""

    name = "matrix"
    display_name = "Matrix"
    capabilities = CAPABILITIES
    settings_schema: SettingsSchema = MatrixSettingsSchema()

    def connect(self, channel: ChannelKey, settings: MatrixSettings, connection: Connection) -> MatrixAdapter:
        """Bind to one bot."""
        return MatrixAdapter(settings, connection)


PLATFORM: Platform = Matrix()


def _answer(status: int, body: Mapping[str, str]) -> WebhookAnswer:
    return WebhookAnswer(status=status, body=json.dumps(body).encode(), content_type="application/json")
