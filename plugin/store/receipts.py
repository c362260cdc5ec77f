"""Receipts: raw deliveries, kept before anybody looks inside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from sqlalchemy import Connection, text

from plugin.contracts.http import WebhookRequest, storable_text
from plugin.domain.ids import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReceipt:
    """A verified delivery on its way into the table."""

    place: Place
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def digest(self) -> bytes:
        """What makes a redelivery the same receipt: SHA-256 of path and body."""
        return hashlib.sha256(self.path.encode("utf-8", "replace") + b"\0" + self.body).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReceipt:
    """A receipt as it is read back for splitting. `attempts` counts this try; `is_again`: it was split before."""

    id: int
    place: Place
    attempts: int
    is_again: bool
    request: WebhookRequest


_COLUMNS = ("place", "digest", "method", "path", "query", "headers", "body")
_ROW = "(%s, %s, %s, %s, CAST(%s AS jsonb), CAST(%s AS jsonb), %s)"


@cache
def _insert(count: int) -> str:
    # Plain placeholders cost the driver a fraction of what arrays do, and each of the few counts is prepared once.
    return f"INSERT INTO receipt ({', '.join(_COLUMNS)}) VALUES {', '.join([_ROW] * count)} ON CONFLICT (place, digest) DO NOTHING"  # noqa: S608


def insert(connection: Connection, receipts: Sequence[NewReceipt]) -> None:
    """Keep the deliveries; those that are known already are left as they are."""
    values: list[str | bytes] = []
    for item in receipts:
        values += (item.place, item.digest, item.method, storable_text(item.path), _json(item.query), _json(item.headers), item.body)
    connection.exec_driver_sql(_insert(len(receipts)), tuple(values))


def _json(pairs: Mapping[str, str]) -> str:
    if not pairs:
        return "{}"
    return json.dumps({storable_text(name): storable_text(value) for name, value in pairs.items()})


_LOCK_SPACE = 0x53504C54
_PLACES_WITH_NEW = text(
    """
    WITH RECURSIVE walk AS (
        (SELECT place FROM receipt WHERE state IN ('new', 'retry') ORDER BY place LIMIT 1)
        UNION ALL
        SELECT (SELECT r.place FROM receipt r WHERE r.state IN ('new', 'retry') AND r.place > walk.place ORDER BY r.place LIMIT 1)
        FROM walk WHERE walk.place IS NOT NULL
    )
    SELECT place FROM walk WHERE place IS NOT NULL
    """
)


def places_with_new(connection: Connection) -> list[Place]:
    """The places that have receipts to split. Hops along the index: its cost is the number of places, not of receipts."""
    return [Place(row.place) for row in connection.execute(_PLACES_WITH_NEW)]


_CLAIM = text(
    """
    UPDATE receipt SET attempts = attempts + 1, due_at = now() + make_interval(secs => :seconds)
    WHERE id IN (SELECT id FROM receipt WHERE state = 'new' AND place = :place ORDER BY id LIMIT :limit)
      AND (SELECT due_at FROM receipt WHERE state = 'new' AND place = :place ORDER BY id LIMIT 1) <= now()
    RETURNING id, attempts
    """
)
_CLAIM_RETRY = text(
    """
    UPDATE receipt SET attempts = attempts + 1, due_at = now() + make_interval(secs => :seconds)
    WHERE id = (SELECT id FROM receipt WHERE state = 'retry' AND place = :place AND due_at <= now() ORDER BY id LIMIT 1)
    RETURNING id, attempts
    """
)


def claim(connection: Connection, place: Place, *, limit: int, seconds: float) -> list[int]:
    """Claim the oldest new receipts of a place, one claim at a time, so that they become events in the order of their arrival.

    The try is counted, to be committed before anything looks inside them: a receipt that ended its process before is claimed alone.
    Returns ids in order; none while somebody else's claim of up to `seconds` stands.
    """
    lock = text("SELECT pg_try_advisory_xact_lock(:space, hashtext(:place))")
    if not connection.execute(lock, {"space": _LOCK_SPACE, "place": place}).scalar():
        return []
    parameters = {"place": place, "limit": limit, "seconds": seconds}
    claimed = sorted((row.id, row.attempts) for row in connection.execute(_CLAIM, parameters))
    if not claimed:
        return [row.id for row in connection.execute(_CLAIM_RETRY, parameters)]
    alone = next((at for at, (_, attempts) in enumerate(claimed) if attempts > 1), None)
    if alone is None:
        return [receipt_id for receipt_id, _ in claimed]
    kept = claimed[: max(alone, 1)]
    _unclaim(connection, [receipt_id for receipt_id, _ in claimed[len(kept) :]])
    return [receipt_id for receipt_id, _ in kept]


def _unclaim(connection: Connection, ids: Sequence[int]) -> None:
    connection.execute(text("UPDATE receipt SET attempts = attempts - 1, due_at = now() WHERE id = ANY(:ids)"), {"ids": list(ids)})


_READ_NEW = text(
    "SELECT id, place, method, path, query, headers, body, attempts, events FROM receipt "
    "WHERE id = ANY(:ids) AND state IN ('new', 'retry') ORDER BY id FOR UPDATE"
)


def read_new(connection: Connection, ids: Sequence[int]) -> list[StoredReceipt]:
    """Those of `ids` that are still new, locked, in the order of their arrival."""
    return [
        StoredReceipt(
            id=row.id,
            place=Place(row.place),
            attempts=row.attempts,
            is_again=row.events > 0,
            request=WebhookRequest(method=row.method, path=row.path, query=row.query, headers=row.headers, body=bytes(row.body)),
        )
        for row in connection.execute(_READ_NEW, {"ids": list(ids)})
    ]


def mark_split(connection: Connection, counts: Mapping[int, int]) -> None:
    """Close receipts whose events are in the table; `counts` maps receipt ids to numbers of events."""
    connection.execute(
        text(
            "UPDATE receipt SET state = 'split', events = n.events FROM unnest(CAST(:ids AS bigint[]), CAST(:counts AS int[])) AS n(id, events) "
            "WHERE receipt.id = n.id"
        ),
        {"ids": list(counts), "counts": list(counts.values())},
    )


def set_aside(connection: Connection, receipt_id: int, reason: str) -> None:
    """Quarantine a receipt: kept whole, with the reason, until a person decides."""
    connection.execute(
        text("UPDATE receipt SET state = 'quarantined', reason = :reason WHERE id = :id"), {"id": receipt_id, "reason": reason[:1000]}
    )


def retry(connection: Connection, receipt_id: int, *, seconds: float) -> None:
    """Look at a receipt again later, on its own: what came after it goes on."""
    connection.execute(
        text("UPDATE receipt SET state = 'retry', due_at = now() + make_interval(secs => :seconds) WHERE id = :id"),
        {"id": receipt_id, "seconds": seconds},
    )


def give_back(connection: Connection, ids: Sequence[int], *, seconds: float) -> None:
    """End a claim that came to nothing; the place is claimed again after `seconds`."""
    connection.execute(
        text("UPDATE receipt SET due_at = now() + make_interval(secs => :seconds) WHERE id = ANY(:ids) AND state IN ('new', 'retry')"),
        {"ids": list(ids), "seconds": seconds},
    )
