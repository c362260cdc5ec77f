"""Working one conversation: turns and calls, one after the other, until nothing is due or others must have their turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import structlog

from plugin.domain.errors import StoreUnavailable
from plugin.domain.ids import Place
from plugin.faults import point
from plugin.handlers.call import Call
from plugin.handlers.calls import Caller
from plugin.handlers.installation import Installation
from plugin.handlers.results import Result
from plugin.handlers.turn import Turns
from plugin.store.conversations import Lease
from plugin.store.database import Database
from plugin.store.intents import Ending

_log = structlog.get_logger("crossdesk.drain")

Slots = Callable[[Place], AbstractContextManager[bool]]
"""A server's own concurrency limit: entering gives False when no slot became free in time."""


class Drain:
    """Works conversations of an installation. One instance serves all threads of a process."""

    def __init__(self, installation: Installation, database: Database, slots: Slots) -> None:
        self._installation = installation
        self._turns = Turns(installation, database)
        self._caller = Caller(installation)
        self._slots = slots

    def work(self, lease: Lease) -> int:
        """Work the leased conversation and return how many calls were made. Losing the lease or the database ends it in silence."""
        engine = self._installation.engine
        began = time.monotonic()
        results: Sequence[Result] = ()
        made, is_first, may_go_on = 0, True, True
        try:
            while True:
                renewed = time.monotonic()
                turn = self._turns.take(lease, results, is_first=is_first, may_go_on=may_go_on)
                if turn.is_over:
                    return made
                results = self._ask(turn.calls, renewed)
                made += len(results)
                is_first = False
                may_go_on = made < engine.batch and time.monotonic() - began < engine.turn_seconds and not _gave_way(results)
        except StoreUnavailable:
            _log.warning("drain_interrupted", conversation_id=lease.conversation_id)
            return made

    def _ask(self, calls: Sequence[Call], renewed: float) -> list[Result]:
        """Make the calls in order. What must not be asked any more is given back untouched."""
        results: list[Result] = []
        stopped: set[str] = set()
        for call in calls:
            lane = call.intent.lane
            # The call must end well within the lease: whoever takes over trusts that nothing is written later.
            is_late = time.monotonic() - renewed > self._installation.engine.lease_seconds / 2
            if lane in stopped or is_late:
                results.append(_given_back(call))
                continue
            with self._slots(call.place) as has_slot:
                point("drain.before_call")
                result = self._caller.make(call) if has_slot else _given_back(call, gave_way=True)
            results.append(result)
            if result.stops_lane:
                stopped.add(lane)
        return results


def _given_back(call: Call, *, gave_way: bool = False) -> Result:
    """Nothing was asked: the wish is as it was before the turn."""
    state = "unknown" if call.call.startswith("find:") else "pending"
    ending = Ending(
        intent_id=call.intent.id,
        state=state,
        outcome="",
        reason="busy" if gave_way else "",
        due_in=0.2 if gave_way else 0.0,
        gives_back_try=state == "pending",
    )
    return Result(
        intent_id=call.intent.id,
        event_id=call.intent.event_id,
        part=call.intent.part,
        lane=call.intent.lane,
        ending=ending,
        stops_lane=True,
    )


def _gave_way(results: Sequence[Result]) -> bool:
    return any(result.ending.reason == "busy" for result in results)
