"""The practice network as a platform: public posts in threads, private messages, edits, deletions, files, signed webhooks and a poll."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugin.contracts.capabilities import Capabilities, Level, Limits, Readback
from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection, Polled, Probe
from plugin.contracts.rulers import CODE_POINTS
from plugin.contracts.signing import is_fresh, is_one_of, sign
from plugin.domain.errors import (
    MalformedPayload,
    OutcomeUnknown,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    SignatureInvalid,
    TargetGone,
    UnsupportedEvent,
)
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, PlatformEvent
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, File, OutboundMessage, Receipt, Visibility
from plugin.domain.text import fold
from plugin.platforms.rehearsal.client import Client
from plugin.platforms.rehearsal.events import read_events
from plugin.platforms.rehearsal.schema import Settings, SettingsSchema

PAGE = 100

CAPABILITIES = Capabilities(
    replies_public=Level.FULL,
    replies_private=Level.FULL,
    attachments_in=Level.FULL,
    attachments_out=Level.FULL,
    edits_in=Level.FULL,
    edits_out=Level.FULL,
    deletes_in=Level.FULL,
    deletes_out=Level.FULL,
    threads=Level.FULL,
    choices=Level.FULL,
    visibilities=(Visibility.PUBLIC, Visibility.PRIVATE),
    events=frozenset((MessageReceived, MessageEdited, MessageDeleted)),
    readback=Readback.STRONG,
    limits=Limits(
        text_length=500,
        ruler=CODE_POINTS,
        file_bytes=5 * 1024 * 1024,
        files_per_message=4,
        choices_per_message=5,
        choice_length=20,
        max_lifetime=10.0,
    ),
)


class RehearsalAdapter:
    """One company account on the practice network."""

    capabilities = CAPABILITIES

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings, self._connection = settings, connection
        self._client = Client(settings, connection.http)
        self.poll_seconds = settings.poll_seconds

    def verify(self, request: WebhookRequest) -> None:
        """HMAC-SHA256 over `timestamp.body` with the channel's secret, or the one before it; signed within the last five minutes."""
        stamp, given = request.headers.get("x-rehearsal-timestamp", ""), request.headers.get("x-rehearsal-signature", "")
        secrets = (self._settings.webhook_secret, self._settings.previous_webhook_secret)
        signed = stamp.encode("utf-8", "surrogatepass") + b"."
        if not is_one_of(given, *(f"sha256={sign(secret, signed, request.body)}" for secret in secrets if secret)):
            raise SignatureInvalid("The webhook is not signed with this channel's secret; nothing was kept.")
        if not is_fresh(stamp, self._connection.clock.now()):
            raise SignatureInvalid("The webhook was signed too long ago, or a clock is wrong; nothing was kept.")

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """The events of one delivery."""
        events = read_events(request.json())
        if not events:
            raise UnsupportedEvent("Nothing in this delivery concerns a customer.")
        return events

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """The next page of events; after the network was set up anew, its newest."""
        after = (position or {}).get("after")
        try:
            page = self._client.read("/events", params={"limit": PAGE, **({"after": str(after)} if after else {})})
        except TargetGone:
            page = self._client.read("/events", params={"limit": PAGE})
        try:
            events = tuple(read_events(page))
        except MalformedPayload as problem:
            raise RemoteUnavailable(
                "The practice network's events cannot be read; nothing was skipped, they are asked for again.", detail=problem.detail
            ) from None
        return Polled(events=events, position={"after": str(page.get("next", ""))}, has_more=page.get("has_more") is True)

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Post or send. The same marker twice would say it twice: look first (`find_delivered`)."""
        media = [self._client.upload(file) for file in message.files]
        data: dict[str, Any] = {"text": _plain(message), "client_ref": marker}
        if media:
            data["media"] = media
        if message.visibility is Visibility.PRIVATE:
            data["to"] = message.contact.ref
            if message.choices:
                data["choices"] = list(message.choices)
        if reply_to := _reply_to(message):
            data["reply_to"] = reply_to
        return _receipt(self._client.write("POST", _collection(message.visibility), data))

    def find_delivered(self, message: OutboundMessage, *, marker: Marker) -> Receipt | None:
        """What carries the marker; the first of several."""
        name = _collection(message.visibility)
        found = self._client.read(name, params={"client_ref": marker}).get(name.removeprefix("/"))
        return _receipt(found[0]) if isinstance(found, list) and found else None

    def edit(self, message_ref: MessageRef, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Change our post's words; its files stay. Safe to repeat."""
        return _receipt(self._client.write("PATCH", f"{_collection(message.visibility)}/{message_ref}", {"text": _plain(message)}))

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """Take our post back."""
        visibility = Visibility.PRIVATE if thread_key.startswith("private:") else Visibility.PUBLIC
        try:
            self._client.write("DELETE", f"{_collection(visibility)}/{message_ref}")
        except TargetGone:
            return

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """A file's bytes, as long as the post still carries it."""
        if attachment.size is not None and attachment.size > max_bytes:
            raise RemoteRejected(
                f"The file has {attachment.size} bytes; at most {max_bytes} are carried. Ask the customer for a smaller one."
            )
        return File(
            filename=attachment.filename,
            content_type=attachment.content_type,
            content=self._client.download(f"/media/{attachment.media_ref}", max_bytes=max_bytes),
            description=attachment.description,
        )

    def register_webhook(self) -> None:
        """Tell the network where we are and what to sign with."""
        self._client.write("PUT", "/webhook", {"url": self._connection.webhook_url, "secret": self._settings.webhook_secret})

    def probe(self) -> Sequence[Probe]:
        """Whose token it is, and where webhooks go."""
        try:
            account = self._client.read("/account")
            webhook = self._client.read("/webhook") if account.get("is_company") is True else {}
        except RemoteError as problem:
            return [Probe(name="account", is_ok=False, answer=str(problem), next_step="Check url and token; is `make run` running?")]
        is_company = account.get("is_company") is True
        probes = [
            Probe(
                name="account",
                is_ok=is_company,
                answer=f"signed in as @{account.get('handle')}",
                next_step="" if is_company else "This is a customer's token; take the company's.",
            )
        ]
        if is_company:
            url, wanted = str(webhook.get("url", "")), self._connection.webhook_url
            probes.append(
                Probe(
                    name="webhook",
                    is_ok=url == wanted,
                    answer=f"webhooks go to {url or 'nowhere'}",
                    next_step="" if url == wanted else f"Register {wanted} again; until then the poll finds everything.",
                )
            )
        return probes


