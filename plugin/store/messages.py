"""Messages and the outside references under which both sides know them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.domain.ids import Place


def text_digest(plain: str) -> bytes:
    """A short fingerprint of what was said, for the loop brake: case and white space do not count."""
    return hashlib.sha256(" ".join(plain.casefold().split()).encode("utf-8", "replace")).digest()[:8]


_CREATE = text(
    """
    WITH made AS (
        INSERT INTO message (conversation_id, event_id, direction, contact_id, text_digest, occurred_at)
        VALUES (:conversation, :event, :direction, :contact, :digest, :occurred_at) RETURNING id
    ), known AS (
        INSERT INTO message_ref (place, ref, message_id) SELECT :place, :ref, id FROM made ON CONFLICT (place, ref) DO NOTHING
    ), woken AS (
        UPDATE inbound_event SET conversation_id = :conversation, due_at = now()
        WHERE state = 'waiting' AND place = :place AND target_ref = :ref AND (conversation_id IS NULL OR conversation_id = :conversation)
    )
    SELECT id FROM made
    """
)


def create(
    connection: Connection,
    place: Place,
    ref: str,
    *,
    conversation_id: int,
    event_id: int,
    direction: str,
    contact_id: int | None,
    plain: str,
    occurred_at: datetime | None,
) -> int:
    """A new message that `place` knows as `ref`; its words stand in the event. What waited for it is woken."""
    parameters = {
        "place": place,
        "ref": ref,
        "conversation": conversation_id,
        "event": event_id,
        "direction": direction,
        "contact": contact_id,
        "digest": text_digest(plain),
        "occurred_at": occurred_at,
    }
    return int(connection.execute(_CREATE, parameters).scalar_one())


def create_notice(connection: Connection, conversation_id: int, event_id: int, plain: str) -> int:
    """Something that Crossdesk itself says on account of an event; its ids come when it is said."""
    statement = text(
        """
        INSERT INTO message (conversation_id, event_id, direction, text_digest) VALUES (:conversation, :event, 'notice', :digest)
        ON CONFLICT (event_id, direction) DO UPDATE SET text_digest = excluded.text_digest RETURNING id
        """
    )
    parameters = {"conversation": conversation_id, "event": event_id, "digest": text_digest(plain)}
    return int(connection.execute(statement, parameters).scalar_one())


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRef:
    """A place knows a message, or a part of it, as `ref`."""

    place: Place
    ref: str
    message_id: int
    part: int = 0


_ADD_REFS = text(
    """
    INSERT INTO message_ref (place, ref, message_id, part)
    SELECT * FROM unnest(CAST(:places AS text[]), CAST(:refs AS text[]), CAST(:messages AS bigint[]), CAST(:parts AS smallint[])) AS r(place, ref)
    ORDER BY place, ref
    ON CONFLICT (place, ref) DO NOTHING
    """
)


def add_refs(connection: Connection, refs: Sequence[NewRef]) -> None:
    """Record under which ids places know messages; what is known already stays as it is."""
    if refs:
        columns = {
            "places": [item.place for item in refs],
            "refs": [item.ref for item in refs],
            "messages": [item.message_id for item in refs],
            "parts": [item.part for item in refs],
        }
        connection.execute(_ADD_REFS, columns)


def add_ref(connection: Connection, place: Place, ref: str, message_id: int, *, part: int = 0) -> None:
    """Record under which id a place knows the message."""
    add_refs(connection, [NewRef(place=place, ref=ref, message_id=message_id, part=part)])


_FIND = text(
    """
    SELECT r.ref, r.part, m.id, m.conversation_id, m.event_id, m.direction, m.contact_id, m.deleted_at, m.delivery, m.revisions
    FROM message_ref r JOIN message m ON m.id = r.message_id WHERE r.place = :place AND r.ref = ANY(:refs)
    """
)


def find(connection: Connection, place: Place, refs: Sequence[str]) -> dict[str, Row[Any]]:
    """The messages that a place knows under `refs`."""
    return {row.ref: row for row in connection.execute(_FIND, {"place": place, "refs": list(refs)})} if refs else {}


_FIND_ANYWHERE = text(
    """
    SELECT m.id, m.conversation_id, m.direction, c.place, c.helpdesk, min(o.ref) AS ref
    FROM message_ref r JOIN message m ON m.id = r.message_id JOIN conversation c ON c.id = m.conversation_id
    JOIN message_ref o ON o.message_id = m.id AND o.place = c.place
    WHERE r.place = ANY(:places) AND r.ref = :ref GROUP BY m.id, c.id ORDER BY m.id
    """
)


def find_anywhere(connection: Connection, places: Sequence[Place], ref: str) -> Sequence[Row[Any]]:
    """The messages that any of `places` knows as `ref`, each with its conversation, its places and its own `ref` on its channel."""
    return connection.execute(_FIND_ANYWHERE, {"places": list(places), "ref": ref}).all()


def refs_of(connection: Connection, place: Place, message_id: int) -> list[str]:
    """The ids under which a place knows a message, by part."""
    statement = text("SELECT ref FROM message_ref WHERE place = :place AND message_id = :message ORDER BY part, ref")
    return [row.ref for row in connection.execute(statement, {"place": place, "message": message_id})]


def last_inbound_ref(connection: Connection, place: Place, conversation_id: int, *, before_event: int) -> str | None:
    """The customer's latest message when something was said in answer to it."""
    statement = text(
        """
        SELECT r.ref FROM message m JOIN message_ref r ON r.message_id = m.id AND r.place = :place JOIN conversation c ON c.id = m.conversation_id
        WHERE m.conversation_id = :conversation AND m.direction = 'inbound' AND m.deleted_at IS NULL AND m.event_id < :event
        ORDER BY (m.contact_id = c.contact_id) DESC, m.id DESC LIMIT 1
        """
    )
    return connection.execute(statement, {"place": place, "conversation": conversation_id, "event": before_event}).scalar()


