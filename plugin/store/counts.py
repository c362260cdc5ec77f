"""How much is going on: the counts that rules look at, each by an index, so that a message costs the same whatever is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection, text

from plugin.domain.ids import Place

_MOST = 1000
_COUNTS = text(
    f"""
    WITH known AS (
        SELECT LEAST(28, extract(day FROM date_trunc('hour', now()) - hour)::int) AS days FROM tally WHERE place = :place ORDER BY hour LIMIT 1
    )
    SELECT
        (SELECT count(*) FROM (SELECT 1 FROM message WHERE contact_id = :contact AND direction = 'inbound'
                               AND created_at > now() - interval '1 hour' LIMIT {_MOST}) m) AS contact_hour,
        (SELECT count(*) FROM (SELECT 1 FROM message WHERE contact_id = :contact AND direction = 'inbound'
                               AND created_at > now() - interval '1 day' LIMIT {_MOST}) m) AS contact_day,
        (SELECT count(*) FROM (SELECT 1 FROM conversation WHERE contact_id = :contact AND id < :conversation LIMIT {_MOST}) c) AS conversations_before,
        COALESCE((SELECT messages FROM tally WHERE place = :place AND hour = date_trunc('hour', now())), 0) AS this_hour,
        COALESCE((SELECT messages FROM tally WHERE place = :place AND hour = date_trunc('hour', now()) - interval '1 hour'), 0) AS hour_before,
        extract(epoch FROM now() - date_trunc('hour', now()))::float / 3600 AS passed,
        CASE WHEN (SELECT days FROM known) >= 7 THEN (
            SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY COALESCE(t.messages, 0))
            FROM generate_series(1, (SELECT days FROM known)) AS day
            LEFT JOIN tally t ON t.place = :place AND t.hour = date_trunc('hour', now()) - make_interval(days => day)) END AS channel_usual
    """  # noqa: S608 - a number of ours
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts of one contact and one channel. `this_hour` and `hour_before` are clock hours, of which the share `passed` is over.

    `channel_usual` is the median of this clock hour over up to four weeks, None in a channel's first.
    """

    contact_hour: int
    contact_day: int
    conversations_before: int
    this_hour: int
    hour_before: int
    passed: float
    channel_usual: float | None

    def and_heard(self, messages: int) -> Counts:
        """The same after so many more messages of the contact."""
        hour, day = min(self.contact_hour + messages, _MOST), min(self.contact_day + messages, _MOST)
        return replace(self, contact_hour=hour, contact_day=day)


def read(connection: Connection, place: Place, *, contact_id: int | None, conversation_id: int) -> Counts:
    """What is going on now."""
    row = connection.execute(_COUNTS, {"place": place, "contact": contact_id, "conversation": conversation_id}).one()
    return Counts(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public way
