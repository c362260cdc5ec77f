"""The net below the webhooks: which tickets changed since the last look, by Zammad's own clock.

The position is `{"after": time, "page": n}`. A finished look starts the next one a minute early, which absorbs transactions that were
committed late; event keys absorb the repeats.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from plugin.contracts.platform import Polled
from plugin.helpdesks.zammad.client import ZammadClient
from plugin.helpdesks.zammad.reading import moment, ticket_touched

PAGE = 100
OVERLAP = timedelta(seconds=60)
FIRST_LOOK_BACK = timedelta(minutes=15)
_TICK = timedelta(milliseconds=1)


def poll(client: ZammadClient, position: Mapping[str, Any] | None) -> Polled:
    """Tickets changed since, oldest change first.

    Raises:
        RemoteError: any of its kinds.
    """
    after, page = _start(client, position)
    rows = client.search(
        {"ticket.updated_at": {"operator": "after (absolute)", "value": after}},
        limit=PAGE,
        page=page,
        sort_by="updated_at",
        order_by="asc",
    )
    events = tuple(ticket_touched(row) for row in rows)
    times = [at for at in (moment(row.get("updated_at")) for row in rows) if at is not None]
    start = moment(after)
    if not times or start is None:
        return Polled(events=events, position={"after": after, "page": 1})
    if len(rows) < PAGE:
        return Polled(events=events, position={"after": _text(max(start, max(times) - OVERLAP)), "page": 1})
    # The page is full. Go on just before its last change; only if that is no step ahead (a hundred changes in one moment) turn the page.
    ahead = max(times) - _TICK
    if ahead > start:
        return Polled(events=events, position={"after": _text(ahead), "page": 1}, has_more=True)
    return Polled(events=events, position={"after": after, "page": page + 1}, has_more=True)


def _start(client: ZammadClient, position: Mapping[str, Any] | None) -> tuple[str, int]:
    if position is not None:
        return str(position["after"]), int(position.get("page", 1))
    everything = {"ticket.updated_at": {"operator": "after (absolute)", "value": "1970-01-01T00:00:00Z"}}
    newest = client.search(everything, limit=1, sort_by="updated_at", order_by="desc")
    at = moment(newest[0].get("updated_at")) if newest else None
    return (_text(at - FIRST_LOOK_BACK) if at else "1970-01-01T00:00:00.000Z"), 1


def _text(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
