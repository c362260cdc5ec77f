"""Normalised facts from outside. Past tense, frozen, closed union; a platform's own words never pass its folder.

`event_key` is unique within the place that speaks (a channel or a helpdesk) and the same however the fact arrived: by webhook,
poll or echo. `occurred_at` is their time; None where they do not tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from plugin.domain.ids import ArticleRef, ContactRef, Marker, MessageRef, ThreadKey, TicketRef
from plugin.domain.model import Attachment, Contact, Visibility
from plugin.domain.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived:
    """Someone said something on a channel, our own account included (`is_own`)."""

    event_key: str
    occurred_at: datetime | None
    message_ref: MessageRef
    thread_key: ThreadKey
    visibility: Visibility
    author: Contact
    text: Text
    attachments: tuple[Attachment, ...] = ()
    parent_ref: MessageRef | None = None
    """The message this one answers. It may be unknown to us (the customer answered a third person)."""
    url: str = ""
    is_own: bool = False
    marker: Marker | None = None
    """Our marker, where the platform carries it back with an echo."""
    remarks: tuple[str, ...] = ()
    """Sentences for the agent on what could not be carried (a sticker, an encrypted body, a poll)."""
    found_by: str = ""
    """The saved search that found it; empty when it was addressed to us."""
    no_reply: str = ""
    """A sentence on why the platform does not let us answer this; empty when it does."""
    album: str = ""
    """What the platform calls an album that it tells file by file, unique in the thread: events that bear the same one become one message."""
    former_thread: ThreadKey | None = None
    """Another key of the same conversation, as `Contact.former_ref`: one that is known by it is known by `thread_key` from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEdited:
    """A message now says something else. `revision` tells edits of one message apart and sorts as text."""

    event_key: str
    occurred_at: datetime | None
    message_ref: MessageRef
    revision: str
    text: Text
    attachments: tuple[Attachment, ...] = ()
    thread_key: ThreadKey | None = None
    author_ref: ContactRef | None = None
    """Who edited, on platforms where anyone in the room can send an edit: one that is not by the message's author counts for nothing."""
    is_own: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted:
    """A message was taken back by its author or removed by the platform."""

    event_key: str
    occurred_at: datetime | None
    message_ref: MessageRef
    thread_key: ThreadKey | None = None
    is_own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionChanged:
    """A reaction was given (`added`) or taken back."""

    event_key: str
    occurred_at: datetime | None
    message_ref: MessageRef
    author: Contact
    emoji: str
    added: bool
    thread_key: ThreadKey | None = None


class DeliveryStatus(StrEnum):
    """How far an outbound message came, in rising order but for `failed`."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryUpdated:
    """The platform says how far one of our messages came. `detail` is its reason, for the agent.

    With `until` it names no message (`message_ref` is empty): everything of ours in `thread_key` that was sent up to then came so far.
    """

    event_key: str
    occurred_at: datetime | None
    message_ref: MessageRef
    status: DeliveryStatus
    detail: str = ""
    thread_key: ThreadKey | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactReachability:
    """A contact blocked us, left, or can be reached again."""

    event_key: str
    occurred_at: datetime | None
    thread_key: ThreadKey
    is_reachable: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberUnreadable:
    """One member of a delivery could not be read, while others could: set aside, until a person has it read again or drops it.

    It says nothing and no conversation waits for it. The key is the member's content, so that the same one is the same fact. `reason` says
    why; `excerpt` is how the member begins, for the admin: it may hold what a customer said, like the delivery itself.
    """

    event_key: str
    reason: str
    excerpt: str = ""
    thread_key: ThreadKey | None = None
    """Its conversation, as far as that is plain without reading it."""
    occurred_at: datetime | None = None


class ArticleAuthor(StrEnum):
    """Who wrote an article, as far as the gate must know."""

    AGENT = "agent"
    CUSTOMER = "customer"
    BRIDGE = "bridge"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleAdded:
    """An article stands in a ticket.

    `is_reply`: an agent chose that the customer shall read it, by the helpdesk's own means. Notes, fields and the system's own
    articles are never replies. The key carries the visibility, so a note that is made public later is a new fact.
    """

    event_key: str
    occurred_at: datetime | None
    ticket_ref: TicketRef
    article_ref: ArticleRef
    author: ArticleAuthor
    agent_name: str
    is_reply: bool
    text: Text
    agent_ref: str = ""
    """The agent as the helpdesk's own key; empty where it does not tell."""
    agent_groups: tuple[str, ...] = ()
    """The agent's groups and roles, of a reply, where the policy looks at them and the helpdesk tells."""
    attachments: tuple[Attachment, ...] = ()
    marker: Marker | None = None
    remarks: tuple[str, ...] = ()
    unsent: str = ""
    """Why what an agent made public in the helpdesk is no reply all the same, in a sentence for them; empty: it is one, or it is internal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presser:
    """Who chose what stands in a ticket's command slot: `ref` is the helpdesk's own key of the agent, `groups` their groups and roles there."""

    ref: str = ""
    name: str = ""
    groups: tuple[str, ...] = ()
    is_supervisor: bool = False
    """They bear the mark that setting the helpdesk up has made for supervisors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketChanged:
    """A ticket's own data changed. `merged_into` is where it went; `is_deleted` when it is gone."""

    event_key: str
    occurred_at: datetime | None
    ticket_ref: TicketRef
    state: str
    is_closed: bool
    owner: str
    group: str
    merged_into: TicketRef | None = None
    is_deleted: bool = False
    fields: tuple[tuple[str, str], ...] = ()
    """Custom fields as they are now; see `TicketState.fields`."""
    answering: str = ""
    """Who is writing right now by the helpdesk's own lock; see `TicketState.answering`."""
    presser: Presser | None = None
    """Who filled the command slot, where the helpdesk tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketTouched:
    """Look now: something happened in this ticket; its articles must be listed to know what (see facts on webhooks as signals)."""

    event_key: str
    occurred_at: datetime | None
    ticket_ref: TicketRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionTaken:
    """A person pressed something: in the panel, the console, on the command line, or by a field of the ticket.

    `event_key` is the press itself, so that the same press told twice is one action.
    """

    event_key: str
    occurred_at: datetime | None
    action: str
    """What: `handoff`, `postpone`, `take_lock`, `approve` ..."""
    actor: str
    """Who, as the helpdesk calls them."""
    role: str = "agent"
    """`agent`, `supervisor`, `admin` or `customer`."""
    reason: str = ""
    arguments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerElapsed:
    """A time that we set for a conversation has come. It stands among the waiting events until then; `event_key` holds name and moment."""

    event_key: str
    occurred_at: datetime | None
    name: str


PlatformEvent = (
    MessageReceived | MessageEdited | MessageDeleted | ReactionChanged | DeliveryUpdated | ContactReachability | MemberUnreadable
)
HelpdeskEvent = ArticleAdded | TicketChanged | TicketTouched
BridgeEvent = ActionTaken | TimerElapsed
Event = PlatformEvent | HelpdeskEvent | BridgeEvent
EVENT_TYPES: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        MessageReceived,
        MessageEdited,
        MessageDeleted,
        ReactionChanged,
        DeliveryUpdated,
        ContactReachability,
        MemberUnreadable,
        ArticleAdded,
        TicketChanged,
        TicketTouched,
        ActionTaken,
        TimerElapsed,
    )
}
