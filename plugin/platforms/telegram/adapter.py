"""The Telegram platform: one bot as one channel. Which words and ids Telegram uses, nothing of what the bridge does with them.

Telegram has neither an idempotency key nor a way to look what was sent, so each `deliver` ends in at most one applied call: a second call
is made only after the Bot API itself refused the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from plugin.contracts.http import FormFile, WebhookRequest
from plugin.contracts.platform import Connection, PlatformAdapter, Polled, Probe, Skipped
from plugin.contracts.rulers import UTF16
from plugin.contracts.settings import SettingsSchema as AnySettingsSchema
from plugin.contracts.signing import is_one_of
from plugin.domain.errors import (
    MalformedPayload,
    OutcomeUnknown,
    RemoteRejected,
    SignatureInvalid,
    TargetGone,
    Unsupported,
    UnsupportedEvent,
)
from plugin.domain.events import PlatformEvent
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, File, OutboundMessage, Receipt
from plugin.platforms.telegram.capabilities import CAPABILITIES, CAPTION_LENGTH, DOWNLOAD_BYTES, MEGABYTE, sending
from plugin.platforms.telegram.client import BotApi, moved_to
from plugin.platforms.telegram.commands import menu
from plugin.platforms.telegram.entities import to_entities
from plugin.platforms.telegram.keyboards import keyboard
from plugin.platforms.telegram.refs import Thread, split_message, thread_from_key
from plugin.platforms.telegram.schema import Settings, SettingsSchema
from plugin.platforms.telegram.standing import Standing
from plugin.platforms.telegram.updates import ALLOWED_UPDATES, Reading

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - a header's name
_POLL_LIMIT = 100
_POLL_WAIT = 2


class TelegramAdapter:
    """One bot, told of updates by webhook."""

    capabilities = CAPABILITIES
    poll_seconds = 300.0

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._api = BotApi(connection.http, settings)
        self._reading = Reading(groups=settings.groups, commands=settings.commands)
        wanted = "" if settings.intake == "poll" else connection.webhook_url
        self._standing = Standing(self._api, wanted, groups=settings.groups)

    def verify(self, request: WebhookRequest) -> None:
        """Compare the secret which Telegram repeats with every update; it signs nothing (Bot API, "setWebhook")."""
        if not is_one_of(request.headers.get(SECRET_HEADER, ""), self._settings.secret_token, self._settings.previous_secret_token):
            raise SignatureInvalid(
                "The request does not bear this channel's secret token; it was not stored. If the secret was changed, register the webhook "
                "again."
            )

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """The events in the one update that a request holds."""
        return self._reading.events(request.json())

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """Whether the token and the webhook are well; updates cannot be asked for while a webhook is set."""
        del position
        return Polled(events=(), position=None, silent=self._standing.silent(self._connection.clock.now()))

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Say one text, or send one file with the text as its caption."""
        thread = thread_from_key(message.thread_key)
        if len(message.files) > 1 or (message.files and UTF16.measure(message.text.plain) > CAPTION_LENGTH):
            raise Unsupported(
                f"Telegram takes one file in a message, with at most {CAPTION_LENGTH} characters beside it. Nothing was sent; send text "
                "and files apart."
            )
        entities, losses = to_entities(message.text)
        reply = self._reply(message.reply_to, thread)
        try:
            sent = self._send(thread, message, entities, reply)
        except TargetGone as gone:
            chat = moved_to(gone)
            if not chat:
                raise
            # The refusal proves that nothing was sent. Message ids do not move along, so the answer stands alone.
            thread, reply = Thread(chat=chat), None
            losses += (f"The group became a supergroup ({chat}); the reply was sent there, without reference to a message.",)
            sent = self._send(thread, message, entities, reply)
        number = sent.get("message_id") if isinstance(sent, Mapping) else None
        if not isinstance(number, int):
            raise OutcomeUnknown("Telegram accepted the message but named no id; it is not repeated by itself. Look into the chat.")
        if reply is not None and not thread.business and "reply_to_message" not in sent:
            losses += ("The message that is answered is gone; the reply was sent without reference to it.",)
        return Receipt(message_ref=thread.message(number), losses=losses)

    def edit(self, message_ref: MessageRef, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Make our message read differently; that it already does so is success."""
        chat, number, business = split_message(message_ref)
        entities, losses = to_entities(message.text)
        target = {"chat_id": int(chat), "message_id": number, "business_connection_id": business or None}
        try:
            self._api.write("editMessageText", {**target, "text": message.text.plain, "entities": entities or None})
        except RemoteRejected as refusal:
            if "there is no text in the message" in refusal.detail:
                self._edit_caption(target, message, entities)
            elif "message is not modified" not in refusal.detail:
                raise
        return Receipt(message_ref=message_ref, losses=losses)

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """Take our message back; Telegram allows it for 48 hours."""
        chat, number, business = split_message(message_ref)
        try:
            if business:
                self._api.write("deleteBusinessMessages", {"business_connection_id": business, "message_ids": [number]})
            else:
                self._api.write("deleteMessage", {"chat_id": int(chat), "message_id": number})
        except TargetGone as gone:
            if "message to delete not found" not in gone.detail:
                raise

    def mark_read(self, thread_key: ThreadKey, message_ref: MessageRef) -> None:
        """Show a business account's customer that the message was read; a bot's own chats know no such sign (Bot API, "readBusinessMessage")."""
        chat, number, business = split_message(message_ref)
        if business:
            self._api.read("readBusinessMessage", {"business_connection_id": business, "chat_id": int(chat), "message_id": number})

    def send_typing(self, thread_key: ThreadKey) -> None:
        """Show for five seconds, or until the message is there, that a file is on its way."""
        thread = thread_from_key(thread_key)
        where = {"message_thread_id": int(thread.topic) if thread.topic else None, "business_connection_id": thread.business or None}
        self._api.read("sendChatAction", {"chat_id": int(thread.chat), "action": "upload_document", **where})

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """The bytes of a customer's file: Telegram lets bots have 20 MB at most (Bot API, "getFile")."""
        cap = min(max_bytes, DOWNLOAD_BYTES)
        if attachment.size is not None and attachment.size > cap:
            raise _too_big(attachment, cap)
        try:
            found = self._api.read("getFile", {"file_id": attachment.media_ref})
        except RemoteRejected as refusal:
            if "file is too big" in refusal.detail:
                raise _too_big(attachment, cap) from None
            raise
        path, size = (found.get("file_path"), found.get("file_size")) if isinstance(found, Mapping) else (None, None)
        if isinstance(size, int) and size > cap:
            raise _too_big(attachment, cap)
        if not isinstance(path, str) or path.startswith("/"):
            raise RemoteRejected(
                f"The Bot API server names no address for “{attachment.filename}”; the message is kept without it. A Bot API server of "
                "your own must run without --local."
            )
        content = self._api.fetch(path, max_bytes=cap)
        if len(content) > cap:
            raise _too_big(attachment, cap)
        return File(filename=attachment.filename, content_type=attachment.content_type, content=content, description=attachment.description)

    def register_webhook(self) -> None:
        """Tell Telegram our address, secret and commands, and which updates we want; with intake = "poll", that we have no address."""
        if self._settings.intake == "poll":
            self._api.read("deleteWebhook")
        else:
            wanted = {"url": self._connection.webhook_url, "secret_token": self._settings.secret_token, "allowed_updates": ALLOWED_UPDATES}
            self._api.read("setWebhook", wanted)
        if self._settings.commands:
            self._api.read("setMyCommands", {"commands": menu(self._settings.commands)})

    def probe(self) -> Sequence[Probe]:
        """Ask who we are and how the webhook fares."""
        return list(self._standing.probes())

    def _send(self, thread: Thread, message: OutboundMessage, entities: list[dict[str, Any]], reply: Mapping[str, Any] | None) -> Any:
        target = {
            "chat_id": int(thread.chat),
            "message_thread_id": int(thread.topic) if thread.topic else None,
            "direct_messages_topic_id": int(thread.direct) if thread.direct else None,
            "business_connection_id": thread.business or None,
            "reply_parameters": reply,
            "reply_markup": keyboard(thread, message.choices),
        }
        if not message.files:
            return self._api.write("sendMessage", {**target, "text": message.text.plain, "entities": entities or None})
        file = message.files[0]
        caption = {"caption": message.text.plain or None, "caption_entities": entities or None}
        method, field = sending(file)
        part = FormFile(filename=file.filename, content=file.content, content_type=file.content_type)
        try:
            return self._api.write(method, {**target, **caption}, files=[(field, part)])
        except TargetGone:
            raise
        except RemoteRejected as refusal:
            if method == "sendDocument" or not _is_about_media(refusal.detail):
                raise
            return self._api.write("sendDocument", {**target, **caption}, files=[("document", part)])

    def _edit_caption(self, target: Mapping[str, Any], message: OutboundMessage, entities: list[dict[str, Any]]) -> None:
        try:
            self._api.write("editMessageCaption", {**target, "caption": message.text.plain, "caption_entities": entities or None})
        except RemoteRejected as refusal:
            if "message is not modified" not in refusal.detail:
                raise

    def _reply(self, ref: MessageRef | None, thread: Thread) -> Mapping[str, Any] | None:
        if ref is None:
            return None
        chat, number, business = split_message(ref)
        if (chat, business) != (thread.chat, thread.business):
            return None
        return {"message_id": number, "allow_sending_without_reply": True}


class PollingTelegramAdapter(TelegramAdapter):
    """One bot, asked for its updates. Telegram keeps them for 24 hours and forgets each when a later one is asked for."""

    poll_seconds = 2.0

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """What happened since `position`, which acknowledges everything before it: it must have been stored."""
        offset = position.get("offset") if position else None
        asked = {"offset": offset, "limit": _POLL_LIMIT, "timeout": _POLL_WAIT, "allowed_updates": ALLOWED_UPDATES}
        updates = self._api.read("getUpdates", asked, timeout=_POLL_WAIT + 15.0)
        events: list[PlatformEvent] = []
        skipped: list[Skipped] = []
        following = None
        for update in updates if isinstance(updates, list) else ():
            number = update.get("update_id") if isinstance(update, Mapping) else None
            following = {"offset": number + 1} if isinstance(number, int) else following
            try:
                events.extend(self._reading.events(update))
            except (UnsupportedEvent, MalformedPayload) as problem:
                skipped.append(Skipped(event_key=f"update:{number}", reason=problem, payload=update))
        has_more = isinstance(updates, list) and len(updates) >= _POLL_LIMIT
        return Polled(events=tuple(events), position=following, has_more=has_more, skipped=tuple(skipped))


class Telegram:
    """Telegram before any configuration."""

    name = "telegram"
    display_name = "Telegram"
    capabilities = CAPABILITIES

    def __init__(self) -> None:
        self.settings_schema = cast(AnySettingsSchema, SettingsSchema())

    def connect(self, channel: ChannelKey, settings: Any, connection: Connection) -> PlatformAdapter:
        """Bind to one bot. Makes no call."""
        kind = PollingTelegramAdapter if settings.intake == "poll" else TelegramAdapter
        return kind(settings, connection)


PLATFORM = Telegram()


def _is_about_media(description: str) -> bool:
    """Whether Telegram refused a picture or a film as such, but would take it as a plain file."""
    words = description.lower()
    return any(hint in words for hint in ("photo", "image", "video", "audio", "media", "animation"))


def _too_big(attachment: Attachment, cap: int) -> RemoteRejected:
    return RemoteRejected(
        f"“{attachment.filename}” is bigger than {cap / MEGABYTE:g} MB, more than Telegram gives to a bot or than is allowed here. The "
        "message is kept without it; ask the customer for a smaller file or a link."
    )
