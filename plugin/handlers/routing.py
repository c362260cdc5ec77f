"""Routing: what an event means for its conversation. Makes messages and intents, calls nobody; runs inside a turn's transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row

from plugin.config import EngineConfig
from plugin.domain.codec import decode_event
from plugin.domain.events import (
    ActionTaken,
    ArticleAdded,
    ContactReachability,
    DeliveryUpdated,
    Event,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    ReactionChanged,
    TicketChanged,
    TicketTouched,
    TimerElapsed,
)
from plugin.domain.ids import Place
from plugin.domain.model import Lane
from plugin.handlers import wording
from plugin.handlers.course import Course
from plugin.handlers.installation import Channel, Desk, PolicyAtWork
from plugin.store import places
from plugin.store.conversations import Held
from plugin.store.counts import Counts
from plugin.store.events import GATHERING
from plugin.store.intents import NewIntent, marker_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """The event has its wishes; it is done when all of them ended well, at once if there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Nothing is to be done, for a named reason; kept and counted."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Something must come first; looked at again after `seconds`, or when `wake_ref` is known."""

    reason: str
    seconds: float
    wake_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathers:
    """What belongs to it may still come: looked at again after `seconds`, and what follows in the conversation waits behind it."""

    seconds: float


Verdict = Routed | Ignored | Waits | Gathers


@dataclass(slots=True, kw_only=True)
class Batch:
    """What the events of one batch share: how far the conversation is, wishes on their way, and messages the channel knows, by direction.

    `counts` is what was going on when it was first asked for, `heard` how many messages the contact has added since. `elsewhere` is where the same person
    has waited the longest, nothing or one; None while nobody has asked.
    """

    course: Course
    wishes: list[NewIntent] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    counts: Counts | None = None
    heard: int = 0
    elsewhere: Sequence[Row[Any]] | None = None


@dataclass(slots=True, kw_only=True)
class Desktop:
    """What a router works on: one event of one conversation, in one transaction."""

    connection: Connection
    engine: EngineConfig
    channel: Channel
    desk: Desk
    held: Held
    row: Row[Any]
    batch: Batch
    policy: PolicyAtWork | None = None

    @property
    def course(self) -> Course:
        """How far the conversation is."""
        return self.batch.course

    @property
    def place(self) -> Place:
        """The channel's place."""
        return self.held.place

    @property
    def has_waited(self) -> bool:
        """Whether the event waited as long as it may."""
        return self.row.state == "waiting" and self.row.due_at is not None and self.row.due_at <= self.held.now

    @property
    def has_gathered(self) -> bool:
        """Whether the event has let others of its album catch up."""
        return bool(self.row.state == "retry" and self.row.reason == GATHERING)

    def source(self) -> Place:
        """The place that told the event."""
        return Place(self.row.place)

    def wish(self, lane: Lane, op: str, payload: dict[str, Any], *, part: int = 0, message_id: int | None = None) -> NewIntent:
        """An intent of this event."""
        return NewIntent(
            event_id=self.row.id,
            lane=lane,
            op=op,
            part=part,
            message_id=message_id,
            marker=marker_for(self.source(), self.row.event_key, op, part),
            payload=payload,
        )

    def commit(self, *wishes: NewIntent) -> None:
        """Commit wishes with the turn, in the order of their making."""
        self.batch.wishes += wishes


def route(desktop: Desktop) -> Verdict:
    """Route one event."""
    from plugin.handlers import judging, routing_actions, routing_helpdesk, routing_social

    event = decode_event(desktop.row.payload)
    routers: dict[type[Event], Callable[[Desktop, Any], Verdict]] = {
        MessageReceived: routing_social.message_received,
        MessageEdited: routing_social.message_edited,
        MessageDeleted: routing_social.message_deleted,
        ReactionChanged: routing_social.reaction_changed,
        DeliveryUpdated: routing_social.delivery_updated,
        ContactReachability: routing_social.contact_reachability,
        TicketTouched: routing_helpdesk.ticket_touched,
        TicketChanged: routing_helpdesk.ticket_changed,
        ArticleAdded: routing_helpdesk.article_added,
        ActionTaken: routing_actions.action_taken,
        TimerElapsed: judging.timer_elapsed,
    }
    return routers[type(event)](desktop, event)


def twin(desktop: Desktop, place: Place, wish: Row[Any], ref: str) -> Ignored:
    """A wish was fulfilled twice: a process froze between its last look at the clock and the call. It cannot be undone, so it is told."""
    places.raise_alert(desktop.connection, place, f"twin:{wish.id}", wording.twin(wish.remote_ref, ref))
    return Ignored(reason="twin")
