"""Channels and helpdesks as the engine meets them: whether they may be called now, and what their admin must be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.domain.ids import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether a place may be called: `status` is lasting and needs a person, a block passes by itself in `blocked_for` seconds."""

    place: Place
    status: str
    status_text: str
    blocked_for: float
    blocked_reason: str
    failures: int

    @property
    def is_open(self) -> bool:
        """Whether a call may be made now."""
        return self.status == "active" and self.blocked_for <= 0


def register(connection: Connection, adapters: Mapping[Place, str]) -> None:
    """Have a row for every configured place. What is no longer configured stays, with its history, and is simply never due."""
    for place in sorted(adapters):
        connection.execute(
            text(
                "INSERT INTO place (key, adapter) VALUES (:place, :adapter) ON CONFLICT (key) DO UPDATE SET adapter = excluded.adapter "
                "WHERE place.adapter <> excluded.adapter"
            ),
            {"place": place, "adapter": adapters[place]},
        )


_STANDING = text(
    """
    SELECT key, status, status_text, blocked_reason, failures,
           COALESCE(extract(epoch FROM blocked_until - clock_timestamp()), 0)::double precision AS blocked_for
    FROM place WHERE key = ANY(:places)
    """
)


def standings(connection: Connection, places: Sequence[Place]) -> dict[Place, Standing]:
    """How the places stand now."""
    return {
        Place(row.key): Standing(
            place=Place(row.key),
            status=row.status,
            status_text=row.status_text,
            blocked_for=row.blocked_for,
            blocked_reason=row.blocked_reason,
            failures=row.failures,
        )
        for row in connection.execute(_STANDING, {"places": list(places)})
    }


def block(connection: Connection, place: Place, *, reason: str, seconds: float) -> None:
    """Let everybody wait before the place is called again; a longer block that stands already stays."""
    connection.execute(
        text(
            "UPDATE place SET blocked_until = GREATEST(blocked_until, now() + make_interval(secs => :seconds)), blocked_reason = :reason, "
            "failures = failures + 1 WHERE key = :place"
        ),
        {"place": place, "seconds": seconds, "reason": reason},
    )


_SPEND = text(
    """
    WITH granted AS (
        UPDATE place SET next_call_at = GREATEST(next_call_at, clock_timestamp()) + make_interval(secs => 1 / :rate)
        WHERE key = :place AND (next_call_at IS NULL OR next_call_at <= clock_timestamp() + interval '1 second') RETURNING 1
    )
    SELECT CASE WHEN EXISTS (SELECT 1 FROM granted) THEN 0
           ELSE GREATEST(extract(epoch FROM next_call_at - clock_timestamp()) - 1, 0.05) END::double precision
    FROM place WHERE key = :place
    """
)


def spend_call(connection: Connection, place: Place, *, per_second: float) -> float:
    """Spend one call of the place's rate budget, shared by all processes: 0 when it may be made, else the seconds to wait.

    A second's worth may be spent at once (the generic cell rate algorithm).
    """
    return float(connection.execute(_SPEND, {"place": place, "rate": per_second}).scalar_one())


def recovered(connection: Connection, place: Place) -> None:
    """The place answered well: forget earlier failures."""
    connection.execute(
        text("UPDATE place SET failures = 0, blocked_until = NULL, blocked_reason = '' WHERE key = :place AND failures > 0"),
        {"place": place},
    )


def set_status(connection: Connection, place: Place, status: str, status_text: str) -> bool:
    """Change the lasting status; False when it stood so already."""
    statement = text(
        "UPDATE place SET status = :status, status_text = :text, status_since = now(), failures = 0, blocked_until = NULL, blocked_reason = '' "
        "WHERE key = :place AND status <> :status"
    )
    return connection.execute(statement, {"place": place, "status": status, "text": status_text}).rowcount == 1


def raise_alert(connection: Connection, place: Place, code: str, sentence: str) -> bool:
    """Tell the admin once: False when the same alert is open already."""
    statement = text("INSERT INTO alert (place, code, text) VALUES (:place, :code, :text) ON CONFLICT DO NOTHING")
    return connection.execute(statement, {"place": place, "code": code, "text": sentence}).rowcount == 1


def close_alerts(connection: Connection, place: Place, codes: Sequence[str]) -> None:
    """The cause is gone."""
    connection.execute(
        text("UPDATE alert SET closed_at = now() WHERE place = :place AND code = ANY(:codes) AND closed_at IS NULL"),
        {"place": place, "codes": list(codes)},
    )


def settle_alert(connection: Connection, alert_id: int, sentence: str) -> None:
    """The cause is gone; `sentence` says how it ended."""
    connection.execute(
        text("UPDATE alert SET closed_at = now(), text = :text WHERE id = :id AND closed_at IS NULL"), {"id": alert_id, "text": sentence}
    )


def hear(connection: Connection, place: Place) -> None:
    """A delivery by webhook came from the place. To the second is enough: the row is everybody's."""
    statement = text(
        "UPDATE place SET heard_at = now() WHERE key = :place AND (heard_at IS NULL OR heard_at < now() - interval '1 second')"
    )
    connection.execute(statement, {"place": place})


def close_alert(connection: Connection, alert_id: int) -> bool:
    """A person has seen to it; False when it is not open."""
    return (
        connection.execute(text("UPDATE alert SET closed_at = now() WHERE id = :id AND closed_at IS NULL"), {"id": alert_id}).rowcount == 1
    )


def open_alerts(connection: Connection) -> Sequence[Row[Any]]:
    """What the admin has been told and is not settled yet."""
    return connection.execute(text("SELECT id, place, code, text, opened_at FROM alert WHERE closed_at IS NULL ORDER BY id")).all()


def everyone(connection: Connection) -> Sequence[Row[Any]]:
    """All places with their status and the age of what waits for them, for the console and `channel list`."""
    return connection.execute(
        text(
            """
            SELECT p.key, p.adapter, p.status, p.status_text, p.status_since, p.blocked_until, p.blocked_reason, p.heard_at, c.last_ok_at,
                   COALESCE(p.blocked_until <= now(), true) AS is_block_over,
                   EXISTS (SELECT 1 FROM inbound_event e WHERE e.place = p.key) AS has_events,
                   (SELECT count(*) FROM conversation v WHERE v.place = p.key AND v.due_at IS NOT NULL) AS due,
                   ARRAY(SELECT a.text FROM alert a WHERE a.place = p.key AND a.closed_at IS NULL AND a.code <> p.status ORDER BY a.id) AS alerts
            FROM place p LEFT JOIN cursor c ON c.place = p.key AND c.task = 'poll' ORDER BY p.key
            """
        )
    ).all()
