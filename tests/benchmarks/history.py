"""(d) The same work on top of 1,000, 100,000 and 1,000,000 stored messages, and which of the hot queries walk a big table."""

from __future__ import annotations

import statistics
from typing import Any

from sqlalchemy import Connection, text

from plugin.store.database import Database
from tests.benchmarks import filing
from tests.benchmarks.ground import CHANNEL, HELPDESK, Ground

BIG = ("receipt", "contact", "conversation", "inbound_event", "message", "message_ref", "intent", "attempt")
OFFSET = 1_000_000_000
"""Ids of loaded history begin here, so that they never meet those of new rows."""
_LOAD = (
    """
    INSERT INTO contact (id, place, ref, profile, customer_ref) OVERRIDING SYSTEM VALUE
    SELECT :offset + n, :place, 'old' || n, jsonb_build_object('ref', 'old' || n, 'display_name', 'Customer ' || n), 'old' || n
    FROM generate_series(1, :contacts) n
    """,
    """
    INSERT INTO conversation (id, place, thread_key, contact_id, visibility, helpdesk, ticket_ref, ticket_number, last_inbound_at)
    OVERRIDING SYSTEM VALUE
    SELECT :offset + n, :place, 'old' || n, :offset + n, 'private', :desk, 'old' || n, 'old' || n, now() - interval '9 days'
    FROM generate_series(1, :contacts) n
    """,
    """
    INSERT INTO receipt (id, place, digest, method, path, query, headers, body, received_at, state, attempts, events) OVERRIDING SYSTEM VALUE
    SELECT :offset + n, :place, sha256(n::text::bytea), 'POST', '', '{}', '{"content-type": "application/json"}',
           convert_to('{"id": "old' || n || '", "from": "old' || n % :contacts || '", "text": "' || repeat('word ', 80) || '"}', 'UTF8'),
           now() - interval '9 days', 'split', 1, 1
    FROM generate_series(1, :messages) n
    """,
    """
    INSERT INTO inbound_event (id, place, event_key, kind, conversation_id, receipt_id, origin, payload, occurred_at, received_at, state)
    OVERRIDING SYSTEM VALUE
    SELECT :offset + n, :place, 'old' || n, 'MessageReceived', :offset + 1 + n % :contacts, :offset + n, 'webhook',
           jsonb_build_object('type', 'MessageReceived', 'event_key', 'old' || n, 'occurred_at', NULL, 'message_ref', 'old' || n, 'thread_key', 'old',
                              'visibility', 'private', 'author', jsonb_build_object('ref', 'old'),
                              'text', jsonb_build_object('plain', repeat('word ', 80))),
           now() - interval '9 days', now() - interval '9 days', 'done'
    FROM generate_series(1, :messages) n
    """,
    """
    INSERT INTO message (id, conversation_id, event_id, direction, contact_id, text_digest, occurred_at, created_at) OVERRIDING SYSTEM VALUE
    SELECT :offset + n, :offset + 1 + n % :contacts, :offset + n, 'inbound', :offset + 1 + n % :contacts, '\\x0011223344556677',
           now() - interval '9 days', now() - interval '9 days'
    FROM generate_series(1, :messages) n
    """,
    "INSERT INTO message_ref (place, ref, message_id) SELECT :place, 'old' || n, :offset + n FROM generate_series(1, :messages) n",
    "INSERT INTO message_ref (place, ref, message_id) SELECT :desk, 'old' || n, :offset + n FROM generate_series(1, :messages) n",
    """
    INSERT INTO intent (id, conversation_id, event_id, message_id, lane, op, marker, payload, state, call, attempts, fence, created_at,
                        sent_at, ended_at, due_at, remote_ref) OVERRIDING SYSTEM VALUE
    SELECT :offset + n, :offset + 1 + n % :contacts, :offset + n, :offset + n, 'to_helpdesk', 'file', 'old' || n,
           '{"kind": "message", "author": 1, "parent": null}', 'sent', 'add_article', 1, 1, now() - interval '9 days',
           now() - interval '9 days', now() - interval '9 days', NULL, 'old' || n
    FROM generate_series(1, :messages) n
    """,
    """
    INSERT INTO attempt (intent_id, call, fence, started_at, ended_at, outcome)
    SELECT :offset + n, 'add_article', 1, now() - interval '9 days', now() - interval '9 days', 'applied' FROM generate_series(1, :messages) n
    """,
)


def run(here: Ground, *, is_quick: bool) -> dict[str, Any]:
    """Rates by stored messages, rounds interleaved; bytes a message by table; sequential scans of big tables during the work."""
    sizes, rounds, count = ((1_000, 20_000), 1, 800) if is_quick else ((1_000, 100_000, 1_000_000), 3, 3_000)
    urls = {size: here.database() for size in sizes}
    for size, url in urls.items():
        load_finished(url, size)
    scans = sequential_scans(urls[sizes[-1]])
    rates: dict[int, list[float]] = {size: [] for size in sizes}
    for number in range(rounds):
        for size, url in urls.items():
            rates[size].append(filing.file_ours(here, 1, count, database_url=url, first=number * count))
    walked = {table: more - scans[table] for table, more in sequential_scans(urls[sizes[-1]]).items() if more > scans[table]}
    ratios = [last / first for first, last in zip(rates[sizes[0]], rates[sizes[-1]], strict=True)]
    return {
        "per_second": {f"{size:,} stored": round(statistics.median(found), 1) for size, found in rates.items()},
        "ratio": round(statistics.median(ratios), 2),
        "target": "ratio >= 0.9",
        "sequential scans of big tables during the work": walked or "none",
        "bytes a stored message": bytes_each(urls[sizes[-1]], sizes[-1]),
    }


def load_finished(url: str, messages: int, *, place: str = CHANNEL, desk: str = HELPDESK, per_contact: int = 50) -> None:
    """Put finished history into every table, as if it had been filed nine days ago."""
    database = Database(url, pool_size=1, statement_seconds=1800)
    parameters = {"offset": OFFSET, "messages": messages, "contacts": max(1, messages // per_contact), "place": place, "desk": desk}
    for statement in _LOAD:
        with database.begin() as connection:
            connection.execute(text(statement), {name: value for name, value in parameters.items() if f":{name}" in statement})
    with database.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
    database.dispose()


def sequential_scans(url: str) -> dict[str, int]:
    """How often each big table was walked from end to end so far; ended connections have reported theirs."""
    database = Database(url, pool_size=1)
    with database.begin() as connection:
        found = connection.execute(text("SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY(:big)"), {"big": list(BIG)})
        counted = {row.relname: int(row.seq_scan) for row in found}
    database.dispose()
    return counted


def bytes_each(url: str, messages: int) -> dict[str, int]:
    """Bytes on disk for each stored message by table, indexes included."""
    database = Database(url, pool_size=1)
    with database.begin() as connection:
        sizes = {table: round(_size(connection, table) / messages) for table in BIG}
    database.dispose()
    return {**sizes, "together": sum(sizes.values())}


def _size(connection: Connection, table: str) -> int:
    return int(connection.execute(text("SELECT pg_total_relation_size(CAST(:name AS regclass))"), {"name": table}).scalar_one())
