"""Request Tracker behind the helpdesk contract.

What RT is good at shapes this: an article's marker travels in the subject, which RT commits together with the message; a ticket's marker
is a custom field given in the create call; many refusals are a 200 with a sentence, so whatever was changed is read again.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from plugin.contracts.capabilities import Capabilities, Level, Limits, Readback
from plugin.contracts.helpdesk import StaffMember
from plugin.contracts.http import FormFile, WebhookRequest
from plugin.contracts.platform import Connection, Polled, Probe
from plugin.contracts.signing import verify_ours
from plugin.domain.errors import RemoteError, RemoteRejected, TargetGone, Unsupported
from plugin.domain.events import ArticleAdded, HelpdeskEvent, Presser, TicketTouched
from plugin.domain.ids import ArticleRef, CustomerRef, HelpdeskKey, Marker, TicketRef
from plugin.domain.model import (
    Attachment,
    Contact,
    File,
    FiledArticle,
    NewArticle,
    NewTicket,
    OpenedTicket,
    TicketChange,
    TicketState,
    Visibility,
)
from plugin.domain.text import MarkKind
from plugin.helpdesks.rt import customers, probing, sign_in, staff, touches, wording
from plugin.helpdesks.rt.articles import ArticleReader
from plugin.helpdesks.rt.client import RtClient, created_id, segment
from plugin.helpdesks.rt.provisioning import NEEDS, RtProvisions
from plugin.helpdesks.rt.schema import RtSettings, RtSettingsSchema
from plugin.helpdesks.rt.tickets import TicketDesk

_CAPABILITIES = Capabilities(
    receives=Level.FULL,
    replies_public=Level.FULL,
    replies_private=Level.FULL,
    attachments_in=Level.FULL,
    attachments_out=Level.FULL,
    threads=Level.FULL,
    visibilities=(Visibility.PUBLIC, Visibility.PRIVATE),
    # RT shows a pre block and inline code alike, and everything else as HTML does.
    marks=frozenset({MarkKind.BOLD, MarkKind.ITALIC, MarkKind.STRIKE, MarkKind.CODE, MarkKind.PRE, MarkKind.QUOTE, MarkKind.LINK}),
    events=frozenset({TicketTouched}),
    readback=Readback.STRONG,
    # MaxAttachmentSize is 10 MB unless the admin raises it; a small RT has few processes.
    limits=Limits(file_bytes=10_000_000, files_per_message=20, concurrency=2, max_lifetime=120.0),
)


class RtAdapter:
    """One Request Tracker, in the name of the bridge's own user."""

    capabilities = _CAPABILITIES
    poll_seconds = 20.0
    setup_token_help = NEEDS
    has_setup_token = False
    locks_by_owner = True

    def __init__(self, settings: RtSettings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._clock = connection.clock
        self._client = RtClient(settings, connection)
        self._tickets = TicketDesk(self._client, settings)
        self._articles = ArticleReader(self._client, own_name=settings.user)

    def sign_in(self, login: str, password: str) -> StaffMember | None:
        """As `AuthenticatesStaff` says."""
        return sign_in.sign_in(self._settings, self._connection.http, self._client, login, password)

    def find_or_create_customer(self, contact: Contact, *, channel: str, platform: str) -> CustomerRef:
        """The RT user of a contact (see `customers`)."""
        return customers.find_or_create(self._client, contact, channel=channel, platform=platform)

    def open_ticket(self, ticket: NewTicket, *, marker: Marker) -> OpenedTicket:
        """Open a ticket in the queue `group`, with the customer as requestor."""
        customer = ticket.customer_ref or self.find_or_create_customer(ticket.contact, channel=ticket.channel, platform=ticket.platform)
        files, losses = _form_files(ticket.article.files)
        opened = self._tickets.open(ticket, customer=customer, marker=marker, files=files)
        if self._tickets.bears_author(ticket):
            # RT opens tickets in the bridge's name alone. Where the true author cannot be told afterwards, the requestor tells who it is.
            with contextlib.suppress(RemoteError):
                body = {"Author": customer, "Marker": marker, "Content": "author", "ContentType": "text/plain"}
                self._client.post(f"/crossdesk/ticket/{segment(opened.ticket_ref)}/author", body)
        return replace(opened, losses=(*losses, *opened.losses))

    def find_ticket(self, ticket: NewTicket, *, marker: Marker) -> OpenedTicket | None:
        """The ticket with this marker in its field, merged or not."""
        return self._tickets.find(ticket, marker=marker)

    def add_article(self, ticket_ref: TicketRef, article: NewArticle, *, marker: Marker) -> FiledArticle:
        """Correspond for what was said on the platform, comment for notes.

        Customers have no mail address in RT, so nobody but watching agents is mailed.
        """
        state, requestor = self._tickets.state_and_requestor(ticket_ref, article.author)
        if state.live_ref is None:
            raise TargetGone("The ticket is deleted in RT; the message is kept.")
        files, losses = _form_files(article.files)
        must_open = article.reopen and state.is_closed
        status = {"Status": self._settings.open_status} if must_open else {}
        answer = None
        body: dict[str, Any]
        if requestor and self._settings.extension and not (article.internal or article.by_staff):
            body = {**self._body(article, marker, has_author=True), **status, "Author": requestor, "Marker": marker}
            # The ticket is there, so what is not is the extension: then the bridge says it in its own name, and `doctor` what is wrong.
            with contextlib.suppress(TargetGone):
                answer = self._client.post(f"/crossdesk/ticket/{segment(state.live_ref)}/correspond", body, files)
        if answer is None:
            fields: dict[str, str] = {wording.MESSAGE_FIELD: marker}
            if article.is_warning and article.in_reply_to:
                fields[wording.ABOUT_FIELD] = article.in_reply_to
            body = {**self._body(article, marker), **status, "TxnCustomFields": fields}
            kind = "comment" if article.internal else "correspond"
            answer = self._client.post(f"/ticket/{segment(state.live_ref)}/{kind}", body, files)
        article_ref = ArticleRef(created_id(answer, "transaction"))
        if must_open:
            losses = (*losses, *self._not_opened(state.live_ref))
        elif state.is_closed and not article.internal:
            # RT opens a closed ticket for every correspondence, thanks and scores too. Where it stays open, the engine hears so.
            with contextlib.suppress(RemoteError):
                self._tickets.change(state.live_ref, TicketChange(state=state.state))
        return FiledArticle(ticket_ref=state.live_ref, article_ref=article_ref, losses=losses)

    def find_article(self, ticket_ref: TicketRef, *, marker: Marker) -> FiledArticle | None:
        """The bridge's entry with this marker, by transaction field or subject."""
        article_ref = self._articles.find_own(ticket_ref, marker)
        if article_ref is None:
            return None
        state = self._tickets.state(ticket_ref)
        return FiledArticle(ticket_ref=state.live_ref or ticket_ref, article_ref=article_ref)

    def update_ticket(self, ticket_ref: TicketRef, change: TicketChange) -> None:
        """Status, owner, queue, priority, title, stage and tags (see `tickets`)."""
        self._tickets.change(ticket_ref, change)

    def take(self, ticket_ref: TicketRef, agent: str, *, steal: bool = False) -> str:
        """RT's owner is its lock: one at a time, taken over only by whoever steals it."""
        return self._tickets.take(ticket_ref, agent, steal=steal)

    def release(self, ticket_ref: TicketRef, agent: str) -> str:
        """Give the ticket back to nobody, if `agent` still owns it."""
        if self._tickets.state(ticket_ref).owner.casefold() == agent.casefold():
            self._tickets.change(ticket_ref, TicketChange(owner=""))
        return self._tickets.state(ticket_ref).owner

    def who_pressed(self, ticket_ref: TicketRef, action: str) -> Presser | None:
        """As `NamesPresser` says, by the ticket's history."""
        return staff.presser(self._client, ticket_ref, action)

    def tags_of(self, ticket_ref: TicketRef) -> Sequence[str]:
        """As `TellsTags` says: the values of our own field for them."""
        return self._tickets.tags(ticket_ref)

    def groups_of(self, agent_ref: str) -> Sequence[str]:
        """As `TellsGroups` says, as far as RT lets the bridge's user see."""
        return staff.groups(self._client, agent_ref)

    def set_visibility(self, ticket_ref: TicketRef, article_ref: ArticleRef, *, is_internal: bool, sent_at: datetime | None = None) -> None:
        """Not in RT."""
        del ticket_ref, article_ref, is_internal, sent_at
        raise Unsupported("Request Tracker cannot turn a reply into a comment or back; nothing was changed. Write it again as the other.")

    def list_articles_since(self, ticket_ref: TicketRef, since: ArticleRef | None) -> Sequence[ArticleAdded]:
        """Creation, correspondence and comments after transaction `since`, of merged tickets too."""
        rows, is_there = self._articles.rows_since(ticket_ref, int(since or 0))
        if not is_there:
            self._tickets.state(ticket_ref)  # raises TargetGone: RT lists the history of what does not exist as empty
        return self._articles.read(ticket_ref, rows)

    def fetch_attachment(self, attachment: Attachment, *, max_bytes: int) -> File:
        """The bytes, from RT's web page for downloads."""
        if not re.fullmatch(r"[0-9]+/[0-9]+", attachment.media_ref):
            raise RemoteRejected("This file's reference is not one of RT's; nothing was fetched.")
        if attachment.size is not None and attachment.size > max_bytes:
            raise RemoteRejected(
                f"The file {attachment.filename} has {attachment.size} bytes, more than the {max_bytes} allowed; it stays in RT."
            )
        answer = self._client.download(f"/Ticket/Attachment/{attachment.media_ref}/", max_bytes=max_bytes)
        return File(
            filename=attachment.filename, content_type=attachment.content_type, content=answer.body, description=attachment.description
        )

    def follow_merge(self, ticket_ref: TicketRef) -> TicketState:
        """The ticket that answers for this id now."""
        return self._tickets.state(ticket_ref)

    def verify(self, request: WebhookRequest) -> None:
        """Accept what seed.pl's scrip signed."""
        verify_ours(request, secret=self._settings.webhook_secret, clock=self._clock, sender="Request Tracker")

    def parse(self, request: WebhookRequest) -> Sequence[HelpdeskEvent]:
        """One TicketTouched for each transaction."""
        return touches.parse_hook(request)

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """The same events as the web hook's, found by asking."""
        return touches.poll(self._client, position, own_name=self._settings.user)

    def probe(self) -> Sequence[Probe]:
        """Login, user, queue and history."""
        return probing.probe(self._client, self._settings)

    def provisions(self, setup_token: str) -> RtProvisions:
        """What sets up this RT, with an administrator's token."""
        return RtProvisions(self._settings, self._connection, self, token=setup_token)

    @staticmethod
    def _body(article: NewArticle, marker: Marker, *, has_author: bool = False) -> dict[str, Any]:
        return {
            "Subject": wording.subject(article, marker),
            "Content": wording.article_html(article, has_author=has_author),
            "ContentType": "text/html",
        }

    def _not_opened(self, ticket_ref: TicketRef) -> tuple[str, ...]:
        # The message is in. Whether the ticket is open is a second matter, which must not look like a message that was never filed.
        try:
            self._tickets.change(ticket_ref, TicketChange(is_closed=False))
        except RemoteError as problem:
            return (f"The message was filed but RT left the ticket closed: {problem} {problem.detail}".strip(),)
        return ()


class Rt:
    """Request Tracker before any configuration exists."""

    name = "rt"
    display_name = "Request Tracker"
    capabilities = _CAPABILITIES
    settings_schema = RtSettingsSchema()

    def connect(self, helpdesk: HelpdeskKey, settings: RtSettings, connection: Connection) -> RtAdapter:
        """Bind to one server. Makes no call."""
        del helpdesk
        return RtAdapter(settings, connection)


HELPDESK = Rt()


def _form_files(files: tuple[File, ...]) -> tuple[tuple[FormFile, ...], tuple[str, ...]]:
    """The files as form parts; RT refuses a whole message for one empty file, so those are only named."""
    parts = tuple(
        FormFile(filename=wording.one_line(file.filename, 200) or "file", content=file.content, content_type=file.content_type)
        for file in files
        if file.content
    )
    return parts, tuple(f"The file {file.filename} is empty; RT takes no empty files." for file in files if not file.content)
