"""What follows when an agent's reply has reached the platform: its lock is released. Runs inside a turn's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from plugin.domain.model import Lane
from plugin.handlers.results import Result
from plugin.policy import locks
from plugin.store import conversations, intents
from plugin.store.conversations import Held


def follow(connection: Connection, held: Held, results: Sequence[Result]) -> Held:
    """The conversation after replies were sent."""
    sent = [result.intent_id for result in results if result.lane == Lane.TO_SOCIAL and result.ending.state == "sent"]
    rows = intents.whole_replies(connection, sent) if sent else ()
    lock = held.lock
    for row in rows:
        lock = locks.sent(lock, row.payload.get("fence") or row.payload.get("under") or 0)
    if lock != held.lock:
        conversations.keep_care(connection, held.id, lock=lock)
    return replace(held, lock=lock)
