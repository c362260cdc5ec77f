"""What solved conversations: one short note for each, found by the words that it shares with a new message. Holds nobody's personal data."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSolution:
    """A note to keep. `problem` are telling words of what the customer said, `keys` those by which it is found."""

    conversation_id: int
    note: str
    tags: Sequence[str]
    link: str
    problem: Sequence[str]
    keys: Sequence[str]
    actor: str


_KEEP = text(
    """
    INSERT INTO solution (conversation_id, note, tags, link, problem, keys, actor)
    VALUES (:conversation, :note, CAST(:tags AS jsonb), :link, CAST(:problem AS jsonb), :keys, :actor)
    ON CONFLICT (conversation_id) DO UPDATE SET note = excluded.note, tags = excluded.tags, link = excluded.link, problem = excluded.problem,
        keys = excluded.keys, actor = excluded.actor, created_at = now()
    RETURNING id
    """
)


def keep(connection: Connection, solution: NewSolution) -> int:
    """Keep what solved a conversation, in place of what was kept for it before."""
    parameters = {
        "conversation": solution.conversation_id,
        "note": solution.note,
        "tags": json.dumps(list(solution.tags)),
        "link": solution.link,
        "problem": json.dumps(list(solution.problem)),
        "keys": list(solution.keys),
        "actor": solution.actor,
    }
    return int(connection.execute(_KEEP, parameters).scalar_one())


def forget(connection: Connection, conversation_id: int) -> bool:
    """Forget what solved a conversation, for an agent or an erasure; False when nothing was kept."""
    statement = text("DELETE FROM solution WHERE conversation_id = :conversation")
    return connection.execute(statement, {"conversation": conversation_id}).rowcount == 1


def of_conversation(connection: Connection, conversation_id: int) -> Row[Any] | None:
    """What solved a conversation."""
    statement = text("SELECT id, note, tags, link, problem, actor, created_at FROM solution WHERE conversation_id = :conversation")
    return connection.execute(statement, {"conversation": conversation_id}).one_or_none()


_FOUND = "s.id, s.note, s.tags, s.link, s.problem, s.actor, s.created_at, s.conversation_id, c.helpdesk, c.ticket_ref, c.ticket_number, c.ticket_url"
_CANDIDATES = text(
    f"""
    SELECT {_FOUND}, (SELECT count(*) FROM solution) AS in_all
    FROM solution s JOIN conversation c ON c.id = s.conversation_id
    WHERE s.keys && CAST(:keys AS varchar[]) AND s.conversation_id <> :conversation AND c.helpdesk = :helpdesk
      AND (c.stage = 'resolved' OR c.ticket_closed)
    ORDER BY (SELECT count(*) FROM unnest(s.keys) AS k WHERE k = ANY(CAST(:keys AS varchar[]))) DESC, s.id DESC LIMIT :limit
    """  # noqa: S608 - the columns are ours
)


def candidates(connection: Connection, keys: Collection[str], *, helpdesk: str, other_than: int, limit: int = 60) -> Sequence[Row[Any]]:
    """Notes of one helpdesk's other conversations that have ended and share a key, those that share most first; each with its ticket."""
    parameters = {"keys": list(keys), "conversation": other_than, "helpdesk": helpdesk, "limit": limit}
    return connection.execute(_CANDIDATES, parameters).all() if keys else []


_SUGGESTED = text(
    f"""
    SELECT {_FOUND}, max(CAST(found->>1 AS float)) AS score
    FROM decision d CROSS JOIN LATERAL jsonb_array_elements(d.outcome->'solutions') AS found
    JOIN solution s ON s.id = CAST(found->>0 AS bigint) JOIN conversation c ON c.id = s.conversation_id
    WHERE d.conversation_id = ANY(:ids) AND d.kind = 'suggestion' GROUP BY s.id, c.id ORDER BY score DESC, s.id DESC LIMIT :limit
    """  # noqa: S608 - the columns are ours
)


def suggested(connection: Connection, conversation_ids: Sequence[int], *, limit: int = 5) -> Sequence[Row[Any]]:
    """What was suggested to agents in these conversations and is still kept, the best first."""
    return connection.execute(_SUGGESTED, {"ids": list(conversation_ids), "limit": limit}).all() if conversation_ids else []


_SAID = text(
    """
    SELECT e.payload->'text'->>'plain' AS said FROM message m JOIN inbound_event e ON e.id = m.event_id JOIN conversation c ON c.id = m.conversation_id
    WHERE (c.id = :conversation OR c.continued_by = :conversation) AND m.direction = 'inbound' AND m.deleted_at IS NULL
      AND m.contact_id = c.contact_id ORDER BY m.id LIMIT :limit
    """
)


def said(connection: Connection, conversation_id: int, *, limit: int = 3) -> list[str]:
    """What the customer said first, in this conversation and in those that it continues; what was deleted is not among it."""
    return [row.said or "" for row in connection.execute(_SAID, {"conversation": conversation_id, "limit": limit})]
