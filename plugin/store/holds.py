"""Wishes that are held, and how they are let go, dropped or withdrawn: by place, by conversation, by the crossover contract, by the agents' lock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.domain.ids import Place
from plugin.store.intents import finish_events


def release_held(connection: Connection, place: Place, reasons: Sequence[str]) -> int:
    """What was held for these reasons in a place's conversations may be tried again now, and what was unclear be looked for. Returns how many."""
    statement = text(
        """
        WITH freed AS (
            UPDATE intent SET state = CASE WHEN state = 'held' THEN 'pending' ELSE state END, due_at = now(), reason = '', reason_text = ''
            FROM conversation c WHERE c.id = intent.conversation_id AND :place IN (c.place, c.helpdesk)
              AND (intent.state = 'held' AND intent.reason = ANY(:reasons) OR intent.state = 'unknown' AND intent.due_at IS NULL) RETURNING c.id
        ), woken AS (UPDATE conversation SET due_at = LEAST(due_at, now()) WHERE id IN (SELECT id FROM freed))
        SELECT count(*) FROM freed
        """
    )
    return int(connection.execute(statement, {"place": place, "reasons": list(reasons)}).scalar_one())


def release_conversation(connection: Connection, conversation_id: int) -> int:
    """What a stopped conversation held may be tried again now. Returns how many."""
    statement = text(
        "UPDATE intent SET state = 'pending', due_at = now(), reason = '', reason_text = '' "
        "WHERE conversation_id = :conversation AND state = 'held' AND reason = 'loop'"
    )
    return connection.execute(statement, {"conversation": conversation_id}).rowcount


_OF_HELD = """
    intent.state IN ('held', 'pending') AND (event_id, op) IN (
        SELECT i.event_id, i.op FROM (SELECT id FROM conversation WHERE id = :conversation
                                      UNION ALL SELECT id FROM conversation WHERE continued_by = :conversation) c
        JOIN intent i ON i.conversation_id = c.id AND i.lane = 'to_social' AND i.state = 'held'
          AND i.reason IN ('handoff', 'policy', 'lock', 'preflight', 'window'))
"""


def free(connection: Connection, conversation_id: int, *, is_exception: bool) -> int:
    """Replies that the crossover contract held may be asked about again, also in the conversation that this one goes on for.

    `is_exception`: they leave, for a person took it upon them.
    """
    statement = text(
        f"""
        WITH woken AS (UPDATE conversation SET due_at = LEAST(due_at, now()) WHERE continued_by = :conversation)
        UPDATE intent SET state = 'pending', due_at = now(), reason = '', reason_text = '',
            payload = CASE WHEN :exception THEN payload || '{{"released": true}}' ELSE payload END
        WHERE {_OF_HELD}
        """  # noqa: S608 - no value of ours or of others is in it
    )
    return connection.execute(statement, {"conversation": conversation_id, "exception": is_exception}).rowcount


def discard(connection: Connection, conversation_id: int) -> int:
    """Replies that the crossover contract held never leave. Returns how many wishes ended."""
    statement = text(
        f"UPDATE intent SET state = 'dropped', ended_at = now(), due_at = NULL WHERE {_OF_HELD} RETURNING event_id"  # noqa: S608 - as above
    )
    ended = [row.event_id for row in connection.execute(statement, {"conversation": conversation_id})]
    finish_events(connection, sorted(set(ended)))
    return len(ended)


def waiting_replies(connection: Connection, conversation_id: int) -> Sequence[Row[Any]]:
    """Agents' replies that have not left, by part: `event_id`, `part`, `state`, `reason`, `payload`, `message_id`."""
    statement = text(
        "SELECT event_id, part, state, reason, payload, message_id FROM intent "
        "WHERE conversation_id = :conversation AND lane = 'to_social' AND op = 'reply' AND state IN ('pending', 'held') ORDER BY id"
    )
    return connection.execute(statement, {"conversation": conversation_id}).all()


def let_pass(connection: Connection, intent_id: int) -> None:
    """It waits for a person, so later replies may leave before it; the ledger shall not take that for disorder."""
    statement = text("""UPDATE intent SET payload = payload || '{"let_pass": true}' WHERE id = :id AND NOT payload ? 'let_pass'""")
    connection.execute(statement, {"id": intent_id})


def put_under(connection: Connection, conversation_id: int, event_ids: Sequence[int], *, fence: int) -> None:
    """These replies stand under another fence of the agents' lock now, and may be asked about again."""
    if event_ids:
        statement = text(
            """
            UPDATE intent SET payload = payload || jsonb_build_object('fence', CAST(:fence AS bigint)), state = 'pending', due_at = now(), reason = '',
                reason_text = ''
            WHERE conversation_id = :conversation AND lane = 'to_social' AND state IN ('pending', 'held') AND event_id = ANY(:events)
            """
        )
        connection.execute(statement, {"conversation": conversation_id, "events": list(event_ids), "fence": fence})


def withdraw(connection: Connection, conversation_id: int, event_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """These replies never leave. Returns their wishes in order: `event_id`, `part`, `payload`."""
    statement = text(
        """
        WITH gone AS (
            UPDATE intent SET state = 'dropped', ended_at = now(), due_at = NULL
            WHERE conversation_id = :conversation AND lane = 'to_social' AND state IN ('pending', 'held') AND event_id = ANY(:events)
            RETURNING id, event_id, part, payload
        )
        SELECT event_id, part, payload FROM gone ORDER BY id
        """
    )
    rows = connection.execute(statement, {"conversation": conversation_id, "events": list(event_ids)}).all()
    finish_events(connection, list(event_ids))
    return rows
