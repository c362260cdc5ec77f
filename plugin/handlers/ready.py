"""The events that are ready, routed in order. Every try is counted in an earlier turn, so that an event which ends its process has been counted.

Runs inside a turn's transaction, under the conversation's row lock. What our own faults meet is tried again, then set aside for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import structlog
from sqlalchemy import Connection, Row
from sqlalchemy.exc import DBAPIError

from plugin.domain.events import MessageReceived
from plugin.domain.ids import Place
from plugin.domain.model import Visibility
from plugin.handlers import deskside, effects
from plugin.handlers.course import Course
from plugin.handlers.fates import back_off
from plugin.handlers.installation import Installation
from plugin.handlers.routing import Batch, Desktop, Gathers, Ignored, Routed, Verdict, Waits, route
from plugin.handlers.wording import lost_event
from plugin.store import events, intents, messages
from plugin.store.conversations import Held
from plugin.store.database import is_passing

_log = structlog.get_logger("crossdesk.ready")
_DEATHS_BEFORE_ASIDE = 3
_ERRORS_BEFORE_ASIDE = 8
_MOVING = frozenset({"TicketChanged", "ArticleAdded", "ContactReachability", "ActionTaken", "TimerElapsed"})
"""Kinds of event after which the conversation has to be read again."""
_Verdicts = list[tuple[int, Verdict]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the open events in a turn. `leaves_counted`: some had been counted before it."""

    has_counted: bool = False
    has_routed: bool = False
    may_have_moved: bool = False
    leaves_counted: bool = False

    @property
    def has_only_counted(self) -> bool:
        """Nothing is asked in such a turn: it is over as soon as it can be, and the next one routes."""
        return self.has_counted and not self.has_routed


class RoutingFault(Exception):
    """An event met a fault of ours on its way through the rules; which one is found when each goes under a savepoint of its own."""


