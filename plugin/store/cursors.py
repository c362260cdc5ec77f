"""How far places have been asked: the poll, the second looks and each saved search have a cursor each, with a lease, a back-off and a budget."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.domain.ids import Place

POLL, RECHECK = "poll", "recheck"
Task = tuple[Place, str]
"""A place and what is asked of it: `poll`, `recheck` or `search:NAME`."""


def search_task(name: str) -> str:
    """The task of a saved search."""
    return f"search:{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PollLease:
    """The right to ask one place one thing until the lease runs out. `quiet_for`: seconds since it last went well, None if it never did."""

    place: Place
    task: str
    fence: int
    position: Mapping[str, Any] | None
    quiet_for: float | None
    failures: int


def register(connection: Connection, tasks: Collection[Task]) -> None:
    """Have a cursor for every task. Those of these places that are no longer wanted rest, with how far they came."""
    for place, task in sorted(tasks):
        statement = text(
            "INSERT INTO cursor (place, task) VALUES (:place, :task) "
            "ON CONFLICT (place, task) DO UPDATE SET due_at = now() WHERE cursor.due_at IS NULL"
        )
        connection.execute(statement, {"place": place, "task": task})
    statement = text(
        "UPDATE cursor SET due_at = NULL WHERE place = ANY(:places) AND (place, task) NOT IN "
        "(SELECT * FROM unnest(CAST(:kept AS text[]), CAST(:tasks AS text[])))"
    )
    connection.execute(statement, {"places": sorted({place for place, _ in tasks}), **_columns(tasks)})


_CLAIM = text(
    """
    UPDATE cursor SET lease_fence = lease_fence + 1, lease_until = now() + make_interval(secs => :seconds)
    WHERE (place, task) IN (
        SELECT c.place, c.task FROM cursor c JOIN place p ON p.key = c.place
        JOIN unnest(CAST(:kept AS text[]), CAST(:tasks AS text[])) AS w(place, task) ON w.place = c.place AND w.task = c.task
        WHERE c.due_at <= now() AND (c.lease_until IS NULL OR c.lease_until < now()) AND p.status = 'active'
          AND (p.blocked_until IS NULL OR p.blocked_until <= now())
        ORDER BY c.due_at LIMIT :limit FOR UPDATE OF c SKIP LOCKED)
    RETURNING place, task, lease_fence, position, failures, extract(epoch FROM now() - last_ok_at)::double precision AS quiet_for
    """
)


def claim(connection: Connection, tasks: Collection[Task], *, limit: int, seconds: float) -> list[PollLease]:
    """Lease those of `tasks` that are due."""
    rows = connection.execute(_CLAIM, {**_columns(tasks), "limit": limit, "seconds": seconds})
    return [
        PollLease(
            place=Place(row.place),
            task=row.task,
            fence=row.lease_fence,
            position=row.position,
            quiet_for=row.quiet_for,
            failures=row.failures,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a page brought. `found`: new events. `missed`: those that a gap had kept from us. `keep_lease`: go on for so many seconds.

    `is_evidence`: somebody else spoke, so that a webhook should have told of it; None: this page proves nothing.
    """

    position: str | None
    again_in: float
    found: int = 0
    missed: int = 0
    is_ok: bool = True
    is_evidence: bool | None = None
    keep_lease: float | None = None


