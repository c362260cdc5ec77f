"""A ticket system in memory that satisfies the helpdesk contract: for tests of the engine.

Agents act by `reply`, `note`, `close`, `merge` and the like; what the bridge did stands in `tickets`. Opening twice opens two tickets,
filing twice files two articles: a helpdesk that hid the engine's mistakes would be of no use.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from plugin.contracts.capabilities import Capabilities, Level, Limits, Readback
from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection, Polled, Probe
from plugin.contracts.settings import SettingsSchema
from plugin.domain.errors import RemoteRejected, TargetGone
from plugin.domain.events import ArticleAdded, ArticleAuthor, HelpdeskEvent, TicketTouched
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
from plugin.testing import fake_settings
from plugin.testing.fake_settings import FakeSettings, FakeSettingsSchema
from plugin.testing.fake_tickets import BEGINNING, Article, Ticket, added, opened, state, written
from plugin.testing.faults import Faults

CAPABILITIES = Capabilities(
    replies_public=Level.FULL,
    replies_private=Level.FULL,
    attachments_in=Level.FULL,
    attachments_out=Level.FULL,
    threads=Level.FULL,
    flips=Level.FULL,
    visibilities=(Visibility.PUBLIC, Visibility.PRIVATE),
    marks=frozenset(MarkKind),
    events=frozenset({ArticleAdded, TicketTouched}),
    readback=Readback.STRONG,
    limits=Limits(file_bytes=1_000_000, files_per_message=10, max_lifetime=1.0),
)


class FakeHelpdesk:
    """The ticket system and our account in it: `Helpdesk` and `HelpdeskAdapter` in one."""

    name = "fake"
    display_name = "Fake helpdesk"
    settings_schema: SettingsSchema = FakeSettingsSchema()
    poll_seconds = 0.05

    def __init__(
        self, *, capabilities: Capabilities = CAPABILITIES, settings: FakeSettings | None = None, refs: Iterable[str] | None = None
    ) -> None:
        self.capabilities = capabilities
        self.faults = Faults()
        self._settings = settings or FakeSettings(secret="a fake's secret")
        self.groups: dict[str, tuple[str, ...]] = {}
        """The groups of agents, by name."""
        self._lock = threading.RLock()
        self._tickets: dict[TicketRef, Ticket] = {}
        self._customers: dict[tuple[str, str], CustomerRef] = {}
        self._feed: list[TicketTouched] = []
        self._articles = itertools.count(1)
        self._refs = iter(refs) if refs is not None else (f"t{number}" for number in itertools.count(1))

    def connect(self, helpdesk: HelpdeskKey, settings: FakeSettings, connection: Connection) -> FakeHelpdesk:
        """The same helpdesk, seen with these settings."""
        bound = copy.copy(self)
        bound._settings = settings  # noqa: SLF001 - it is one of us
        return bound

    # What agents do and see

    @property
    def tickets(self) -> tuple[Ticket, ...]:
        """Every ticket, in order."""
        with self._lock:
            return tuple(self._tickets.values())

    def reply(self, ticket_ref: TicketRef, words: str, *, agent: str = "Ada Agent", files: tuple[File, ...] = ()) -> TicketTouched:
        """An agent answers the customer."""
        return self._write(ticket_ref, words, agent, internal=False, files=files)

    def note(self, ticket_ref: TicketRef, words: str, *, agent: str = "Ada Agent") -> TicketTouched:
        """An agent writes an internal note."""
        return self._write(ticket_ref, words, agent, internal=True)

    def publish(self, ticket_ref: TicketRef, article_ref: ArticleRef) -> TicketTouched:
        """An agent makes a note public later."""
        with self._lock:
            article = next(article for article in self._existing(ticket_ref).articles if article.ref == article_ref)
            article.internal, article.flips = False, article.flips + 1
            return self._touch(ticket_ref)

    def set_state(self, ticket_ref: TicketRef, state: str) -> TicketTouched:
        """An agent closes (`closed`) or opens (`open`) a ticket."""
        with self._lock:
            self._existing(ticket_ref).state = state
            return self._touch(ticket_ref)

    def fill(self, ticket_ref: TicketRef, **values: str) -> TicketTouched:
        """An agent fills in fields of a ticket."""
        with self._lock:
            self._existing(ticket_ref).fields |= values
            return self._touch(ticket_ref)

    def merge(self, ticket_ref: TicketRef, into: TicketRef) -> TicketTouched:
        """An agent merges a ticket into another: its articles move along."""
        with self._lock:
            merged, target = self._existing(ticket_ref), self._existing(into)
            merged.merged_into, merged.state = into, "merged"
            target.articles += merged.articles
            merged.articles = []
            return self._touch(ticket_ref)

    def remove(self, ticket_ref: TicketRef) -> TicketTouched:
        """An admin deletes a ticket for good."""
        with self._lock:
            self._existing(ticket_ref).is_deleted = True
            return self._touch(ticket_ref)

    def webhook(self, *events: HelpdeskEvent) -> WebhookRequest:
        """The signed webhook that brings `events`."""
        return fake_settings.signed(events, self._settings)

    # What the bridge asks

    def find_or_create_customer(self, contact: Contact, *, channel: str, platform: str) -> CustomerRef:
        """As `HelpdeskAdapter.find_or_create_customer`."""
        return self.faults.around("find_or_create_customer", lambda: self._customer(contact, channel))

    def open_ticket(self, ticket: NewTicket, *, marker: Marker) -> OpenedTicket:
        """As `HelpdeskAdapter.open_ticket`."""
        return self.faults.around("open_ticket", lambda: self._open(ticket, marker))

    def find_ticket(self, ticket: NewTicket, *, marker: Marker) -> OpenedTicket | None:
        """As `HelpdeskAdapter.find_ticket`."""

        def look() -> OpenedTicket | None:
            return next((opened(found) for found in self.tickets if found.marker == marker and not found.is_deleted), None)

        return self.faults.around("find_ticket", look)

    def add_article(self, ticket_ref: TicketRef, article: NewArticle, *, marker: Marker) -> FiledArticle:
        """As `HelpdeskAdapter.add_article`."""
        return self.faults.around("add_article", lambda: self._file(ticket_ref, article, marker))

    def find_article(self, ticket_ref: TicketRef, *, marker: Marker) -> FiledArticle | None:
        """As `HelpdeskAdapter.find_article`, wherever a merge has moved it."""

        def look() -> FiledArticle | None:
            found = ((ticket, article) for ticket in self.tickets for article in ticket.articles if article.marker == marker)
            return next((FiledArticle(ticket_ref=ticket.ref, article_ref=article.ref) for ticket, article in found), None)

        return self.faults.around("find_article", look)

    def update_ticket(self, ticket_ref: TicketRef, change: TicketChange) -> None:
        """As `HelpdeskAdapter.update_ticket`."""
        self.faults.around("update_ticket", lambda: self._change(ticket_ref, change))

    def set_visibility(self, ticket_ref: TicketRef, article_ref: ArticleRef, *, is_internal: bool, sent_at: datetime | None = None) -> None:
        """As `HelpdeskAdapter.set_visibility`."""

        def apply() -> None:
            with self._lock:
                for article in self._live(ticket_ref).articles:
                    if article.ref == article_ref and article.internal is not is_internal:
                        article.internal, article.flips, article.sent_at = is_internal, article.flips + 1, sent_at

        self.faults.around("set_visibility", apply)

    def list_articles_since(self, ticket_ref: TicketRef, since: ArticleRef | None) -> Sequence[ArticleAdded]:
        """As `HelpdeskAdapter.list_articles_since`; older public ones are listed too, as any may have been made public."""

        def look() -> Sequence[ArticleAdded]:
            with self._lock:
                ticket = self._existing(ticket_ref)
                known = int(since[1:]) if since else 0
                return [added(ticket, article) for article in ticket.articles if int(article.ref[1:]) > known or not article.internal]

        return self.faults.around("list_articles_since", look)

    def tags_of(self, ticket_ref: TicketRef) -> Sequence[str]:
        """As `TellsTags.tags_of`."""
        with self._lock:
            return sorted(self._existing(ticket_ref).tags)

    def groups_of(self, agent_ref: str) -> Sequence[str]:
        """As `TellsGroups.groups_of`."""
        return self.groups.get(agent_ref, ())

    def tag(self, ticket_ref: TicketRef, word: str) -> TicketTouched:
        """An agent puts a tag on a ticket."""
        with self._lock:
            self._existing(ticket_ref).tags.add(word)
            return self._touch(ticket_ref)

    def fetch_attachment(self, attachment: Attachment, *, max_bytes: int) -> File:
        """As `HelpdeskAdapter.fetch_attachment`."""

        def look() -> File:
            ref, _, number = attachment.media_ref.rpartition("/")
            for ticket in self.tickets:
                for article in ticket.articles:
                    if article.ref == ref and len(article.files[int(number)].content) <= max_bytes:
                        return article.files[int(number)]
            raise RemoteRejected("The file is gone from the fake helpdesk, or too big; the reply is kept without it.")

        return self.faults.around("fetch_attachment", look)

    def follow_merge(self, ticket_ref: TicketRef) -> TicketState:
        """As `HelpdeskAdapter.follow_merge`."""

        def look() -> TicketState:
            with self._lock:
                with contextlib.suppress(TargetGone):
                    return state(self._tickets[ticket_ref], self._live(ticket_ref).ref)
                return state(self._tickets[ticket_ref], None)

        return self.faults.around("follow_merge", look)

    def verify(self, request: WebhookRequest) -> None:
        """As `HelpdeskAdapter.verify`."""
        fake_settings.verify(request, self._settings)

    def parse(self, request: WebhookRequest) -> Sequence[HelpdeskEvent]:
        """As `HelpdeskAdapter.parse`."""
        return fake_settings.parse(request, self.capabilities.events)

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """As `PollsEvents.poll`, fifty at a time."""

        def look() -> Polled:
            start = int((position or {}).get("next", 0))
            with self._lock:
                events = tuple(self._feed[start : start + 50])
                end = start + len(events)
                return Polled(events=events, position={"next": end}, has_more=end < len(self._feed))

        return self.faults.around("poll", look)

    def probe(self) -> Sequence[Probe]:
        """As `HelpdeskAdapter.probe`: always well."""
        return [Probe(name="account", is_ok=True, answer="in memory")]

    def _customer(self, contact: Contact, channel: str) -> CustomerRef:
        with self._lock:
            return self._customers.setdefault((channel, contact.ref), CustomerRef(f"c{len(self._customers) + 1}"))

    def _open(self, new: NewTicket, marker: Marker) -> OpenedTicket:
        with self._lock:
            number = len(self._tickets) + 1
            ticket = Ticket(
                ref=TicketRef(next(self._refs)),
                number=f"{10_000 + number}",
                title=new.title,
                group=new.group,
                customer_ref=new.customer_ref or self._customer(new.contact, new.channel),
                marker=marker,
                new=new,
                priority=new.priority,
                stage=new.stage,
                tags=set(new.tags),
                owner=new.owner,
                fields=dict(new.fields),
            )
            ticket.articles.append(written(new.article, self._next_ref(), marker))
            self._tickets[ticket.ref] = ticket
            return opened(ticket)

    def _file(self, ticket_ref: TicketRef, new: NewArticle, marker: Marker) -> FiledArticle:
        with self._lock:
            ticket = self._live(ticket_ref)
            article = written(new, self._next_ref(), marker)
            ticket.articles.append(article)
            if new.reopen and ticket.is_closed:
                ticket.state = "open"
            return FiledArticle(ticket_ref=ticket.ref, article_ref=article.ref)

    def _change(self, ticket_ref: TicketRef, change: TicketChange) -> None:
        with self._lock:
            ticket = self._live(ticket_ref)
            if change.is_closed is not None:
                ticket.state = "closed" if change.is_closed else "open"
            for name in ("state", "owner", "group", "priority", "stage", "title"):
                if (value := getattr(change, name)) is not None:
                    setattr(ticket, name, value)
            ticket.fields |= dict(change.fields)
            ticket.tags = (ticket.tags | set(change.add_tags)) - set(change.remove_tags)

    def _write(self, ticket_ref: TicketRef, words: str, agent: str, *, internal: bool, files: tuple[File, ...] = ()) -> TicketTouched:
        with self._lock:
            ticket = self._existing(ticket_ref)
            ticket.articles.append(
                Article(
                    ref=self._next_ref(),
                    author=ArticleAuthor.AGENT,
                    name=agent,
                    text=Text(words),
                    internal=internal,
                    files=files,
                )
            )
            return self._touch(ticket_ref)

    def _touch(self, ticket_ref: TicketRef) -> TicketTouched:
        number = len(self._feed) + 1
        event = TicketTouched(event_key=f"touch:{number}", occurred_at=BEGINNING + timedelta(seconds=number), ticket_ref=ticket_ref)
        self._feed.append(event)
        return event

    def _next_ref(self) -> ArticleRef:
        return ArticleRef(f"a{next(self._articles)}")

    def _existing(self, ticket_ref: TicketRef) -> Ticket:
        ticket = self._tickets.get(ticket_ref)
        if ticket is None or ticket.is_deleted:
            raise TargetGone("There is no such ticket in the fake helpdesk (any more); nothing was changed.")
        return ticket

    def _live(self, ticket_ref: TicketRef) -> Ticket:
        ticket = self._existing(ticket_ref)
        while ticket.merged_into is not None:
            ticket = self._existing(ticket.merged_into)
        return ticket
