"""Intents: committed wishes to call outside, and the attempts to fulfil them. Every state change is a compare-and-set on state and fence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.domain.ids import Marker, Place

_ALPHABET = "0123456789abcdefghijklmnopqrstuv"


def marker_for(place: Place, event_key: str, op: str, part: int) -> Marker:
    """The marker of one wish: the same wish of the same event has the same one in every process and after every restore."""
    digest = hashlib.sha256("\0".join((place, event_key, op, str(part))).encode("utf-8", "replace")).digest()
    number = int.from_bytes(digest[:17], "big") >> 6
    return Marker("".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5)))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIntent:
    """A wish to be committed. `payload` holds what the call needs besides the conversation."""

    event_id: int
    lane: str
    op: str
    marker: Marker
    payload: Mapping[str, Any]
    part: int = 0
    message_id: int | None = None
    state: str = "pending"
    reason: str = ""
    reason_text: str = ""


_INSERT = text(
    """
    INSERT INTO intent (conversation_id, event_id, message_id, lane, op, part, marker, payload, state, reason, reason_text)
    SELECT :conversation, r.event_id, r.message_id, r.lane, r.op, r.part, r.marker, r.payload, r.state, r.reason, r.reason_text
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(n int, event_id bigint, message_id bigint, lane text, op text, part smallint,
         marker text, payload jsonb, state text, reason text, reason_text text)
    ORDER BY r.n
    ON CONFLICT DO NOTHING
    """
)


def insert(connection: Connection, conversation_id: int, intents: Sequence[NewIntent]) -> None:
    """Commit wishes in the given order; those that are there already are left as they are."""
    if not intents:
        return
    rows = [
        {
            "n": number,
            "event_id": item.event_id,
            "message_id": item.message_id,
            "lane": item.lane,
            "op": item.op,
            "part": item.part,
            "marker": item.marker,
            "payload": item.payload,
            "state": item.state,
            "reason": item.reason,
            "reason_text": item.reason_text,
        }
        for number, item in enumerate(intents)
    ]
    connection.execute(_INSERT, {"conversation": conversation_id, "rows": json.dumps(rows)})


_MOST_WAITING = 64
"""Replies that wait for a person may stand before those that may leave."""
_OPEN = text(
    """
    SELECT i.*, e.payload AS event, e.place AS event_place, e.event_key, e.received_at
    FROM unnest(CAST(:lanes AS text[])) AS l(lane) CROSS JOIN LATERAL (
        SELECT id, event_id, message_id, lane, op, part, marker, payload, state, call, reason, reason_text, attempts, errors, fence,
               created_at, sent_at, COALESCE(due_at <= now(), true) AS is_due, COALESCE(settle_at <= now(), true) AS is_settled
        FROM intent WHERE conversation_id = :conversation AND lane = l.lane AND state IN ('pending', 'sending', 'unknown', 'held')
        ORDER BY id LIMIT CASE WHEN l.lane = 'to_social' THEN :most_waiting ELSE :limit END
    ) i JOIN inbound_event e ON e.id = i.event_id ORDER BY i.id
    """
)


def open_intents(connection: Connection, conversation_id: int, lanes: Sequence[str], *, limit: int) -> Sequence[Row[Any]]:
    """The first `limit` open wishes of each lane of the conversation, in the order of commitment, each with the event it came from."""
    parameters = {"conversation": conversation_id, "lanes": list(lanes), "limit": limit, "most_waiting": _MOST_WAITING}
    return connection.execute(_OPEN, parameters).all()


_MARK_SENDING = text(
    """
    UPDATE intent SET state = 'sending', call = c.call, fence = :fence, attempts = attempts + 1, sent_at = clock_timestamp(),
        settle_at = clock_timestamp() + make_interval(secs => :settle), reason = '', reason_text = ''
    FROM unnest(CAST(:ids AS bigint[]), CAST(:calls AS text[])) AS c(id, call)
    WHERE intent.id = c.id AND intent.state IN ('pending', 'held')
    """
)


def mark_sending(connection: Connection, calls: Mapping[int, str], *, fence: int, settle_seconds: float) -> None:
    """Say that these wishes are about to be asked of the other side; `calls` maps intent ids to what will be asked."""
    parameters = {"ids": list(calls), "calls": list(calls.values()), "fence": fence, "settle": settle_seconds}
    connection.execute(_MARK_SENDING, parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What became of one try. `state` is the intent's next state; `due_in` seconds until the next look where it stays open."""

    intent_id: int
    state: str
    outcome: str
    call: str = ""
    detail: str = ""
    reason: str = ""
    reason_text: str = ""
    remote_ref: str | None = None
    due_in: float | None = None
    settle_in: float | None = None
    is_fault: bool = False
    gives_back_try: bool = False


_SETTLE = text(
    """
    WITH e AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(n int, intent_id bigint, state text, outcome text, call text,
            detail text, reason text, reason_text text, remote_ref text, due_in double precision, settle_in double precision, is_fault boolean,
            gives_back_try boolean)
    ), changed AS (
        UPDATE intent SET state = e.state, reason = e.reason, reason_text = e.reason_text, remote_ref = COALESCE(e.remote_ref, intent.remote_ref),
            due_at = CASE WHEN e.due_in IS NULL THEN NULL ELSE now() + make_interval(secs => e.due_in) END,
            settle_at = CASE WHEN e.state = 'unknown' THEN COALESCE(now() + make_interval(secs => e.settle_in), intent.settle_at) END,
            errors = errors + e.is_fault::int, attempts = attempts - e.gives_back_try::int,
            ended_at = CASE WHEN e.state IN ('sent', 'failed', 'quarantined', 'dropped') THEN now() END
        FROM e WHERE intent.id = e.intent_id AND intent.state IN ('pending', 'sending', 'unknown', 'held')
        RETURNING intent.id, intent.fence, intent.sent_at
    )
    INSERT INTO attempt (intent_id, call, fence, started_at, outcome, detail)
    SELECT e.intent_id, e.call, changed.fence, changed.sent_at, e.outcome, e.detail FROM e JOIN changed ON changed.id = e.intent_id
    WHERE e.outcome <> '' ORDER BY e.n
    """
)


