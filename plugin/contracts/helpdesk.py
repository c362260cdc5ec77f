"""The contract of a helpdesk. One writer per ticket at a time: the lease sees to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from plugin.contracts.capabilities import Capabilities
from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection, Probe
from plugin.contracts.settings import SettingsSchema
from plugin.domain.events import ArticleAdded, HelpdeskEvent, Presser
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
)


@runtime_checkable
class HelpdeskAdapter(Protocol):
    """A helpdesk bound to its server and our account there."""

    capabilities: Capabilities

    def find_or_create_customer(self, contact: Contact, *, channel: str, platform: str) -> CustomerRef:
        """The customer record of a contact: by our own key alone, never by a look-alike name. Safe to repeat."""
        ...

    def open_ticket(self, ticket: NewTicket, *, marker: Marker) -> OpenedTicket:
        """Open a ticket with its first article. The marker goes into the ticket so that `find_ticket` finds it.

        Raises:
            RemoteError: any of its kinds; `OutcomeUnknown` where it may exist now.
        """
        ...

    def add_article(self, ticket_ref: TicketRef, article: NewArticle, *, marker: Marker) -> FiledArticle:
        """Add an article or note, following merges first.

        Raises:
            TargetGone: the ticket is deleted.
            RemoteError: any of its kinds.
        """
        ...

    def update_ticket(self, ticket_ref: TicketRef, change: TicketChange) -> None:
        """Change the ticket's data. Safe to repeat."""
        ...

    def set_visibility(self, ticket_ref: TicketRef, article_ref: ArticleRef, *, is_internal: bool, sent_at: datetime | None = None) -> None:
        """Show or hide an article. Safe to repeat.

        `sent_at` comes with a reply that is shown: when the customer was sent it, which a clock of the helpdesk's shall count, however much later
        this call is made. None: just now.

        Raises:
            Unsupported: this helpdesk cannot.
        """
        ...

    def find_ticket(self, ticket: NewTicket, *, marker: Marker) -> OpenedTicket | None:
        """The ticket that an earlier `open_ticket` with this marker made, or None when it is surely not there."""
        ...

    def find_article(self, ticket_ref: TicketRef, *, marker: Marker) -> FiledArticle | None:
        """The article that an earlier `add_article` with this marker made, or None when it is surely not there."""
        ...

    def list_articles_since(self, ticket_ref: TicketRef, since: ArticleRef | None) -> Sequence[ArticleAdded]:
        """Articles after `since`, oldest first, ours included (with their marker), plus older ones whose visibility may have changed."""
        ...

    def fetch_attachment(self, attachment: Attachment, *, max_bytes: int) -> File:
        """The bytes of an article's file.

        Raises:
            RemoteRejected: it is too big.
        """
        ...

    def follow_merge(self, ticket_ref: TicketRef) -> TicketState:
        """The ticket as it is now, with the place where new articles must go."""
        ...

    def verify(self, request: WebhookRequest) -> None:
        """As `PlatformAdapter.verify`."""
        ...

    def parse(self, request: WebhookRequest) -> Sequence[HelpdeskEvent]:
        """As `PlatformAdapter.parse`."""
        ...

    def probe(self) -> Sequence[Probe]:
        """As `PlatformAdapter.probe`."""
        ...


@runtime_checkable
class TakesLock(Protocol):
    """A helpdesk whose own word for "I am answering this" agents see, and which the bridge may set for them."""

    locks_by_owner: bool
    """Its lock is the ticket's owner: who owned the ticket before is no agent who writes just now, and is not asked to let go."""

    def take(self, ticket_ref: TicketRef, agent: str, *, steal: bool = False) -> str:
        """Make `agent`, as the helpdesk calls them, the one who answers; from somebody else only if `steal`. Safe to repeat.

        Returns who it is afterwards: another name than `agent` when somebody was first.

        Raises:
            TargetGone: the ticket is deleted.
            RemoteRejected: the helpdesk does not let this agent take it.
            RemoteError: any other of its kinds.
        """
        ...

    def release(self, ticket_ref: TicketRef, agent: str) -> str:
        """Let go of what `agent` has taken, and of nobody else's. Returns who has it afterwards; empty: nobody. Raises as `take`."""
        ...


@runtime_checkable
class TellsTags(Protocol):
    """A helpdesk whose tickets have tags that can be read."""

    def tags_of(self, ticket_ref: TicketRef) -> Sequence[str]:
        """A ticket's tags, ours included. Asked only where the policy looks at them.

        Raises:
            RemoteError: any of its kinds; it reads only.
        """
        ...


@runtime_checkable
class TellsGroups(Protocol):
    """A helpdesk that tells in which groups an agent is."""

    def groups_of(self, agent_ref: str) -> Sequence[str]:
        """The groups and roles of an agent, by the key that articles bear; none where that cannot be told. Asked only where the policy looks at them.

        Raises:
            RemoteError: any of its kinds but `RemoteRejected`; it reads only.
        """
        ...


@runtime_checkable
class NamesPresser(Protocol):
    """A helpdesk that keeps who filled a ticket's command slot."""

    def who_pressed(self, ticket_ref: TicketRef, action: str) -> Presser | None:
        """Who chose `action`, which stands in the slot now; None where that cannot be told.

        Raises:
            RemoteError: any of its kinds; it reads only.
        """
        ...


class Helpdesk(Protocol):
    """A helpdesk before any configuration exists."""

    name: str
    display_name: str
    capabilities: Capabilities
    settings_schema: SettingsSchema

    def connect(self, helpdesk: HelpdeskKey, settings: Any, connection: Connection) -> HelpdeskAdapter:
        """Bind to one server. Makes no call."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """Somebody who works in the helpdesk, as it told at sign-in: `groups` are the names of their roles and groups there."""

    login: str
    name: str
    groups: tuple[str, ...] = ()


@runtime_checkable
class AuthenticatesStaff(Protocol):
    """Optional for a helpdesk adapter: lets staff sign in to the console with what they sign in to the helpdesk with."""

    def sign_in(self, login: str, password: str) -> StaffMember | None:
        """Who this is; None when the helpdesk does not accept them, or they are a customer. The password is kept nowhere.

        Raises:
            RemoteUnavailable: the helpdesk could not be asked.
            RemoteRejected: it lets nobody sign in this way; the sentence says what to change.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2Application:
    """What a helpdesk knows us by when its staff sign in through its own pages. `url` is how we reach it, `web_url` how browsers do."""

    url: str
    web_url: str
    client_id: str
    client_secret: str = field(repr=False)


@runtime_checkable
class OffersOAuth2(Protocol):
    """Optional for a helpdesk adapter: its staff can sign in by OAuth 2.0 instead of telling us a password."""

    @property
    def oauth2(self) -> OAuth2Application | None:
        """The application that was registered there for us; None while the settings name none."""
        ...


@runtime_checkable
class HandsOverStaff(Protocol):
    """Optional for a helpdesk adapter: whoever is signed in there comes over by a signed word, and tells us no password."""

    @property
    def hand_over_url(self) -> str:
        """The page of the helpdesk that sends them over; empty where it cannot."""
        ...

    def receive_staff(self, word: str) -> StaffMember | None:
        """Whom a word vouches for; None when it is not from there, or too old. The caller sees to it that each counts once. Makes no call."""
        ...
