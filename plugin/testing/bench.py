"""A running helpdesk on the bench: the adapter, and an agent who works there by the helpdesk's own means. `desk_suite` asks it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from plugin.contracts.helpdesk import HelpdeskAdapter
from plugin.contracts.platform import PollsEvents
from plugin.domain.errors import CrossdeskError
from plugin.domain.events import ArticleAdded, TicketTouched
from plugin.domain.ids import ContactRef, Marker, TicketRef
from plugin.domain.model import Contact, NewTicket
from plugin.testing import outgoing

_MOST_PAGES = 20


class Agent(Protocol):
    """Somebody who works in the helpdesk by its own means, never by the bridge. Each returns when the helpdesk has done it."""

    def reply(self, ticket: str, html: str, files: Sequence[tuple[str, bytes, str]] = ()) -> None:
        """Answer the customer; files as (name, bytes, content type)."""
        ...

    def note(self, ticket: str, html: str) -> None:
        """Write a note among us."""
        ...

    def close(self, ticket: str) -> None:
        """Close the ticket, as a quick question may be."""
        ...

    def merge(self, ticket: str, into: str) -> None:
        """Merge one ticket into another, which lives on."""
        ...

    def delete(self, ticket: str) -> None:
        """Delete it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A running helpdesk. `groups`: two that are set up for the bridge, the first being its own; `agents`: two, as the helpdesk calls them."""

    adapter: HelpdeskAdapter
    agent: Agent
    groups: tuple[str, str]
    agents: tuple[str, str]

    def contact(self, name: str = "Mia Lund") -> Contact:
        """Somebody new."""
        return Contact(ref=ContactRef(f"@{uuid.uuid4().hex[:16]}:hs.example"), display_name=name, handle="mia")

    def ticket(self, **more: Any) -> NewTicket:
        """A ticket of somebody new."""
        contact = more.pop("contact", None) or self.contact()
        return outgoing.new_ticket(contact, more.pop("words", "Where is my parcel?"), **{"group": self.groups[0], **more})

    def opened(self, **more: Any) -> tuple[TicketRef, NewTicket]:
        """The same, opened."""
        ticket = self.ticket(**more)
        return self.adapter.open_ticket(ticket, marker=new_marker()).ticket_ref, ticket

    def articles(self, ticket_ref: TicketRef) -> list[ArticleAdded]:
        """All of a ticket's."""
        return list(self.adapter.list_articles_since(ticket_ref, None))


def new_marker() -> Marker:
    """One that nothing carries yet."""
    return Marker("0" + uuid.uuid4().hex[:25])


def refuses(act: Callable[[], object], error: type[CrossdeskError]) -> bool:
    """Whether it raises this."""
    try:
        act()
    except error:
        return True
    return False


def polled(desk: PollsEvents, position: Any) -> tuple[set[str], Any]:
    """The tickets that are told of until there is no more, and where the next poll goes on."""
    told: set[str] = set()
    for _ in range(_MOST_PAGES):
        polled = desk.poll(position)
        position = polled.position
        told |= {event.ticket_ref for event in polled.events if isinstance(event, TicketTouched)}
        if not polled.events or not polled.has_more:
            break
    return told, position