def settle(connection: Connection, endings: Sequence[Ending]) -> None:
    """Record what became of tries, each with a row in the attempt log (unless its outcome is empty: nothing was asked)."""
    if endings:
        rows = [
            {
                "n": number,
                "intent_id": item.intent_id,
                "state": item.state,
                "outcome": item.outcome,
                "call": item.call,
                "detail": item.detail[:2000],
                "reason": item.reason,
                "reason_text": item.reason_text[:2000],
                "remote_ref": item.remote_ref,
                "due_in": item.due_in,
                "settle_in": item.settle_in,
                "is_fault": item.is_fault,
                "gives_back_try": item.gives_back_try,
            }
            for number, item in enumerate(endings)
        ]
        connection.execute(_SETTLE, {"rows": json.dumps(rows)})


_MARK_ROUTED = text(
    """
    UPDATE inbound_event SET reason = '', due_at = NULL, deaths = 0,
        state = CASE WHEN EXISTS (SELECT 1 FROM intent WHERE intent.event_id = inbound_event.id
                                  AND intent.state IN ('pending', 'sending', 'unknown', 'held', 'quarantined')) THEN 'routed' ELSE 'done' END
    WHERE id = ANY(:events)
    """
)


def mark_routed(connection: Connection, event_ids: Sequence[int]) -> None:
    """The events have their wishes; those that wished for nothing are done."""
    if event_ids:
        connection.execute(_MARK_ROUTED, {"events": list(event_ids)})


_FINISH_EVENTS = text(
    """
    UPDATE inbound_event SET state = 'done' WHERE id = ANY(:events) AND state = 'routed'
      AND NOT EXISTS (SELECT 1 FROM intent WHERE intent.event_id = inbound_event.id
                      AND intent.state IN ('pending', 'sending', 'unknown', 'held', 'quarantined'))
    """
)


def finish_events(connection: Connection, event_ids: Sequence[int]) -> None:
    """Close the events all of whose wishes have ended well."""
    if event_ids:
        connection.execute(_FINISH_EVENTS, {"events": list(event_ids)})


def find_by_marker(connection: Connection, conversation_id: int, marker: str) -> Row[Any] | None:
    """The conversation's wish with this marker."""
    statement = text(
        "SELECT id, event_id, message_id, op, lane, part, state, remote_ref, payload FROM intent WHERE marker = :marker AND conversation_id = :conversation"
    )
    return connection.execute(statement, {"marker": marker, "conversation": conversation_id}).one_or_none()


def is_private_answer(connection: Connection, place: Place, marker: str) -> bool:
    """Whether a public conversation of this place wished a private answer with this marker: its echo comes in a thread of its own."""
    statement = text(
        "SELECT EXISTS (SELECT 1 FROM intent i JOIN conversation c ON c.id = i.conversation_id "
        "WHERE i.marker = :marker AND c.place = :place AND i.payload ? 'private')"
    )
    return bool(connection.execute(statement, {"marker": marker, "place": place}).scalar())


def read_other(connection: Connection, intent_id: int, *, remote_ref: str | None) -> Row[Any] | None:
    """The wish with its places, unless `remote_ref` is what it came to, or what the read-back that is still to come will find."""
    statement = text(
        "SELECT i.remote_ref, c.place, c.helpdesk FROM intent i JOIN conversation c ON c.id = i.conversation_id "
        "WHERE i.id = :id AND i.remote_ref IS DISTINCT FROM :ref AND i.state <> 'unknown'"
    )
    return connection.execute(statement, {"id": intent_id, "ref": remote_ref}).one_or_none()


def earlier_parts(connection: Connection, event_id: int, op: str, part: int) -> set[str]:
    """The states of the parts before this one."""
    statement = text("SELECT DISTINCT state FROM intent WHERE event_id = :event AND op = :op AND part < :part")
    return {row.state for row in connection.execute(statement, {"event": event_id, "op": op, "part": part})}


def is_open(connection: Connection, event_id: int, op: str) -> bool:
    """Whether a wish of an event has not ended."""
    statement = text(
        "SELECT EXISTS (SELECT 1 FROM intent WHERE event_id = :event AND op = :op AND state IN ('pending', 'sending', 'unknown', 'held'))"
    )
    return bool(connection.execute(statement, {"event": event_id, "op": op}).scalar())


def has_unsettled(connection: Connection, conversation_id: int, lanes: Sequence[str]) -> bool:
    """Whether something in the lanes may have been applied without our knowing yet."""
    statement = text(
        "SELECT EXISTS (SELECT 1 FROM intent WHERE conversation_id = :conversation AND lane = ANY(:lanes) AND state IN ('sending', 'unknown'))"
    )
    return bool(connection.execute(statement, {"conversation": conversation_id, "lanes": list(lanes)}).scalar())


def whole_replies(connection: Connection, intent_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Of these wishes those with which an agent's reply is on the platform as a whole: `event_id`, `payload`."""
    statement = text(
        "SELECT event_id, payload FROM intent WHERE id = ANY(:ids) AND op = 'reply' AND CAST(payload->>'parts' AS int) = part + 1 ORDER BY id"
    )
    return connection.execute(statement, {"ids": list(intent_ids)}).all()
