"""What people would rather look at than read: volume, first response, stages, held, deliveries. Reads only; each query looks at days, not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text


def volume(connection: Connection, *, hours: int) -> Sequence[Row[Any]]:
    """`place`, `hour`, `messages` said by others, for the last `hours` clock hours; hours without any are left out."""
    statement = text(
        "SELECT place, hour, messages FROM tally WHERE hour > date_trunc('hour', now()) - make_interval(hours => :hours) ORDER BY hour, place"
    )
    return connection.execute(statement, {"hours": hours}).all()


def first_response(connection: Connection, *, hours: int) -> Sequence[Row[Any]]:
    """`place`, `hour` in which conversations began, how many were `answered`, and the median `minutes` until then."""
    statement = text(
        """
        SELECT place, hour, count(*) AS answered,
               (percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM first_at - opened_at) / 60))::float AS minutes
        FROM (SELECT c.place, c.opened_at, date_trunc('hour', c.opened_at) AS hour,
                     (SELECT min(m.created_at) FROM message m WHERE m.conversation_id = c.id AND m.direction IN ('outbound', 'native')) AS first_at
              FROM conversation c WHERE c.opened_at > date_trunc('hour', now()) - make_interval(hours => :hours)) f
        WHERE first_at IS NOT NULL AND first_at >= opened_at GROUP BY place, hour ORDER BY hour, place
        """
    )
    return connection.execute(statement, {"hours": hours}).all()


def stages(connection: Connection, *, days: int) -> Row[Any]:
    """How many conversations of the last `days` `began`, were `handed` over, became `formal`, were `asked` whether it is solved, are `resolved`."""
    statement = text(
        """
        SELECT count(*) AS began,
               count(*) FILTER (WHERE is_handed) AS handed,
               count(*) FILTER (WHERE is_handed AND stage IN ('formal', 'confirming', 'resolved')) AS formal,
               count(*) FILTER (WHERE is_handed AND stage IN ('confirming', 'resolved')) AS asked,
               count(*) FILTER (WHERE is_handed AND stage = 'resolved') AS resolved
        FROM (SELECT stage, (stage IN ('handoff', 'formal', 'confirming') OR COALESCE(crossover->>'rule', '') <> '') AS is_handed
              FROM conversation WHERE created_at > now() - make_interval(days => :days)) c
        """
    )
    return connection.execute(statement, {"days": days}).one()


def held(connection: Connection) -> Sequence[Row[Any]]:
    """`reason` and `total` of what is held now."""
    statement = text("SELECT reason, count(*) AS total FROM intent WHERE state = 'held' GROUP BY reason ORDER BY total DESC, reason")
    return connection.execute(statement).all()


def deliveries(connection: Connection, *, days: int) -> Sequence[Row[Any]]:
    """`state` and `total` of the replies wished for in the last `days`."""
    statement = text(
        "SELECT state, count(*) AS total FROM intent WHERE lane = 'to_social' AND op = 'reply' "
        "AND created_at > now() - make_interval(days => :days) GROUP BY state ORDER BY total DESC, state"
    )
    return connection.execute(statement, {"days": days}).all()
