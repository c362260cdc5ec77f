"""A turn: one transaction that commits what came of the last calls, routes what is new, and commits the next wishes to `sending`.

A lease holder alternates turns and calls. Whatever kills it, the database says what was asked of whom: `sending` with a dead fence becomes
`unknown`, and `unknown` is read back, asked again under its key, or set aside for a person. Never a blind repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from plugin.faults import point
from plugin.handlers import deskside, effects, introducing, leaving
from plugin.handlers.call import Call
from plugin.handlers.choice import Choice
from plugin.handlers.installation import Installation
from plugin.handlers.ready import Ready, RoutingFault
from plugin.handlers.results import CustomerKnown, Result, TicketLost, TicketMoved, TicketOpened
from plugin.store import conversations, events
from plugin.store.conversations import Lease
from plugin.store.database import Database

_MOVES = (TicketOpened, TicketMoved, TicketLost, CustomerKnown)
"""Effects after which the conversation has to be read again."""


@dataclass(slots=True, kw_only=True)
class Turn:
    """What is to be asked now. No calls and `is_over`: the lease was given back, or lost."""

    calls: list[Call] = field(default_factory=list)
    is_over: bool = False


class Turns:
    """Takes turns for an installation."""

    def __init__(self, installation: Installation, database: Database) -> None:
        self._installation = installation
        self._database = database
        self._ready = Ready(installation)

    def take(self, lease: Lease, results: Sequence[Result], *, is_first: bool, may_go_on: bool) -> Turn:
        """One turn. `may_go_on` False: commit the results and give the lease back, whatever is left.

        Raises:
            StoreUnavailable: whether the turn was committed is not known; the lease runs out by itself.
        """
        try:
            turn = self._database.run(lambda connection: self._work(connection, lease, results, is_first=is_first, may_go_on=may_go_on))
        except RoutingFault:
            turn = self._database.run(
                lambda connection: self._work(connection, lease, results, is_first=is_first, may_go_on=may_go_on, is_careful=True)
            )
        point("turn.after_commit")
        return turn

    def _work(
        self, connection: Connection, lease: Lease, results: Sequence[Result], *, is_first: bool, may_go_on: bool, is_careful: bool = False
    ) -> Turn:
        engine = self._installation.engine
        held = conversations.renew(connection, lease, seconds=engine.lease_seconds)
        if held is None or held.place not in self._installation.channels or held.helpdesk not in self._installation.desks:
            effects.tell_of_late(connection, results)
            return Turn(is_over=True)
        if results:
            effects.commit(connection, held, results)
            held = introducing.follow(connection, self._installation, held, results)
            held = deskside.locked(connection, self._installation, held, results)
            if self._installation.policy is not None:
                held = leaving.follow(connection, self._installation, held, results)
            deskside.told(connection, held, results)
        if not may_go_on:
            events.forgive(connection, held.id)
            conversations.release(connection, lease, again=0.05)
            return Turn(is_over=True)
        routing = self._ready.route(connection, held, is_first=is_first, is_careful=is_careful)
        if not routing.has_only_counted:
            if routing.may_have_moved or any(isinstance(effect, _MOVES) for result in results for effect in result.effects):
                held = conversations.renew(connection, lease, seconds=engine.lease_seconds) or held
            choice = Choice(connection, self._installation, held, lease)
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
