"""Erasing a person: the rows that hold what was said by, to or about somebody, emptied in place. No row that is counted goes, so the ledger stays as it was.

What an emptied event looks like is the caller's affair; what a row of ours is called after it is here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, String, Table, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from plugin.store import tables

ERASED = "erased"
"""The reason of whatever an erasure ended, and what begins the ids that stand in place of a person's own."""
_BATCH = 500
_FEWEST = 4
"""Letters that a name must have to be looked for: shorter ones stand in everybody's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """What belongs to one person.

    `events` are those of their conversations, and what they said or did in others'; `names` their ids and handles, `shown` the names beside them.
    """

    contacts: tuple[int, ...]
    conversations: tuple[int, ...]
    events: tuple[int, ...]
    names: tuple[str, ...]
    shown: tuple[str, ...]


# A stranger's private page only points to the customer's ticket: from there no way leads to the customer.
_MORE_CONVERSATIONS = text(
    """
    SELECT id FROM conversation WHERE id = ANY(:c) OR contact_id = ANY(:p) OR continued_by = ANY(:c)
        OR id IN (SELECT continued_by FROM conversation WHERE id = ANY(:c) AND place NOT LIKE 'channel:page.%')
        OR place LIKE 'channel:page.%' AND split_part(thread_key, ':', 1) = ANY(CAST(CAST(:c AS bigint[]) AS text[]))
    """
)
_MORE_CONTACTS = text(
    """
    WITH known AS (SELECT id, person_id FROM contact WHERE id = ANY(:p) OR id IN (SELECT contact_id FROM conversation WHERE id = ANY(:c)))
    SELECT id FROM known UNION SELECT p.id FROM contact p JOIN known k ON p.person_id = k.person_id
    """
)
_EVENTS = text(
    """
    SELECT id FROM inbound_event WHERE conversation_id = ANY(:c)
    UNION SELECT event_id FROM message WHERE contact_id = ANY(:p) OR conversation_id = ANY(:c)
    UNION SELECT event_id FROM intent WHERE conversation_id = ANY(:c)
    UNION SELECT e.id FROM inbound_event e JOIN contact p ON p.place = e.place
          WHERE p.id = ANY(:p) AND p.ref IN (e.payload->'author'->>'ref', e.payload->>'author_ref')
    UNION SELECT id FROM inbound_event WHERE kind IN ('Skipped', 'MemberUnreadable') AND place = ANY(:places) AND payload::text ~* :pattern
    """
)


def circle(connection: Connection, conversation_id: int) -> Circle | None:
    """Everything of the person who opened a conversation; None when there is no such conversation, or nobody opened it.

    It is all contacts that were proved to be the same one, their conversations, and those that continue them.
    """
    conversations, contacts = {conversation_id}, set[int]()
    while True:
        before = len(conversations) + len(contacts)
        contacts |= set(connection.execute(_MORE_CONTACTS, {"c": sorted(conversations), "p": sorted(contacts)}).scalars())
        conversations |= set(connection.execute(_MORE_CONVERSATIONS, {"c": sorted(conversations), "p": sorted(contacts)}).scalars())
        if len(conversations) + len(contacts) == before:
            break
    if not contacts:
        return None
    known = {"p": sorted(contacts), "c": sorted(conversations)}
    rows = connection.execute(
        text("SELECT place, ref, profile->>'handle' AS handle, profile->>'display_name' AS name FROM contact WHERE id = ANY(:p)"),
        {"p": known["p"]},
    ).all()
    names = sorted({name for row in rows for name in (row.ref, row.handle) if name and not name.startswith(f"{ERASED}:")})
    places = sorted({row.place for row in rows})
    events = connection.execute(_EVENTS, {**known, "places": places, "pattern": pattern(names)}).scalars()
    return Circle(
        contacts=tuple(known["p"]),
        conversations=tuple(known["c"]),
        events=tuple(sorted(events)),
        names=tuple(names),
        shown=tuple(sorted({row.name for row in rows if row.name and " " in row.name})),
    )


def pattern(names: Collection[str]) -> str:
    """A pattern for any of these names as a word of its own, for Python and PostgreSQL; one that nothing fits where none is long enough."""
    worth = sorted((re.escape(name) for name in names if len(name) >= _FEWEST), key=len, reverse=True)
    return rf"(?<!\w)(?:{'|'.join(worth)})(?!\w)" if worth else r"(?!)"


def lock(connection: Connection, of: Circle) -> list[int]:
    """Hold every conversation concerned until the transaction ends. Returns those in which a call to the outside is under way or unclear."""
    rows = connection.execute(
        text(
            """
            SELECT id, lease_until > now() AS is_leased FROM conversation
            WHERE id = ANY(:c) OR id IN (SELECT conversation_id FROM inbound_event WHERE id = ANY(:e)) ORDER BY id FOR UPDATE
            """
        ),
        {"c": list(of.conversations), "e": list(of.events)},
    ).all()
    unclear = connection.execute(
        text(
            "SELECT DISTINCT conversation_id FROM intent WHERE (conversation_id = ANY(:c) OR event_id = ANY(:e)) AND state IN ('sending', 'unknown')"
        ),
        {"c": list(of.conversations), "e": list(of.events)},
    ).scalars()
    return sorted({row.id for row in rows if row.is_leased} | set(unclear))


def payloads(connection: Connection, ids: Sequence[int]) -> Iterator[Row[Any]]:
    """`id`, `kind` and `payload` of events, some hundred at a time."""
    statement = text("SELECT id, kind, payload FROM inbound_event WHERE id = ANY(:ids) ORDER BY id")
    for first in range(0, len(ids), _BATCH):
        yield from connection.execute(statement, {"ids": list(ids[first : first + _BATCH])}).all()


def wishes(connection: Connection, of: Circle) -> Sequence[Row[Any]]:
    """`id` and `payload` of all wishes of these conversations and events."""
    statement = text("SELECT id, payload FROM intent WHERE conversation_id = ANY(:c) OR event_id = ANY(:e) ORDER BY id")
    return connection.execute(statement, {"c": list(of.conversations), "e": list(of.events)}).all()


def rewrite(connection: Connection, table: str, changed: Mapping[int, Any]) -> int:
    """Put other payloads in place of those of `inbound_event` or `intent`. Returns how many."""
    statement = text(
        f"UPDATE {table} SET payload = r.payload FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id bigint, payload jsonb) WHERE {table}.id = r.id"  # noqa: S608 - names of ours
    )
    items = list(changed.items())
    for first in range(0, len(items), _BATCH):
        rows = [{"id": number, "payload": payload} for number, payload in items[first : first + _BATCH]]
        connection.execute(statement, {"rows": json.dumps(rows)})
    return len(items)


# By what a report calls it. Each statement touches only what still holds something, so that a second run finds nothing to do.
_STEPS: Mapping[str, str] = {
    "waiting replies and other open work, ended": """
        UPDATE intent SET state = 'dropped', reason = 'erased', reason_text = '', ended_at = now(), due_at = NULL, settle_at = NULL
        WHERE (conversation_id = ANY(:c) OR event_id = ANY(:e)) AND state IN ('pending', 'held', 'quarantined')
    """,
    "events that were not worked yet, ended": """
        UPDATE inbound_event SET state = 'ignored', reason = 'erased', due_at = NULL
        WHERE id = ANY(:e) AND state NOT IN ('done', 'ignored')
    """,
    "files": "DELETE FROM media WHERE event_id = ANY(:e)",
    "messages, now tombstones": """
        UPDATE message SET deleted_at = COALESCE(deleted_at, now()), text_digest = '\\x0000000000000000'
        WHERE (conversation_id = ANY(:c) OR event_id = ANY(:e)) AND text_digest <> '\\x0000000000000000'
    """,
    "names of private threads": "DELETE FROM message_ref WHERE place LIKE 'opened:%' AND message_id IN (SELECT id FROM message WHERE event_id = ANY(:e))",
    "reasons of wishes, and names of files": """
        UPDATE intent SET reason_text = '', remote_ref = CASE WHEN op = 'fetch' THEN '' ELSE remote_ref END
        WHERE (conversation_id = ANY(:c) OR event_id = ANY(:e)) AND (reason_text <> '' OR op = 'fetch' AND remote_ref <> '')
    """,
    "log lines of calls": """
        UPDATE attempt SET detail = '' WHERE detail <> '' AND intent_id IN (
            SELECT id FROM intent WHERE conversation_id = ANY(:c) OR event_id = ANY(:e))
    """,
    "decisions": """
        UPDATE decision SET reason = '', outcome = '{}', facts = '{}', state = CASE WHEN state = 'quarantined' THEN 'dropped' ELSE state END
        WHERE (conversation_id = ANY(:c) OR event_id = ANY(:e)) AND (reason <> '' OR outcome <> '{}' OR facts <> '{}' OR state = 'quarantined')
    """,
    "evidence": "DELETE FROM evidence WHERE conversation_id = ANY(:c) OR event_id = ANY(:e)",
    "notes on what solved it": "DELETE FROM solution WHERE conversation_id = ANY(:c)",
    "notes and tags about the person": "DELETE FROM person_note WHERE contact_id = ANY(:p)",
    "proofs": "DELETE FROM proof WHERE first_conversation = ANY(:c) OR second_conversation = ANY(:c)",
    "passes to private pages": "DELETE FROM page_pass WHERE conversation_id = ANY(:c)",
    "alerts": """
        UPDATE alert SET text = 'Erased, with the person whom it was about.', closed_at = COALESCE(closed_at, now())
        WHERE text <> 'Erased, with the person whom it was about.' AND split_part(code, ':', 2) = ANY(CAST(CAST(:c AS bigint[]) AS text[]))
          AND place IN (SELECT place FROM conversation WHERE id = ANY(:c))
    """,
    "reasons in the audit": """
        UPDATE audit SET detail = detail - 'reason' WHERE detail ? 'reason' AND action <> 'person erased'
          AND (subject IN (SELECT 'conversation ' || id FROM unnest(CAST(:c AS bigint[])) AS c(id))
               OR subject IN (SELECT c.place || ' ' || r.ref FROM message m JOIN message_ref r ON r.message_id = m.id
                              JOIN conversation c ON c.id = m.conversation_id WHERE m.conversation_id = ANY(:c)))
    """,
    "conversations": """
        UPDATE conversation SET thread_key = 'erased:' || id, former_keys = '{}', stage = 'resolved', crossover = '{}', agent_lock = '{}', candidates = '[]',
            ticket_fields = '{}', is_scam = false, is_reachable = false, hold_reason = NULL, hold_text = '', unanswered_since = NULL,
            queue_since = NULL, due_at = NULL, looked_at = NULL
        WHERE id = ANY(:c) AND (thread_key <> 'erased:' || id OR crossover <> '{}' OR agent_lock <> '{}' OR candidates <> '[]' OR ticket_fields <> '{}')
    """,
    "contacts": """
        UPDATE contact SET ref = 'erased:' || id, profile = jsonb_build_object('ref', 'erased:' || id), former_refs = '{}', customer_ref = NULL,
            person_id = NULL
        WHERE id = ANY(:p) AND (ref <> 'erased:' || id OR profile <> jsonb_build_object('ref', 'erased:' || id))
    """,
}
_OTHERS_DUE = text(
    """
    UPDATE conversation SET due_at = LEAST(due_at, now())
    WHERE id IN (SELECT conversation_id FROM intent WHERE event_id = ANY(:e)) AND NOT id = ANY(:c)
    """
)
_NOBODY = text("DELETE FROM person WHERE NOT EXISTS (SELECT 1 FROM contact WHERE person_id = person.id)")
_RAW = "raw deliveries"
_EMPTY = "body = '', query = '{}', headers = '{}', path = ''"
_RECEIPTS = text(
    f"""
    UPDATE receipt SET {_EMPTY} WHERE state IN ('split', 'dropped') AND body <> ''
      AND (id IN (SELECT receipt_id FROM inbound_event WHERE id = ANY(:e))
           OR EXISTS (SELECT 1 FROM unnest(CAST(:names AS text[])) AS n(name) WHERE position(convert_to(n.name, 'UTF8') IN body) > 0))
    """  # noqa: S608 - columns of ours
)
_SET_ASIDE = text("SELECT id, body FROM receipt WHERE state = 'quarantined' AND body <> '' ORDER BY id")
_DROPPED = text(f"UPDATE receipt SET {_EMPTY}, state = 'dropped', reason = 'erased' WHERE id = ANY(:ids)")  # noqa: S608 - as above


def empty(connection: Connection, of: Circle) -> dict[str, int]:
    """Empty everything but the payloads of events and wishes. Returns how many rows of each kind still held something."""
    done = {_RAW: _empty_receipts(connection, of)}
    parameters = {"p": list(of.contacts), "c": list(of.conversations), "e": list(of.events)}
    for name, step in _STEPS.items():
        done[name] = connection.execute(text(step), {key: ids for key, ids in parameters.items() if f":{key})" in step}).rowcount
    connection.execute(_OTHERS_DUE, {"e": parameters["e"], "c": parameters["c"]})
    connection.execute(_NOBODY)
    return done


def _empty_receipts(connection: Connection, of: Circle) -> int:
    """Raw deliveries that brought something of the person, or name them. One that was never read and names them is given up."""
    spelled = {form for name in of.names if len(name) >= _FEWEST for form in (name, json.dumps(name)[1:-1])}
    found = connection.execute(_RECEIPTS, {"e": list(of.events), "names": sorted(spelled)}).rowcount
    named = re.compile(pattern(spelled), re.IGNORECASE)
    theirs = [row.id for row in connection.execute(_SET_ASIDE) if named.search(bytes(row.body).decode("utf-8", "replace"))]
    if theirs:
        connection.execute(_DROPPED, {"ids": theirs})
    return found + len(theirs)


def unread(connection: Connection) -> int:
    """Deliveries that nobody has looked into yet."""
    return int(connection.execute(text("SELECT count(*) FROM receipt WHERE state IN ('new', 'retry')")).scalar_one())


def in_helpdesk(connection: Connection, of: Circle) -> Sequence[Row[Any]]:
    """`helpdesk`, `tickets` (numbers) and `customers` (ids): what the helpdesk holds of the person."""
    statement = text(
        """
        SELECT c.helpdesk, array_agg(DISTINCT c.ticket_number) FILTER (WHERE c.ticket_number IS NOT NULL) AS tickets,
               array_agg(DISTINCT p.customer_ref) FILTER (WHERE p.customer_ref IS NOT NULL) AS customers
        FROM conversation c LEFT JOIN contact p ON p.id = c.contact_id WHERE c.id = ANY(:c) AND c.ticket_ref IS NOT NULL
        GROUP BY c.helpdesk ORDER BY c.helpdesk
        """
    )
    return connection.execute(statement, {"c": list(of.conversations)}).all()


def on_platforms(connection: Connection, of: Circle) -> Sequence[Row[Any]]:
    """`place` and `total`: what we said to the person there."""
    statement = text(
        """
        SELECT c.place, count(*) AS total FROM intent i JOIN conversation c ON c.id = i.conversation_id
        WHERE c.id = ANY(:c) AND i.lane IN ('to_social', 'notices') AND i.state = 'sent' GROUP BY c.place ORDER BY c.place
        """
    )
    return connection.execute(statement, {"c": list(of.conversations)}).all()


def named_still(connection: Connection, names: Collection[str]) -> dict[str, int]:
    """Where any of these names still stands: rows by `table.column`. Reads every text in the database, so it is for people to ask, now and then."""
    found: dict[str, int] = {}
    for table in tables.metadata.sorted_tables:
        columns = [column.name for column in table.columns if isinstance(column.type, String | JSONB | ARRAY)]
        if columns:
            found |= _named_in(connection, table, columns, pattern(names))
    return found


def _named_in(connection: Connection, table: Table, columns: Sequence[str], wanted: str) -> dict[str, int]:
    counted = ", ".join(f'count(*) FILTER (WHERE CAST("{name}" AS text) ~* :pattern) AS "{name}"' for name in columns)
    row = connection.execute(text(f"SELECT {counted} FROM {table.name}"), {"pattern": wanted}).one()  # noqa: S608 - names of ours
    return {f"{table.name}.{name}": total for name, total in row._mapping.items() if total}  # noqa: SLF001 - SQLAlchemy's public way to a mapping
