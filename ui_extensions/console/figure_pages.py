"""The figures: volume and first response by channel and hour, the way from social to confirmed, held reasons, delivery outcomes, lag."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, render_template, request

from plugin.bootstrap import Bridge
from plugin.store import figures, ledger
from ui_extensions.console.charts import Chart, bars, columns

_HOURS = {"48": 48, "168": 168}
_DAYS = 30
_MOST_CHANNELS = 6
_LAGS = {
    "receipt": "deliveries to read",
    "event": "events to work",
    "to_social": "replies to send",
    "to_helpdesk": "articles to file",
    "quarantined": "set aside",
}


def add_figure_pages(app: Flask, bridge: Bridge) -> None:
    """`/figures`."""

    @app.get("/figures")
    def figures_page() -> str:
        hours = _HOURS.get(request.args.get("hours", ""), 48)
        return render_template("figures.html", charts=_charts(bridge, hours), hours=hours)


def _charts(bridge: Bridge, hours: int) -> list[Chart]:
    with bridge.database.begin() as connection:
        volume, response = figures.volume(connection, hours=hours), figures.first_response(connection, hours=hours)
        stages, held = figures.stages(connection, days=_DAYS), figures.held(connection)
        deliveries, lag = figures.deliveries(connection, days=_DAYS), ledger.lag(connection)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    slots = [now - timedelta(hours=back) for back in range(hours - 1, -1, -1)]
    labels = [f"{slot:%d %b %H:00}" for slot in slots]
    return [
        columns(
            "volume",
            "Messages by channel and hour",
            "What customers said, in clock hours.",
            labels=labels,
            series=_series(slots, volume, "messages"),
            unit="messages",
        ),
        columns(
            "response",
            "First response by channel and hour",
            "Median minutes until our first answer, by the hour in which the conversation began.",
            labels=labels,
            series=_series(slots, response, "minutes"),
            unit="minutes",
            is_stacked=False,
        ),
        bars(
            "stages",
            "From social to confirmed",
            f"Conversations of the last {_DAYS} days: how many came how far.",
            values=[
                ("began", stages.began),
                ("handed over", stages.handed),
                ("formal", stages.formal),
                ("asked or resolved", stages.asked),
                ("resolved", stages.resolved),
            ],
            unit="conversations",
        ),
        bars(
            "held", "Held now, by reason", "Outbound messages that wait.", values=[(row.reason, row.total) for row in held], unit="messages"
        ),
        bars(
            "deliveries",
            "Delivery outcomes",
            f"Replies of the last {_DAYS} days.",
            values=[(row.state, row.total) for row in deliveries],
            unit="replies",
        ),
        bars(
            "lag",
            "Lag",
            "Age of the oldest open work, in seconds.",
            values=[(_LAGS.get(row.kind, row.kind), round(row.seconds, 1)) for row in lag],
            unit="seconds",
        ),
    ]


def _series(slots: Sequence[datetime], rows: Sequence[Any], value: str) -> dict[str, list[float]]:
    """A number for every slot, by channel, for the channels with the most."""
    totals: dict[str, float] = {}
    for row in rows:
        totals[row.place] = totals.get(row.place, 0.0) + float(getattr(row, value))
    named = sorted(sorted(totals, key=lambda place: (-totals[place], place))[:_MOST_CHANNELS])
    at = {slot: index for index, slot in enumerate(slots)}
    found = {place.partition(":")[2]: [0.0] * len(slots) for place in named}
    for row in rows:
        index = at.get(row.hour.astimezone(UTC))
        if index is not None and row.place in named:
            found[row.place.partition(":")[2]][index] += float(getattr(row, value))
    return found
