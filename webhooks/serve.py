"""The receiver process: gunicorn around the application, in the process that calls it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from plugin.config import ReceiverConfig
from webhooks.patience import OneLogger, PatientWorker
from workers.leash import die_with_parent


class _Server(BaseApplication):  # type: ignore[misc] # gunicorn carries no types
    def __init__(self, build: Callable[[], Flask], options: dict[str, Any]) -> None:
        self._build = build
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._build()


def serve(build: Callable[[], Flask], config: ReceiverConfig, *, on_ready: Callable[[], None]) -> None:
    """Serve until told to stop. `build` runs in the serving process, after the fork."""
    options = {
        "bind": f"{config.host}:{config.port}",
        "workers": 1,
        "worker_class": PatientWorker,
        "logger_class": OneLogger,
        "threads": config.threads,
        # Longer than the senders keep idle connections, so that we are never the one who closes under a request.
        "keepalive": 75,
        "timeout": 60,
        "graceful_timeout": 15,
        "limit_request_fields": 64,
        "limit_request_field_size": 8190,
        "limit_request_line": 4094,
        "accesslog": None,
        "errorlog": "-",
        "loglevel": "warning",
        "control_socket_disable": True,
        "worker_tmp_dir": "/dev/shm",  # noqa: S108 - a heartbeat file must not wait for a disk
        "post_fork": lambda _server, _worker: die_with_parent(os.getppid()),
        "post_worker_init": lambda _: _settle_in(on_ready),
    }
    _Server(build, options).run()


def _settle_in(on_ready: Callable[[], None]) -> None:
    # Everyone in a group waits for the one thread that commits: it must not wait 5 ms, Python's default, for the interpreter.
    sys.setswitchinterval(0.0005)
    on_ready()
