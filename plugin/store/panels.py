"""What the agents' panel reads of a ticket: a token that changes with it, its conversations, what was said, and what became of it.

Reads only, each query by an index, and none of them locks. What the rows mean on the screen is the panel's own matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.domain.ids import Place

# Whatever is committed about a conversation touches its row: turns lease and release it, events and decisions of people make it due. So the
# rows' own versions (xmin) tell whether anything can have changed. A lease that brought nothing changes it, too, which costs one snapshot.
_TOKEN = text(
    """
    SELECT string_agg(c.id || '.' || c.xmin, '-' ORDER BY c.id) AS token, max(d.id) AS decision
    FROM conversation c
    LEFT JOIN LATERAL (SELECT id FROM decision WHERE conversation_id = c.id ORDER BY id DESC LIMIT 1) d ON true
    WHERE c.helpdesk = :helpdesk AND c.ticket_ref = :ticket
    """
)


def token(connection: Connection, helpdesk: Place, ticket_ref: str) -> tuple[str, int] | None:
    """A word that changes whenever something about the ticket's conversations is written, and the last decision's id (0: none yet).

    None: no conversation of ours has this ticket.
    """
    row = connection.execute(_TOKEN, {"helpdesk": helpdesk, "ticket": ticket_ref}).one()
    return None if row.token is None else (row.token, row.decision or 0)


_CONVERSATIONS = text(
    """
    SELECT c.*, p.ref AS contact_ref, p.profile, now() AS now FROM conversation c LEFT JOIN contact p ON p.id = c.contact_id
    WHERE c.helpdesk = :helpdesk AND c.ticket_ref = :ticket
    ORDER BY c.continued_by IS NOT NULL, c.last_inbound_at DESC NULLS LAST, c.id DESC
    """
)


def conversations(connection: Connection, helpdesk: Place, ticket_ref: str) -> Sequence[Row[Any]]:
    """The conversations of a ticket, each with who opened it; the one in which it is worked on comes first."""
    return connection.execute(_CONVERSATIONS, {"helpdesk": helpdesk, "ticket": ticket_ref}).all()


_MESSAGES = text(
    """
    SELECT m.id, m.conversation_id, m.event_id, m.direction, m.contact_id, m.occurred_at, m.created_at, m.revisions, m.deleted_at, m.delivery,
           e.kind, e.payload, p.profile, r.refs, a.refs AS articles
    FROM unnest(CAST(:ids AS bigint[])) AS c(id) CROSS JOIN LATERAL (
        SELECT * FROM message WHERE conversation_id = c.id AND id < :before ORDER BY id DESC LIMIT :limit
    ) m
    JOIN inbound_event e ON e.id = m.event_id LEFT JOIN contact p ON p.id = m.contact_id JOIN conversation v ON v.id = m.conversation_id
    LEFT JOIN LATERAL (SELECT array_agg(ref ORDER BY part) AS refs FROM message_ref WHERE message_id = m.id AND place = v.place) r ON true
    LEFT JOIN LATERAL (SELECT array_agg(ref ORDER BY part) AS refs FROM message_ref WHERE message_id = m.id AND place = v.helpdesk) a ON true
    ORDER BY m.id DESC LIMIT :limit
    """
)
_NEWEST = 2**62


def messages(connection: Connection, conversation_ids: Sequence[int], *, limit: int, before: int | None = None) -> Sequence[Row[Any]]:
    """The last `limit` messages of the conversations (before one of them), newest first, each with its event and its ids on both sides."""
    parameters = {"ids": list(conversation_ids), "limit": limit, "before": _NEWEST if before is None else before}
    return connection.execute(_MESSAGES, parameters).all()


_CHANGES = text(
    """
    SELECT id, kind, payload, occurred_at, received_at FROM inbound_event
    WHERE conversation_id = ANY(:ids) AND kind IN ('MessageEdited', 'ReactionChanged') AND state IN ('routed', 'done')
    ORDER BY id DESC LIMIT :limit
    """
)


def changes(connection: Connection, conversation_ids: Sequence[int], *, limit: int = 400) -> Sequence[Row[Any]]:
    """What edited the conversations' messages or reacted to them, oldest first."""
    return connection.execute(_CHANGES, {"ids": list(conversation_ids), "limit": limit}).all()[::-1]


_SENDINGS = text(
    """
    SELECT i.id, i.event_id, i.lane, i.op, i.part, i.state, i.reason, i.reason_text, i.payload, i.attempts, i.created_at, i.ended_at, i.due_at
    FROM intent i WHERE i.event_id = ANY(:events) AND i.lane IN ('to_social', 'notices') ORDER BY i.event_id, i.op, i.part
    """
)


