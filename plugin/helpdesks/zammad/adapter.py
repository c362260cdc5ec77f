"""Zammad as a helpdesk: tickets by condition search, articles with our marker in the message id, webhooks as look-now signals.

Facts behind this module were measured on Zammad 6.2.0; see the README. No call is idempotent, so every write carries a marker that a strong
search finds again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits, Readback
from plugin.contracts.helpdesk import OAuth2Application, StaffMember
from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection, Polled, Probe
from plugin.contracts.provisioning import Provisions
from plugin.contracts.rulers import CODE_POINTS
from plugin.contracts.settings import SettingsSchema
from plugin.contracts.signing import is_one_of, sign
from plugin.domain.errors import (
    OutcomeUnknown,
    RemoteRejected,
    RemoteUnavailable,
    SignatureInvalid,
    TargetGone,
    UnsupportedEvent,
)
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
from plugin.helpdesks.zammad import clocks, fields, lookups, polling, probing, reading, staff, writing
from plugin.helpdesks.zammad.client import ZammadClient
from plugin.helpdesks.zammad.logins import login_of
from plugin.helpdesks.zammad.provision.provisions import ZammadProvisions
from plugin.helpdesks.zammad.provision.server import NEEDS
from plugin.helpdesks.zammad.schema import ZammadSettings, ZammadSettingsSchema

CAPABILITIES = Capabilities(
    receives=Level.FULL,
    replies_public=Level.FULL,
    replies_private=Level.FULL,
    attachments_in=Level.FULL,
    attachments_out=Level.FULL,
    threads=Level.DROPPED,
    flips=Level.FULL,
    visibilities=(Visibility.PUBLIC, Visibility.PRIVATE),
    marks=writing.MARKS,
    events=frozenset((TicketTouched,)),
    idempotency=Idempotency.NONE,
    readback=Readback.STRONG,
    limits=Limits(
        text_length=600_000,
        ruler=CODE_POINTS,
        file_bytes=20_000_000,
        files_per_message=50,
        concurrency=2,
        max_lifetime=120.0,
    ),
)


class ZammadAdapter:
    """One Zammad, as the bridge's own agent account sees it."""

    def __init__(self, settings: ZammadSettings, connection: Connection) -> None:
        limits = replace(CAPABILITIES.limits, file_bytes=settings.max_file_bytes, max_lifetime=settings.timeout + settings.settle_seconds)
        self.capabilities = replace(CAPABILITIES, limits=limits)
        self.poll_seconds = settings.poll_seconds
        self._settings = settings
        self._connection = connection
        self._login = ""
        self.setup_token_help = NEEDS
        self.has_setup_token = bool(settings.setup_token)

    def sign_in(self, login: str, password: str) -> StaffMember | None:
        """As `AuthenticatesStaff` says."""
        return staff.sign_in(self._settings, self._connection.http, login, password)

    def who_pressed(self, ticket_ref: TicketRef, action: str) -> Presser | None:
        """As `NamesPresser` says, by the ticket's history."""
        return staff.presser(self._begin(), ticket_ref, "cd_action", action)

    def tags_of(self, ticket_ref: TicketRef) -> Sequence[str]:
        """As `TellsTags` says (Zammad documentation, "API: Tags")."""
        told = self._begin().read_object("/tags", {"object": "Ticket", "o_id": ticket_ref})
        return tuple(str(tag) for tag in told.get("tags") or ())

    def groups_of(self, agent_ref: str) -> Sequence[str]:
        """As `TellsGroups` says. Roles and groups count alike."""
        return staff.groups(self._begin(), agent_ref)

    @property
    def oauth2(self) -> OAuth2Application | None:
        """As `OffersOAuth2` says."""
        ours = self._settings
        if not ours.oauth_client_id:
            return None
        return OAuth2Application(url=ours.url, web_url=ours.web_url, client_id=ours.oauth_client_id, client_secret=ours.oauth_client_secret)

    def find_or_create_customer(self, contact: Contact, *, channel: str, platform: str) -> CustomerRef:
        """As the contract says. The reference is our login; a twin that a race or a search index made is switched off."""
        login = login_of(channel, contact.ref)
        lookups.ensure_customer(self._begin(), login, contact)
        return CustomerRef(login)

    def open_ticket(self, ticket: NewTicket, *, marker: Marker) -> OpenedTicket:
        """As the contract says: one call finds or makes the customer and makes the ticket with its first article."""
        client = self._begin()
        login = ticket.customer_ref or login_of(ticket.channel, ticket.contact.ref)
        data, losses = writing.ticket_data(
            ticket, login=login, marker=marker, group=self._settings.group, max_file_bytes=self._settings.max_file_bytes
        )
        made = client.create("POST", "/tickets?expand=true", data)
        missing = fields.unknown(made, fields.columns(ticket.fields))
        losses += tuple(f"Zammad has no custom field {name} for tickets, so its value was not kept." for name in missing)
        losses += lookups.correct_customer(client, made, login) + lookups.link_former(client, made, ticket.follows)
        first = min(made.get("article_ids") or (), default=None)
        return self._opened(made, ArticleRef(str(first)) if first is not None else None, customer=login, losses=losses)

    def add_article(self, ticket_ref: TicketRef, article: NewArticle, *, marker: Marker) -> FiledArticle:
        """As the contract says. A closed ticket is opened in the same call: articles that come by its API do not open it."""
        client = self._begin()
        ticket = lookups.live_ticket(client, lookups.the_ticket(client, ticket_ref))
        data, losses = writing.article_data(
            article, origin=article.customer_ref, marker=marker, max_file_bytes=self._settings.max_file_bytes
        )
        try:
            return self._add(client, ticket, data, article, losses)
        except RemoteRejected as problem:
            if article.author is None or article.customer_ref is None or "origin_by" not in problem.detail:
                raise
        # Someone deleted the customer's record. Nothing was stored; make it again.
        lookups.ensure_customer(client, article.customer_ref, article.author)
        return self._add(client, ticket, data, article, losses)

    def update_ticket(self, ticket_ref: TicketRef, change: TicketChange) -> None:
        """As the contract says; merges are followed.

        Raises:
            RemoteRejected: the new owner is no agent of the group, or a custom field does not exist; the rest is changed. Zammad says neither.
        """
        client = self._begin()
        ticket = lookups.live_ticket(client, lookups.the_ticket(client, ticket_ref))
        data = writing.changed_data(ticket, change, closed_states=self._settings.closed_states)
        if data:
            changed = client.write("PUT", f"/tickets/{ticket['id']}?expand=true", data)
            if change.owner and isinstance(changed, Mapping) and str(changed.get("owner", "")).lower() != change.owner.lower():
                raise RemoteRejected(f"{change.owner} is no agent of the ticket's group, so Zammad left the ticket without owner.")
        for tags, method, path in ((change.add_tags, "POST", "/tags/add"), (change.remove_tags, "DELETE", "/tags/remove")):
            for tag in tags:
                client.write(method, path, {"object": "Ticket", "o_id": ticket["id"], "item": tag})
        missing = fields.unknown(ticket, fields.columns(change.fields))
        if missing:
            raise RemoteRejected(
                f"Zammad has no custom field {', '.join(missing)} for tickets. Everything else was changed; correct the rule."
            )

    def set_visibility(self, ticket_ref: TicketRef, article_ref: ArticleRef, *, is_internal: bool, sent_at: datetime | None = None) -> None:
        """As the contract says. It fires no trigger, and Zammad goes on counting a reply that nobody received: so the clock is put right."""
        client = self._begin()
        changed = client.write("PUT", f"/ticket_articles/{article_ref}", {"internal": is_internal})
        if isinstance(changed, Mapping) and reading.counts_as_response(changed):
            clocks.put_right(client, changed, is_internal=is_internal, sent_at=sent_at or self._connection.clock.now())

    def find_ticket(self, ticket: NewTicket, *, marker: Marker) -> OpenedTicket | None:
        """As the contract says, by the first article's message id."""
        found = lookups.find_marked(self._begin(), marker)
        if found is None:
            return None
        row, article_ref = found
        return self._opened(row, article_ref, customer=ticket.customer_ref or login_of(ticket.channel, ticket.contact.ref))

    def find_article(self, ticket_ref: TicketRef, *, marker: Marker) -> FiledArticle | None:
        """As the contract says, wherever a merge moved it. What a merged ticket swallowed does not count: nobody looks there."""
        found = lookups.find_marked(self._begin(), marker)
        return None if found is None else FiledArticle(ticket_ref=TicketRef(str(found[0]["id"])), article_ref=found[1])

    def list_articles_since(self, ticket_ref: TicketRef, since: ArticleRef | None) -> Sequence[ArticleAdded]:
        """As the contract says: besides the new ones, older replies that were changed, which an agent may just have made public."""
        client = self._begin()
        newer_than = int(since) if since is not None else 0
        rows = lookups.articles_of(client, ticket_ref)
        bridge = self._own_login(client)
        listed = (
            (row, reading.article_added(row, bridge=bridge, reply_types=self._settings.reply_types))
            for row in rows
            if row["id"] > newer_than or reading.was_changed(row)
        )
        return [added for row, added in listed if row["id"] > newer_than or added.is_reply]

    def fetch_attachment(self, attachment: Attachment, *, max_bytes: int) -> File:
        """As the contract says. Zammad answers 500 when a merge has moved the article since it was listed: then its place is asked for."""
        client = self._begin()
        if attachment.size is not None and attachment.size > max_bytes:
            raise RemoteRejected(f"The file {attachment.filename} has {attachment.size:,} bytes, the limit is {max_bytes:,}.")
        ticket_id, article_id, file_id = attachment.media_ref.split("/")
        try:
            answer = client.download(f"/ticket_attachment/{ticket_id}/{article_id}/{file_id}", max_bytes)
        except (RemoteRejected, RemoteUnavailable):
            place = str(client.read_row(f"/ticket_articles/{article_id}").get("ticket_id"))
            if place == ticket_id:
                raise
            answer = client.download(f"/ticket_attachment/{place}/{article_id}/{file_id}", max_bytes)
        if len(answer.body) > max_bytes:
            raise RemoteRejected(f"The file {attachment.filename} is larger than {max_bytes:,} bytes.")
        return File(
            filename=attachment.filename,
            content_type=attachment.content_type,
            content=answer.body,
            description=attachment.description,
        )

    def follow_merge(self, ticket_ref: TicketRef) -> TicketState:
        """As the contract says; a deleted ticket is `removed` and has no live reference. What an old tab overwrote is put right on the way."""
        client = self._begin()
        try:
            ticket = lookups.the_ticket(client, ticket_ref)
        except TargetGone:
            return TicketState(
                ticket_ref=ticket_ref, number="", title="", state="removed", is_closed=True, owner="", group="", live_ref=None
            )
        try:
            live: Mapping[str, Any] | None = lookups.live_ticket(client, ticket)
        except TargetGone:
            live = None
        shown = ticket if live is None else lookups.put_right(client, ticket, live)
        return reading.ticket_state(
            ticket,
            live_ref=None if live is None else TicketRef(str(live["id"])),
            closed_states=self._settings.closed_states,
            web_url=self._settings.web_url,
            fields=fields.told(shown, self._settings.custom_fields),
        )

    def verify(self, request: WebhookRequest) -> None:
        """Accept what is signed with HMAC-SHA1 over the raw body. Zammad signs no time: repeats are absorbed by the event keys."""
        signed = sign(self._settings.webhook_token, request.body, digest="sha1")
        if not is_one_of(request.headers.get("x-hub-signature", ""), f"sha1={signed}"):
            raise SignatureInvalid(
                "The webhook is not signed with webhook_token; nothing was stored. Compare the token in Zammad's webhook."
            )

    def parse(self, request: WebhookRequest) -> Sequence[HelpdeskEvent]:
        """One look-now signal. The payload shows the ticket as it is when the webhook is built, so nothing else is taken from it."""
        data = request.json()
        ticket = data.get("ticket") if isinstance(data, dict) else None
        if not isinstance(ticket, dict) or not ticket.get("id") or not ticket.get("updated_at"):
            raise UnsupportedEvent("The webhook names no ticket. Use Zammad's default payload.")
        article = data.get("article")
        return [reading.ticket_touched(ticket, article if isinstance(article, dict) else None)]

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """Tickets changed since: what webhooks lost, and notes made public, which fire no trigger."""
        return polling.poll(self._begin(), position)

    def provisions(self, setup_token: str) -> Provisions:
        """As `Provisionable.provisions`."""
        return ZammadProvisions(self._settings, self._connection, token=setup_token or self._settings.setup_token)

    def probe(self) -> Sequence[Probe]:
        """As the contract says."""
        return probing.probe(self._begin(), self._settings, webhook_url=self._connection.webhook_url)

    def _begin(self) -> ZammadClient:
        return ZammadClient(self._settings, self._connection.http)

    def _add(
        self, client: ZammadClient, ticket: Mapping[str, Any], data: Mapping[str, Any], article: NewArticle, losses: tuple[str, ...]
    ) -> FiledArticle:
        ticket_ref = TicketRef(str(ticket["id"]))
        if article.reopen and self._is_asleep(ticket):
            known = set(ticket.get("article_ids") or ())
            changed = client.create("PUT", f"/tickets/{ticket_ref}?expand=true", {"state": "open", "article": data})
            added = set(changed.get("article_ids") or ()) - known
            if len(added) != 1 or changed.get("state") == reading.MERGED:
                raise OutcomeUnknown("Zammad opened the ticket again but does not tell which article is ours; it is looked up.")
            return FiledArticle(ticket_ref=ticket_ref, article_ref=ArticleRef(str(added.pop())), losses=losses)
        made = client.create("POST", "/ticket_articles", {"ticket_id": ticket["id"], **data})
        return FiledArticle(ticket_ref=ticket_ref, article_ref=ArticleRef(str(made["id"])), losses=losses)

    def _is_asleep(self, ticket: Mapping[str, Any]) -> bool:
        state = str(ticket.get("state"))
        return state in self._settings.closed_states or state.startswith("pending")

    def _opened(
        self, row: Mapping[str, Any], article_ref: ArticleRef | None, *, customer: str, losses: tuple[str, ...] = ()
    ) -> OpenedTicket:
        return OpenedTicket(
            ticket_ref=TicketRef(str(row["id"])),
            number=str(row.get("number", "")),
            article_ref=article_ref,
            customer_ref=CustomerRef(customer),
            url=reading.ticket_url(self._settings.web_url, row["id"]),
            losses=losses,
        )

    def _own_login(self, client: ZammadClient) -> str:
        if not self._login:
            self._login = str(client.read_row("/users/me").get("login", "")).lower()
        return self._login


class Zammad:
    """Zammad before any configuration exists."""

    name = "zammad"
    display_name = "Zammad"
    capabilities = CAPABILITIES
    settings_schema: SettingsSchema = ZammadSettingsSchema()

    def connect(self, helpdesk: HelpdeskKey, settings: ZammadSettings, connection: Connection) -> ZammadAdapter:
        """Bind to one server. Makes no call."""
        return ZammadAdapter(settings, connection)


HELPDESK = Zammad()