class Rehearsal:
    """The practice network before any configuration exists."""

    name = "rehearsal"
    display_name = "Plaza (practice network)"
    capabilities = CAPABILITIES
    settings_schema = SettingsSchema()

    def connect(self, channel: ChannelKey, settings: Settings, connection: Connection) -> RehearsalAdapter:
        """Bind to one account. Makes no call."""
        return RehearsalAdapter(settings, connection)


PLATFORM = Rehearsal()


def _collection(visibility: Visibility) -> str:
    return "/messages" if visibility is Visibility.PRIVATE else "/posts"


def _reply_to(message: OutboundMessage) -> str:
    """What is answered: the message named, else in public the customer's first post. A private message never answers a public post."""
    if message.visibility is Visibility.PRIVATE:
        return message.reply_to if message.reply_to and message.reply_to.startswith("m_") else ""
    return message.reply_to or message.thread_key.removeprefix("public:")


def _plain(message: OutboundMessage) -> str:
    return fold(message.text, CAPABILITIES.marks)[0].plain


def _receipt(post: Any) -> Receipt:
    ref = post.get("id") if isinstance(post, Mapping) else None
    if not isinstance(ref, str) or not ref:
        raise OutcomeUnknown("The practice network's answer names no post; whether it took the call is looked up.")
    return Receipt(message_ref=MessageRef(ref), url=str(post.get("url") or ""))
