"""(e) A burst: 10,000 messages within a minute through the receiver, all answered 2xx or 503, then filed in order."""

from __future__ import annotations

import time
from typing import Any

from tests.benchmarks import filing, ground
from tests.benchmarks.figures import percentile
from tests.benchmarks.ground import PATH, Ground


def run(here: Ground, *, is_quick: bool) -> dict[str, Any]:
    """What was answered, how fast, and how long the bridge had to work it off."""
    count = 1_000 if is_quick else 10_000
    bridge = here.bridge(here.database(), port=ground.port(), processes=2)
    here.flush()
    here.stub("POST", "/reset")
    port = bridge.config.receiver.port
    with (
        ground.forked(lambda: here.serve(bridge)),
        ground.forked(lambda: here.work(bridge), count=2),
        ground.forked(lambda: here.sweep(bridge)),
    ):
        assert ground.wait_until(lambda: ground.is_listening(port))
        began = time.monotonic()
        answer = ground.load(port=port, path=PATH, clients=16, count=count, contacts=filing.CONTACTS)
        accepted = sum(number for status, number in answer["statuses"].items() if status == "200")
        ground.wait_until(lambda: here.stub("GET", "/count")["writes"] >= accepted, seconds=300)
        drained = time.monotonic() - began
    log = here.stub("GET", "/log")["log"]
    filing.check(log, accepted)
    bridge.database.dispose()
    return {
        "answered": answer["statuses"],
        "seconds_to_answer_all": round(answer["seconds"], 1),
        "answer_p99_ms": percentile(answer["latencies"], 0.99),
        "filed": len(log),
        "seconds_to_file_all": round(drained, 1),
        "lost, doubled or out of order": 0,
        "target": "all 2xx or 503 within 60 s, filed in order",
    }
