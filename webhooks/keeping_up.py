"""Has a receiver learn of channels that are made, changed or removed in a console, its own or another machine's, while it serves."""

from __future__ import annotations

import threading

import structlog

from plugin.bootstrap import Bridge
from plugin.domain.errors import StoreUnavailable

_log = structlog.get_logger("crossdesk.webhooks")
_EVERY = 2.0


def keep_up(bridge: Bridge) -> None:
    """Look now and from now on, in a thread of its own. Call it in the process that serves."""
    _look(bridge)
    threading.Thread(target=_run, args=(bridge,), name="channels", daemon=True).start()


def _run(bridge: Bridge) -> None:
    pause = threading.Event()
    while not pause.wait(_EVERY):
        try:
            _look(bridge)
        except Exception:  # noqa: BLE001 - the list stays as it was, and is looked at again
            _log.exception("channels_not_read")


def _look(bridge: Bridge) -> None:
    try:
        bridge.refresh()
    except StoreUnavailable:
        _log.warning("store_away", goes_on="with the channels known so far")
