"""The private page: passes of browsers, whether their holder proved to be the customer, and what stands on the page of one conversation."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.store.database import Database


def digest(secret: str) -> bytes:
    """Under what a browser's secret is known."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def word_digest(conversation_id: int, word: str) -> bytes:
    """Under what a word is known that proves a pass of a conversation. It is no secret once it was said; only who says it counts."""
    return hashlib.sha256(f"{conversation_id}:{word}".encode()).digest()


_CONVERSATION = text(
    """
    SELECT c.id, c.place, c.helpdesk, c.stage, COALESCE(l.crossover->>'language', c.crossover->>'language') AS language,
           c.ticket_ref, c.ticket_number, c.visibility, p.profile,
           l.stage AS lead_stage, now() AS now
    FROM conversation c LEFT JOIN contact p ON p.id = c.contact_id LEFT JOIN conversation l ON l.id = c.continued_by
    WHERE c.id = :id AND c.thread_key NOT LIKE 'erased:%'
    """
)


def conversation(connection: Connection, conversation_id: int) -> Row[Any] | None:
    """What the page must know of the conversation that it continues, unless its person was erased.

    `lead_stage` is that of the conversation in which it is worked on, if another.
    """
    return connection.execute(_CONVERSATION, {"id": conversation_id}).one_or_none()


def count_new(connection: Connection, conversation_id: int) -> int:
    """Passes that were issued for a conversation within a day."""
    statement = text("SELECT count(*) FROM page_pass WHERE conversation_id = :id AND created_at > now() - interval '1 day'")
    return int(connection.execute(statement, {"id": conversation_id}).scalar_one())


def issue(connection: Connection, conversation_id: int, *, secret: str, word: str, seconds: float) -> int:
    """A new pass, not proved yet."""
    statement = text(
        """
        INSERT INTO page_pass (conversation_id, digest, word_digest, expires_at)
        VALUES (:conversation, :digest, :word, now() + make_interval(secs => :seconds)) RETURNING id
        """
    )
    parameters = {
        "conversation": conversation_id,
        "digest": digest(secret),
        "word": word_digest(conversation_id, word),
        "seconds": seconds,
    }
    return int(connection.execute(statement, parameters).scalar_one())


def read(connection: Connection, conversation_id: int, secret: str) -> Row[Any] | None:
    """A browser's pass for a conversation, while it is good."""
    statement = text(
        "SELECT id, proved_at, expires_at FROM page_pass WHERE conversation_id = :id AND digest = :digest AND expires_at > now()"
    )
    return connection.execute(statement, {"id": conversation_id, "digest": digest(secret)}).one_or_none()


def is_proved(connection: Connection, pass_id: int) -> bool:
    """Whether the holder of a pass proved to be the customer, and nobody took that back."""
    statement = text("SELECT proved_at IS NOT NULL AND expires_at > now() FROM page_pass WHERE id = :id")
    return bool(connection.execute(statement, {"id": pass_id}).scalar())


def prove(connection: Connection, conversation_id: int, words: Collection[str], *, seconds: float) -> Sequence[int]:
    """The customer said these words in the thread: the passes that they belong to are proved, and good for so long."""
    statement = text(
        """
        UPDATE page_pass SET proved_at = now(), expires_at = now() + make_interval(secs => :seconds)
        WHERE conversation_id = :id AND word_digest = ANY(:digests) AND proved_at IS NULL AND expires_at > now() RETURNING id
        """
    )
    parameters = {"id": conversation_id, "digests": [word_digest(conversation_id, word) for word in words], "seconds": seconds}
    return [row.id for row in connection.execute(statement, parameters)]


def revoke(connection: Connection, conversation_id: int) -> int:
    """End every pass of a conversation; how many there were."""
    statement = text("UPDATE page_pass SET expires_at = now() WHERE conversation_id = :id AND expires_at > now()")
    return connection.execute(statement, {"id": conversation_id}).rowcount


def conversations_of(connection: Connection, helpdesk: str, conversation_id: int, pass_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """What was begun on the page by the holders of these passes."""
    statement = text(
        "SELECT id, place, continued_by FROM conversation WHERE helpdesk = :helpdesk AND thread_key = ANY(:keys) AND place LIKE 'channel:page.%'"
    )
    keys = [f"{conversation_id}:{pass_id}" for pass_id in pass_ids]
    return connection.execute(statement, {"helpdesk": helpdesk, "keys": keys}).all() if keys else []


_SHOWN = text(
    """
    SELECT 'customer' AS who, e.payload->'text'->>'plain' AS words, e.payload->'attachments' AS files, NULL AS choices, e.received_at AS at, e.id AS n
    FROM inbound_event e JOIN conversation c ON c.id = e.conversation_id
    WHERE c.place = :place AND c.thread_key = :thread AND e.kind = 'MessageReceived'
    UNION ALL
    SELECT CASE WHEN i.lane = 'notices' THEN 'us' ELSE 'agent' END, i.payload->'text'->>'plain', NULL, i.payload->'choices',
           COALESCE(i.sent_at, i.created_at), i.id
    FROM intent i JOIN conversation c ON c.id = i.conversation_id
    WHERE c.place = :place AND c.thread_key = :thread AND i.lane IN ('to_social', 'notices') AND i.state = 'sent' AND :with_answers
    ORDER BY at DESC, n DESC LIMIT :limit
    """
)


def shown(connection: Connection, place: str, thread_key: str, *, with_answers: bool, limit: int = 100) -> Sequence[Row[Any]]:
    """What stands on a page, oldest first, with the customer's files and the answers that can be pressed; our side of it only `with_answers`."""
    parameters = {"place": place, "thread": thread_key, "with_answers": with_answers, "limit": limit}
    return connection.execute(_SHOWN, parameters).all()[::-1]


_WRITTEN = text(
    """
    SELECT count(*) FILTER (WHERE e.received_at > now() - interval '1 hour') AS messages,
           COALESCE(sum((SELECT sum(CAST(a->>'size' AS bigint)) FROM jsonb_array_elements(e.payload->'attachments') AS a)), 0) AS file_bytes
    FROM inbound_event e JOIN conversation c ON c.id = e.conversation_id
    WHERE c.place = :place AND c.thread_key = :thread AND e.kind = 'MessageReceived' AND e.received_at > now() - interval '1 day'
    """
)


def written(connection: Connection, place: str, thread_key: str) -> Row[Any]:
    """`messages` that were written on a page within the last hour, and `file_bytes` of what was sent with them within a day."""
    return connection.execute(_WRITTEN, {"place": place, "thread": thread_key}).one()


def is_known(connection: Connection, place: str, event_key: str) -> bool:
    """Whether this very form was sent before."""
    statement = text("SELECT EXISTS (SELECT 1 FROM inbound_event WHERE place = :place AND event_key = :key)")
    return bool(connection.execute(statement, {"place": place, "key": event_key}).scalar())


def body_of(database: Database, receipt_digest: bytes) -> bytes | None:
    """The body of what was written on a page, with its files; None when it is not kept any more."""
    statement = text(
        "SELECT body FROM receipt WHERE place IN (SELECT key FROM place WHERE key LIKE 'channel:page.%') AND digest = :digest LIMIT 1"
    )
    with database.begin() as connection:
        return connection.execute(statement, {"digest": receipt_digest}).scalar()