class Ready:
    """Routes for an installation."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def route(self, connection: Connection, held: Held, *, is_first: bool, is_careful: bool) -> Outcome:
        """Route what is ready, in order; in a lease's first turn it is only counted. `is_careful`: one by one, each under a savepoint.

        Raises:
            RoutingFault: one of them met a fault of ours; the transaction is to be rolled back and the turn taken again with care.
        """
        rows = events.open_events(connection, held.id, limit=self._installation.engine.batch)
        ready: list[Row[Any]] = []
        for row in rows:
            if _is_routable(row, held):
                ready.append(row)
            elif row.state != "waiting":
                break  # Its turn comes later, and what follows waits behind it.
        if is_first:
            # After a death only the first is tried, so that the one that kills is found and takes no other with it.
            has_died = any(row.deaths > 0 for row in ready)
            events.count_deaths(connection, [row.id for row in (ready[:1] if has_died else ready)])
            return Outcome(has_counted=bool(ready), leaves_counted=any(row.deaths > 0 for row in rows))
        batch = list(takewhile(lambda row: row.deaths > 0, ready))
        uncounted = [row.id for row in ready[len(batch) :]]
        events.count_deaths(connection, uncounted)
        if any(row.deaths > 1 for row in batch):
            batch = batch[:1]
        if batch:
            verdicts = (self._route_singly if is_careful else self._route_batch)(connection, held, batch)
            intents.mark_routed(connection, [event_id for event_id, verdict in verdicts if isinstance(verdict, Routed)])
            ignored: dict[str, list[int]] = {}
            for event_id, verdict in verdicts:
                if isinstance(verdict, Ignored):
                    ignored.setdefault(verdict.reason, []).append(event_id)
                elif isinstance(verdict, Waits):
                    events.wait(connection, event_id, reason=verdict.reason, seconds=verdict.seconds, wake_ref=verdict.wake_ref)
                elif isinstance(verdict, Gathers):
                    events.gather(connection, event_id, seconds=verdict.seconds)
            for reason, ids in ignored.items():
                events.set_state(connection, ids, "ignored", reason=reason)
        return Outcome(
            has_counted=bool(uncounted),
            has_routed=bool(batch),
            may_have_moved=self._installation.policy is not None or any(row.kind in _MOVING for row in batch) or _may_follow(held),
            leaves_counted=any(row.deaths > 0 for row in rows),
        )

    def _route_batch(self, connection: Connection, held: Held, batch: Sequence[Row[Any]]) -> _Verdicts:
        """Route the batch without savepoints, which cost two round trips in every turn: faults of ours are rare."""
        try:
            return self._route_together(connection, held, batch)
        except Exception as error:
            if _is_not_ours(error):
                raise
            raise RoutingFault from error

    def _route_together(self, connection: Connection, held: Held, batch: Sequence[Row[Any]]) -> _Verdicts:
        shared = Batch(known=_known(connection, held, batch), course=Course(held))
        verdicts: _Verdicts = []
        for row in batch:
            if row.deaths > _DEATHS_BEFORE_ASIDE:
                self._set_aside(connection, held, row, f"ended its process {row.deaths} times")
                continue
            verdict = route(self._desktop(connection, held, row, shared))
            verdicts.append((row.id, verdict))
            if isinstance(verdict, Gathers):
                break  # What follows waits behind it.
        intents.insert(connection, held.id, [*shared.wishes, *deskside.after(self._installation, held, shared.course, batch[-1])])
        shared.course.keep(connection)
        return verdicts

    def _route_singly(self, connection: Connection, held: Held, batch: Sequence[Row[Any]]) -> _Verdicts:
        """The event that meets the fault is tried again later, and what follows waits."""
        verdicts: _Verdicts = []
        for row in batch:
            savepoint = connection.begin_nested()
            try:
                verdicts += self._route_together(connection, held, [row])
            except Exception as error:
                if _is_not_ours(error):
                    raise
                savepoint.rollback()
                _log.exception("event_fault", event_id=row.id, kind=row.kind)
                reason = type(error).__name__
                if row.errors + 1 >= _ERRORS_BEFORE_ASIDE:
                    self._set_aside(connection, held, row, f"{reason} {row.errors + 1} times")
                else:
                    events.retry(connection, row.id, reason=reason, seconds=back_off(self._installation.engine, row.errors))
                break
            savepoint.commit()
            if verdicts and isinstance(verdicts[-1][1], Gathers):
                break
        return verdicts

    def _desktop(self, connection: Connection, held: Held, row: Row[Any], batch: Batch) -> Desktop:
        return Desktop(
            connection=connection,
            engine=self._installation.engine,
            channel=self._installation.channels[held.place],
            desk=self._installation.desks[held.helpdesk],
            held=held,
            row=row,
            batch=batch,
            policy=self._installation.policy,
        )

    def _set_aside(self, connection: Connection, held: Held, row: Row[Any], reason: str) -> None:
        events.set_state(connection, [row.id], "quarantined", reason=reason)
        effects.note(
            connection,
            held,
            event_id=row.id,
            event_place=Place(row.place),
            event_key=row.event_key,
            part=0,
            name="set_aside",
            text=lost_event().plain,
        )


def _known(connection: Connection, held: Held, batch: Sequence[Row[Any]]) -> dict[str, str]:
    """The messages that new ones are, or answer, as far as the channel knows them; with their directions."""
    payloads = [row.payload for row in batch if row.kind == MessageReceived.__name__]
    refs = {payload[name] for payload in payloads for name in ("message_ref", "parent_ref") if payload.get(name)}
    return {ref: row.direction for ref, row in messages.find(connection, held.place, sorted(refs)).items()}


def _is_not_ours(error: Exception) -> bool:
    """A fault of the database's, for which the whole turn is done again or given up."""
    return isinstance(error, DBAPIError) and (is_passing(error) or error.connection_invalidated)


def _is_due(row: Row[Any], held: Held) -> bool:
    return row.due_at is None or row.due_at <= held.now


def _is_routable(row: Row[Any], held: Held) -> bool:
    return row.state == "accepted" or _is_due(row, held)


def _may_follow(held: Held) -> bool:
    """Whether the conversation's first message may have taken another one's ticket over."""
    return held.visibility is Visibility.PRIVATE and held.ticket_ref is None
