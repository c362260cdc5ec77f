"""osTicket behind the helpdesk contract.

What shapes this: with our PHP plugin every write carries a marker and is done once, so that it may simply be asked for again; the plugin
tells only that a ticket was touched, and the entries are read from here. Without the plugin (`intake`) there is only one way in.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits, Readback
from plugin.contracts.helpdesk import StaffMember
from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection, Polled, Probe
from plugin.contracts.signing import verify_ours
from plugin.domain.errors import RemoteRejected, Unsupported
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
from plugin.domain.text import MarkKind, Text
from plugin.helpdesks.osticket import articles, emoji, hand_over, probing, touches, wording
from plugin.helpdesks.osticket.client import PluginClient
from plugin.helpdesks.osticket.intake import OsTicketIntake
from plugin.helpdesks.osticket.provisioning import OsTicketProvisions
from plugin.helpdesks.osticket.schema import (
    INTAKE,
    CustomerSchema,
    FiledSchema,
    FoundEntrySchema,
    FoundTicketSchema,
    LockSchema,
    OpenedSchema,
    OsTicketSettings,
    OsTicketSettingsSchema,
    StateSchema,
    WhoPressedSchema,
)

_CAPABILITIES = Capabilities(
    receives=Level.FULL,
    replies_public=Level.FULL,
    replies_private=Level.FULL,
    attachments_in=Level.FULL,
    attachments_out=Level.FULL,
    threads=Level.FULL,
    visibilities=(Visibility.PUBLIC, Visibility.PRIVATE),
    marks=frozenset({MarkKind.BOLD, MarkKind.ITALIC, MarkKind.STRIKE, MarkKind.CODE, MarkKind.PRE, MarkKind.QUOTE, MarkKind.LINK}),
    events=frozenset({TicketTouched}),
    idempotency=Idempotency.NATURAL,
    readback=Readback.STRONG,
    limits=Limits(file_bytes=10_000_000, files_per_message=20, concurrency=2, max_lifetime=120.0),
)


class OsTicketAdapter:
    """One osTicket with our plugin in it."""

    capabilities = _CAPABILITIES
    poll_seconds = 20.0
    setup_token_help = ""
    has_setup_token = False
    locks_by_owner = False

    def __init__(self, settings: OsTicketSettings, connection: Connection) -> None:
        self._settings = settings
        self._clock = connection.clock
        self._client = PluginClient(settings, connection)

    @property
    def hand_over_url(self) -> str:
        """As `HandsOverStaff` says: a page of our plugin, for agents who are signed in."""
        return (self._settings.web_url or self._settings.url) + hand_over.PATH

    def receive_staff(self, word: str) -> StaffMember | None:
        """As `HandsOverStaff` says."""
        return hand_over.receive(self._settings.webhook_secret, word, self._clock.now())

    def find_or_create_customer(self, contact: Contact, *, channel: str, platform: str) -> CustomerRef:
        """The osTicket user whose address is made of our key alone; its name follows the display name."""
        told = self._client.write("ensure_customer", {"customer": _customer(contact, channel=channel, platform=platform)}, CustomerSchema())
        return CustomerRef(told["customer"])

    def open_ticket(self, ticket: NewTicket, *, marker: Marker) -> OpenedTicket:
        """Open a ticket in the department `group`, or finish what an earlier call under this marker began."""
        body: dict[str, Any] = {
            "marker": marker,
            "title": wording.title(ticket.title),
            "group": ticket.group or self._settings.group,
            "priority": ticket.priority,
            "about": {
                "channel": ticket.channel,
                "platform": ticket.platform,
                "visibility": ticket.visibility.value,
                "stage": ticket.stage.value,
                "tags": [wording.tag(tag) for tag in ticket.tags],
            },
            "article": _article(ticket.article),
        }
        if ticket.customer_ref:
            body["customer_ref"] = ticket.customer_ref
        else:
            body["customer"] = _customer(ticket.contact, channel=ticket.channel, platform=ticket.platform)
        if ticket.follows:
            body["follows"] = ticket.follows
        if ticket.owner:
            body["owner"] = ticket.owner
        if ticket.fields:
            body["fields"] = _field_values(ticket.fields)
        return self._opened(self._client.write("open_ticket", body, OpenedSchema()))

    def find_ticket(self, ticket: NewTicket, *, marker: Marker) -> OpenedTicket | None:
        """The ticket of this marker, merged or not. None for one that lacks its first message: opening it again finishes it."""
        del ticket
        found = self._client.read("find_ticket", {"marker": marker}, FoundTicketSchema())["found"]
        return None if found is None else self._opened(found)

    def add_article(self, ticket_ref: TicketRef, article: NewArticle, *, marker: Marker) -> FiledArticle:
        """A message for what customers say, a reply for what our side said on the platform, a note for notes. Nobody outside is mailed."""
        kind = "note" if article.internal else "reply" if article.by_staff else "message"
        body = {"marker": marker, "ticket": ticket_ref, "kind": kind, "article": _article(article), "reopen": article.reopen}
        if article.customer_ref and kind == "message":
            body["customer_ref"] = article.customer_ref
        return _filed(self._client.write("add_entry", body, FiledSchema()))

    def find_article(self, ticket_ref: TicketRef, *, marker: Marker) -> FiledArticle | None:
        """The entry of this marker, wherever a merge took it."""
        found = self._client.read("find_entry", {"ticket": ticket_ref, "marker": marker}, FoundEntrySchema())["found"]
        return None if found is None else _filed(found)

    def update_ticket(self, ticket_ref: TicketRef, change: TicketChange) -> None:
        """Status, owner (user name), department, priority, title, stage and tags; only what differs is changed."""
        body: dict[str, Any] = {"ticket": ticket_ref}
        named = (("status", change.state), ("owner", change.owner), ("group", change.group), ("priority", change.priority))
        body |= {name: value for name, value in named if value is not None}
        if change.is_closed is not None and change.state is None:
            body["is_closed"] = change.is_closed
        if change.stage is not None:
            body["stage"] = change.stage.value
        if change.title is not None:
            body["title"] = wording.title(change.title)
        if change.fields:
            body["fields"] = _field_values(change.fields)
        if change.add_tags or change.remove_tags:
            body["add_tags"] = [wording.tag(tag) for tag in change.add_tags]
            body["remove_tags"] = [wording.tag(tag) for tag in change.remove_tags]
        self._client.write("change_ticket", body, StateSchema())

    def set_visibility(self, ticket_ref: TicketRef, article_ref: ArticleRef, *, is_internal: bool, sent_at: datetime | None = None) -> None:
        """Not in osTicket."""
        del ticket_ref, article_ref, is_internal, sent_at
        raise Unsupported("osTicket cannot turn a reply into a note or back; nothing was changed. Write it again as the other.")

    def list_articles_since(self, ticket_ref: TicketRef, since: ArticleRef | None) -> Sequence[ArticleAdded]:
        """Messages, replies and notes after entry `since`; osTicket never changes whether the customer may read one."""
        return articles.list_since(self._client, ticket_ref, since)

    def fetch_attachment(self, attachment: Attachment, *, max_bytes: int) -> File:
        """The bytes, through the plugin: osTicket's own links want a login."""
        if not attachment.media_ref.isascii() or not attachment.media_ref.isdigit():
            raise RemoteRejected("This file's reference is not one of osTicket's; nothing was fetched.")
        if attachment.size is not None and attachment.size > max_bytes:
            raise RemoteRejected(
                f"The file {attachment.filename} has {attachment.size} bytes, more than the {max_bytes} allowed; it stays in osTicket."
            )
        content = self._client.download(attachment.media_ref, max_bytes=max_bytes)
        return File(filename=attachment.filename, content_type=attachment.content_type, content=content, description=attachment.description)

    def follow_merge(self, ticket_ref: TicketRef) -> TicketState:
        """The ticket as it is now, and what it was merged into."""
        told = self._client.read("show_ticket", {"ticket": ticket_ref, "fields": list(self._settings.read_fields)}, StateSchema())
        live = told["live"]
        return TicketState(
            ticket_ref=ticket_ref,
            number=told["number"],
            title=told["title"],
            state=told["status"],
            is_closed=told["is_closed"],
            owner=told["owner"],
            group=told["group"],
            live_ref=None if live is None else ticket_ref if live == told["ticket"] else TicketRef(live),
            url="" if live is None else self._url(live),
            answering=told["answering"],
            fields=tuple((name, emoji.decode(Text(value)).plain) for name, value in told["fields_"].items()),
        )

    def who_pressed(self, ticket_ref: TicketRef, action: str) -> Presser | None:
        """As `NamesPresser` says, by what osTicket notes of changes to fields."""
        del action
        told = self._client.read("who_pressed", {"ticket": ticket_ref}, WhoPressedSchema())["presser"]
        return None if told is None else Presser(ref=told["agent"], name=told["name"], groups=tuple(told["groups"]))

    def verify(self, request: WebhookRequest) -> None:
        """Accept what the plugin signed."""
        verify_ours(request, secret=self._settings.webhook_secret, clock=self._clock, sender="osTicket")

    def parse(self, request: WebhookRequest) -> Sequence[HelpdeskEvent]:
        """One TicketTouched for each ticket that is told of."""
        return touches.parse_hook(request)

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """What the plugin could not tell by itself."""
        return touches.poll(self._client, position)

    def probe(self) -> Sequence[Probe]:
        """The plugin, osTicket's version, its preparation and limits."""
        return probing.probe(self._client)

    def provisions(self, setup_token: str) -> OsTicketProvisions:
        """What the plugin needs in osTicket's database. No token is needed: the plugin does it with osTicket's own rights."""
        del setup_token
        return OsTicketProvisions(self._client, self)

    def read_lock(self, ticket_ref: TicketRef) -> tuple[str, int]:
        """Who holds osTicket's own lock on the ticket (a user name, or empty), and for how many seconds yet."""
        told = self._client.read("lock", {"ticket": ticket_ref, "action": "read"}, LockSchema())
        return told["holder"], told["seconds"]

    def take(self, ticket_ref: TicketRef, agent: str, *, steal: bool = False) -> str:
        """Take or renew osTicket's own lock for an agent. Whose it is then."""
        body = {"ticket": ticket_ref, "action": "take", "agent": agent, "force": steal}
        return str(self._client.write("lock", body, LockSchema())["holder"])

    def release(self, ticket_ref: TicketRef, agent: str) -> str:
        """Give back an agent's lock; nobody else's."""
        if self.read_lock(ticket_ref)[0].casefold() != agent.casefold():
            return self.read_lock(ticket_ref)[0]
        body = {"ticket": ticket_ref, "action": "release", "agent": agent}
        return str(self._client.write("lock", body, LockSchema())["holder"])

    def _opened(self, told: Mapping[str, Any]) -> OpenedTicket:
        return OpenedTicket(
            ticket_ref=TicketRef(told["ticket"]),
            number=told["number"],
            article_ref=ArticleRef(told["entry"]),
            customer_ref=CustomerRef(told["customer"]),
            url=self._url(told["ticket"]),
            losses=tuple(told["losses"]),
        )

    def _url(self, ticket: str) -> str:
        return f"{self._settings.web_url}/scp/tickets.php?id={ticket}"


