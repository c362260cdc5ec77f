"""What came of a call: the intent's ending and the effects to commit with it. Plain data between `calls` and `effects`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plugin.domain.events import HelpdeskEvent
from plugin.domain.ids import ArticleRef, CustomerRef, MessageRef, Place, ThreadKey, TicketRef
from plugin.domain.model import Contact, File
from plugin.store.intents import Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketOpened:
    """The conversation has a ticket. `was_found`: it was made by an earlier call whose answer we never saw."""

    ticket_ref: TicketRef
    number: str
    url: str
    customer_ref: CustomerRef
    was_found: bool
    is_rechecked: bool = False
    """Its messages must be asked about again while it is open: the platform tells of changes only to those who look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketMoved:
    """The ticket was merged into another one; the conversation follows."""

    ticket_ref: TicketRef


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLost:
    """The ticket is gone; the next article opens a linked one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketShut:
    """The ticket was closed or opened by our own call: no news when the helpdesk tells of it."""

    is_closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotEmptied:
    """The ticket's command slot was emptied; what stands in it now is to be read."""

    ticket_ref: TicketRef


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerKnown:
    """A contact's record in the helpdesk."""

    contact_id: int
    customer_ref: CustomerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactDescribed:
    """What the platform told of a contact when it was asked."""

    contact_id: int
    contact: Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A place knows the message under a new id."""

    place: Place
    message_id: int | None
    ref: MessageRef | ArticleRef
    part: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadOpened:
    """A private answer opened a thread: what the customer says there first belongs to this conversation's ticket."""

    thread_key: ThreadKey
    message_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A look at the ticket brought these facts."""

    events: tuple[HelpdeskEvent, ...]
    article_cursor: ArticleRef | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file was fetched."""

    part: int
    file: File


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRefused:
    """A file can't be had; the sentence stands in for it in the ticket."""

    part: int
    filename: str
    content_type: str
    refusal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskLocked:
    """The helpdesk's own lock was asked for `wanted` (empty: given back) and is `holder`'s now; `was_theirs`: they had it before we asked."""

    wanted: str
    holder: str
    was_theirs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldsShown:
    """Fields of ours in the ticket hold these values now."""

    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """The agent must be told: `name` makes the note unique for its event and part."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceBlocked:
    """Everybody lets the place rest for `seconds`."""

    place: Place
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceStopped:
    """The place needs a person: `status` is `reauth` or `billing`."""

    place: Place
    status: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceAnswered:
    """The place works again."""

    place: Place


Effect = (
    TicketOpened
    | TicketMoved
    | TicketLost
    | TicketShut
    | SlotEmptied
    | CustomerKnown
    | ContactDescribed
    | ThreadOpened
    | Known
    | Looked
    | Fetched
    | FetchRefused
    | DeskLocked
    | FieldsShown
    | Noted
    | PlaceBlocked
    | PlaceStopped
    | PlaceAnswered
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One intent's try. `stops_lane`: nothing further may be asked in this lane before the next turn."""

    intent_id: int
    event_id: int
    part: int
    lane: str
    ending: Ending
    effects: Sequence[Effect] = ()
    had_files: bool = False
    """Whether the article carried files of the customer's; once it stands, their bytes need not be kept."""
    stops_lane: bool = False
