"""(a) The receipt path against a bare handler: both servers stand side by side and are loaded in turns."""

from __future__ import annotations

import statistics
from typing import Any

from tests.benchmarks import bare, ground
from tests.benchmarks.figures import percentile
from tests.benchmarks.ground import PATH, Ground

CLIENTS = 16


def run(here: Ground, *, is_quick: bool) -> dict[str, Any]:
    """Rate and 99th percentile of both, as medians of the rounds' ratios."""
    rounds, seconds = (2, 2) if is_quick else (5, 5)
    bridge = here.bridge(here.database(), port=ground.port())
    plain, plain_port = here.database().replace("+psycopg", ""), ground.port()
    bare.prepare(plain)
    here.flush()
    first, results = 0, []
    with ground.forked(lambda: here.serve(bridge)), ground.forked(lambda: bare.run(plain, plain_port)):
        port = bridge.config.receiver.port
        assert ground.wait_until(lambda: ground.is_listening(port) and ground.is_listening(plain_port))
        for number in range(rounds + 1):
            ours = ground.load(port=port, path=PATH, clients=CLIENTS, seconds=seconds if number else 1, first=first)
            theirs = ground.load(port=plain_port, path="/in", clients=CLIENTS, seconds=seconds if number else 1, first=first)
            first += 1_000_000
            if number:  # The first round warms both up.
                results.append((_figures(ours), _figures(theirs)))
    return {
        "ours_per_second": _median(results, 0, "rate"),
        "bare_per_second": _median(results, 1, "rate"),
        "rate_ratio": round(statistics.median(ours["rate"] / theirs["rate"] for ours, theirs in results), 2),
        "ours_p99_ms": _median(results, 0, "p99"),
        "bare_p99_ms": _median(results, 1, "p99"),
        "p99_ratio": round(statistics.median(ours["p99"] / theirs["p99"] for ours, theirs in results), 2),
        "target": "rate_ratio >= 0.8, p99_ratio <= 1.5",
    }


def _figures(answer: dict[str, Any]) -> dict[str, float]:
    if set(answer["statuses"]) != {"200"}:
        raise RuntimeError(f"answers other than 200: {answer['statuses']}")
    return {"rate": len(answer["latencies"]) / answer["seconds"], "p99": percentile(answer["latencies"], 0.99)}


def _median(results: list[tuple[dict[str, float], dict[str, float]]], which: int, name: str) -> float:
    return round(statistics.median(pair[which][name] for pair in results), 1)