def sendings(connection: Connection, event_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """What was to be said on the platform on account of these events, part by part."""
    return connection.execute(_SENDINGS, {"events": list(event_ids)}).all() if event_ids else []


_REFUSED_FILES = text("SELECT event_id, part, refusal FROM media WHERE event_id = ANY(:events) AND refusal <> ''")


def refused_files(connection: Connection, event_ids: Sequence[int]) -> dict[tuple[int, int], str]:
    """Why files of these events could not be had, by event and part."""
    return {(row.event_id, row.part): row.refusal for row in connection.execute(_REFUSED_FILES, {"events": list(event_ids)})}


_DECISIONS = text(
    """
    SELECT d.id, d.event_id, d.at, d.kind, d.rule, d.reason, d.outcome, d.state,
           COALESCE(d.outcome->>'by', CASE WHEN e.kind = 'ActionTaken' THEN e.payload->>'actor' END, '') AS actor
    FROM decision d JOIN inbound_event e ON e.id = d.event_id WHERE d.conversation_id = ANY(:ids) AND d.id > :after
    ORDER BY d.id DESC LIMIT :limit
    """
)


def last_decisions(connection: Connection, conversation_ids: Sequence[int], *, limit: int = 30, after: int = 0) -> Sequence[Row[Any]]:
    """What was decided about the conversations since the decision `after`, newest first; `actor`: who decided, empty for a rule."""
    return connection.execute(_DECISIONS, {"ids": list(conversation_ids), "limit": limit, "after": after}).all()


_PRESSES = text(
    """
    SELECT id, payload, received_at FROM inbound_event
    WHERE conversation_id = ANY(:ids) AND state IN ('accepted', 'waiting', 'retry') AND kind = 'ActionTaken' ORDER BY id
    """
)


def open_presses(connection: Connection, conversation_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """What people pressed and no turn has acted on yet."""
    return connection.execute(_PRESSES, {"ids": list(conversation_ids)}).all()


_OF_CONTACTS = text(
    """
    SELECT c.id, c.place, c.helpdesk, c.visibility, c.stage, c.is_scam, c.ticket_ref, c.ticket_number, c.ticket_url, c.ticket_closed,
           COALESCE(c.last_inbound_at, c.created_at) AS last_at
    FROM conversation c WHERE c.contact_id = ANY(:contacts) ORDER BY c.id DESC LIMIT :limit
    """
)


def of_contacts(connection: Connection, contact_ids: Sequence[int], *, limit: int = 30) -> Sequence[Row[Any]]:
    """Every conversation that these contacts opened, newest first."""
    return connection.execute(_OF_CONTACTS, {"contacts": list(contact_ids), "limit": limit}).all() if contact_ids else []


def event_state(connection: Connection, event_id: int) -> str:
    """How far an event came."""
    return str(connection.execute(text("SELECT state FROM inbound_event WHERE id = :id"), {"id": event_id}).scalar_one())


_FILE = text(
    """
    SELECT c.place, e.payload->'attachments'->CAST(:part AS int) AS attachment, f.content, f.content_type
    FROM inbound_event e JOIN conversation c ON c.id = e.conversation_id LEFT JOIN media f ON f.event_id = e.id AND f.part = :part
    WHERE e.id = :event AND e.kind IN ('MessageReceived', 'MessageEdited')
    """
)


def file_of(connection: Connection, event_id: int, part: int) -> Row[Any] | None:
    """A file that came with a message: where it is from, its description, and its bytes as long as we keep them."""
    return connection.execute(_FILE, {"event": event_id, "part": part}).one_or_none()


def avatar_of(connection: Connection, contact_id: int) -> str:
    """The address of a contact's picture, empty where there is none."""
    statement = text("SELECT profile->>'avatar_url' FROM contact WHERE id = :id")
    return connection.execute(statement, {"id": contact_id}).scalar() or ""


def standing(connection: Connection, conversation_id: int) -> Row[Any] | None:
    """Where a conversation stands in the crossover contract now."""
    statement = text("SELECT stage, crossover, ticket_group, now() AS now FROM conversation WHERE id = :id")
    return connection.execute(statement, {"id": conversation_id}).one_or_none()


def unclear_sendings(connection: Connection, message_id: int) -> list[int]:
    """The parts of a message of ours of which nobody knows whether they arrived."""
    statement = text(
        """
        SELECT i.id FROM message m JOIN intent i ON i.event_id = m.event_id AND i.message_id = m.id
        WHERE m.id = :id AND i.state = 'quarantined' AND i.lane IN ('to_social', 'notices') ORDER BY i.part
        """
    )
    return [row.id for row in connection.execute(statement, {"id": message_id})]


_HIDINGS = text(
    """
    SELECT e.payload->>'action' AS action, e.payload->'arguments' AS arguments FROM inbound_event e
    WHERE e.conversation_id = ANY(:ids) AND e.kind = 'ActionTaken' AND e.payload->>'action' IN ('hide', 'show')
      AND EXISTS (SELECT 1 FROM intent i WHERE i.event_id = e.id AND i.op = 'hide' AND i.state NOT IN ('failed', 'dropped'))
    ORDER BY e.id
    """
)


def hidden(connection: Connection, conversation_ids: Sequence[int]) -> frozenset[str]:
    """The ids on their platforms of the conversations' messages that we have hidden there."""
    last = {dict(row.arguments)["ref"]: row.action for row in connection.execute(_HIDINGS, {"ids": list(conversation_ids)})}
    return frozenset(ref for ref, action in last.items() if action == "hide")


_ADDRESSED = text(
    """
    SELECT m.id, m.direction, c.id AS conversation_id, c.place, c.helpdesk, r.ref FROM message m JOIN conversation c ON c.id = m.conversation_id
    JOIN message_ref r ON r.message_id = m.id AND r.place = c.place WHERE m.id = :id ORDER BY r.part LIMIT 1
    """
)


def addressed(connection: Connection, message_id: int) -> Row[Any] | None:
    """A message's id on its platform, and the conversation that it stands in."""
    return connection.execute(_ADDRESSED, {"id": message_id}).one_or_none()
