"""osTicket without our plugin: tickets and messages go in by its stock e-mail route, and nothing can be seen of what becomes of them.

The route takes a whole message (RFC 5322) and answers with the ticket's number, whether it opened a ticket, appended, or knew the
Message-ID already: so the same message may be sent again. `In-Reply-To` the ticket's first message appends. Source: osTicket's recorded
answers; "API: Tickets" in osTicket's documentation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import NoReturn

from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits, Readback
from plugin.contracts.http import HttpResponse, WebhookRequest
from plugin.contracts.platform import Connection, Probe
from plugin.domain.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    SignatureInvalid,
    TargetGone,
    Unsupported,
    UnsupportedEvent,
)
from plugin.domain.events import ArticleAdded, HelpdeskEvent
from plugin.domain.ids import ArticleRef, CustomerRef, Marker, TicketRef
from plugin.domain.model import Attachment, Contact, File, FiledArticle, NewArticle, NewTicket, OpenedTicket, TicketChange, TicketState
from plugin.helpdesks.osticket import wording
from plugin.helpdesks.osticket.schema import OsTicketSettings

_CAPABILITIES = Capabilities(
    receives=Level.FULL,
    attachments_out=Level.FULL,
    idempotency=Idempotency.NATURAL,
    readback=Readback.NONE,
    limits=Limits(file_bytes=10_000_000, files_per_message=20, concurrency=2, max_lifetime=120.0),
)
_LONG = 60.0
_REF = re.compile(r"n([0-9A-Za-z-]{1,20}):([0-9a-z]{26})\Z")
_NUMBER = re.compile(r"[0-9A-Za-z-]{1,20}\Z")
_NO_PLUGIN = "Without our plugin osTicket lets nobody do this from outside; nothing was changed. Install the plugin and set mode = plugin."


class OsTicketIntake:
    """One osTicket that is only written to."""

    capabilities = _CAPABILITIES

    def __init__(self, settings: OsTicketSettings, connection: Connection) -> None:
        self._settings = settings
        self._http = connection.http

    def find_or_create_customer(self, contact: Contact, *, channel: str, platform: str) -> CustomerRef:
        """The customer's address, of which osTicket makes a user with the first message. Makes no call."""
        return CustomerRef(f"{wording.customer_key(contact, channel=channel, platform=platform)}@{wording.DOMAIN}")

    def open_ticket(self, ticket: NewTicket, *, marker: Marker) -> OpenedTicket:
        """Open a ticket by its first message. Department, priority, owner and fields are osTicket's to choose (its filters can)."""
        customer = ticket.customer_ref or self.find_or_create_customer(ticket.contact, channel=ticket.channel, platform=ticket.platform)
        message = self._message(ticket.article, address=customer, marker=marker, subject=wording.title(ticket.title))
        number = self._send(message)
        wanted = [name for name, value in (("group", ticket.group), ("priority", ticket.priority), ("tags", ticket.tags)) if value]
        losses = (f"Without the plugin osTicket takes no {', '.join(wanted)} from us; its own rules decide.",) if wanted else ()
        return OpenedTicket(
            ticket_ref=TicketRef(f"n{number}:{marker}"),
            number=number,
            article_ref=ArticleRef(marker),
            customer_ref=customer,
            url=f"{self._settings.web_url}/scp/tickets.php?number={number}",
            losses=losses,
        )

    def add_article(self, ticket_ref: TicketRef, article: NewArticle, *, marker: Marker) -> FiledArticle:
        """Append what a customer said; osTicket opens the ticket again where its status allows that. Notes cannot be kept from customers."""
        if article.internal:
            raise Unsupported(f"An internal note cannot be filed. {_NO_PLUGIN}")
        first = _parts(ticket_ref)[1]
        address = article.customer_ref or f"crossdesk@{wording.DOMAIN}"
        message = self._message(article, address=address, marker=marker, subject=wording.title(article.subject or "Re:"))
        message["In-Reply-To"] = message["References"] = wording.message_id(Marker(first))
        number = self._send(message)
        # Another number: the ticket was merged, or it is deleted and osTicket has opened a new one. Either way it goes on there.
        live = ticket_ref if number == _parts(ticket_ref)[0] else TicketRef(f"n{number}:{marker}")
        return FiledArticle(ticket_ref=live, article_ref=ArticleRef(marker))

    def update_ticket(self, ticket_ref: TicketRef, change: TicketChange) -> None:
        """Not without the plugin."""
        del ticket_ref, change
        raise Unsupported(_NO_PLUGIN)

    def set_visibility(self, ticket_ref: TicketRef, article_ref: ArticleRef, *, is_internal: bool) -> None:
        """Not in osTicket."""
        del ticket_ref, article_ref, is_internal
        raise Unsupported(_NO_PLUGIN)

    def find_ticket(self, ticket: NewTicket, *, marker: Marker) -> OpenedTicket | None:
        """Not without the plugin; whoever does not know sends again, which is harmless."""
        del ticket, marker
        raise Unsupported(_NO_PLUGIN)

    def find_article(self, ticket_ref: TicketRef, *, marker: Marker) -> FiledArticle | None:
        """Not without the plugin; whoever does not know sends again, which is harmless."""
        del ticket_ref, marker
        raise Unsupported(_NO_PLUGIN)

    def list_articles_since(self, ticket_ref: TicketRef, since: ArticleRef | None) -> Sequence[ArticleAdded]:
        """Not without the plugin."""
        del ticket_ref, since
        raise Unsupported(_NO_PLUGIN)

    def fetch_attachment(self, attachment: Attachment, *, max_bytes: int) -> File:
        """Not without the plugin."""
        del attachment, max_bytes
        raise Unsupported(_NO_PLUGIN)

    def follow_merge(self, ticket_ref: TicketRef) -> TicketState:
        """All that we know of the ticket: its number. osTicket follows merges by itself."""
        return TicketState(
            ticket_ref=ticket_ref,
            number=_parts(ticket_ref)[0],
            title="",
            state="",
            is_closed=False,
            owner="",
            group="",
            live_ref=ticket_ref,
        )

    def verify(self, request: WebhookRequest) -> None:
        """Nothing is expected."""
        del request
        raise SignatureInvalid("Without the plugin osTicket sends nothing; what claims to be from it was not kept.")

    def parse(self, request: WebhookRequest) -> Sequence[HelpdeskEvent]:
        """Nothing is expected."""
        del request
        raise UnsupportedEvent("Without the plugin osTicket tells nothing.")

    def probe(self) -> Sequence[Probe]:
        """Whether the key is accepted: asked with an empty message, of which osTicket makes nothing."""
        step = "Make an API key for the bridge's own IP address, with the right to create tickets, and switch it on."
        try:
            answer = self._post(b"{", path="tickets.json")
        except RemoteError as problem:
            return [Probe(name="key", is_ok=False, answer=str(problem), next_step="Check url and api_path.")]
        is_ok = answer.status == 400 and b"JSON" in answer.body[:200]
        said = "the key is accepted; replies cannot be seen in this mode" if is_ok else f"osTicket answers {answer.status}"
        return [Probe(name="key", is_ok=is_ok, answer=said, next_step=step)]

    def _message(self, article: NewArticle, *, address: str, marker: Marker, subject: str) -> EmailMessage:
        local, _, domain = address.partition("@")
        message = EmailMessage(policy=SMTP)
        message["From"] = Address(wording.poster(article), local, domain)
        message["To"] = Address("", "crossdesk", wording.DOMAIN)
        message["Subject"] = subject
        message["Message-ID"] = wording.message_id(marker)
        message.set_content(wording.article_plain(article))
        message.add_alternative(wording.article_html(article), subtype="html")
        for file in article.files:
            kind, _, subtype = file.content_type.partition("/")
            is_known = bool(re.fullmatch(r"[\w.+-]+/[\w.+-]+", file.content_type, re.ASCII)) and kind not in {"message", "multipart"}
            maintype, minor = (kind, subtype) if is_known else ("application", "octet-stream")
            message.add_attachment(file.content, maintype=maintype, subtype=minor, filename=wording.file_name(file.filename))
        return message

    def _send(self, message: EmailMessage) -> str:
        """Hand it in; the number of the ticket where it stands now."""
        answer = self._post(message.as_bytes(), path="tickets.email")
        said = answer.body[:2000].decode("utf-8", "replace").strip()
        if answer.status != 201 or not _NUMBER.match(said):
            _raise_for(answer, said)
        return said

    def _post(self, body: bytes, *, path: str) -> HttpResponse:
        return self._http.request(
            "POST",
            f"{self._settings.url}/{self._settings.api_path}/{path}",
            headers={"X-API-Key": self._settings.api_key, "Content-Type": "application/octet-stream", "Accept": "*/*"},
            data=body,
            timeout=_LONG,
        )


