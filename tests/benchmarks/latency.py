"""(c) What the bridge adds at 20 messages a second: from a customer's delivery to the article, from an agent's reply to the platform."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

from tests.benchmarks import ground
from tests.benchmarks.adapters import SIGNATURE, sign
from tests.benchmarks.figures import percentile
from tests.benchmarks.ground import DESK_PATH, PATH, Ground

RATE = 20
CONTACTS = 50


def run(here: Ground, *, is_quick: bool) -> dict[str, Any]:
    """Both ways, one after the other, as 50th and 99th percentiles in milliseconds."""
    count = 100 if is_quick else 600
    bridge = here.bridge(here.database(), port=ground.port())
    here.flush()
    here.stub("POST", "/reset")
    port = bridge.config.receiver.port
    with ground.forked(lambda: here.serve(bridge)), ground.forked(lambda: here.work(bridge)), ground.forked(lambda: here.sweep(bridge)):
        assert ground.wait_until(lambda: ground.is_listening(port))
        ground.load(port=port, path=PATH, clients=4, count=CONTACTS, rate=RATE, contacts=CONTACTS)
        sent = ground.load(port=port, path=PATH, clients=8, first=CONTACTS, count=count, rate=RATE, contacts=CONTACTS)["sent"]
        ground.wait_until(lambda: here.stub("GET", "/count")["writes"] >= CONTACTS + count)
        filed = {words[:8]: at for at, _, _, words in here.stub("GET", "/log")["log"]}
        answered = _answer_all(here, port, count)
        ground.wait_until(lambda: here.stub("GET", "/count")["writes"] >= CONTACTS + 2 * count)
        said = {words: at for at, kind, _, words in here.stub("GET", "/log")["log"] if kind == "said"}
    bridge.database.dispose()
    return {
        "message to article": _spread([filed[words] - at for words, at in sent.items() if words in filed], count),
        "article to reply": _spread([said[words] - at for words, at in answered.items() if words in said], count),
        "target": "p50 < 150 ms, p99 < 600 ms on an idle machine",
    }


def _answer_all(here: Ground, port: int, count: int) -> dict[str, float]:
    """An agent writes into one ticket after the other, and the helpdesk says so; when it did, by the reply's words."""
    tickets = [here.stub("GET", f"/lookup/c{number:05d}")["id"] for number in range(CONTACTS)]
    answered: dict[str, float] = {}
    due = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, due - time.monotonic()))
        due += 1 / RATE
        ticket, words = tickets[number % CONTACTS], f"answer {number:05d}"
        _post(here.stub_port, f"/agent/{ticket}", {"text": words})
        answered[words] = time.monotonic()
        _post(port, DESK_PATH, {"id": number, "ticket": ticket})
    return answered


def _post(port: int, path: str, data: dict[str, Any]) -> None:
    body = json.dumps(data).encode()
    asking = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", data=body, headers={SIGNATURE: sign(body), "Content-Type": "application/json"}
    )
    urllib.request.urlopen(asking, timeout=10).close()


def _spread(seconds: list[float], count: int) -> dict[str, Any]:
    times = [value * 1000 for value in seconds]
    return {"p50_ms": percentile(times, 0.5), "p99_ms": percentile(times, 0.99), "arrived": f"{len(times)} of {count}"}
