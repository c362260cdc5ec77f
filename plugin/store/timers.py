"""Timers: moments that a conversation waits for, kept among its waiting events, so that they fire, are counted and are ordered like all others."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, text

from plugin.domain.codec import encode_event
from plugin.domain.events import TimerElapsed
from plugin.domain.ids import Place

_SET = text(
    """
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(event_key text, name text, payload jsonb, at timestamptz)
    ), replaced AS (
        UPDATE inbound_event SET state = 'ignored', reason = 'replaced', due_at = NULL, deaths = 0
        WHERE conversation_id = :conversation AND state = 'waiting' AND kind = 'TimerElapsed' AND payload->>'name' = ANY(:names)
          AND event_key NOT IN (SELECT event_key FROM wanted)
    )
    INSERT INTO inbound_event (place, event_key, kind, conversation_id, origin, payload, occurred_at, state, reason, due_at)
    SELECT :place, event_key, 'TimerElapsed', :conversation, 'timer', payload, at, 'waiting', 'timer:' || name, at FROM wanted
    ON CONFLICT (place, event_key) DO UPDATE SET state = 'waiting', reason = excluded.reason, due_at = excluded.due_at
        WHERE inbound_event.state = 'ignored' AND inbound_event.reason = 'replaced'
    """
)


def replace(connection: Connection, place: Place, conversation_id: int, wanted: Iterable[tuple[str, datetime | None]]) -> None:
    """Set timers by name; what stood under the name ends as `replaced`, also where the new moment is None.

    The caller holds the conversation's lease: giving it back makes the conversation due in time.
    """
    asked = dict(wanted)
    events = [
        TimerElapsed(event_key=f"crossdesk:timer:{name}:{conversation_id}:{at.isoformat()}", occurred_at=at, name=name)
        for name, at in asked.items()
        if at is not None
    ]
    rows = [
        {
            "event_key": event.event_key,
            "name": event.name,
            "payload": encode_event(event),
            "at": event.occurred_at and event.occurred_at.isoformat(),
        }
        for event in events
    ]
    connection.execute(_SET, {"place": place, "conversation": conversation_id, "names": list(asked), "rows": json.dumps(rows)})