def _parts(ticket_ref: TicketRef) -> tuple[str, str]:
    found = _REF.match(ticket_ref)
    if found is None:
        raise TargetGone("This ticket was opened with the plugin in osTicket, and cannot be reached without it. The message is kept.")
    return found[1], found[2]


def _raise_for(answer: HttpResponse, said: str) -> NoReturn:
    detail = f"{answer.status} {said[:200]}" if said.isprintable() or "\n" in said else str(answer.status)
    if answer.status == 401:
        raise CredentialsRejected(
            "osTicket does not accept the API key; everything is kept. Keys are bound to one IP address and must be allowed to create tickets.",
            detail=detail,
        )
    if answer.status == 429:
        raise RateLimited("osTicket's server asks the bridge to wait; everything is kept.", retry_after=answer.retry_after)
    if said.startswith("Unable to create new ticket"):
        # Whatever the status: osTicket says so before it has made anything.
        raise RemoteRejected(
            "osTicket refused the message; it is kept. See the reason, correct it in osTicket, then replay.", detail=detail
        )
    if answer.status == 404 or 300 <= answer.status < 400 or said.startswith("URL not supported"):
        raise RemoteUnavailable("What answers is not osTicket's API; everything is kept. Check url and api_path.", detail=detail)
    if 400 <= answer.status < 500:
        raise RemoteRejected(
            "osTicket or a server in front of it refused the message; it is kept. See the reason, then replay.", detail=detail
        )
    raise OutcomeUnknown("osTicket did not say what became of the message; it is sent again under the same id.", detail=str(answer.status))
