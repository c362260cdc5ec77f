"""The worker process: an RQ worker on one queue, forking a horse for the coalesced job. It exits when Redis is away; its supervisor restarts it."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import structlog
from redis import Redis
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from plugin.bootstrap import Bridge
from plugin.domain.ids import Place
from plugin.store import places
from workers.jobs import QUEUE, WORK, BridgeJob, provide
from workers.loop import WorkLoop
from workers.wakeups import NudgeListener

_log = structlog.get_logger("crossdesk.worker")
_JOB_SECONDS = 20.0
_IDLE_SECONDS = 3.0
_MAINTENANCE_SECONDS = 60


class BridgeWorker(Worker):
    """A worker that lets its horse end well: on a warm shutdown the horse is asked to finish the conversations at hand."""

    def handle_warm_shutdown_request(self) -> None:
        """Pass the request on to the horse."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        if self.horse_pid:
            os.kill(self.horse_pid, signal.SIGUSR1)


def work(bridge: Bridge, redis: Redis) -> None:
    """Serve the queue until told to stop. The process must not have used the database before: horses are forked from it."""

    def do_work() -> int:
        nudged = threading.Event()
        loop = WorkLoop(bridge, threads=bridge.config.worker.threads, nudged=nudged)
        signal.signal(signal.SIGUSR1, lambda *_: _stop(loop, nudged))
        listener = NudgeListener(_listening(redis), nudged)
        listener.start()
        try:
            return loop.run(seconds=_JOB_SECONDS, idle_seconds=_IDLE_SECONDS)
        finally:
            listener.stop()
            bridge.database.dispose()

    def alarm(name: str) -> None:
        sentence = (
            f"A job called {name!r} was found in Redis and refused: Crossdesk never wrote it. Nothing was run. Give Redis a password, "
            "a private network and no other users, and find out who wrote there."
        )
        bridge.database.run(lambda connection: places.raise_alert(connection, Place("redis"), "job_refused", sentence))

    provide(WORK, do_work, alarm=alarm)
    queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer, job_class=BridgeJob)
    worker = BridgeWorker(
        [queue],
        connection=redis,
        serializer=JSONSerializer,
        job_class=BridgeJob,
        maintenance_interval=_MAINTENANCE_SECONDS,
        log_job_description=False,
        default_result_ttl=0,
    )
    worker.work(logging_level="WARNING", with_scheduler=False)


def _stop(loop: WorkLoop, nudged: threading.Event) -> None:
    loop.stopping.set()
    nudged.set()


def _listening(redis: Redis) -> Redis:
    """A connection of the horse's own, patient enough for a blocking read."""
    settings: dict[str, Any] = {**redis.connection_pool.connection_kwargs, "socket_timeout": 5}
    return Redis(connection_pool=type(redis.connection_pool)(connection_class=redis.connection_pool.connection_class, **settings))
