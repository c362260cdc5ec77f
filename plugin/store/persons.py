"""Persons: contacts that were proved to be one, by one-time words said in both their chats; and the tries to prove it. Nothing is inferred."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.policy.safety.proofs import Proof

_CHAT = text(
    """
    SELECT c.id, c.place, c.helpdesk, c.contact_id, c.visibility, c.is_reachable, c.ticket_number, p.person_id, p.profile
    FROM conversation c JOIN contact p ON p.id = c.contact_id
    WHERE c.contact_id = (SELECT contact_id FROM conversation WHERE id = :id) AND (c.id = :id OR c.visibility = 'private')
    ORDER BY c.visibility = 'private' DESC, c.id = :id DESC, c.last_inbound_at DESC NULLS LAST LIMIT 1
    """
)


def chat(connection: Connection, conversation_id: int) -> Row[Any] | None:
    """The private conversation of a conversation's contact: itself, else the latest; itself though public where there is none."""
    return connection.execute(_CHAT, {"id": conversation_id}).one_or_none()


def by_number(connection: Connection, helpdesk: str, number: str) -> int | None:
    """The conversation in which a ticket, known by its number, is worked on."""
    statement = text(
        "SELECT id FROM conversation WHERE helpdesk = :helpdesk AND ticket_number = :number ORDER BY continued_by IS NOT NULL, id DESC LIMIT 1"
    )
    return connection.execute(statement, {"helpdesk": helpdesk, "number": number}).scalar()


def lock(connection: Connection, ids: Sequence[int]) -> None:
    """Hold conversations until the transaction ends, in the order that everybody keeps."""
    connection.execute(text("SELECT id FROM conversation WHERE id = ANY(:ids) ORDER BY id FOR UPDATE"), {"ids": list(ids)})


def count_recent(connection: Connection, contact_ids: Sequence[int]) -> int:
    """How many proofs were begun for these contacts within a day."""
    statement = text(
        """
        SELECT count(*) FROM proof r WHERE r.issued_at > now() - interval '1 day'
          AND EXISTS (SELECT 1 FROM conversation c WHERE c.id IN (r.first_conversation, r.second_conversation) AND c.contact_id = ANY(:ids))
        """
    )
    return int(connection.execute(statement, {"ids": list(contact_ids)}).scalar_one())


_OPEN = text(
    """
    WITH former AS (
        UPDATE proof SET state = 'replaced' WHERE state = 'open'
           AND (first_conversation = ANY(:ids) OR second_conversation = ANY(:ids))
    )
    INSERT INTO proof (first_conversation, second_conversation, salt, first_digest, second_digest, issued_at, expires_at, tries_left, actor)
    VALUES (:first, :second, :salt, :first_digest, :second_digest, :issued_at, :expires_at, :tries_left, :actor) RETURNING id
    """
)


def begin(connection: Connection, proof: Proof, *, first: int, second: int | None, actor: str) -> int:
    """Keep a new proof; the open ones of these conversations count no more."""
    parameters = {
        "ids": [first] if second is None else [first, second],
        "first": first,
        "second": second,
        "salt": proof.salt,
        "first_digest": proof.first_digest,
        "second_digest": proof.second_digest,
        "issued_at": proof.issued_at,
        "expires_at": proof.expires_at,
        "tries_left": proof.tries_left,
        "actor": actor,
    }
    return int(connection.execute(_OPEN, parameters).scalar_one())


_LATEST = text(
    """
    SELECT * FROM proof WHERE (first_conversation = :id OR second_conversation = :id) AND issued_at > now() - interval '1 day'
      AND state IN ('open', 'spent') ORDER BY id DESC LIMIT 1 FOR UPDATE
    """
)
_UNCLAIMED = text(
    """
    SELECT r.* FROM proof r JOIN conversation c ON c.id = r.first_conversation
    WHERE r.state = 'open' AND r.second_conversation IS NULL AND r.expires_at > now() AND r.issued_at > now() - interval '1 day'
      AND c.contact_id <> :contact ORDER BY r.id DESC LIMIT 200 FOR UPDATE OF r
    """
)


