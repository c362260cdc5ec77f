"""The Discord platform: one bot as one channel, whatever the number of Discord's channels that it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from plugin.contracts.http import WebhookAnswer, WebhookRequest
from plugin.contracts.platform import Connection, PlatformAdapter, Polled, Probe
from plugin.contracts.reading import read_objects, read_string
from plugin.contracts.settings import SettingsSchema as AnySettingsSchema
from plugin.contracts.signing import is_fresh
from plugin.domain.errors import MalformedPayload, RemoteError, RemoteRejected, SignatureInvalid, UnsupportedEvent
from plugin.domain.events import PlatformEvent
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, File, OutboundMessage, Receipt
from plugin.platforms.discord.capabilities import CAPABILITIES
from plugin.platforms.discord.client import DiscordApi
from plugin.platforms.discord.delivery import Delivery
from plugin.platforms.discord.intake import Intake, recheck
from plugin.platforms.discord.keys import channel_of, split_message
from plugin.platforms.discord.schema import Settings, SettingsSchema
from plugin.platforms.discord.values import read_id

_PING = 1
_READS_CONTENT = (1 << 18) | (1 << 19)
_INTENT = "Switch on Message Content Intent on the application's page Bot: without it Discord hides what people write."
_INVITE = "Invite the bot to the server, and let its role see the channel and read its history."


class DiscordAdapter:
    """One bot, asking its channels."""

    capabilities = CAPABILITIES
    recheck_seconds = 300.0
    recheck_batch = 20

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.poll_seconds = settings.poll_seconds
        self._settings = settings
        self._connection = connection
        self._api = DiscordApi(connection.http, settings)
        self._delivery = Delivery(self._api)

    def verify(self, request: WebhookRequest) -> None:
        """Ed25519 over time stamp and raw body (Discord documentation, "Validating Security Request Headers")."""
        stamp = request.headers.get("x-signature-timestamp", "")
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self._settings.public_key))
            signature = bytes.fromhex(request.headers.get("x-signature-ed25519", ""))
            key.verify(signature, stamp.encode("utf-8", "surrogatepass") + request.body)
        except (ValueError, InvalidSignature):
            raise SignatureInvalid(
                "The request is not signed by this application, or no `public_key` is set; it was not stored. Check it if Discord refuses our address."
            ) from None
        if not is_fresh(stamp, self._connection.clock.now()):
            raise SignatureInvalid(
                "The request was signed more than five minutes ago or ahead; it was not stored. Check this machine's clock."
            )

    def answer(self, request: WebhookRequest) -> WebhookAnswer | None:
        """Answer Discord's ping, by which it tries our address. Forged ones are refused, which it tries as well."""
        try:
            body = request.json()
        except MalformedPayload:
            return None
        if not isinstance(body, dict) or body.get("type") != _PING or body.get("event") is not None:
            return None
        self.verify(request)
        return WebhookAnswer(status=200, body=b'{"type":1}', content_type="application/json")

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """Nothing: messages do not come this way.

        Raises:
            UnsupportedEvent: always.
            MalformedPayload: it cannot be read.
        """
        if not isinstance(request.json(), dict):
            raise MalformedPayload("This is no interaction of Discord: it is no object. It was kept as it came.")
        raise UnsupportedEvent("Discord's commands and buttons are not carried; it was counted. Messages are asked for.")

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """What was said in the channels and their threads.

        Raises:
            RemoteError: any of its kinds.
        """
        return Intake(self._api, self._settings, now=self._connection.clock.now()).poll(position)

    def recheck(self, message_refs: Sequence[MessageRef]) -> Sequence[PlatformEvent]:
        """Edits and deletions of the messages of open conversations, and reactions to them.

        Raises:
            RemoteError: any of its kinds.
        """
        return recheck(self._api, message_refs)

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Say one thing below the message that is answered."""
        return self._delivery.post(message, marker)

    def find_delivered(self, message: OutboundMessage, *, marker: Marker) -> Receipt | None:
        """Look for the same words among what the bot said since. The marker is nowhere to be read there."""
        del marker
        return self._delivery.find(message)

    def edit(self, message_ref: MessageRef, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Make our message read differently. Doing it twice is harmless."""
        del marker
        return self._delivery.rewrite(message_ref, message)

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """Take our message back; one that is gone is success."""
        del thread_key, marker
        self._delivery.retract(message_ref)

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """The bytes of a file. Its address is signed for a day, so it is asked for anew."""
        ref, _, file_id = attachment.media_ref.rpartition(":")
        channel, message = split_message(MessageRef(ref))
        listed = read_objects(self._api.read(f"/channels/{channel}/messages/{message}").get("attachments"))
        url = next((read_string(one.get("url")) for one in listed if read_id(one.get("id")) == file_id), "")
        if attachment.size is not None and attachment.size > max_bytes:
            raise RemoteRejected(
                f"“{attachment.filename}” is bigger than is allowed here. The message is kept without it; open it on Discord."
            )
        if not url:
            raise RemoteRejected(
                f"“{attachment.filename}” is not at its message any more. The message is kept without it; ask for it again."
            )
        content = self._api.fetch(url, max_bytes=max_bytes)
        return File(filename=attachment.filename, content_type=attachment.content_type, content=content, description=attachment.description)

    def send_typing(self, thread_key: ThreadKey) -> None:
        """Show for ten seconds that the bot writes."""
        self._api.write("POST", f"/channels/{channel_of(thread_key)}/typing")

    def probe(self) -> Sequence[Probe]:
        """Who the bot is, whether it may read words, and whether it sees each channel."""
        try:
            who = self._api.read("/users/@me")
            flags = self._api.read("/applications/@me").get("flags")
        except RemoteError as problem:
            return [Probe(name="token", is_ok=False, answer=str(problem), next_step="Check `bot_token` of this channel.")]
        reads = isinstance(flags, int) and bool(flags & _READS_CONTENT)
        return [
            Probe(name="token", is_ok=True, answer=f"@{read_string(who.get('username'))} ({read_id(who.get('id'))})"),
            Probe(
                name="message content",
                is_ok=reads,
                answer="readable" if reads else "hidden from the bot",
                next_step="" if reads else _INTENT,
            ),
            *(self._probe_channel(channel) for channel in self._settings.channels),
        ]

    def _probe_channel(self, channel: str) -> Probe:
        try:
            about = self._api.read(f"/channels/{channel}")
        except RemoteError as problem:
            return Probe(name=f"channel {channel}", is_ok=False, answer=str(problem), next_step=_INVITE)
        return Probe(name=f"channel {channel}", is_ok=True, answer=f"#{read_string(about.get('name'))}")


class Discord:
    """Discord before any configuration."""

    name = "discord"
    display_name = "Discord"
    capabilities = CAPABILITIES

    def __init__(self) -> None:
        self.settings_schema = cast(AnySettingsSchema, SettingsSchema())

    def connect(self, channel: ChannelKey, settings: Any, connection: Connection) -> PlatformAdapter:
        """Bind to one bot. Makes no call."""
        return DiscordAdapter(settings, connection)


PLATFORM = Discord()