def why_no_reply(connection: Connection, place: Place, ref: str) -> str:
    """The platform's reason against an answer to a message, empty where there is none."""
    statement = text(
        """
        SELECT e.payload->>'no_reply' FROM message_ref r JOIN message m ON m.id = r.message_id JOIN inbound_event e ON e.id = m.event_id
        WHERE r.place = :place AND r.ref = :ref
        """
    )
    return connection.execute(statement, {"place": place, "ref": ref}).scalar() or ""


def is_overtaken(connection: Connection, conversation_id: int, occurred_at: datetime) -> bool:
    """Whether something that was said to us later stands in the conversation already."""
    statement = text(
        "SELECT EXISTS (SELECT 1 FROM message WHERE conversation_id = :conversation AND direction = 'inbound' AND occurred_at > :occurred_at)"
    )
    return bool(connection.execute(statement, {"conversation": conversation_id, "occurred_at": occurred_at}).scalar())


def revise(connection: Connection, message_id: int) -> None:
    """Count one more revision."""
    connection.execute(text("UPDATE message SET revisions = revisions + 1 WHERE id = :id"), {"id": message_id})


def bury(connection: Connection, message_id: int) -> bool:
    """Put up the tombstone; False when it stood already."""
    statement = text("UPDATE message SET deleted_at = now() WHERE id = :id AND deleted_at IS NULL")
    return connection.execute(statement, {"id": message_id}).rowcount == 1


def set_delivery(connection: Connection, message_id: int, delivery: str) -> None:
    """How far an outbound message came."""
    connection.execute(text("UPDATE message SET delivery = :delivery WHERE id = :id"), {"id": message_id, "delivery": delivery})


def raise_delivery(connection: Connection, conversation_id: int, status: str, *, over: Sequence[str], until: datetime) -> int:
    """Everything of ours that left before `until` came as far as `status`, where it stands at one of `over`. Returns how many did."""
    statement = text(
        """
        UPDATE message SET delivery = :status
        WHERE conversation_id = :conversation AND direction IN ('outbound', 'notice') AND delivery = ANY(:over)
          AND EXISTS (SELECT 1 FROM intent i WHERE i.message_id = message.id AND i.state = 'sent' AND i.lane IN ('to_social', 'notices')
                      AND i.sent_at <= :until)
        """
    )
    parameters = {"conversation": conversation_id, "status": status, "over": list(over), "until": until}
    return connection.execute(statement, parameters).rowcount


def recent_turns(connection: Connection, conversation_id: int, *, seconds: float) -> Sequence[Row[Any]]:
    """The conversation's latest messages with direction, time and fingerprint, oldest first, for the loop brake."""
    statement = text(
        """
        SELECT direction, created_at, text_digest FROM message
        WHERE conversation_id = :conversation AND direction <> 'notice' AND created_at > now() - make_interval(secs => :seconds)
        ORDER BY id DESC LIMIT 50
        """
    )
    return connection.execute(statement, {"conversation": conversation_id, "seconds": seconds}).all()[::-1]
