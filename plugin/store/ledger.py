"""The ledger: the fate of every message, the counts that must add up, one message's whole story, and the decisions of people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

_FATES = text(
    """
    SELECT fate, reason, count(*) AS total FROM (
        SELECT CASE
            WHEN e.state IN ('done', 'ignored', 'quarantined') THEN e.state
            WHEN e.state = 'retry' THEN 'retrying'
            WHEN e.state IN ('accepted', 'waiting') THEN 'waiting'
            WHEN e.state = 'routed' THEN (
                SELECT CASE
                    WHEN bool_or(i.state = 'quarantined') THEN 'quarantined'
                    WHEN bool_or(i.state = 'held') THEN 'held'
                    WHEN bool_or(i.state = 'unknown' OR (i.state = 'pending' AND i.attempts > 0)) THEN 'retrying'
                    WHEN bool_or(i.state IN ('pending', 'sending')) THEN 'waiting'
                END FROM intent i WHERE i.event_id = e.id)
        END AS fate,
        CASE
            WHEN e.state IN ('ignored', 'quarantined') THEN e.reason
            WHEN e.state = 'waiting' THEN e.reason
            WHEN e.state = 'routed' THEN COALESCE((
                SELECT i.reason FROM intent i WHERE i.event_id = e.id AND i.state IN ('quarantined', 'held', 'unknown', 'pending')
                ORDER BY i.state = 'quarantined' DESC, i.state = 'held' DESC, i.id LIMIT 1), '')
            ELSE ''
        END AS reason
        FROM inbound_event e
    ) f GROUP BY fate, reason ORDER BY fate, reason
    """
)
_RECEIPTS = text("SELECT state, count(*) AS total FROM receipt GROUP BY state")
_CONTRADICTIONS = {
    "routed events that nothing works on": """
        SELECT e.id FROM inbound_event e WHERE e.state = 'routed' AND NOT EXISTS (
            SELECT 1 FROM intent i WHERE i.event_id = e.id AND i.state IN ('pending', 'sending', 'unknown', 'held', 'quarantined'))
    """,
    "done events with open wishes": """
        SELECT e.id FROM intent i JOIN inbound_event e ON e.id = i.event_id
        WHERE i.state IN ('pending', 'sending', 'unknown', 'held') AND e.state IN ('done', 'ignored')
    """,
    "messages said to be filed that no ticket holds": """
        SELECT e.id FROM inbound_event e JOIN message m ON m.event_id = e.id JOIN conversation c ON c.id = m.conversation_id
        WHERE e.state = 'done' AND m.direction = 'inbound' AND NOT EXISTS (
            SELECT 1 FROM message_ref r WHERE r.message_id = m.id AND r.place = c.helpdesk)
        AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.event_id = e.id AND i.state = 'dropped')
    """,
    "replies said to be sent that no platform holds": """
        SELECT i.event_id AS id FROM intent i WHERE i.op = 'reply' AND i.state = 'sent' AND i.remote_ref IS NULL
    """,
    "conversations with open work that nobody will look at": """
        SELECT c.id FROM conversation c WHERE c.due_at IS NULL AND (c.lease_until IS NULL OR c.lease_until < now()) AND (
            EXISTS (SELECT 1 FROM inbound_event e WHERE e.conversation_id = c.id AND e.state IN ('accepted', 'retry'))
            OR EXISTS (SELECT 1 FROM intent i WHERE i.conversation_id = c.id AND i.state IN ('pending', 'sending', 'unknown')
                       AND NOT (c.ticket_ref IS NULL AND i.payload->>'kind' IN ('note', 'reaction', 'tombstone', 'change'))
                       AND NOT (c.ticket_ref IS NULL AND i.lane = 'notices' AND i.payload ? 'needs_ticket')
                       AND NOT EXISTS (SELECT 1 FROM intent b WHERE b.conversation_id = i.conversation_id AND b.lane = i.lane AND b.id <= i.id
                                       AND b.state IN ('pending', 'unknown', 'held') AND b.due_at IS NULL)))
    """,
    "wishes fulfilled out of order": """
        SELECT event_id AS id FROM (
            SELECT event_id, sent_at, min(ended_at) OVER (
                PARTITION BY conversation_id, lane ORDER BY id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS later_ended_at
            FROM intent WHERE lane IN ('to_helpdesk', 'to_social') AND state = 'sent' AND op IN ('file', 'reply')
              AND NOT payload ? 'let_pass') wish
        WHERE later_ended_at < sent_at
    """,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The counts. `received` events are the sum of all fates; `contradictions` names what does not add up, with examples."""

    received: int
    fates: Mapping[str, int]
    reasons: Mapping[str, Mapping[str, int]]
    receipts: Mapping[str, int]
    contradictions: Mapping[str, Sequence[int]]

    @property
    def is_ok(self) -> bool:
        """Whether every event has exactly one fate and nothing contradicts it."""
        return self.received == sum(self.fates.values()) and not self.contradictions


FATES = ("done", "ignored", "waiting", "retrying", "held", "quarantined")


def balance(connection: Connection) -> Balance:
    """Count everything and look for contradictions. Reads whole tables: for people and drills, not for every second."""
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    received = int(connection.execute(text("SELECT count(*) FROM inbound_event")).scalar_one())
    fates: dict[str, int] = dict.fromkeys(FATES, 0)
    reasons: dict[str, dict[str, int]] = {}
    for row in connection.execute(_FATES):
        if row.fate is None:
            continue
        fates[row.fate] += row.total
        if row.reason:
            reasons.setdefault(row.fate, {})[row.reason] = row.total
    found = {name: [row.id for row in connection.execute(text(f"{query} LIMIT 5"))] for name, query in _CONTRADICTIONS.items()}
    return Balance(
        received=received,
        fates=fates,
        reasons=reasons,
        receipts={row.state: row.total for row in connection.execute(_RECEIPTS)},
        contradictions={name: ids for name, ids in found.items() if ids},
    )


_LAG = text(
    """
    SELECT 'receipt' AS kind, count(*) AS total, COALESCE(extract(epoch FROM now() - min(received_at)), 0)::float AS seconds
    FROM receipt WHERE state IN ('new', 'retry')
    UNION ALL
    SELECT 'event', count(*), COALESCE(extract(epoch FROM now() - min(received_at)), 0)::float
    FROM inbound_event WHERE state IN ('accepted', 'waiting', 'retry') AND kind <> 'TimerElapsed'
    UNION ALL
    SELECT lane, count(*), COALESCE(extract(epoch FROM now() - min(created_at)), 0)::float
    FROM intent WHERE state IN ('pending', 'sending', 'unknown', 'held') GROUP BY lane
    UNION ALL
    SELECT 'quarantined', count(*), COALESCE(extract(epoch FROM now() - min(created_at)), 0)::float FROM intent WHERE state = 'quarantined'
    """
)


def lag(connection: Connection) -> Sequence[Row[Any]]:
    """`kind`, `total` and `seconds`: count and age of the oldest open work by kind; uses the partial indexes on open rows only."""
    return connection.execute(_LAG).all()


def find_events(connection: Connection, reference: str) -> list[int]:
    """The events that `reference` may mean: our event id, an event key, a message's id on either side, or a ticket number."""
    statement = text(
        """
        SELECT id FROM inbound_event WHERE CAST(id AS text) = :reference
        UNION SELECT id FROM inbound_event WHERE event_key IN (:reference, 'skipped ' || :reference)
        UNION SELECT m.event_id FROM message_ref r JOIN message m ON m.id = r.message_id WHERE r.ref = :reference
        UNION SELECT i.event_id FROM intent i WHERE i.marker = :reference
        UNION SELECT e.id FROM conversation c JOIN inbound_event e ON e.conversation_id = c.id WHERE c.ticket_number = :reference
        ORDER BY id LIMIT 50
        """
    )
    return [row.id for row in connection.execute(statement, {"reference": reference})]


def story(connection: Connection, event_id: int) -> dict[str, Any]:
    """Everything that is known of one event, in order: how it came, what was wished, every attempt, where it stands on both sides."""
    event = connection.execute(
        text(
            """
            SELECT e.id, e.place, e.event_key, e.kind, e.origin, e.state, e.reason, e.errors, e.occurred_at, e.received_at, e.receipt_id,
                   CASE WHEN e.kind = 'MemberUnreadable' THEN e.payload->>'excerpt'
                        WHEN e.kind = 'Skipped' AND e.state = 'quarantined' AND e.payload <> 'null' THEN left(CAST(e.payload AS text), 500)
                        ELSE '' END AS excerpt,
                   e.conversation_id, r.received_at AS receipt_at, c.ticket_ref, c.ticket_number, c.ticket_url, c.stage, c.thread_key
            FROM inbound_event e LEFT JOIN receipt r ON r.id = e.receipt_id LEFT JOIN conversation c ON c.id = e.conversation_id
            WHERE e.id = :id
            """
        ),
        {"id": event_id},
    ).one()
    wishes = connection.execute(
        text(
            "SELECT id, lane, op, part, marker, state, call, reason, reason_text, attempts, created_at, sent_at, ended_at, due_at, remote_ref "
            "FROM intent WHERE event_id = :id ORDER BY id"
        ),
        {"id": event_id},
    ).all()
    attempts = connection.execute(
        text(
            "SELECT a.intent_id, a.call, a.started_at, a.ended_at, a.outcome, a.detail FROM attempt a JOIN intent i ON i.id = a.intent_id "
            "WHERE i.event_id = :id ORDER BY a.id"
        ),
        {"id": event_id},
    ).all()
    refs = connection.execute(
        text(
            "SELECT r.place, r.ref, r.part FROM message m JOIN message_ref r ON r.message_id = m.id WHERE m.event_id = :id ORDER BY r.place, r.part"
        ),
        {"id": event_id},
    ).all()
    return {
        "event": dict(event._mapping),  # noqa: SLF001 - SQLAlchemy's public way to a mapping
        "refs": [dict(row._mapping) for row in refs],  # noqa: SLF001
        "intents": [dict(row._mapping) for row in wishes],  # noqa: SLF001
        "attempts": [dict(row._mapping) for row in attempts],  # noqa: SLF001
    }


def set_aside(connection: Connection, *, limit: int = 200) -> Sequence[Row[Any]]:
    """What waits for a person's decision: intents, events and receipts, oldest first. `kind` and `id` name it in the commands."""
    return connection.execute(
        text(
            """
            SELECT 'intent' AS kind, i.id, c.place, i.op AS what, i.reason, i.reason_text, i.created_at AS since
            FROM intent i JOIN conversation c ON c.id = i.conversation_id WHERE i.state = 'quarantined'
            UNION ALL
            SELECT 'event', id, place, kind, reason, '', received_at FROM inbound_event WHERE state = 'quarantined'
            UNION ALL
            SELECT 'receipt', id, place, method || ' ' || path, reason, '', received_at FROM receipt WHERE state = 'quarantined'
            UNION ALL
            SELECT 'decision', d.id, c.place, d.rule, d.kind, d.reason, d.at
            FROM decision d JOIN conversation c ON c.id = d.conversation_id WHERE d.state = 'quarantined'
            ORDER BY since LIMIT :limit
            """
        ),
        {"limit": limit},
    ).all()


def replay(connection: Connection, kind: str, subject: int, *, actor: str, reason: str = "") -> bool:
    """Try it again as if nothing had been tried; False when it is not set aside.

    A member that could not be read has its whole delivery split again: what was read before is known by its keys.
    """
    statements = {
        "intent": "UPDATE intent SET state = 'pending', errors = 0, due_at = now(), settle_at = NULL, ended_at = NULL, reason = '', reason_text = '' "
        "WHERE id = :id AND state = 'quarantined' RETURNING conversation_id",
        "event": "UPDATE inbound_event SET state = 'accepted', errors = 0, deaths = 0, reason = '', due_at = NULL "
        "WHERE id = :id AND state = 'quarantined' AND kind <> 'MemberUnreadable' AND conversation_id IS NOT NULL RETURNING conversation_id",
        "receipt": "UPDATE receipt SET state = 'new', attempts = 0, reason = '', due_at = now() WHERE id = :id AND state = 'quarantined' "
        "RETURNING NULL AS conversation_id",
    }
    is_done = _decide(connection, statements[kind], "replay", kind, subject, actor=actor, why=reason)
    return is_done or (kind == "event" and _decide(connection, _SPLIT_AGAIN, "replay", kind, subject, actor=actor, why=reason))


_SPLIT_AGAIN = """
    WITH kept AS (
        SELECT r.id, r.state FROM inbound_event e JOIN receipt r ON r.id = e.receipt_id
        WHERE e.id = :id AND e.state = 'quarantined' AND e.kind = 'MemberUnreadable' AND r.state <> 'dropped'
    ), again AS (
        UPDATE receipt SET state = 'new', attempts = 0, reason = '', due_at = now()
        WHERE id IN (SELECT id FROM kept) AND receipt.state IN ('split', 'quarantined')
    )
    UPDATE inbound_event SET state = 'ignored', reason = 'read_again'
    WHERE id = :id AND receipt_id IN (SELECT id FROM kept) RETURNING NULL AS conversation_id
"""


def drop(connection: Connection, kind: str, subject: int, *, actor: str, reason: str = "") -> bool:
    """Give it up for good; False when it is not set aside."""
    statements = {
        "intent": "UPDATE intent SET state = 'dropped', ended_at = now() WHERE id = :id AND state = 'quarantined' RETURNING conversation_id",
        "event": "UPDATE inbound_event SET state = 'ignored', reason = 'dropped' WHERE id = :id AND state = 'quarantined' RETURNING conversation_id",
        "receipt": "UPDATE receipt SET state = 'dropped' WHERE id = :id AND state = 'quarantined' RETURNING NULL AS conversation_id",
        "decision": "UPDATE decision SET state = 'dropped' WHERE id = :id AND state = 'quarantined' RETURNING NULL AS conversation_id",
    }
    return _decide(connection, statements[kind], "drop", kind, subject, actor=actor, why=reason)


def mark_sent(connection: Connection, intent_id: int, *, remote_ref: str, actor: str, reason: str = "") -> bool:
    """A person has seen that it was applied; `remote_ref` is the id on the other side where known. False when it is not set aside."""
    statement = (
        "UPDATE intent SET state = 'sent', ended_at = now(), remote_ref = COALESCE(NULLIF(:ref, ''), marker) "
        "WHERE id = :id AND state = 'quarantined' RETURNING conversation_id"
    )
    is_done = _decide(connection, statement, "mark-sent", "intent", intent_id, actor=actor, why=reason, ref=remote_ref)
    if is_done and remote_ref:
        connection.execute(
            text(
                """
                INSERT INTO message_ref (place, ref, message_id, part)
                SELECT CASE WHEN i.lane IN ('to_social', 'notices') THEN c.place ELSE c.helpdesk END, :ref, i.message_id, i.part
                FROM intent i JOIN conversation c ON c.id = i.conversation_id WHERE i.id = :id AND i.message_id IS NOT NULL
                ON CONFLICT DO NOTHING
                """
            ),
            {"id": intent_id, "ref": remote_ref},
        )
    return is_done


def _decide(connection: Connection, statement: str, action: str, kind: str, subject: int, *, actor: str, why: str, **more: str) -> bool:
    row = connection.execute(text(statement), {"id": subject, **more}).one_or_none()
    if row is None:
        return False
    if kind == "intent":
        connection.execute(
            text(
                """
                UPDATE inbound_event SET state = 'done' WHERE id = (SELECT event_id FROM intent WHERE id = :id) AND state = 'routed'
                AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.event_id = inbound_event.id
                                AND i.state IN ('pending', 'sending', 'unknown', 'held', 'quarantined'))
                """
            ),
            {"id": subject},
        )
    if row.conversation_id is not None:
        connection.execute(text("UPDATE conversation SET due_at = LEAST(due_at, now()) WHERE id = :id"), {"id": row.conversation_id})
    record(
        connection,
        actor=actor,
        action=f"quarantine {action}",
        subject=f"{kind} {subject}",
        detail={**more, **({"reason": why} if why else {})},
    )
    return True


def record(connection: Connection, *, actor: str, action: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Write down who decided what. Rows are only ever added."""
    connection.execute(
        text("INSERT INTO audit (actor, action, subject, detail) VALUES (:actor, :action, :subject, CAST(:detail AS jsonb))"),
        {"actor": actor, "action": action, "subject": subject, "detail": json.dumps(dict(detail))},
    )
