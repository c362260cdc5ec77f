"""A turn: one transaction that commits what came of the last calls, routes what is new, and commits the next wishes to `sending`.

A lease holder alternates turns and calls. Whatever kills it, the database says what was asked of whom: `sending` with a dead fence becomes
`unknown`, and `unknown` is read back, asked again under its key, or set aside for a person. Never a blind repeat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import structlog
from sqlalchemy import Connection, Row
from sqlalchemy.exc import DBAPIError

from plugin.contracts.capabilities import Idempotency, Readback
from plugin.contracts.platform import PlatformAdapter, ReadsBack
from plugin.domain.events import MessageReceived
from plugin.domain.ids import ArticleRef, CustomerRef, MessageRef, Place
from plugin.domain.model import Contact, Lane, Visibility
from plugin.faults import point
from plugin.handlers import effects
from plugin.handlers.calls import Call
from plugin.handlers.fates import back_off, settle_seconds
from plugin.handlers.installation import Installation
from plugin.handlers.results import CustomerKnown, Result, TicketLost, TicketMoved, TicketOpened
from plugin.handlers.routing import Batch, Desktop, Ignored, Routed, Verdict, Waits, route
from plugin.handlers.wording import lost_event
from plugin.policy import gate
from plugin.store import conversations, events, intents, media, messages, places
from plugin.store.conversations import Held, Lease
from plugin.store.database import Database, is_passing
from plugin.store.intents import Ending
from plugin.store.places import Standing

_log = structlog.get_logger("crossdesk.turn")
_LANES = (Lane.FROM_SOCIAL, Lane.FROM_HELPDESK, Lane.TO_HELPDESK, Lane.TO_SOCIAL)
_BURST = 8
_ADDITIONS = frozenset({"note", "reaction", "tombstone"})
_DEATHS_BEFORE_ASIDE = 3
_ERRORS_BEFORE_ASIDE = 8
_FETCH_TRIES = 6


@dataclass(slots=True, kw_only=True)
class Turn:
    """What is to be asked now. No calls and `is_over`: the lease was given back, or lost."""

    calls: list[Call] = field(default_factory=list)
    is_over: bool = False


_MOVES = (TicketOpened, TicketMoved, TicketLost, CustomerKnown)
_MOVING = frozenset({"TicketChanged", "ArticleAdded", "ContactReachability"})
"""Effects, and kinds of event, after which the conversation has to be read again."""
_Verdicts = list[tuple[int, Verdict]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Routing:
    """What became of the open events in a turn. `leaves_counted`: some had been counted before it."""

    has_counted: bool = False
    has_routed: bool = False
    may_have_moved: bool = False
    leaves_counted: bool = False

    @property
    def has_only_counted(self) -> bool:
        """Nothing is asked in such a turn: it is over as soon as it can be, and the next one routes."""
        return self.has_counted and not self.has_routed


class Turns:
    """Takes turns for an installation."""

    def __init__(self, installation: Installation, database: Database) -> None:
        self._installation = installation
        self._database = database

    def take(self, lease: Lease, results: Sequence[Result], *, is_first: bool, may_go_on: bool) -> Turn:
        """One turn. `may_go_on` False: commit the results and give the lease back, whatever is left.

        Raises:
            StoreUnavailable: whether the turn was committed is not known; the lease runs out by itself.
        """
        turn = self._database.run(lambda connection: self._work(connection, lease, results, is_first=is_first, may_go_on=may_go_on))
        point("turn.after_commit")
        return turn

    def _work(self, connection: Connection, lease: Lease, results: Sequence[Result], *, is_first: bool, may_go_on: bool) -> Turn:
        engine = self._installation.engine
        held = conversations.renew(connection, lease, seconds=engine.lease_seconds)
        if held is None or held.place not in self._installation.channels or held.helpdesk not in self._installation.desks:
            effects.tell_of_late(connection, results)
            return Turn(is_over=True)
        if results:
            effects.commit(connection, held, results)
        if not may_go_on:
            events.forgive(connection, held.id)
            conversations.release(connection, lease, again=0.05)
            return Turn(is_over=True)
        routing = self._route(connection, held, is_first=is_first)
        if not routing.has_only_counted:
            if routing.may_have_moved or any(isinstance(effect, _MOVES) for result in results for effect in result.effects):
                held = conversations.renew(connection, lease, seconds=engine.lease_seconds) or held
            choice = _Choice(connection, self._installation, held, lease)
            turn = Turn(calls=choice.next_calls())
            turn.is_over = not (turn.calls or choice.has_more or routing.has_counted or routing.has_routed)
        else:
            turn = Turn()
        point("turn.before_commit")
        if turn.is_over:
            if routing.leaves_counted:
                events.forgive(connection, held.id)
            conversations.release(connection, lease)
        return turn

    # -- routing ---------------------------------------------------------------------------------------------------------------

    def _route(self, connection: Connection, held: Held, *, is_first: bool) -> _Routing:
        """Route what is ready, in order. Every try is counted in an earlier turn, so that an event which ends its process has been counted."""
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
            return _Routing(has_counted=bool(ready), leaves_counted=any(row.deaths > 0 for row in rows))
        batch = list(takewhile(lambda row: row.deaths > 0, ready))
        uncounted = [row.id for row in ready[len(batch) :]]
        events.count_deaths(connection, uncounted)
        if any(row.deaths > 1 for row in batch):
            batch = batch[:1]
        if batch:
            verdicts = self._route_batch(connection, held, batch)
            intents.mark_routed(connection, [event_id for event_id, verdict in verdicts if isinstance(verdict, Routed)])
            ignored: dict[str, list[int]] = {}
            for event_id, verdict in verdicts:
                if isinstance(verdict, Ignored):
                    ignored.setdefault(verdict.reason, []).append(event_id)
                elif isinstance(verdict, Waits):
                    events.wait(connection, event_id, reason=verdict.reason, seconds=verdict.seconds, wake_ref=verdict.wake_ref)
            for reason, ids in ignored.items():
                events.set_state(connection, ids, "ignored", reason=reason)
        return _Routing(
            has_counted=bool(uncounted),
            has_routed=bool(batch),
            may_have_moved=any(row.kind in _MOVING for row in batch),
            leaves_counted=any(row.deaths > 0 for row in rows),
        )

    def _route_batch(self, connection: Connection, held: Held, batch: Sequence[Row[Any]]) -> _Verdicts:
        """Route the batch under one savepoint; when a fault of ours comes up, again from the start, one by one."""
        savepoint = connection.begin_nested()
        try:
            verdicts = self._route_together(connection, held, batch)
        except Exception as error:
            if _is_not_ours(error):
                raise
            savepoint.rollback()
            return self._route_singly(connection, held, batch)
        savepoint.commit()
        return verdicts

    def _route_together(self, connection: Connection, held: Held, batch: Sequence[Row[Any]]) -> _Verdicts:
        shared = Batch(known=_known(connection, held, batch))
        verdicts: _Verdicts = []
        for row in batch:
            if row.deaths > _DEATHS_BEFORE_ASIDE:
                self._set_aside(connection, held, row, f"ended its process {row.deaths} times")
                continue
            verdicts.append((row.id, route(self._desktop(connection, held, row, shared))))
        intents.insert(connection, held.id, shared.wishes)
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
        )

    def _set_aside(self, connection: Connection, held: Held, row: Row[Any], reason: str) -> None:
        events.set_state(connection, [row.id], "quarantined", reason=reason)
        place = held.helpdesk if row.kind in {"ArticleAdded", "TicketChanged", "TicketTouched"} else held.place
        effects.note(
            connection,
            held,
            event_id=row.id,
            event_place=place,
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


class _Choice:
    """Chooses what to ask next in each lane, in order, past the gate. Used for one turn."""

    def __init__(self, connection: Connection, installation: Installation, held: Held, lease: Lease) -> None:
        self._connection = connection
        self._installation = installation
        self._held = held
        self._lease = lease
        self._standings: Mapping[Place, Standing] = {}
        self.has_more = False

    def next_calls(self) -> list[Call]:
        rows = intents.open_intents(self._connection, self._held.id, _LANES, limit=_BURST)
        if not rows:
            return []
        self._standings = places.standings(self._connection, [self._held.place, self._held.helpdesk])
        fetching = {row.event_id for row in rows if row.lane == Lane.FROM_SOCIAL}
        calls: list[Call] = []
        for lane in _LANES:
            calls += self._lane(lane, [row for row in rows if row.lane == lane], fetching)
        fresh = {call.intent.id: call.call for call in calls if not call.call.startswith("find:")}
        for place in {call.place for call in calls}:
            wanted = {call.intent.id: fresh[call.intent.id] for call in calls if call.place == place and call.intent.id in fresh}
            if wanted:
                capabilities = self._installation.adapter(place).capabilities
                settle = settle_seconds(self._installation.engine, capabilities) + self._installation.engine.lease_seconds / 2
                intents.mark_sending(self._connection, wanted, fence=self._lease.fence, settle_seconds=settle)
        return calls

    def _lane(self, lane: Lane, rows: Sequence[Row[Any]], fetching: set[int]) -> list[Call]:
        place = self._held.place if lane in {Lane.TO_SOCIAL, Lane.FROM_SOCIAL} else self._held.helpdesk
        standing = self._standings[place]
        calls: list[Call] = []
        for row in rows:
            if lane is Lane.TO_HELPDESK and self._held.ticket_ref is None and row.payload["kind"] in _ADDITIONS:
                continue  # Nothing to write it into yet: it follows the ticket's first message.
            if lane is Lane.TO_HELPDESK and row.event_id in fetching:
                break
            if calls and row.errors:
                break  # It may be what ended a process: it goes alone, so that it takes no other with it.
            if not standing.is_open:
                self._defer(row, standing)
                break
            if row.state == "unknown":
                call = self._doubted(row, place, standing)
            elif row.is_due and row.state in {"pending", "held"}:
                call = self._fresh(row, place, standing)
            else:
                break
            if isinstance(call, _Skip):
                self.has_more = True
                continue
            if call is None:
                break
            calls.append(call)
            if lane is not Lane.TO_HELPDESK or call.call != "add_article" or len(calls) == _BURST or row.errors:
                break
        return calls

    def _defer(self, row: Row[Any], standing: Standing) -> None:
        """The place cannot be called now. Nothing was asked, so no try is counted."""
        if row.state == "unknown":
            wait: float | None = max(standing.blocked_for, 0.1) if standing.status == "active" else None
            self._settle(row, state="unknown", due_in=wait)
        elif standing.status == "active":
            state = "held" if standing.blocked_reason == "rate" else "pending"
            self._settle(row, state=state, reason=standing.blocked_reason, due_in=max(standing.blocked_for, 0.1))
        else:
            reason = "paused" if standing.status == "paused" else "auth"
            self._settle(row, state="held", reason=reason, reason_text=standing.status_text, due_in=None)

    def _settle(
        self, row: Row[Any], *, state: str, due_in: float | None, reason: str = "", reason_text: str = "", outcome: str = ""
    ) -> None:
        ending = Ending(intent_id=row.id, state=state, outcome=outcome, reason=reason, reason_text=reason_text, due_in=due_in)
        intents.settle(self._connection, [ending])

    def _doubted(self, row: Row[Any], place: Place, standing: Standing) -> Call | _Skip | None:
        """It may have been applied: ask again under its key, read back once settled, or set it aside for a person."""
        adapter = self._installation.adapter(place)
        if row.lane in {Lane.FROM_HELPDESK, Lane.FROM_SOCIAL} or adapter.capabilities.idempotency is not Idempotency.NONE:
            self._settle(row, state="pending", due_in=0.0)
            return self._fresh(row, place, standing)
        if not row.is_settled:
            return None
        if adapter.capabilities.readback is Readback.NONE or (isinstance(adapter, PlatformAdapter) and not isinstance(adapter, ReadsBack)):
            text = (
                "Whether this reached the other side is not known, and it cannot be asked. It is kept: look there, then decide with "
                f"`crossdesk ledger quarantine mark-sent {row.id}`, `replay {row.id}` or `drop {row.id}`."
            )
            self._aside(row, "outcome_unknown", text)
            if row.lane == Lane.TO_SOCIAL:
                effects.note(
                    self._connection,
                    self._held,
                    event_id=row.event_id,
                    event_place=Place(row.event_place),
                    event_key=row.event_key,
                    part=row.part,
                    name="unknown",
                    text="Whether this reply reached the customer is not known: the platform gave no answer and cannot be asked. Look on the "
                    "platform; your Crossdesk admin can then mark it as sent, send it again or drop it.",
                )
            return _SKIP
        call = row.call if row.call in {"open_ticket", "add_article"} else self._what(row)
        return self._call(row, place, standing, f"find:{call}")

    def _fresh(self, row: Row[Any], place: Place, standing: Standing) -> Call | _Skip | None:
        if row.errors >= _ERRORS_BEFORE_ASIDE:
            text = (
                f"This was begun {row.errors} times, and each time the process that worked on it ended. It is kept for a person to decide."
            )
            return self._aside(row, "fault", text)
        if row.lane == Lane.TO_SOCIAL and row.part > 0:
            states = intents.earlier_parts(self._connection, row.event_id, row.op, row.part)
            if states & {"failed", "dropped"}:
                self._settle(row, state="failed", reason="earlier_part", due_in=None, outcome="earlier_part")
                intents.finish_events(self._connection, [row.event_id])
                return _SKIP
            if "quarantined" in states:
                return self._aside(
                    row, "earlier_part", "An earlier part of this reply waits for a person's decision; decide on this one after it."
                )
        if row.lane == Lane.TO_SOCIAL:
            answer = gate.ask(self._facts(row))
            if isinstance(answer, gate.Held):
                if row.state != "held" or row.reason != answer.reason:
                    self._tell(row, f"held:{answer.reason}", answer.text)
                self._settle(row, state="held", reason=answer.reason, reason_text=answer.text, due_in=None)
                return None
            if isinstance(answer, gate.Refused):
                self._settle(row, state="failed", reason=answer.code, reason_text=answer.text, due_in=None, outcome=answer.code)
                self._tell(row, f"failed:{answer.code}", answer.text)
                intents.finish_events(self._connection, [row.event_id])
                return _SKIP
        if row.lane == Lane.FROM_SOCIAL and row.attempts >= _FETCH_TRIES:
            return self._give_up_fetch(row)
        if row.lane == Lane.FROM_HELPDESK and self._held.ticket_ref is None:
            self._settle(row, state="sent", due_in=None, outcome="no_ticket")
            intents.finish_events(self._connection, [row.event_id])
            return _SKIP
        rate = self._installation.adapter(place).capabilities.limits.calls_per_second
        wait = places.spend_call(self._connection, place, per_second=rate) if rate else 0.0
        if wait:
            self._settle(row, state="held", reason="rate", due_in=wait)
            return None
        return self._call(row, place, standing, self._what(row))

    def _aside(self, row: Row[Any], reason: str, text: str) -> _Skip:
        self._settle(row, state="quarantined", reason=reason, reason_text=text, due_in=None, outcome=reason)
        self.has_more = True
        return _SKIP

    def _give_up_fetch(self, row: Row[Any]) -> Call | _Skip | None:
        attachment = row.event["attachments"][row.part]
        media.refuse(
            self._connection,
            row.event_id,
            row.part,
            filename=attachment["filename"],
            content_type=attachment.get("content_type", "application/octet-stream"),
            refusal=f"This file could not be fetched from the platform in {row.attempts} tries; the original message may still show it.",
        )
        self._settle(row, state="sent", due_in=None, outcome="given_up")
        return _SKIP

    def _tell(self, row: Row[Any], name: str, text: str) -> None:
        effects.note(
            self._connection,
            self._held,
            event_id=row.event_id,
            event_place=Place(row.event_place),
            event_key=row.event_key,
            part=row.part,
            name=name,
            text=f"Not sent: {text}",
        )
        self.has_more = True

    def _facts(self, row: Row[Any]) -> gate.OutboundFacts:
        held = self._held
        return gate.OutboundFacts(
            now=held.now,
            visibility=Visibility(held.visibility),
            stage=held.stage,
            is_reachable=held.is_reachable,
            last_inbound_at=held.last_inbound_at,
            hold_reason=held.hold_reason,
            hold_text=held.hold_text,
            capabilities=self._installation.channels[held.place].adapter.capabilities,
            file_count=len(row.payload.get("files", ())),
        )

    def _what(self, row: Row[Any]) -> str:
        if row.lane != Lane.TO_HELPDESK:
            return str(row.op)
        late = self._installation.channels[self._held.place].late
        is_new = self._held.ticket_ref is None or (
            self._held.ticket_closed and late in {"follow_up", "new"} and row.payload.get("kind") == "message"
        )
        return "open_ticket" if is_new else "add_article"

    def _call(self, row: Row[Any], place: Place, standing: Standing, call: str) -> Call:
        """Read what the call needs, so that no call ever touches the database."""
        payload, connection, held = row.payload, self._connection, self._held
        author_id = payload.get("author")
        author, customer_ref = self._author(author_id)
        files = media.of_event(connection, row.event_id) if row.lane == Lane.TO_HELPDESK and row.event.get("attachments") else ()
        reply_to: str | None = payload.get("reply_to")
        if row.op == "reply" and row.part > 0:
            earlier = messages.refs_of(connection, held.place, row.message_id)
            reply_to = earlier[-1] if earlier else reply_to
        in_reply_to = _first(messages.find(connection, held.place, [payload["parent"]]).values()) if payload.get("parent") else None
        article = _first(messages.refs_of(connection, held.helpdesk, in_reply_to.id)) if in_reply_to is not None else None
        return Call(
            intent=row,
            call=call,
            held=held,
            place=place,
            failures=standing.failures,
            author=author,
            author_id=author_id,
            author_customer_ref=customer_ref,
            files=files,
            reply_to=None if reply_to is None else MessageRef(reply_to),
            in_reply_to=None if article is None else ArticleRef(article),
        )

    def _author(self, contact_id: int | None) -> tuple[Contact | None, CustomerRef | None]:
        if contact_id is None:
            return None, None
        if contact_id == self._held.contact_id and self._held.contact is not None:
            return self._held.contact, self._held.customer_ref
        return conversations.read_contact(self._connection, contact_id)


def _first(items: Iterable[Any]) -> Any:
    return next(iter(items), None)


class _Skip:
    """This wish asks nothing; the next one in the lane may."""


_SKIP = _Skip()