_ADVANCE = text(
    """
    UPDATE cursor SET position = COALESCE(CAST(:position AS jsonb), position), due_at = now() + make_interval(secs => :again_in),
        lease_until = now() + make_interval(secs => :keep_lease), found = found + :found, missed = missed + :missed,
        failures = CASE WHEN :is_ok THEN 0 ELSE cursor.failures + 1 END, last_ok_at = CASE WHEN :is_ok THEN now() ELSE last_ok_at END,
        streak = CASE WHEN p.heard_at > cursor.last_ok_at - interval '1 second' THEN 0
                      WHEN CAST(:is_evidence AS boolean) THEN LEAST(streak + 1, 30000) ELSE streak END
    FROM place p WHERE p.key = cursor.place AND cursor.place = :place AND cursor.task = :task AND cursor.lease_fence = :fence
    RETURNING CASE WHEN p.heard_at IS NOT NULL THEN streak END AS streak
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """The cursor moved. `silence`: polls in a row that found what no webhook told of; None where no webhook ever came."""

    silence: int | None


def advance(connection: Connection, lease: PollLease, step: Step) -> Advanced | None:
    """Move the cursor, in the transaction that stored the events. None when the lease was lost: then nothing may be committed."""
    parameters = {
        "place": lease.place,
        "task": lease.task,
        "fence": lease.fence,
        "position": step.position,
        "again_in": step.again_in,
        "found": step.found,
        "missed": step.missed,
        "is_ok": step.is_ok,
        "is_evidence": step.is_evidence,
        "keep_lease": step.keep_lease,
    }
    row = connection.execute(_ADVANCE, parameters).one_or_none()
    return None if row is None else Advanced(silence=row.streak)


def ask_now(connection: Connection, place: Place) -> None:
    """Have a place asked as soon as possible, whatever it is asked."""
    connection.execute(text("UPDATE cursor SET due_at = now() WHERE place = :place AND due_at IS NOT NULL"), {"place": place})


def poll_now(connection: Connection, place: Place, *, floor: float) -> bool:
    """Have a place polled, `floor` seconds after it was last polled well or at once. False while it is being polled: say it again afterwards.

    That poll may have looked too early for what is new.
    """
    statement = text(
        "UPDATE cursor SET due_at = LEAST(due_at, GREATEST(now(), last_ok_at + make_interval(secs => :floor))) "
        "WHERE place = :place AND task = :task AND due_at IS NOT NULL AND (lease_until IS NULL OR lease_until < now())"
    )
    return connection.execute(statement, {"place": place, "task": POLL, "floor": floor}).rowcount > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """Posts of a day's budget that may be read now. `most` 0: none is left, and there will be again in `renews_in` seconds."""

    day: date
    most: int
    renews_in: float


_RESERVE = text(
    """
    WITH today AS (SELECT CAST(now() AT TIME ZONE 'UTC' AS date) AS day), granted AS (
        SELECT c.place, c.task, t.day, LEAST(:most, GREATEST(:a_day - CASE WHEN c.spent_on = t.day THEN c.spent ELSE 0 END, 0)) AS most
        FROM cursor c, today t WHERE c.place = :place AND c.task = :task AND c.lease_fence = :fence FOR UPDATE OF c
    )
    UPDATE cursor SET spent = CASE WHEN cursor.spent_on = g.day THEN cursor.spent ELSE 0 END + g.most, spent_on = g.day
    FROM granted g WHERE cursor.place = g.place AND cursor.task = g.task
    RETURNING g.day, g.most, extract(epoch FROM (g.day + 1) - (now() AT TIME ZONE 'UTC'))::double precision AS renews_in
    """
)


def reserve(connection: Connection, lease: PollLease, *, a_day: int, most: int) -> Reserved | None:
    """Spend up to `most` posts of the day's budget before they are read, so that no crash can overspend it. None when the lease was lost."""
    parameters = {"place": lease.place, "task": lease.task, "fence": lease.fence, "a_day": a_day, "most": most}
    row = connection.execute(_RESERVE, parameters).one_or_none()
    return None if row is None else Reserved(day=row.day, most=row.most, renews_in=row.renews_in)


def give_back(connection: Connection, lease: PollLease, reserved: Reserved, unread: int) -> None:
    """Return what of a reservation was not read."""
    statement = text(
        "UPDATE cursor SET spent = GREATEST(spent - :unread, 0) "
        "WHERE place = :place AND task = :task AND lease_fence = :fence AND spent_on = :day"
    )
    parameters = {"place": lease.place, "task": lease.task, "fence": lease.fence, "unread": unread, "day": reserved.day}
    connection.execute(statement, parameters)


def searches(connection: Connection) -> Sequence[Row[Any]]:
    """The saved searches that are asked: `place`, `task`, `spent` today, `found` in all, `last_ok_at`."""
    statement = text(
        """
        SELECT place, task, found, last_ok_at, CASE WHEN spent_on = CAST(now() AT TIME ZONE 'UTC' AS date) THEN spent ELSE 0 END AS spent
        FROM cursor WHERE task LIKE 'search:%' AND due_at IS NOT NULL ORDER BY place, task
        """
    )
    return connection.execute(statement).all()


def counts(connection: Connection) -> Sequence[Row[Any]]:
    """What each place's polls found that no webhook had told, and how much of it after a gap."""
    return connection.execute(text("SELECT place, found, missed FROM cursor WHERE task = 'poll' ORDER BY place")).all()


def _columns(tasks: Collection[Task]) -> dict[str, list[str]]:
    return {"kept": [place for place, _ in tasks], "tasks": [task for _, task in tasks]}
