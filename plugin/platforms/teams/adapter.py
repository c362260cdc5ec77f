"""The Microsoft Teams platform: one Bot Framework bot as one channel.

A bot can neither repeat a call safely nor look what was sent, so each `deliver` ends in at most one applied call: a second one is made only after
the first was refused for its token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits, Readback, Ruler
from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection, PlatformAdapter, Polled, Probe
from plugin.contracts.reading import read_object, read_string
from plugin.contracts.settings import SettingsSchema as AnySettingsSchema
from plugin.contracts.signing import is_one_of
from plugin.domain.errors import MalformedPayload, OutcomeUnknown, RemoteError, RemoteRejected, SignatureInvalid, TargetGone, Unsupported
from plugin.domain.events import (
    ContactReachability,
    DeliveryUpdated,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    PlatformEvent,
    ReactionChanged,
)
from plugin.domain.html import to_html
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, File, OutboundMessage, Receipt, Visibility
from plugin.domain.text import MarkKind, Text, fold
from plugin.platforms.teams import activities, proofs
from plugin.platforms.teams.client import Connector
from plugin.platforms.teams.schema import Settings, SettingsSchema

_CARRIED = frozenset(MarkKind) - {MarkKind.MENTION}
_LARGEST = 25_000
_ACTIONS, _ACTION_LENGTH = 6, 20
"""Teams shows six suggested actions ("Messages in bot conversations"); how long their words may be is not told, and a phone shows so many."""

CAPABILITIES = Capabilities(
    receives=Level.FULL,
    replies_public=Level.FULL,
    replies_private=Level.FULL,
    attachments_in=Level.PARTIAL,
    attachments_out=Level.REJECTED,
    edits_in=Level.FULL,
    edits_out=Level.FULL,
    deletes_in=Level.FULL,
    deletes_out=Level.FULL,
    threads=Level.FULL,
    reactions_in=Level.PARTIAL,
    delivery_reports=Level.PARTIAL,
    choices=Level.PARTIAL,
    visibilities=(Visibility.PUBLIC, Visibility.PRIVATE),
    marks=_CARRIED,
    events=frozenset({MessageReceived, MessageEdited, MessageDeleted, ReactionChanged, DeliveryUpdated, ContactReachability}),
    idempotency=Idempotency.NONE,
    readback=Readback.NONE,
    limits=Limits(
        text_length=16_000,
        ruler=Ruler(
            name="html_bytes", unit="bytes", measure=lambda text: len(to_html(Text(text)).encode("utf-8", "replace")) if text else 0
        ),
        choices_per_message=_ACTIONS,
        choice_length=_ACTION_LENGTH,
        calls_per_second=1.0,
        concurrency=2,
        max_lifetime=120.0,
    ),
)
"""About 28 KB for a whole activity (unverified since it was raised; "Limits and specifications for Teams"), seven messages a second in a conversation."""


class TeamsAdapter:
    """One bot."""

    capabilities = CAPABILITIES
    poll_seconds = 900.0

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._connector = Connector(settings, connection)

    def verify(self, request: WebhookRequest) -> None:
        """The address's secret, then the Bot Framework's token (see `proofs`)."""
        if not is_one_of(request.path.strip("/"), self._settings.address_secret):
            raise SignatureInvalid(
                "The address does not end in this channel's address_secret; the request was not stored. Check the bot's messaging endpoint."
            )
        try:
            activity = request.json()
        except MalformedPayload:
            raise SignatureInvalid("The request holds no activity to which its token could belong; it was not stored.") from None
        proofs.check(request.headers.get("authorization", ""), read_object(activity), self._settings, self._connection)

    def path_without_proof(self, path: str) -> str:
        """Nothing of it: the whole path is the address's secret."""
        del path
        return ""

    def webhook_address(self) -> str:
        """The messaging endpoint, to be entered in Azure."""
        return f"{self._connection.webhook_url}/{self._settings.address_secret}"

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """The events in the one activity that a request holds."""
        return activities.read_activity(request.json(), self._settings)

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """Whether the bot can still sign in: its password ends on a day, and that must be known before somebody answers. Messages cannot be asked for."""
        del position
        self._connector.token()
        return Polled(events=(), position=None)

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Say one text in the conversation; in a team's channel that is the thread."""
        del marker
        if message.files:
            raise Unsupported(
                "Teams takes files from bots only through SharePoint, which is not carried. Nothing was sent; send a link instead."
            )
        body = self._body(message.text)
        if message.reply_to is not None:
            body["replyToId"] = activities.split_message(message.reply_to)
        if message.choices and activities.is_personal(message.thread_key):
            # Elsewhere Teams shows none. A press is said by the customer, as if typed.
            body["suggestedActions"] = {"actions": [{"type": "imBack", "title": choice, "value": choice} for choice in message.choices]}
        said = self._connector.write("POST", message.thread_key, body=body)
        activity_id = read_string(said.get("id"))
        if not activity_id:
            raise OutcomeUnknown("Teams accepted the message but named no id; it is not repeated by itself. Look into the chat.")
        return Receipt(message_ref=activities.message_ref({"conversation": {"id": message.thread_key}}, activity_id))

    def edit(self, message_ref: MessageRef, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Make our message read differently. Doing it twice is harmless."""
        del marker
        self._connector.write("PUT", message.thread_key, activities.split_message(message_ref), self._body(message.text))
        losses = ("An edit cannot add files; only the words were changed.",) if message.files else ()
        return Receipt(message_ref=message_ref, losses=losses)

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """Take our message back; one that is gone is success."""
        del marker
        try:
            self._connector.write("DELETE", thread_key, activities.split_message(message_ref))
        except TargetGone as gone:
            if not gone.detail.startswith(("ActivityNotFound", "MessageNotFound")):
                raise

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """The bytes of a file. Its address lives for minutes to hours; what came too late is asked for again."""
        url = activities.address_of(attachment.media_ref)
        if not url:
            raise RemoteRejected(f"Teams names no address for “{attachment.filename}”; the message is kept without it. Open it in Teams.")
        answer = self._connector.download(url, max_bytes=max_bytes)
        told = answer.headers.get("content-type", "").partition(";")[0].strip()
        kind = told if attachment.content_type == "application/octet-stream" and "/" in told else attachment.content_type
        return File(filename=attachment.filename, content_type=kind, content=answer.body, description=attachment.description)

    def send_typing(self, thread_key: ThreadKey) -> None:
        """Show for a moment that the bot writes."""
        self._connector.write("POST", thread_key, body={"type": "typing"})

    def probe(self) -> Sequence[Probe]:
        """Whether the bot can sign in, and whether the keys of deliveries can be had."""
        found = []
        for name, ask, step in (
            ("token", self._connector.token, "Check `app_id`, `tenant_id` and `app_password` of this channel."),
            ("signing keys", lambda: proofs.fetch_keys(self._settings, self._connection), "See that this machine reaches `metadata_url`."),
        ):
            try:
                ask()
                found.append(Probe(name=name, is_ok=True, answer="to be had"))
            except RemoteError as problem:
                found.append(Probe(name=name, is_ok=False, answer=str(problem), next_step=step))
        endpoint = f"{self._connection.webhook_url}/ADDRESS_SECRET"
        return [
            *found,
            Probe(name="messaging endpoint", is_ok=True, answer=f"{endpoint} must stand in the Azure Bot; a bot cannot read it there"),
        ]

    def _body(self, text: Text) -> dict[str, Any]:
        if not text:
            raise RemoteRejected("The message has no words; nothing was sent. Write something and send it again.")
        folded, _ = fold(text, _CARRIED)
        shown = to_html(folded)
        if len(shown.encode("utf-8", "replace")) > _LARGEST:
            shown = to_html(fold(text, frozenset())[0])
        return {"type": "message", "textFormat": "xml", "text": shown}


class Teams:
    """Teams before any configuration."""

    name = "teams"
    display_name = "Microsoft Teams"
    capabilities = CAPABILITIES

    def __init__(self) -> None:
        self.settings_schema = cast(AnySettingsSchema, SettingsSchema())

    def connect(self, channel: ChannelKey, settings: Any, connection: Connection) -> PlatformAdapter:
        """Bind to one bot. Makes no call."""
        return TeamsAdapter(settings, connection)


PLATFORM = Teams()
