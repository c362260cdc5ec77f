"""What to ask next: the first wish of each lane whose turn it is, past the gate, with all that the call needs. Used for one turn.

Runs inside a turn's transaction. What was being sent when its process ended is doubted here: read back, asked again under its key, or set aside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row

from plugin.contracts.capabilities import Idempotency, Readback
from plugin.contracts.platform import PlatformAdapter, ReadsBack
from plugin.domain.ids import Place
from plugin.domain.model import HeldReason, Lane, Visibility
from plugin.handlers import deskside, effects, gating, parking, preparing
from plugin.handlers.call import Call
from plugin.handlers.fates import REPEATABLE, settle_seconds
from plugin.handlers.installation import Installation
from plugin.policy import gate, locks
from plugin.store import holds, intents, media, places
from plugin.store.conversations import Held, Lease
from plugin.store.intents import Ending
from plugin.store.places import Standing

_LANES = (Lane.FROM_SOCIAL, Lane.FROM_HELPDESK, Lane.TO_HELPDESK, Lane.AT_SOCIAL, Lane.TO_SOCIAL, Lane.NOTICES, Lane.AT_HELPDESK)
_AT_PLATFORM = frozenset({Lane.TO_SOCIAL, Lane.NOTICES, Lane.FROM_SOCIAL, Lane.AT_SOCIAL})
_BURST = 8
_ADDITIONS = frozenset({"note", "reaction", "tombstone", "change"})
_CHANGING = frozenset({"change", deskside.LOCK, deskside.STAND})
_BEHIND_SECONDS = 1.0
"""A notice looks again after so long whether the replies before it have left."""
_ERRORS_BEFORE_ASIDE = 8
_FETCH_TRIES = 6


class Choice:
    """Chooses what to ask next in each lane, in order, past the gate. Used for one turn."""

    def __init__(self, connection: Connection, installation: Installation, held: Held, lease: Lease) -> None:
        self._connection = connection
        self._installation = installation
        self._held = held
        self._lease = lease
        self._standings: Mapping[Place, Standing] = {}
        self._told: set[int] = set()
        self.has_more = False

    def next_calls(self) -> list[Call]:
        """The calls to make now, marked as being sent, in the order in which to make them."""
        rows = intents.open_intents(self._connection, self._held.id, _LANES, limit=_BURST)
        if not rows:
            return []
        self._standings = places.standings(self._connection, [self._held.place, self._held.helpdesk])
        fetching = {row.event_id for row in rows if row.lane == Lane.FROM_SOCIAL}
        calls: list[Call] = []
        for lane in _LANES:
            mine = [row for row in rows if row.lane == lane]
            if lane is Lane.AT_HELPDESK:
                calls += self._at_desk(mine, rows, is_replying=any(call.intent.lane == Lane.TO_SOCIAL for call in calls))
            else:
                calls += self._notices(mine, rows) if lane is Lane.NOTICES else self._lane(lane, mine, fetching)
        if any(call.call in _CHANGING or (call.call == "add_article" and self._held.ticket_closed) for call in calls):
            # A look before our own change would be news of how things stood.
            calls = [call for call in calls if call.call != "look"]
        fresh = {call.intent.id: call.call for call in calls if not call.call.startswith("find:")}
        for place in {call.place for call in calls}:
            wanted = {call.intent.id: fresh[call.intent.id] for call in calls if call.place == place and call.intent.id in fresh}
            if wanted:
                engine, can = self._installation.engine, self._installation.adapter(place).capabilities
                settle = settle_seconds(engine, can, Visibility(self._held.visibility)) + engine.lease_seconds / 2
                intents.mark_sending(self._connection, wanted, fence=self._lease.fence, settle_seconds=settle)
        return calls

    def _notices(self, mine: Sequence[Row[Any]], rows: Sequence[Row[Any]]) -> list[Call]:
        """A notice names the ticket, and follows the replies that were written before it, unless those are held."""
        if not mine:
            return []
        first = mine[0]
        if first.payload.get("needs_ticket") and self._held.ticket_ref is None:
            return []
        before = [row for row in rows if row.lane == Lane.TO_SOCIAL and row.id < first.id]
        is_early = any(self._is_leaving(row) for row in before) or self._is_unnumbered(first)
        if is_early and first.state == "pending":
            if first.is_due:
                blocked = max(standing.blocked_for for standing in self._standings.values())
                self._settle(first, state="pending", reason="order", due_in=max(blocked, _BEHIND_SECONDS))
            return []
        return self._lane(Lane.NOTICES, mine, set())

    def _at_desk(self, mine: Sequence[Row[Any]], rows: Sequence[Row[Any]], *, is_replying: bool) -> list[Call]:
        """How things stand is told when replies that are leaving have left."""
        is_leaving = bool(mine) and any(self._is_leaving(row) for row in rows if row.lane == Lane.TO_SOCIAL)
        now = []
        for row in mine:
            if not (is_leaving and row.state == "pending" and deskside.waits_for_replies(self._held, row)):
                now.append(row)
            elif row.is_due and not is_replying:
                self._settle(row, state="pending", reason="order", due_in=_BEHIND_SECONDS)
        return self._lane(Lane.AT_HELPDESK, now, set())

    def _is_unnumbered(self, row: Row[Any]) -> bool:
        """Whether the linked ticket that it names is still to be opened."""
        return bool(row.payload.get("needs_linked")) and intents.is_open(self._connection, row.event_id, "formal")

    def _ask(self, row: Row[Any], *, is_begun: bool = False) -> gate.Held | gate.Refused | None:
        return gate.ask(gating.facts(self._connection, self._installation, self._held, row, is_begun=is_begun))

    def _is_leaving(self, row: Row[Any]) -> bool:
        return not (row.state == "held" or isinstance(self._ask(row), gate.Held))

    def _lane(self, lane: Lane, rows: Sequence[Row[Any]], fetching: set[int]) -> list[Call]:
        place = self._held.place if lane in _AT_PLATFORM else self._held.helpdesk
        standing = self._standings[place]
        calls: list[Call] = []
        for number, row in enumerate(rows):
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
            elif row.state in {"pending", "held"} and (row.is_due or (row.state == "held" and row.reason == HeldReason.WINDOW)):
                call = self._fresh(row, place, standing)
            else:
                break
            if isinstance(call, _Skip):
                self.has_more = True
                continue
            if isinstance(call, _Beside):
                continue
            if call is None:
                if lane is Lane.TO_SOCIAL:
                    self._hold_behind(rows[number + 1 :])
                break
            calls.append(call)
            if lane is not Lane.TO_HELPDESK or call.call != "add_article" or len(calls) == _BURST or row.errors:
                break
        return calls

    def _hold_behind(self, rows: Sequence[Row[Any]]) -> None:
        """What stands behind a held reply does not overtake it; where it would be held itself, its author is told at once, too."""
        for row in rows:
            if row.part == 0 and row.state == "pending":
                answer = self._ask(row)
                if isinstance(answer, gate.Held):
                    self._hold(row, answer)

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

    def _doubted(self, row: Row[Any], place: Place, standing: Standing) -> Call | _Skip | _Beside | None:
        """It may have been applied: ask again under its key, read back once settled, or set it aside for a person."""
        adapter = self._installation.adapter(place)
        can, visibility = adapter.capabilities, Visibility(self._held.visibility)
        if row.lane in REPEATABLE or row.call == "change" or can.idempotency_of(visibility) is not Idempotency.NONE:
            self._settle(row, state="pending", due_in=0.0)
            return self._fresh(row, place, standing)
        if not row.is_settled:
            return None
        if can.readback_of(visibility) is Readback.NONE or (isinstance(adapter, PlatformAdapter) and not isinstance(adapter, ReadsBack)):
            text = (
                "Whether this reached the other side is not known, and it cannot be asked. It is kept: look there, then decide with "
                f"`crossdesk ledger quarantine mark-sent {row.id}`, `replay {row.id}` or `drop {row.id}`."
            )
            self._aside(row, "outcome_unknown", text)
            if row.lane in {Lane.TO_SOCIAL, Lane.NOTICES}:
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
        return self._prepared(row, place, standing, f"find:{call}")

    def _fresh(self, row: Row[Any], place: Place, standing: Standing) -> Call | _Skip | _Beside | None:
        if row.errors >= _ERRORS_BEFORE_ASIDE:
            text = (
                f"This was begun {row.errors} times, and each time the process that worked on it ended. It is kept for a person to decide."
            )
            return self._aside(row, "fault", text)
        is_begun = False
        if row.lane in {Lane.TO_SOCIAL, Lane.NOTICES} and row.part > 0:
            states = intents.earlier_parts(self._connection, row.event_id, row.op, row.part)
            if states & {"failed", "dropped"}:
                self._settle(row, state="failed", reason="earlier_part", due_in=None, outcome="earlier_part")
                intents.finish_events(self._connection, [row.event_id])
                return _SKIP
            if "quarantined" in states:
                return self._aside(
                    row, "earlier_part", "An earlier part of this reply waits for a person's decision; decide on this one after it."
                )
            is_begun = "sent" in states
        if row.lane in {Lane.TO_SOCIAL, Lane.NOTICES}:
            answer = self._ask(row, is_begun=is_begun)
            if isinstance(answer, gate.Held):
                return self._hold(row, answer)
            if isinstance(answer, gate.Refused):
                self._settle(row, state="failed", reason=answer.code, reason_text=answer.text, due_in=None, outcome=answer.code)
                self._tell(row, f"failed:{answer.code}", answer.text)
                intents.finish_events(self._connection, [row.event_id])
                return _SKIP
            if row.state == "held" and row.reason == HeldReason.WINDOW and row.part == 0:
                self._note(row, "unparked", parking.RELEASED)
        if row.lane == Lane.FROM_SOCIAL and row.attempts >= _FETCH_TRIES:
            return self._give_up_fetch(row)
        if row.lane in {Lane.FROM_HELPDESK, Lane.AT_HELPDESK} and self._held.ticket_ref is None:
            return self._needless(row, "no_ticket")
        if row.lane == Lane.AT_HELPDESK and not self._is_wanted(row):
            return self._needless(row, "")
        rate = self._installation.adapter(place).capabilities.limits.calls_per_second
        wait = places.spend_call(self._connection, place, per_second=rate) if rate else 0.0
        if wait:
            self._settle(row, state="held", reason="rate", due_in=wait)
            return None
        return self._prepared(row, place, standing, self._what(row))

    def _needless(self, row: Row[Any], outcome: str) -> _Skip:
        self._settle(row, state="sent", due_in=None, outcome=outcome)
        intents.finish_events(self._connection, [row.event_id])
        return _SKIP

    def _is_wanted(self, row: Row[Any]) -> bool:
        """Whether the helpdesk must be told, as things stand now."""
        op = self._what(row)
        if op == deskside.LOCK:
            return locks.mirrored(self._held.lock, now=self._held.now) is not None
        return op != deskside.STAND or bool(deskside.stand(self._connection, self._installation.engine, self._held))

    def _hold(self, row: Row[Any], answer: gate.Held) -> _Beside | _Skip | None:
        """It waits. What waits for a person lets others pass; what the conversation as a whole waits for holds all that follows."""
        due_in: float | None = None
        if answer.reason is HeldReason.WINDOW:
            due_in = (parking.withdrawn_at(self._installation, row) - self._held.now).total_seconds()
            if due_in <= 0:
                self._tell(row, "withdrawn", parking.OUTLASTED)
                holds.withdraw(self._connection, self._held.id, [row.event_id])
                return _SKIP
        if row.state != "held" or row.reason != answer.reason:
            is_new = answer.reason not in gating.TOLD_BEFORE or "asked" in row.payload
            if is_new and row.event_id not in self._told:
                self._told.add(row.event_id)
                self._tell(row, f"held:{answer.reason}", answer.text)
            if deskside.hold(self._connection, self._installation, self._held, row):
                self.has_more = True
            self._settle(row, state="held", reason=answer.reason, reason_text=answer.text, due_in=due_in)
            if answer.reason in gating.BESIDE:
                holds.let_pass(self._connection, row.id)
            if answer.reason is HeldReason.WINDOW and parking.invite(self._connection, self._installation, self._held, row):
                self.has_more = True
        return _BESIDE if answer.reason in gating.BESIDE else None

    def _aside(self, row: Row[Any], reason: str, text: str) -> _Skip:
        self._settle(row, state="quarantined", reason=reason, reason_text=text, due_in=None, outcome=reason)
        self.has_more = True
        return _SKIP

    def _give_up_fetch(self, row: Row[Any]) -> Call | _Skip | _Beside | None:
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
        self._note(row, name, f"Not sent: {text}")

    def _note(self, row: Row[Any], name: str, text: str) -> None:
        event_id, place, key = deskside.of_event(row)
        effects.note(self._connection, self._held, event_id=event_id, event_place=place, event_key=key, part=row.part, name=name, text=text)
        self.has_more = True

    def _what(self, row: Row[Any]) -> str:
        if row.lane != Lane.TO_HELPDESK:
            return str(row.op).partition(":")[0]
        if row.payload["kind"] == "change":
            return "change"
        if row.payload["kind"] == "formal":
            return "open_ticket"
        late = self._installation.channels[self._held.place].late
        is_new = self._held.ticket_ref is None or (
            self._held.ticket_closed
            and late in {"follow_up", "new"}
            and row.payload.get("kind") == "message"
            and row.payload.get("reopen", True)
        )
        return "open_ticket" if is_new else "add_article"

    def _prepared(self, row: Row[Any], place: Place, standing: Standing, call: str) -> Call:
        return preparing.prepared(self._connection, self._installation, self._held, row, call=call, place=place, failures=standing.failures)


class _Skip:
    """This wish asks nothing; the next one in the lane may."""


class _Beside:
    """This wish waits for a person; the next one in the lane need not."""


_SKIP = _Skip()
_BESIDE = _Beside()
