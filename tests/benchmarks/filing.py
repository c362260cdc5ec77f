"""(b) Messages filed per second: ours against the plain design, one forked RQ job for each message."""

from __future__ import annotations

import os
import statistics
from typing import Any

import redis
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from plugin.policy.policy import Policy
from tests.benchmarks import ground, plain
from tests.benchmarks.ground import Ground

CONTACTS = 200


def run(here: Ground, *, is_quick: bool) -> dict[str, Any]:
    """Rates with 1, 2 and 4 worker processes, rounds interleaved."""
    rounds, ours, theirs = (1, 1500, 60) if is_quick else (3, 4000, 150)
    found: dict[str, Any] = {}
    for processes in (1, 2, 4):
        pairs = [(file_ours(here, processes, ours), file_plainly(here, processes, theirs)) for _ in range(rounds)]
        found[f"{processes} processes"] = {
            "ours_per_second": round(statistics.median(pair[0] for pair in pairs), 1),
            "plain_per_second": round(statistics.median(pair[1] for pair in pairs), 1),
            "ratio": round(statistics.median(pair[0] / pair[1] for pair in pairs), 1),
            "target": ">= 10",
        }
    return found


def file_ours(
    here: Ground, processes: int, count: int, *, database_url: str | None = None, first: int = 0, policy: Policy | None = None
) -> float:
    """File `count` messages that wait in the database; per second, from the first write at the stub to the last."""
    bridge = here.bridge(database_url or here.database(), processes=processes, policy=policy)
    with bridge.database.begin() as connection:
        ground.preload(connection, first=first, count=count, contacts=CONTACTS)
    bridge.database.dispose()
    here.flush()
    here.stub("POST", "/reset")

    with ground.forked(lambda: here.work(bridge), count=processes), ground.forked(lambda: here.sweep(bridge)):
        rate = _rate(here, count)
    bridge.database.dispose()
    return rate


def file_plainly(here: Ground, processes: int, count: int) -> float:
    """The same by one forked job for each message."""
    here.flush()
    here.stub("POST", "/reset")
    database = here.database()
    plain.prepare(database)
    client = redis.Redis.from_url(here.redis_url)
    queue = Queue("plain", connection=client, serializer=JSONSerializer)
    for number in range(count):
        queue.enqueue(plain.file, database, here.stub_port, number, CONTACTS, result_ttl=0)

    def serve() -> None:
        os.environ["RQ_QUIET"] = "1"
        own = redis.Redis.from_url(here.redis_url)
        Worker([Queue("plain", connection=own, serializer=JSONSerializer)], connection=own, serializer=JSONSerializer).work(
            burst=True, logging_level="WARNING"
        )

    with ground.forked(serve, count=processes):
        rate = _rate(here, count)
    client.close()
    return rate


def _rate(here: Ground, count: int) -> float:
    if not ground.wait_until(lambda: here.stub("GET", "/count")["writes"] >= count, seconds=300, pause=0.1):
        raise RuntimeError(f"only {here.stub('GET', '/count')['writes']} of {count} messages were filed within 300 s")
    log = here.stub("GET", "/log")["log"]
    check(log, count)
    return float((len(log) - 1) / (log[-1][0] - log[0][0]))


def check(log: list[list[Any]], count: int) -> None:
    """Nothing lost, doubled or out of order: a fast bridge that does either has not been measured."""
    latest: dict[int, int] = {}
    for _, _, _, words in log:
        number = int(words[:8])
        if number <= latest.get(number % CONTACTS, -1):
            raise RuntimeError(f"message {number} was filed twice or too late")
        latest[number % CONTACTS] = number
    if len(log) != count:
        raise RuntimeError(f"{len(log)} writes for {count} messages")