def latest(connection: Connection, conversation_id: int) -> Row[Any] | None:
    """The proof in which a conversation has a part, of the last day; locked."""
    return connection.execute(_LATEST, {"id": conversation_id}).one_or_none()


def unclaimed(connection: Connection, *, other_than: int) -> Sequence[Row[Any]]:
    """Proofs whose second handle is not known yet, of other contacts; locked."""
    return connection.execute(_UNCLAIMED, {"contact": other_than}).all()


def proof_of(row: Row[Any]) -> Proof:
    """A proof out of its row."""
    return Proof(
        salt=bytes(row.salt),
        first_digest=bytes(row.first_digest),
        second_digest=bytes(row.second_digest),
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        tries_left=row.tries_left,
        first_done=row.first_done,
        second_done=row.second_done,
    )


def keep(connection: Connection, proof_id: int, proof: Proof, *, state: str, second: int | None) -> None:
    """Write down how far a proof came."""
    statement = text(
        """
        UPDATE proof SET first_digest = :digest, tries_left = :tries, first_done = :first, second_done = :second, state = :state,
               second_conversation = :conversation WHERE id = :id
        """
    )
    parameters = {
        "id": proof_id,
        "digest": proof.first_digest,
        "tries": proof.tries_left,
        "first": proof.first_done,
        "second": proof.second_done,
        "state": state,
        "conversation": second,
    }
    connection.execute(statement, parameters)


def join(connection: Connection, contact_ids: Sequence[int]) -> int:
    """Make one person of contacts, and of the persons whom they were. Returns the person's id."""
    ids = list(contact_ids)
    connection.execute(text("SELECT id FROM contact WHERE id = ANY(:ids) ORDER BY id FOR UPDATE"), {"ids": ids})
    known = list(
        connection.execute(
            text("SELECT DISTINCT person_id FROM contact WHERE id = ANY(:ids) AND person_id IS NOT NULL ORDER BY 1"), {"ids": ids}
        ).scalars()
    )
    person = known[0] if known else connection.execute(text("INSERT INTO person DEFAULT VALUES RETURNING id")).scalar_one()
    connection.execute(
        text("UPDATE contact SET person_id = :person WHERE id = ANY(:ids) OR person_id = ANY(:known)"),
        {"person": person, "ids": ids, "known": known},
    )
    connection.execute(text("DELETE FROM person WHERE id = ANY(:known) AND id <> :person"), {"known": known, "person": person})
    return int(person)


def split(connection: Connection, contact_id: int) -> int | None:
    """Take a contact out of its person; the person's id, None when it had none. A person of one contact alone is none any more."""
    person = connection.execute(text("SELECT person_id FROM contact WHERE id = :id FOR UPDATE"), {"id": contact_id}).scalar()
    if person is None:
        return None
    connection.execute(text("UPDATE contact SET person_id = NULL WHERE id = :id"), {"id": contact_id})
    left = connection.execute(text("SELECT count(*) FROM contact WHERE person_id = :person"), {"person": person}).scalar_one()
    if left < 2:
        connection.execute(text("UPDATE contact SET person_id = NULL WHERE person_id = :person"), {"person": person})
        connection.execute(text("DELETE FROM person WHERE id = :person"), {"person": person})
    return int(person)


_MEMBERS = text(
    """
    SELECT p.id, p.place, p.profile, p.person_id FROM contact p
    WHERE p.id = ANY(:ids) OR p.person_id IN (SELECT person_id FROM contact WHERE id = ANY(:ids) AND person_id IS NOT NULL) ORDER BY p.id
    """
)


def members(connection: Connection, contact_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """These contacts, and all that were proved to be the same persons."""
    return connection.execute(_MEMBERS, {"ids": list(contact_ids)}).all() if contact_ids else []


def everyone(connection: Connection, *, limit: int) -> Sequence[Row[Any]]:
    """The contacts of all persons, the newest persons first."""
    statement = text(
        """
        SELECT person_id, p.id, p.place, p.profile->>'handle' AS handle, p.profile->>'display_name' AS name FROM contact p
        WHERE person_id IN (SELECT id FROM person ORDER BY id DESC LIMIT :limit) ORDER BY person_id DESC, p.id
        """
    )
    return connection.execute(statement, {"limit": limit}).all()
