"""What came in and could not be read or is not carried: kept, so that it is counted, can be looked at, and can be read again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, text

from plugin.contracts.http import parse_json, storable_text
from plugin.contracts.platform import Skipped
from plugin.domain.errors import MalformedPayload
from plugin.domain.events import MemberUnreadable
from plugin.domain.ids import Place
from plugin.domain.model import Origin

_SKIPPED = "skipped "
"""Before the key of what a poll could not read."""
_LONGEST_KEY = 500
"""Letters: an index takes 2,700 bytes."""


def keep_skipped(connection: Connection, place: Place, skipped: Skipped, origin: Origin) -> None:
    """Keep what a poll saw and did not carry, once: ignored by name, or set aside when it could not be read.

    What could not be read has a key of its own, so that it never stands in the way of the same fact once that can be read. Whatever it
    holds, it can be stored: a poll that fails at what it saw would see it again for ever.
    """
    statement = text(
        """
        INSERT INTO inbound_event (place, event_key, kind, origin, payload, state, reason)
        VALUES (:place, :key, 'Skipped', :origin, CAST(:payload AS jsonb), :state, :reason) ON CONFLICT (place, event_key) DO NOTHING
        """
    )
    is_lost = isinstance(skipped.reason, MalformedPayload)
    key = storable_text(f"{_SKIPPED}{skipped.event_key}" if is_lost else skipped.event_key)
    parameters = {
        "place": place,
        "key": key if len(key) <= _LONGEST_KEY else f"{key[:40]} {sha256(key.encode()).hexdigest()}",
        "origin": origin,
        "payload": _storable(skipped.payload),
        "state": "quarantined" if is_lost else "ignored",
        "reason": storable_text(f"{skipped.reason.code}: {skipped.reason} {skipped.reason.detail if is_lost else ''}".strip())[:1000],
    }
    connection.execute(statement, parameters)


def _storable(payload: Any) -> str:
    """What a poll saw as JSON that PostgreSQL takes; as one string where it is none (a number without end, a class of somebody's library)."""
    told = json.dumps(payload, default=repr)
    try:
        return json.dumps(parse_json(told.encode()))
    except MalformedPayload:
        return json.dumps(storable_text(told))


_SETTLE_UNREADABLE = text(
    """
    UPDATE inbound_event e
    SET state = CASE WHEN s.event_key IS NULL THEN 'ignored' ELSE 'quarantined' END, reason = COALESCE(left(s.reason, 1000), 'read_again')
    FROM inbound_event o LEFT JOIN unnest(CAST(:keys AS text[]), CAST(:reasons AS text[])) AS s(event_key, reason) ON s.event_key = o.event_key
    WHERE o.id = e.id AND e.receipt_id = ANY(:receipts) AND e.kind = 'MemberUnreadable'
      AND (e.state = 'quarantined' OR (e.state = 'ignored' AND e.reason = 'read_again'))
    """
)


def settle_unreadable(connection: Connection, receipt_ids: Sequence[int], still: Iterable[MemberUnreadable]) -> None:
    """These receipts were split again: members that could be read now are ended by name, those that `still` cannot stay set aside."""
    left = {event.event_key: event.reason for event in still}
    parameters = {"receipts": list(receipt_ids), "keys": list(left), "reasons": list(left.values())}
    connection.execute(_SETTLE_UNREADABLE, parameters)
