"""A guestbook: entries come in by webhook, answers go out by one call. Text alone, in public."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from crossdesk_guestbook.schema import Settings, SettingsSchema
from plugin.contracts.capabilities import Capabilities, Level, Limits
from plugin.contracts.http import HttpResponse, WebhookRequest
from plugin.contracts.platform import Connection, Probe
from plugin.contracts.rulers import CODE_POINTS
from plugin.domain.errors import (
    CredentialsRejected,
    MalformedPayload,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    SignatureInvalid,
    UnsupportedEvent,
)
from plugin.domain.events import MessageReceived, PlatformEvent
from plugin.domain.ids import ChannelKey, ContactRef, Marker, MessageRef, ThreadKey
from plugin.domain.model import Contact, OutboundMessage, Receipt, Visibility
from plugin.domain.text import Text, fold

CAPABILITIES = Capabilities(
    replies_public=Level.FULL,
    visibilities=(Visibility.PUBLIC,),
    events=frozenset((MessageReceived,)),
    limits=Limits(text_length=1_000, ruler=CODE_POINTS),
)


class GuestbookAdapter:
    """One guestbook."""

    capabilities = CAPABILITIES

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings, self._connection = settings, connection

    def verify(self, request: WebhookRequest) -> None:
        """HMAC-SHA256 of the body, hexadecimal, in `Guestbook-Signature`."""
        expected = hmac.new(self._settings.token.encode(), request.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), request.headers.get("guestbook-signature", "").encode("utf-8", "replace")):
            raise SignatureInvalid("The webhook is not signed with this guestbook's token; nothing was kept.")

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """`{"kind": "entry", "id", "by", "words", "at"}`, times in POSIX seconds."""
        entry = request.json()
        if not isinstance(entry, dict):
            raise MalformedPayload("The guestbook sent no object; it was kept as it came.")
        if entry.get("kind") != "entry":
            raise UnsupportedEvent("Only entries are carried; this was something else.")
        ref, by, words, at = (entry.get(name) for name in ("id", "by", "words", "at"))
        if not (isinstance(ref, str) and ref and isinstance(by, str) and by and isinstance(words, str) and type(at) is int):
            raise MalformedPayload("The guestbook's entry lacks its id, by, words or at; it was kept as it came.")
        try:
            occurred_at = datetime.fromtimestamp(at, UTC)
        except (ValueError, OverflowError, OSError):
            raise MalformedPayload("The guestbook's entry has an impossible time; it was kept as it came.") from None
        return (
            MessageReceived(
                event_key=f"entry:{ref}",
                occurred_at=occurred_at,
                message_ref=MessageRef(ref),
                thread_key=ThreadKey(ref),
                visibility=Visibility.PUBLIC,
                author=Contact(ref=ContactRef(by), display_name=by),
                text=Text(words),
            ),
        )

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Write below the entry."""
        words, _ = fold(message.text, CAPABILITIES.marks)
        answer = self._connection.http.request(
            "POST",
            f"{self._settings.url}/entries/{message.thread_key}/answers",
            headers={"Authorization": f"Bearer {self._settings.token}"},
            json={"words": words.plain},
        )
        _check(answer, otherwise=OutcomeUnknown)
        ref = _object(answer).get("id")
        if not isinstance(ref, str) or not ref:
            raise OutcomeUnknown("The guestbook's answer names no entry; whether it took the call is not known. It is kept for a person.")
        return Receipt(message_ref=MessageRef(ref))

    def probe(self) -> Sequence[Probe]:
        """Whether it is there and knows us."""
        try:
            _check(
                self._connection.http.request("GET", self._settings.url, headers={"Authorization": f"Bearer {self._settings.token}"}),
                otherwise=RemoteUnavailable,
            )
        except RemoteError as problem:
            return [Probe(name="guestbook", is_ok=False, answer=str(problem), next_step="Check url and token.")]
        return [Probe(name="guestbook", is_ok=True, answer="it knows us")]


class Guestbook:
    """Guestbooks, before any configuration exists."""

    name = "guestbook"
    display_name = "Guestbook (example)"
    capabilities = CAPABILITIES
    settings_schema = SettingsSchema()

    def connect(self, channel: ChannelKey, settings: Settings, connection: Connection) -> GuestbookAdapter:
        """Bind to one guestbook. Makes no call."""
        return GuestbookAdapter(settings, connection)


PLATFORM = Guestbook()


def _check(answer: HttpResponse, *, otherwise: type[RemoteError]) -> None:
    """What a status means; `otherwise` where it says nothing for sure."""
    if answer.is_ok:
        return
    if answer.status == 401:
        raise CredentialsRejected("The guestbook no longer accepts the token. Everything is kept; put the new one into the settings.")
    if answer.status == 429:
        raise RateLimited("The guestbook asks to wait; it is tried again then.", retry_after=answer.retry_after)
    if 400 <= answer.status < 500:
        raise RemoteRejected(f"The guestbook refused this ({answer.status}). Nothing was written; change it and try again.")
    raise otherwise(f"The guestbook answered {answer.status}, which says nothing for sure; everything is kept.")


def _object(answer: HttpResponse) -> dict[str, Any]:
    try:
        data = answer.json()
    except MalformedPayload:
        return {}
    return data if isinstance(data, dict) else {}
