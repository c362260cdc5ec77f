"""Agents' replies as wishes: how far the last one came, which were hidden and have left, which are asked about again, which say the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.domain.ids import Place


def hidden_and_sent(connection: Connection, intent_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Of these wishes those with which a reply that was hidden has left as a whole.

    `event_id` of the reply, `sent_at` when its last part was sent, `place` and `event_key` of that event, and the `payload` by which it was hidden.
    """
    if not intent_ids:
        return ()
    statement = text(
        "SELECT i.event_id, i.sent_at, h.payload, e.place, e.event_key FROM intent i "
        "JOIN intent h ON h.event_id = i.event_id AND h.op = 'visibility:hidden' AND h.part = 0 JOIN inbound_event e ON e.id = i.event_id "
        "WHERE i.id = ANY(:ids) AND i.op = 'reply' AND CAST(i.payload->>'parts' AS int) = i.part + 1 ORDER BY i.id"
    )
    return connection.execute(statement, {"ids": list(intent_ids)}).all()


_LAST_DELIVERY = text(
    """
    SELECT CASE WHEN i.state IN ('pending', 'sending', 'unknown') THEN 'sending' WHEN i.state = 'quarantined' THEN 'failed'
                WHEN i.state = 'dropped' THEN '' WHEN i.state = 'sent' AND m.delivery = ANY(:further) THEN m.delivery ELSE i.state END
    FROM (SELECT id, event_id, delivery FROM message WHERE conversation_id = :conversation AND direction = 'outbound' ORDER BY id DESC LIMIT 1) m
    JOIN intent i ON i.event_id = m.event_id AND i.op = 'reply' ORDER BY i.part DESC LIMIT 1
    """
)


def last_delivery(connection: Connection, conversation_id: int, *, further: Sequence[str]) -> str:
    """How far the last reply came: `held`, `sending`, `sent`, `failed`, or empty where there is none or it was taken back.

    `further`: what the platform says of a reply that was sent which shall be told instead.
    """
    parameters = {"conversation": conversation_id, "further": list(further)}
    return str(connection.execute(_LAST_DELIVERY, parameters).scalar() or "")


def ask_again(connection: Connection, conversation_id: int, reply: int, *, by: int, place: Place, key: str) -> int:
    """An agent wants a reply that is held, by its event's id, to be judged anew, on account of another event. Returns how many wishes are."""
    statement = text(
        """
        UPDATE intent SET state = 'pending', due_at = now(), reason = '', reason_text = '',
            payload = payload || jsonb_build_object('asked', jsonb_build_object('event', CAST(:by AS bigint), 'place', CAST(:place AS text),
                                                                                'key', CAST(:key AS text)))
        WHERE conversation_id = :conversation AND lane = 'to_social' AND op = 'reply' AND state = 'held' AND event_id = :reply
        """
    )
    parameters = {"conversation": conversation_id, "reply": reply, "by": by, "place": place, "key": key}
    return connection.execute(statement, parameters).rowcount


def same_words(connection: Connection, conversation_id: int, message_id: int) -> Sequence[Row[Any]]:
    """Earlier replies of the conversation that are held as a whole and say the same as this message: `event_id`, `payload` of the first part."""
    statement = text(
        """
        SELECT i.event_id, i.payload FROM intent i JOIN message m ON m.id = i.message_id
        WHERE i.conversation_id = :conversation AND i.lane = 'to_social' AND i.op = 'reply' AND i.part = 0 AND i.state = 'held' AND m.id <> :message
          AND m.text_digest = (SELECT text_digest FROM message WHERE id = :message) ORDER BY i.id
        """
    )
    return connection.execute(statement, {"conversation": conversation_id, "message": message_id}).all()


_EQUAL_ELSEWHERE = text(
    """
    SELECT count(DISTINCT o.conversation_id) FROM message m JOIN message o ON o.id BETWEEN m.id - 400 AND m.id + 400
    JOIN conversation c ON c.id = m.conversation_id JOIN conversation d ON d.id = o.conversation_id AND d.helpdesk = c.helpdesk
    JOIN inbound_event e ON e.id = m.event_id JOIN inbound_event f ON f.id = o.event_id
    WHERE m.id = :message AND o.direction = 'outbound' AND o.text_digest = m.text_digest
      AND o.conversation_id <> m.conversation_id AND f.payload->>'agent_name' = e.payload->>'agent_name'
      AND abs(extract(epoch FROM COALESCE(o.occurred_at, o.created_at) - COALESCE(m.occurred_at, m.created_at))) <= :seconds
    """
)


def equal_elsewhere(connection: Connection, message_id: int, *, seconds: float) -> int:
    """In how many other conversations of the helpdesk the same agent said the same within so many seconds of each other, by the helpdesk's clock."""
    return int(connection.execute(_EQUAL_ELSEWHERE, {"message": message_id, "seconds": seconds}).scalar_one())


_SEND_AGAIN = text(
    """
    WITH last AS (
        SELECT event_id FROM intent WHERE conversation_id = :conversation AND lane = 'to_social' AND op = 'reply'
          AND state IN ('failed', 'quarantined') ORDER BY id DESC LIMIT 1
    ), again AS (
        UPDATE intent SET state = 'pending', errors = 0, due_at = now(), settle_at = NULL, ended_at = NULL, reason = '', reason_text = '',
            payload = payload || jsonb_build_object('asked', jsonb_build_object('event', CAST(:by AS bigint), 'place', CAST(:place AS text),
                                                                                'key', CAST(:key AS text)))
        FROM last WHERE intent.event_id = last.event_id AND lane = 'to_social' AND op = 'reply' AND state IN ('failed', 'quarantined')
        RETURNING intent.event_id
    )
    UPDATE inbound_event SET state = 'routed' FROM again WHERE inbound_event.id = again.event_id RETURNING inbound_event.id
    """
)


def send_again(connection: Connection, conversation_id: int, *, by: int, place: Place, key: str) -> int | None:
    """The last reply that failed, or whose outcome nobody knows, is sent again on account of an event. Its event's id; None where there is none."""
    parameters = {"conversation": conversation_id, "by": by, "place": place, "key": key}
    return connection.execute(_SEND_AGAIN, parameters).scalar()
