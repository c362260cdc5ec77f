"""The sweeper process: finds due work that nobody was woken for, brings in the spool, works itself while Redis is away, and hears what platforms call out."""

from __future__ import annotations

import contextlib
import signal
import threading
import time

import structlog

from plugin.bootstrap import Bridge
from plugin.domain.errors import StoreUnavailable
from plugin.handlers.hearing import Hearing
from plugin.handlers.registrations import register_wanted
from plugin.handlers.sweep import Sweeper
from workers.loop import WorkLoop
from workers.wakeups import RedisWakeUps

_log = structlog.get_logger("crossdesk.sweeper")
_TIDY_EVERY = 60.0


def sweep(bridge: Bridge, wakeups: RedisWakeUps) -> None:
    """Sweep until told to stop."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    sweeper = Sweeper(bridge.installation, bridge.database, wakeups)
    tidied = 0.0
    threading.Thread(target=register, args=(bridge,), name="registrations", daemon=True).start()
    hearing = Hearing(bridge.installation, bridge.database, wakeups)
    threading.Thread(target=hearing.run, args=(stopping,), name="hearing", daemon=True).start()
    while not stopping.is_set():
        try:
            bridge.refresh()
            if bridge.spool is not None and bridge.spool.size():
                _log.info("spool_imported", receipts=bridge.spool.import_into(bridge.database))
            swept = sweeper.sweep()
            if swept.is_anything_due and not wakeups.is_reachable:
                # Slower than the workers, but not stopped.
                loop = WorkLoop(bridge, threads=bridge.config.worker.threads, nudged=threading.Event())
                loop.run(seconds=5.0, idle_seconds=0.0)
            if time.monotonic() - tidied > _TIDY_EVERY:
                tidied = time.monotonic()
                sweeper.tidy()
        except StoreUnavailable:
            _log.warning("store_away")
        stopping.wait(bridge.installation.engine.sweep_seconds)


def register(bridge: Bridge) -> None:
    """Tell the platforms our address, of channels that were made in the console, too. Beside the sweeping: a platform may take its time."""
    with contextlib.suppress(StoreUnavailable):
        bridge.refresh()
        register_wanted(bridge.installation, bridge.database)
