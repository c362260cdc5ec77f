"""Inbound events as they are worked: which are open, what they wait for, and how they end. How they get there: `plugin.store.intake`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.domain.codec import encode_event
from plugin.domain.events import Event
from plugin.domain.ids import Place

_TO_ROUTE = text(
    """
    SELECT id, place, event_key, kind, payload, state, reason, deaths, errors, occurred_at, received_at, due_at FROM inbound_event
    WHERE conversation_id = :conversation AND state IN ('accepted', 'retry', 'waiting') ORDER BY id LIMIT :limit
    """
)


def open_events(connection: Connection, conversation_id: int, *, limit: int) -> Sequence[Row[Any]]:
    """The conversation's events that are not routed yet, in order; waiting ones included."""
    return connection.execute(_TO_ROUTE, {"conversation": conversation_id, "limit": limit}).all()


def read(connection: Connection, event_id: int) -> Row[Any]:
    """One event, whole."""
    statement = text(
        "SELECT id, place, event_key, kind, conversation_id, receipt_id, origin, payload, occurred_at, received_at, state, reason "
        "FROM inbound_event WHERE id = :id"
    )
    return connection.execute(statement, {"id": event_id}).one()


def count_deaths(connection: Connection, ids: Sequence[int]) -> None:
    """Count a try before it is made, so that an event which kills its process is counted; taken back when the try ends."""
    if ids:
        connection.execute(text("UPDATE inbound_event SET deaths = deaths + 1 WHERE id = ANY(:ids)"), {"ids": list(ids)})


def forgive(connection: Connection, conversation_id: int) -> None:
    """The lease ends well: what was counted and not tried any more is innocent."""
    statement = text(
        "UPDATE inbound_event SET deaths = 0 WHERE conversation_id = :conversation AND state IN ('accepted', 'waiting', 'retry') AND deaths > 0"
    )
    connection.execute(statement, {"conversation": conversation_id})


def set_state(connection: Connection, ids: Sequence[int], state: str, *, reason: str = "") -> None:
    """Move events to an ended or routed state."""
    if ids:
        connection.execute(
            text("UPDATE inbound_event SET state = :state, reason = :reason, due_at = NULL, deaths = 0 WHERE id = ANY(:ids)"),
            {"ids": list(ids), "state": state, "reason": reason[:1000]},
        )


def wait(connection: Connection, event_id: int, *, reason: str, seconds: float, wake_ref: str | None = None) -> None:
    """Let an event wait: `reason` names for what. It is looked at again after `seconds`, or as soon as the message `wake_ref` is known."""
    connection.execute(
        text(
            "UPDATE inbound_event SET state = 'waiting', reason = :reason, deaths = 0, target_ref = COALESCE(target_ref, :wake_ref), "
            "due_at = CASE WHEN state = 'waiting' AND due_at > now() THEN due_at ELSE now() + make_interval(secs => :seconds) END WHERE id = :id"
        ),
        {"id": event_id, "reason": reason, "seconds": seconds, "wake_ref": wake_ref},
    )


GATHERING = "album"
"""The reason of an event that lets others of its album catch up."""


def gather(connection: Connection, event_id: int, *, seconds: float) -> None:
    """Let an event be looked at again after `seconds`, and what follows it wait behind it; no fault is counted."""
    statement = text(
        "UPDATE inbound_event SET state = 'retry', reason = :reason, deaths = 0, due_at = now() + make_interval(secs => :seconds) WHERE id = :id"
    )
    connection.execute(statement, {"id": event_id, "reason": GATHERING, "seconds": seconds})


def open_album(connection: Connection, conversation_id: int, album: str, *, besides: int) -> Sequence[Row[Any]]:
    """The other messages of an album that are not routed yet, in order."""
    statement = text(
        """
        SELECT id, payload FROM inbound_event
        WHERE conversation_id = :conversation AND state IN ('accepted', 'retry', 'waiting') AND kind = 'MessageReceived'
          AND payload->>'album' = :album AND id <> :besides ORDER BY id
        """
    )
    return connection.execute(statement, {"conversation": conversation_id, "album": album, "besides": besides}).all()


def has_album(connection: Connection, conversation_id: int, album: str) -> bool:
    """Whether a part of the album is among the conversation's latest messages already."""
    statement = text(
        """
        SELECT EXISTS (
            SELECT 1 FROM (SELECT event_id FROM message WHERE conversation_id = :conversation ORDER BY id DESC LIMIT 20) m
            JOIN inbound_event e ON e.id = m.event_id WHERE e.payload->>'album' = :album
        )
        """
    )
    return bool(connection.execute(statement, {"conversation": conversation_id, "album": album}).scalar())


def rewrite(connection: Connection, event_id: int, event: Event) -> None:
    """An open event says more than it did: others of its album were gathered into it."""
    statement = text("UPDATE inbound_event SET payload = CAST(:payload AS jsonb) WHERE id = :id")
    connection.execute(statement, {"id": event_id, "payload": json.dumps(encode_event(event))})


def retry(connection: Connection, event_id: int, *, reason: str, seconds: float) -> None:
    """Try an event again after one more fault of ours."""
    connection.execute(
        text(
            "UPDATE inbound_event SET state = 'retry', reason = :reason, deaths = 0, errors = errors + 1, "
            "due_at = now() + make_interval(secs => :seconds) WHERE id = :id"
        ),
        {"id": event_id, "reason": reason[:1000], "seconds": seconds},
    )


_WAKE_WAITING = text(
    """
    UPDATE inbound_event SET conversation_id = :conversation, due_at = now()
    WHERE state = 'waiting' AND place = :place AND target_ref = ANY(:refs)
      AND (conversation_id IS NULL OR conversation_id = :conversation)
    """
)


def wake_waiting(connection: Connection, place: Place, conversation_id: int, refs: Sequence[str]) -> None:
    """The messages `refs` are known now: attach and wake what waited for them."""
    connection.execute(_WAKE_WAITING, {"place": place, "conversation": conversation_id, "refs": list(refs)})


def give_up_strays(connection: Connection, *, limit: int = 500) -> int:
    """End events whose message never came: an edit is set aside for a person, the rest is ignored by name. Returns how many."""
    statement = text(
        """
        UPDATE inbound_event SET due_at = NULL, reason = 'unknown_target',
            state = CASE WHEN kind = 'MessageEdited' THEN 'quarantined' ELSE 'ignored' END
        WHERE id IN (SELECT id FROM inbound_event WHERE conversation_id IS NULL AND state = 'waiting' AND due_at <= now() LIMIT :limit)
        """
    )
    return connection.execute(statement, {"limit": limit}).rowcount


def id_of(connection: Connection, place: Place, event_key: str) -> int:
    """The id of an event that is there."""
    statement = text("SELECT id FROM inbound_event WHERE place = :place AND event_key = :key")
    return int(connection.execute(statement, {"place": place, "key": event_key}).scalar_one())


def promote(connection: Connection, event_id: int) -> bool:
    """Have a message that was filtered out routed again, past the filter; False when it was not filtered."""
    statement = text(
        """
        WITH promoted AS (
            UPDATE inbound_event SET state = 'accepted', reason = 'promoted', errors = 0, deaths = 0, due_at = NULL
            WHERE id = :id AND state = 'ignored' AND reason LIKE 'filtered:%' RETURNING conversation_id
        )
        UPDATE conversation SET due_at = LEAST(due_at, now()) WHERE id IN (SELECT conversation_id FROM promoted)
        """
    )
    return connection.execute(statement, {"id": event_id}).rowcount == 1
