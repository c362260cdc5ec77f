"""The thinnest platform and helpdesk that the engine can be measured with: one HMAC, one look-up, one write, nothing else.

They speak to `tests.benchmarks.stub`. What a message costs beyond this is the adapter's and the other side's.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from plugin.contracts.capabilities import Capabilities, Level, Limits, Readback
from plugin.contracts.http import HttpClient, WebhookRequest
from plugin.contracts.platform import Probe
from plugin.domain.errors import RemoteUnavailable, SignatureInvalid
from plugin.domain.events import ArticleAdded, ArticleAuthor, HelpdeskEvent, MessageReceived, PlatformEvent, TicketTouched
from plugin.domain.ids import ArticleRef, ContactRef, CustomerRef, Marker, MessageRef, ThreadKey, TicketRef
from plugin.domain.model import (
    Attachment,
    Contact,
    File,
    FiledArticle,
    NewArticle,
    NewTicket,
    OpenedTicket,
    OutboundMessage,
    Receipt,
    TicketChange,
    TicketState,
    Visibility,
)
from plugin.domain.text import Text

SECRET = "benchmark-secret"
SIGNATURE = "x-signature"
_LIMITS = Limits(text_length=4096, concurrency=16, max_lifetime=30.0)


def sign(body: bytes) -> str:
    """The signature of a delivery: HMAC-SHA256 in hex."""
    return hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


class BenchPlatform:
    """A messenger: signed webhooks in, one call for each reply out."""

    capabilities = Capabilities(
        replies_private=Level.FULL,
        visibilities=(Visibility.PRIVATE,),
        readback=Readback.STRONG,
        limits=_LIMITS,
        events=frozenset((MessageReceived,)),
    )

    def __init__(self, url: str, http: HttpClient) -> None:
        self._url, self._http = url, http

    def verify(self, request: WebhookRequest) -> None:
        if not hmac.compare_digest(sign(request.body), request.headers.get(SIGNATURE, "")):
            raise SignatureInvalid("The delivery is not signed with the benchmark's secret.")

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        said = request.json()
        return [
            MessageReceived(
                event_key=said["id"],
                occurred_at=None,
                message_ref=MessageRef(said["id"]),
                thread_key=ThreadKey(said["from"]),
                visibility=Visibility.PRIVATE,
                author=Contact(ref=ContactRef(said["from"]), display_name=said["name"]),
                text=Text(said["text"]),
            )
        ]

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        made = _read(
            self._http.request("POST", f"{self._url}/said", json={"to": message.contact.ref, "text": message.text.plain, "ref": marker})
        )
        return Receipt(message_ref=MessageRef(str(made["id"])))

    def find_delivered(self, message: OutboundMessage, *, marker: Marker) -> Receipt | None:
        found = _read(self._http.request("GET", f"{self._url}/find/{marker}"))["id"]
        return None if found is None else Receipt(message_ref=MessageRef(str(found)))

    def probe(self) -> Sequence[Probe]:
        return ()


class BenchDesk:
    """A helpdesk: each message is one look-up and one write."""

    capabilities = Capabilities(
        replies_private=Level.FULL,
        visibilities=(Visibility.PRIVATE,),
        readback=Readback.STRONG,
        limits=_LIMITS,
        events=frozenset((TicketTouched,)),
    )

    def __init__(self, url: str, http: HttpClient) -> None:
        self._url, self._http = url, http

    def find_or_create_customer(self, contact: Contact, *, channel: str, platform: str) -> CustomerRef:
        return CustomerRef(contact.ref)

    def open_ticket(self, ticket: NewTicket, *, marker: Marker) -> OpenedTicket:
        _read(self._http.request("GET", f"{self._url}/lookup/{ticket.contact.ref}"))
        data = {"key": ticket.contact.ref, "title": ticket.title, "text": ticket.article.text.plain, "ref": marker}
        made = _read(self._http.request("POST", f"{self._url}/tickets", json=data))
        return _opened(made, ticket.contact)

    def add_article(self, ticket_ref: TicketRef, article: NewArticle, *, marker: Marker) -> FiledArticle:
        _read(self._http.request("GET", f"{self._url}/tickets/{ticket_ref}"))
        data = {"text": article.text.plain, "ref": marker}
        made = _read(self._http.request("POST", f"{self._url}/tickets/{ticket_ref}/articles", json=data))
        return FiledArticle(ticket_ref=ticket_ref, article_ref=ArticleRef(str(made["article"])))

    def update_ticket(self, ticket_ref: TicketRef, change: TicketChange) -> None:
        return

    def set_visibility(self, ticket_ref: TicketRef, article_ref: ArticleRef, *, is_internal: bool, sent_at: datetime | None = None) -> None:
        return

    def find_ticket(self, ticket: NewTicket, *, marker: Marker) -> OpenedTicket | None:
        found = _read(self._http.request("GET", f"{self._url}/find/{marker}"))
        return None if found["id"] is None else _opened(found, ticket.contact)

    def find_article(self, ticket_ref: TicketRef, *, marker: Marker) -> FiledArticle | None:
        found = _read(self._http.request("GET", f"{self._url}/find/{marker}"))["article"]
        return None if found is None else FiledArticle(ticket_ref=ticket_ref, article_ref=ArticleRef(str(found)))

    def list_articles_since(self, ticket_ref: TicketRef, since: ArticleRef | None) -> Sequence[ArticleAdded]:
        found = _read(self._http.request("GET", f"{self._url}/tickets/{ticket_ref}/articles", params={"since": since or "0"}))["articles"]
        return [
            ArticleAdded(
                event_key=f"article:{number}",
                occurred_at=None,
                ticket_ref=ticket_ref,
                article_ref=ArticleRef(str(number)),
                author=ArticleAuthor.BRIDGE if marker else ArticleAuthor.AGENT,
                agent_name="Ada",
                is_reply=not marker,
                text=Text(text),
                marker=Marker(marker) if marker else None,
            )
            for number, text, marker in found
        ]

    def fetch_attachment(self, attachment: Attachment, *, max_bytes: int) -> File:
        raise AssertionError("no article of a benchmark has a file")

    def follow_merge(self, ticket_ref: TicketRef) -> TicketState:
        _read(self._http.request("GET", f"{self._url}/tickets/{ticket_ref}"))
        return TicketState(
            ticket_ref=ticket_ref, number=ticket_ref, title="", state="open", is_closed=False, owner="", group="", live_ref=ticket_ref
        )

    def verify(self, request: WebhookRequest) -> None:
        if not hmac.compare_digest(sign(request.body), request.headers.get(SIGNATURE, "")):
            raise SignatureInvalid("The delivery is not signed with the benchmark's secret.")

    def parse(self, request: WebhookRequest) -> Sequence[HelpdeskEvent]:
        said = request.json()
        return [TicketTouched(event_key=f"touched:{said['id']}", occurred_at=None, ticket_ref=TicketRef(said["ticket"]))]

    def probe(self) -> Sequence[Probe]:
        return ()


def _opened(made: Any, contact: Contact) -> OpenedTicket:
    number = str(made["id"])
    return OpenedTicket(
        ticket_ref=TicketRef(number), number=number, article_ref=ArticleRef(str(made["article"])), customer_ref=CustomerRef(contact.ref)
    )


def _read(answer: Any) -> Any:
    if not answer.is_ok:
        raise RemoteUnavailable(f"The stub answered {answer.status}.")
    return answer.json()
