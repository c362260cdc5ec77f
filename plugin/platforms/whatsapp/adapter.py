"""The WhatsApp platform: one number of the Cloud API as one channel.

There is neither a key for repeated calls nor a way to look, so each `deliver` ends in at most one applied call. Each bears our marker, which comes
back with every status of the message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, cast

from plugin.contracts.http import FormFile, WebhookAnswer, WebhookRequest
from plugin.contracts.platform import Connection, Grant, PlatformAdapter, Polled, Probe, Template
from plugin.contracts.reading import read_count, read_object, read_objects, read_string
from plugin.contracts.settings import SettingsSchema as AnySettingsSchema
from plugin.domain.errors import OutcomeUnknown, RemoteError, RemoteRejected, RemoteUnavailable, Unsupported
from plugin.domain.events import PlatformEvent
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, File, OutboundMessage, Receipt
from plugin.platforms._graph import envelopes, signatures, subscriptions
from plugin.platforms._graph.client import Graph, new_id, require_success, segment
from plugin.platforms._graph.errors import PermissionMissing
from plugin.platforms._graph.values import read_id
from plugin.platforms.whatsapp import formatting, reading
from plugin.platforms.whatsapp.capabilities import BUTTONS_LENGTH, CAPABILITIES, CAPTION_LENGTH, FIELDS, SCOPES, TEXT_LENGTH, kind_of
from plugin.platforms.whatsapp.people import recipient
from plugin.platforms.whatsapp.schema import Settings, SettingsSchema
from plugin.platforms.whatsapp.signup import Signup

_SUBJECT = "whatsapp_business_account"
_SHA256_LETTERS = 64


class WhatsAppAdapter:
    """One number."""

    poll_seconds = 900.0
    capabilities = CAPABILITIES

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._graph = Graph(settings, connection)
        self._signup = Signup(settings, connection, self._graph)
        self._number = f"/{segment(settings.phone_number_id)}"

    def verify(self, request: WebhookRequest) -> None:
        """See `signatures.verify`."""
        signatures.verify(request, self._settings.signing_secrets)

    def answer(self, request: WebhookRequest) -> WebhookAnswer | None:
        """See `signatures.answer`."""
        return signatures.answer(request, self._settings.verify_token)

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """The events in a delivery, every member of the batch read."""
        return envelopes.collect(request, _SUBJECT, lambda told: reading.members(told, self._settings.phone_number_id))

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """Whether the token and the webhook are well: messages are handed out to nobody who asks."""
        del position
        try:
            return Polled(events=(), position=None, silent=self._silent())
        except PermissionMissing:
            return Polled(events=(), position=None)  # It sends and receives all the same; `probe` names what is missing.

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Say one text, or send one file with the text as its caption."""
        if len(message.files) > 1 or (message.files and len(message.text.plain) > CAPTION_LENGTH):
            raise Unsupported(
                f"WhatsApp takes one file in a message, with at most {CAPTION_LENGTH} characters beside it. Nothing was sent; send text and "
                "files apart."
            )
        words, losses = _written(message, CAPTION_LENGTH if message.files else TEXT_LENGTH)
        if not message.files:
            buttons = _buttons(words, message.choices)
            if buttons:
                return self._send(message, "interactive", buttons, marker, losses=losses)
            return self._send(message, "text", {"body": words, "preview_url": False}, marker, losses=losses)
        file = message.files[0]
        kind = kind_of(file, has_caption=bool(message.text))
        content = {"id": self._upload(file)}
        if message.text:
            content["caption"] = words
        if kind == "document":
            content["filename"] = file.filename
        return self._send(message, kind, content, marker, losses=losses)

    def send_template(self, template: Template, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Send a text that Meta has approved; it may leave at any time, and it costs money."""
        content: dict[str, Any] = {"name": template.name, "language": {"code": template.language}}
        if template.values:
            content["components"] = [{"type": "body", "parameters": [{"type": "text", "text": value} for value in template.values]}]
        return self._send(message, "template", content, marker)

    def _send(
        self, message: OutboundMessage, kind: str, content: Mapping[str, Any], marker: Marker, *, losses: tuple[str, ...] = ()
    ) -> Receipt:
        body = {
            "messaging_product": "whatsapp",
            **recipient(message.thread_key),
            "type": kind,
            kind: dict(content),
            "biz_opaque_callback_data": marker,
        }
        if message.reply_to is not None and kind != "template":
            body["context"] = {"message_id": message.reply_to}
        answer = self._graph.write(f"{self._number}/messages", body)
        made = read_objects(answer.get("messages"))
        if not made:
            raise OutcomeUnknown("WhatsApp accepted the message but named no id; it is not repeated by itself. Its status will settle it.")
        held = read_string(made[0].get("message_status")) not in ("", "accepted")
        losses += ("WhatsApp holds the prepared text back while it looks at its quality; the status tells when it leaves.",) if held else ()
        return Receipt(message_ref=MessageRef(new_id(made[0], "id")), losses=losses)

    def _upload(self, file: File) -> str:
        """Hand over a file: nobody sees it until a message names it, so an unclear outcome does no harm."""
        part = FormFile(filename=file.filename, content=file.content, content_type=file.content_type)
        form = {"messaging_product": "whatsapp", "type": file.content_type}
        found = read_id(self._graph.settle(f"{self._number}/media", form=form, files=[("file", part)]).get("id"))
        if not found:
            raise RemoteUnavailable("WhatsApp took the file and named no id for it; nothing was sent, it is tried again.")
        return found

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """The bytes of a customer's file: WhatsApp keeps it for 7 days, and each address of it for 5 minutes."""
        about = self._graph.read(f"/{segment(attachment.media_ref)}", {"phone_number_id": self._settings.phone_number_id})
        url, size = read_string(about.get("url")), read_count(about.get("file_size"))
        if size is not None and size > max_bytes:
            raise _too_big(attachment)
        if not url:
            raise RemoteRejected(
                f"WhatsApp names no address for “{attachment.filename}”; the message is kept without it. Ask for it again."
            )
        content = self._graph.download(url, max_bytes=max_bytes, signed=True).body
        if len(content) > max_bytes:
            raise _too_big(attachment)
        told = read_string(about.get("sha256"))
        if len(told) == _SHA256_LETTERS and told.lower() != sha256(content).hexdigest():
            raise RemoteUnavailable(f"“{attachment.filename}” did not arrive whole; the message is kept, the file is fetched again.")
        return File(
            filename=attachment.filename,
            content_type=read_string(about.get("mime_type")).partition(";")[0].strip() or attachment.content_type,
            content=content,
            description=attachment.description,
        )

    def mark_read(self, thread_key: ThreadKey, message_ref: MessageRef) -> None:
        """Show the blue ticks up to a message."""
        self._graph.settle(f"{self._number}/messages", {"messaging_product": "whatsapp", "status": "read", "message_id": message_ref})

    def register_webhook(self) -> None:
        """Have the business account tell our app, and the number tell this very address, whatever the app's own is."""
        settings, graph = self._settings, self._graph
        listed = read_objects(graph.read(f"/{settings.app_id}/subscriptions", token=graph.app_token).get("data"))
        known = next((read_string(one.get("callback_url")) for one in listed if one.get("object") == _SUBJECT), "")
        if known in ("", self._connection.webhook_url):
            subscriptions.register_app(graph, settings, self._connection, subject=_SUBJECT, fields=FIELDS)
        require_success(graph.settle(f"/{segment(settings.business_account_id)}/subscribed_apps"))
        override = {"override_callback_uri": self._connection.webhook_url, "verify_token": settings.verify_token}
        require_success(graph.settle(self._number, {"webhook_configuration": override}))

    def authorize_url(self, grant: Grant) -> str:
        """Meta's Embedded Signup."""
        return self._signup.authorize_url(grant)

    def exchange(self, code: str, grant: Grant) -> None:
        """Store the business token."""
        self._signup.exchange(code, grant)

    def probe(self) -> Sequence[Probe]:
        """Token, permissions, webhook and subscription."""
        settings = self._settings
        number = subscriptions.probe_account(self._graph, settings.phone_number_id, "id,display_phone_number,verified_name")
        if not number.is_ok:
            return [number]
        return [number, subscriptions.probe_scopes(self._graph, SCOPES), self._probe_address(), self._probe_subscription()]

    def _silent(self) -> str:
        url = self._told_address()
        if url != self._connection.webhook_url:
            return f"WhatsApp tells {'another address' if url else 'no address'} of this number's messages, and not ours; it keeps trying for up to 7 days."
        return (
            "" if self._tells_us() else "The WhatsApp Business Account does not tell our app; what is written meanwhile stays in WhatsApp."
        )

    def _told_address(self) -> str:
        seen = self._graph.read(self._number, {"fields": "webhook_configuration"})
        ways = read_object(seen.get("webhook_configuration"))
        return next((found for name in ("phone_number", _SUBJECT, "application") if (found := read_string(ways.get(name)))), "")

    def _tells_us(self) -> bool:
        listed = read_objects(self._graph.read(f"/{segment(self._settings.business_account_id)}/subscribed_apps").get("data"))
        return self._settings.app_id in {read_id(read_object(one.get("whatsapp_business_api_data")).get("id")) for one in listed}

    def _probe_address(self) -> Probe:
        try:
            url = self._told_address()
        except RemoteError as problem:
            return Probe(name="webhook address", is_ok=False, answer=str(problem), next_step="Try again; then register the channel.")
        is_ours = url == self._connection.webhook_url
        step = "" if is_ours else "Run `crossdesk channel register` for this channel."
        return Probe(name="webhook address", is_ok=is_ours, answer=url or "none", next_step=step)

    def _probe_subscription(self) -> Probe:
        try:
            is_ok = self._tells_us()
        except RemoteError as problem:
            return Probe(name="subscription", is_ok=False, answer=str(problem), next_step="Check `business_account_id`.")
        answer = "the account tells our app" if is_ok else "the account does not tell our app"
        step = "" if is_ok else "Run `crossdesk channel register` for this channel."
        return Probe(name="subscription", is_ok=is_ok, answer=answer, next_step=step)


class WhatsApp:
    """WhatsApp before any configuration."""

    name = "whatsapp"
    display_name = "WhatsApp"
    capabilities = CAPABILITIES

    def __init__(self) -> None:
        self.settings_schema = cast(AnySettingsSchema, SettingsSchema())

    def connect(self, channel: ChannelKey, settings: Any, connection: Connection) -> PlatformAdapter:
        """Bind to one number. Makes no call."""
        return WhatsAppAdapter(settings, connection)


PLATFORM = WhatsApp()


def _written(message: OutboundMessage, most: int) -> tuple[str, tuple[str, ...]]:
    """The words with WhatsApp's signs, or without them where they would not fit."""
    words = formatting.write(message.text)
    if len(words) <= most or words == message.text.plain:
        return words, ()
    return message.text.plain, ("The formatting was left out: with its signs the message would be longer than WhatsApp allows.",)


def _buttons(words: str, choices: Sequence[str]) -> dict[str, Any]:
    """The words with buttons below them; nothing where there are none, or where WhatsApp takes so long a text without buttons only."""
    if not choices or len(words) > BUTTONS_LENGTH:
        return {}
    replies = [{"type": "reply", "reply": {"id": choice, "title": choice}} for choice in choices]
    return {"type": "button", "body": {"text": words}, "action": {"buttons": replies}}


def _too_big(attachment: Attachment) -> RemoteRejected:
    return RemoteRejected(
        f"“{attachment.filename}” is bigger than is allowed here. The message is kept without it; ask the customer for a smaller file or a link."
    )
