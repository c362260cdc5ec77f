"""What `/metrics` shows (Prometheus text format): answers of this process, and the state of the whole bridge read from the database."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from plugin.bootstrap import Bridge
from plugin.domain.errors import StoreUnavailable
from plugin.handlers import health
from plugin.store import cursors, ledger

CONTENT_TYPE = CONTENT_TYPE_LATEST
_registry = CollectorRegistry()
_answers = Counter("crossdesk_webhook_answers", "Answers to deliveries by place and status.", ["place", "status"], registry=_registry)
_seconds = Histogram(
    "crossdesk_webhook_seconds",
    "Time until the answer.",
    registry=_registry,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)


@cache
def _answered(place: str, status: int) -> Counter:
    return _answers.labels(place, str(status))


def answered(place: str, status: int, seconds: float) -> None:
    """Count one answer."""
    _answered(place, status).inc()
    _seconds.observe(seconds)


def render(bridge: Bridge) -> bytes:
    """The exposition."""
    whole = CollectorRegistry()
    whole.register(_BridgeCollector(bridge))
    return generate_latest(_registry) + generate_latest(whole)


class _BridgeCollector(Collector):
    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def collect(self) -> Iterator[Metric]:
        is_up = GaugeMetricFamily("crossdesk_store_up", "1 when the database can be reached.")
        try:
            with self._bridge.database.begin() as connection:
                lag = ledger.lag(connection)
                found = cursors.counts(connection)
                standing = health.conditions(connection)
        except StoreUnavailable:
            is_up.add_metric([], 0)
            yield is_up
            return
        is_up.add_metric([], 1)
        yield is_up
        oldest = GaugeMetricFamily("crossdesk_oldest_open_seconds", "Age of the oldest open work.", labels=["kind"])
        counts = GaugeMetricFamily("crossdesk_open", "Open work.", labels=["kind"])
        for row in lag:
            oldest.add_metric([row.kind], row.seconds)
            counts.add_metric([row.kind], row.total)
        yield oldest
        yield counts
        polled = CounterMetricFamily("crossdesk_polled", "Events that polls found and no webhook had told.", labels=["place"])
        missed = CounterMetricFamily("crossdesk_missed", "Those of them that were found after a time of no polls.", labels=["place"])
        for row in found:
            polled.add_metric([row.place], row.found)
            missed.add_metric([row.place], row.missed)
        yield polled
        yield missed
        is_well = GaugeMetricFamily(
            "crossdesk_place_ok", "1 when the place works; 0 with a dead token or a silent webhook.", labels=["place"]
        )
        for item in standing:
            is_well.add_metric([item.place], float(item.is_ok))
        yield is_well
