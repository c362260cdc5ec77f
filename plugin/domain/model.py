"""The nouns that travel between platform, store and helpdesk. Frozen; times are aware UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from plugin.domain.ids import (
    ArticleRef,
    ContactRef,
    CustomerRef,
    MediaRef,
    MessageRef,
    ThreadKey,
    TicketRef,
)
from plugin.domain.text import Text


class Visibility(StrEnum):
    """Who may read a message on its platform."""

    PUBLIC = "public"
    PRIVATE = "private"


class Stage(StrEnum):
    """Where a conversation stands in the crossover contract (design, section 6)."""

    SOCIAL = "social"
    HANDOFF = "handoff"
    FORMAL = "formal"
    CONFIRMING = "confirming"
    RESOLVED = "resolved"


class Lane(StrEnum):
    """What a conversation asks of the outside, in queues that fail independently: two directions of writing, two of reading."""

    TO_HELPDESK = "to_helpdesk"
    TO_SOCIAL = "to_social"
    NOTICES = "notices"
    """What Crossdesk itself tells the customer: never behind a reply that is held."""
    AT_SOCIAL = "at_social"
    """What is done to others' messages on the platform: safe to repeat, and never behind a reply that is held."""
    AT_HELPDESK = "at_helpdesk"
    """What is done to the ticket's lock and to agents' own articles in the helpdesk: safe to repeat, and never before what is filed."""
    FROM_HELPDESK = "from_helpdesk"
    FROM_SOCIAL = "from_social"


class HeldReason(StrEnum):
    """Why an outbound message waits."""

    LOCK = "lock"
    APPROVAL = "approval"
    HANDOFF = "handoff"
    WINDOW = "window"
    AUTH = "auth"
    RATE = "rate"
    OUTAGE = "outage"
    PREFLIGHT = "preflight"
    LOOP = "loop"
    POLICY = "policy"


class Origin(StrEnum):
    """How an event reached us."""

    WEBHOOK = "webhook"
    POLL = "poll"
    BACKFILL = "backfill"
    ACTION = "action"
    """A person pressed something here."""
    TIMER = "timer"
    """A moment came that we had set ourselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person on a platform. The key is (channel, ref); everything else is what the platform said of it last, or unknown."""

    ref: ContactRef
    former_ref: ContactRef | None = None
    """Another id of the same person, told in the same breath (WhatsApp: the number beside the business-scoped id).

    Whoever was known by it is known by `ref` from now on.
    """
    display_name: str = ""
    handle: str = ""
    """As people write it, without a leading `@`."""
    url: str = ""
    avatar_url: str = ""
    language: str = ""
    is_bot: bool = False
    is_verified: bool | None = None
    followers: int | None = None
    created_at: datetime | None = None
    reputation: int | None = None
    """Points that the platform's people gave the contact in all (Reddit: karma); may be below nought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that belongs to a message or an article, not its bytes. `size` in bytes, None where the source does not tell."""

    media_ref: MediaRef
    filename: str
    content_type: str = "application/octet-stream"
    size: int | None = None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An attachment with its bytes, on its way out."""

    filename: str
    content_type: str
    content: bytes
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundMessage:
    """One part of a reply, ready for one call. Everything an adapter needs to send it identically twice."""

    thread_key: ThreadKey
    contact: Contact
    visibility: Visibility
    text: Text
    files: tuple[File, ...] = ()
    reply_to: MessageRef | None = None
    """The customer's message that is answered; on later parts of a split reply, the previous part."""
    created_at: datetime
    """Fixed when the wish was committed, so that a repeat is the same to the letter."""
    choices: tuple[str, ...] = ()
    """Short words that the customer may press instead of typing; a press comes back as the customer's own message with those words.

    Never more or longer ones than the platform declares. Without them the text still says what to answer: where they cannot stand, leave them out.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a platform answered to a delivery. `extra_refs` names further messages that the same call made."""

    message_ref: MessageRef
    url: str = ""
    extra_refs: tuple[MessageRef, ...] = ()
    losses: tuple[str, ...] = ()
    """Sentences on what the platform did not take, for the agent."""
    opened_thread: ThreadKey | None = None
    """The private thread in which the customer's answer to a private answer will stand, where the platform tells its id: the same ticket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArticle:
    """An article to be written by the bridge.

    `author` is the contact who spoke (None: the bridge itself, or staff answering natively on the platform: `by_staff`).
    `internal` articles are notes. `source_url` is the original post, `occurred_at` the platform's time.
    """

    text: Text
    author: Contact | None = None
    customer_ref: CustomerRef | None = None
    by_staff: bool = False
    internal: bool = False
    subject: str = ""
    files: tuple[File, ...] = ()
    source_url: str = ""
    occurred_at: datetime | None = None
    in_reply_to: ArticleRef | None = None
    reopen: bool = False
    """Open the ticket in the same call if it is closed: a customer has spoken."""
    is_warning: bool = False
    """A note that no agent shall overlook: the reply `in_reply_to` was held, refused or did not arrive, and what to press now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTicket:
    """A ticket to be opened with its first article. `customer_ref` is None the first time a contact is seen."""

    title: str
    group: str
    contact: Contact
    customer_ref: CustomerRef | None
    article: NewArticle
    channel: str
    platform: str
    visibility: Visibility
    stage: Stage = Stage.SOCIAL
    tags: tuple[str, ...] = ()
    priority: str = ""
    follows: TicketRef | None = None
    """The closed, merged or deleted ticket that this one continues."""
    owner: str = ""
    """The agent responsible from the start, as the helpdesk calls agents; empty: nobody yet."""
    fields: tuple[tuple[str, str], ...] = ()
    """Custom fields to fill, by name; see `TicketState.fields`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedTicket:
    """What the helpdesk made, or what was found under our marker."""

    ticket_ref: TicketRef
    number: str
    article_ref: ArticleRef | None
    customer_ref: CustomerRef
    url: str = ""
    losses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledArticle:
    """Where an article ended up: `ticket_ref` differs from the one asked for when a merge was followed."""

    ticket_ref: TicketRef
    article_ref: ArticleRef
    losses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketState:
    """A ticket as it is now. `live_ref` is where new articles must go (the merge target), None when it is deleted."""

    ticket_ref: TicketRef
    number: str
    title: str
    state: str
    is_closed: bool
    owner: str
    group: str
    live_ref: TicketRef | None
    url: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    """Custom fields with their values as text, empty ones included. Ours go by our own words (`stage`, `action`, `reply_as`), whatever the
    helpdesk calls them; any other by the helpdesk's own name, as far as the settings name it."""
    answering: str = ""
    """Who is writing in the ticket right now by the helpdesk's own short lock, as the helpdesk calls them; empty: nobody, or it has no such lock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketChange:
    """What to change on a ticket; None leaves a value alone."""

    state: str | None = None
    is_closed: bool | None = None
    owner: str | None = None
    group: str | None = None
    priority: str | None = None
    stage: Stage | None = None
    title: str | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    """Custom fields to set, by name; an empty value empties. See `TicketState.fields`."""
