"""Wake-ups over Redis: one coalesced job at most waits in the queue, and a nudge for the one that is running. Losing all of it loses nothing."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from workers.jobs import QUEUE, WORK, BridgeJob

_log = structlog.get_logger("crossdesk.wakeups")
NUDGES = "crossdesk:nudges"
_QUIET_SECONDS = 5.0


class RedisWakeUps:
    """Implements `plugin.contracts.wakeups.WakeUps`. `redis` must have a socket time-out of 300 ms or less."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer, job_class=BridgeJob)
        self._quiet_until = 0.0
        self.is_reachable = True

    def wake(self) -> None:
        """Say that there is work. Failing is harmless: the sweeper finds what nobody was woken for."""
        if time.monotonic() < self._quiet_until:
            return
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.lpush(NUDGES, 1)
                pipeline.ltrim(NUDGES, 0, 15)
                pipeline.llen(self._queue.key)
                waiting = pipeline.execute()[-1]
            if not waiting:
                self._queue.enqueue_call(WORK, timeout=180, ttl=60, result_ttl=0, failure_ttl=60, description=WORK)
            self.is_reachable = True
        except (RedisError, OSError) as problem:
            # Do not pay the time-out again for every delivery while Redis is away.
            self._quiet_until = time.monotonic() + _QUIET_SECONDS
            if self.is_reachable:
                _log.warning("wakeups_away", error=type(problem).__name__)
            self.is_reachable = False


class NoWakeUps:
    """For commands that are followed by a worker anyway."""

    def wake(self) -> None:
        """Say nothing."""


class NudgeListener:
    """Sets `event` whenever a nudge arrives, in a thread of its own, until `stop`."""

    def __init__(self, redis: Redis, event: threading.Event) -> None:
        self._redis = redis
        self._event = event
        self._is_over = False
        self._thread = threading.Thread(target=self._listen, name="nudges", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; returns at once."""
        self._is_over = True

    def _listen(self) -> None:
        while not self._is_over:
            try:
                nudged: Any = self._redis.brpop([NUDGES], timeout=1)
            except (RedisError, OSError):
                time.sleep(1.0)
                continue
            if nudged:
                with contextlib.suppress(RedisError, OSError):
                    self._redis.delete(NUDGES)
                self._event.set()
