"""How much is going on: the counts that rules look at, each by an index, so that a message costs the same whatever is stored."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.domain.ids import Place

_COUNTS = text(
    """
    WITH known AS (
        SELECT LEAST(28, extract(day FROM date_trunc('hour', now()) - hour)::int) AS days FROM tally WHERE place = :place ORDER BY hour LIMIT 1
    )
    SELECT
        (SELECT count(*) FROM (SELECT 1 FROM message WHERE contact_id = :contact AND direction = 'inbound'
                               AND created_at > now() - interval '1 hour' LIMIT 1000) m) AS contact_hour,
        (SELECT count(*) FROM (SELECT 1 FROM message WHERE contact_id = :contact AND direction = 'inbound'
                               AND created_at > now() - interval '1 day' LIMIT 1000) m) AS contact_day,
        (SELECT count(*) FROM (SELECT 1 FROM conversation WHERE contact_id = :contact AND id < :conversation LIMIT 1000) c) AS conversations_before,
        COALESCE((SELECT messages FROM tally WHERE place = :place AND hour = date_trunc('hour', now())), 0) AS this_hour,
        COALESCE((SELECT messages FROM tally WHERE place = :place AND hour = date_trunc('hour', now()) - interval '1 hour'), 0) AS hour_before,
        extract(epoch FROM now() - date_trunc('hour', now()))::float / 3600 AS passed,
        CASE WHEN (SELECT days FROM known) >= 7 THEN (
            SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY COALESCE(t.messages, 0))
            FROM generate_series(1, (SELECT days FROM known)) AS day
            LEFT JOIN tally t ON t.place = :place AND t.hour = date_trunc('hour', now()) - make_interval(days => day)) END AS channel_usual
    """
)


def read(connection: Connection, place: Place, *, contact_id: int | None, conversation_id: int) -> Row[Any]:
    """Counts of one contact and one channel. `this_hour` and `hour_before` are clock hours, of which the share `passed` is over.

    `channel_usual` is the median of this clock hour over up to four weeks, None in a channel's first.
    """
    return connection.execute(_COUNTS, {"place": place, "contact": contact_id, "conversation": conversation_id}).one()
