"""Splitting: one raw receipt becomes its events, all or none, in the order in which the place told them."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection

from plugin.domain.errors import MalformedPayload, StoreUnavailable, UnsupportedEvent
from plugin.domain.events import BridgeEvent, Event, MemberUnreadable
from plugin.domain.ids import Place
from plugin.domain.model import Origin
from plugin.faults import point
from plugin.handlers.fates import back_off
from plugin.handlers.installation import Installation
from plugin.store import intake, places, receipts, unreadable
from plugin.store.database import Database
from plugin.store.intake import Arrival
from plugin.store.receipts import StoredReceipt

_log = structlog.get_logger("crossdesk.split")
_BATCH = 200
_TRIES = 8


class Splitter:
    """Splits the receipts of an installation. Safe to run in any number of processes: a place is split by one at a time."""

    def __init__(self, installation: Installation, database: Database) -> None:
        self._installation = installation
        self._database = database

    def split_due(self) -> int:
        """Split what is new, a batch of each place. Returns how many receipts were ended."""
        with self._database.begin() as connection:
            waiting = receipts.places_with_new(connection)
        return sum(self._split_safely(place) for place in waiting if place in self._installation.adapters)

    def _split_safely(self, place: Place) -> int:
        seconds = self._installation.engine.lease_seconds
        ids = self._database.run(lambda connection: receipts.claim(connection, place, limit=_BATCH, seconds=seconds))
        point("split.after_claim")
        if not ids:
            return 0
        try:
            return self._database.run(lambda connection: self._split(connection, place, ids))
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001
            # One place's fault must not stop the others; the tries are counted, so what causes it is set aside in the end.
            _log.exception("split_fault", place=place)
            self._database.run(lambda connection: receipts.give_back(connection, ids, seconds=1.0))
            return 0

    def _split(self, connection: Connection, place: Place, ids: Sequence[int]) -> int:
        counts: dict[int, int] = {}
        again: list[int] = []
        arrivals: list[Arrival] = []
        for receipt in receipts.read_new(connection, ids):
            if receipt.attempts > _TRIES:
                receipts.set_aside(connection, receipt.id, f"could not be split in {_TRIES} tries")
                continue
            found = self._parse(connection, receipt)
            if found is None:
                continue
            arrivals += [Arrival(event=event, origin=Origin.WEBHOOK, receipt_id=receipt.id) for event in found]
            counts[receipt.id] = len(found)
            if receipt.is_again:
                again.append(receipt.id)
        self.keep(connection, place, arrivals)
        if again:
            unreadable.settle_unreadable(connection, again, [item.event for item in arrivals if isinstance(item.event, MemberUnreadable)])
        point("split.before_commit")
        receipts.mark_split(connection, counts)
        places.hear(connection, place)
        return len(counts)

    def keep(self, connection: Connection, place: Place, arrivals: Sequence[Arrival]) -> int:
        """Keep events of a place; returns how many were new. What only Crossdesk itself may say is not taken from anybody."""
        forged = [item for item in arrivals if isinstance(item.event, BridgeEvent)]
        if forged:
            _log.error("forged_events", place=place, count=len(forged))
            arrivals = [item for item in arrivals if not isinstance(item.event, BridgeEvent)]
        if not arrivals:
            return 0
        channel = self._installation.channels.get(place)
        if channel is None:
            return intake.insert_helpdesk_events(connection, place, arrivals)
        stray = self._installation.engine.parent_wait_seconds
        return intake.insert_platform_events(connection, place, channel.helpdesk, arrivals, stray_seconds=stray)

    def _parse(self, connection: Connection, receipt: StoredReceipt) -> Sequence[Event] | None:
        """The events, none for what we do not carry; None when the receipt was set aside or put off."""
        try:
            return _from_outside(self._installation.adapter(receipt.place).parse(receipt.request))
        except UnsupportedEvent as kind:
            _log.info("unsupported_event", place=receipt.place, receipt_id=receipt.id, detail=kind.detail or str(kind))
            return ()
        except MalformedPayload as problem:
            receipts.set_aside(connection, receipt.id, f"{problem} {problem.detail}".strip())
        except Exception as fault:  # noqa: BLE001 - an adapter's fault must not stop the other receipts
            _log.exception("parse_fault", place=receipt.place, receipt_id=receipt.id)
            if receipt.attempts >= _TRIES:
                receipts.set_aside(connection, receipt.id, f"{type(fault).__name__} {receipt.attempts} times")
            else:
                receipts.retry(connection, receipt.id, seconds=back_off(self._installation.engine, receipt.attempts))
        return None


def _from_outside(found: Sequence[Event]) -> Sequence[Event]:
    """The same, unless it holds what only Crossdesk itself may say: presses and timers never come from outside."""
    if any(isinstance(event, BridgeEvent) for event in found):
        raise MalformedPayload(
            "The delivery claims to be a press or a timer of ours, which never come from outside; it was kept as it came."
        )
    return found