class OsTicket:
    """osTicket before any configuration exists."""

    name = "osticket"
    display_name = "osTicket"
    capabilities = _CAPABILITIES
    settings_schema = OsTicketSettingsSchema()

    def connect(self, helpdesk: HelpdeskKey, settings: OsTicketSettings, connection: Connection) -> OsTicketAdapter | OsTicketIntake:
        """Bind to one server. Makes no call."""
        del helpdesk
        return OsTicketIntake(settings, connection) if settings.mode == INTAKE else OsTicketAdapter(settings, connection)


HELPDESK = OsTicket()


def _customer(contact: Contact, *, channel: str, platform: str) -> dict[str, str]:
    return {"key": wording.customer_key(contact, channel=channel, platform=platform), "name": wording.display_name(contact)}


def _article(article: NewArticle) -> dict[str, Any]:
    return {
        "html": wording.article_html(article),
        "poster": wording.poster(article),
        "title": wording.title(article.subject) if article.subject else "",
        "files": [
            {
                "name": wording.file_name(file.filename),
                "type": file.content_type,
                "content": base64.b64encode(file.content).decode(),
            }
            for file in article.files
        ],
    }


def _field_values(fields: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {name: emoji.encode_line(value) for name, value in fields}


def _filed(told: Mapping[str, Any]) -> FiledArticle:
    return FiledArticle(ticket_ref=TicketRef(told["ticket"]), article_ref=ArticleRef(told["entry"]), losses=tuple(told["losses"]))
