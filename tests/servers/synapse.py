"""A real Matrix homeserver: Synapse from PyPI on SQLite, loopback only, with application services made by our own registration.

Each application service has a bot, two tokens and a port on which nobody listens until a test does; there are several because test
processes run side by side and each needs a port, and a bot, for itself.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import importlib.util
import json
import os
import random
import secrets
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plugin.platforms.matrix.registration import registration
from plugin.platforms.matrix.schema import MatrixSettingsSchema
from tests.servers.registry import Missing, Started, free_port, spawn, wait_for

SERVER_NAME = "crossdesk.test"
_APPSERVICES = 12
_GENEROUS = {"per_second": 1000, "burst_count": 10000}


def start(directory: Path) -> Started:
    """Start it.

    Info: `url`, `server_name`, `shared_secret` (for making users, see `tests.matrix_customer`) and `appservices`, of which a test
    takes one with `appservice`.
    """
    if importlib.util.find_spec("synapse") is None:
        raise Missing("the package matrix-synapse (PyPI)")
    url = f"http://127.0.0.1:{free_port()}"
    appservices = [_appservice(directory / f"appservice-{number}.yaml", url) for number in range(_APPSERVICES)]
    info = {"url": url, "server_name": SERVER_NAME, "shared_secret": secrets.token_hex(16), "appservices": appservices}
    seed = base64.b64encode(os.urandom(32)).decode().rstrip("=")
    (directory / "signing.key").write_text(f"ed25519 a_test {seed}\n")
    (directory / "log.yaml").write_text(json.dumps(_LOGGING))
    (directory / "homeserver.yaml").write_text(json.dumps(_configuration(directory, info)))
    return Started(info=info, pids=(run(directory, url),))


def run(directory: Path, url: str) -> int:
    """Run the homeserver whose files stand in `directory`; the leader of its process group, when it answers."""
    process = spawn([sys.executable, "-m", "synapse.app.homeserver", "-c", "homeserver.yaml"], directory, env={"PYTHONWARNINGS": "ignore"})
    wait_for(f"{url}/health", process)
    return process.pid


@contextlib.contextmanager
def appservice(info: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """An application service that nobody else has meanwhile, one that nobody had before as long as there are such.

    `port` is where to listen, `webhook_url` what the homeserver calls there (`http://127.0.0.1:PORT/in/channel/matrix`), `settings` are
    ready for the adapter's schema. After a listener has gone, Synapse waits before it tries the port again, ever longer.
    """
    for path in sorted((Path(item["registration"]) for item in info["appservices"]), key=lambda path: path.with_suffix(".taken").exists()):
        with path.with_suffix(".taken").open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield next(item for item in info["appservices"] if item["registration"] == str(path))
            return
    raise AssertionError(f"all {_APPSERVICES} application services are taken; the number stands in {__name__}")


def _appservice(path: Path, url: str) -> dict[str, Any]:
    port = _quiet_port()
    settings = {
        "homeserver_url": url,
        "user_id": f"@support-{path.stem}:{SERVER_NAME}",
        "as_token": secrets.token_hex(32),
        "hs_token": secrets.token_hex(32),
    }
    webhook_url = f"http://127.0.0.1:{port}/in/channel/matrix"
    path.write_text(registration(MatrixSettingsSchema().load(settings), webhook_url))
    return {"port": port, "webhook_url": webhook_url, "settings": settings, "registration": str(path)}


def _quiet_port() -> int:
    """A free port outside the range from which the system hands out ports, so that it is still free when a test listens."""
    while True:
        port = random.randint(20000, 32000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


_LOGGING = {
    "version": 1,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"level": "WARNING", "handlers": ["console"]},
    "disable_existing_loggers": False,
}


def _configuration(directory: Path, info: dict[str, Any]) -> dict[str, Any]:
    """Synapse's configuration; JSON is YAML."""
    return {
        "server_name": SERVER_NAME,
        "pid_file": str(directory / "synapse.pid"),
        "listeners": [
            {
                "port": int(info["url"].rpartition(":")[2]),
                "type": "http",
                "tls": False,
                "bind_addresses": ["127.0.0.1"],
                "resources": [{"names": ["client", "media"], "compress": False}],
            }
        ],
        "database": {"name": "sqlite3", "args": {"database": str(directory / "homeserver.db")}},
        "log_config": str(directory / "log.yaml"),
        "media_store_path": str(directory / "media"),
        "signing_key_path": str(directory / "signing.key"),
        "registration_shared_secret": info["shared_secret"],
        "macaroon_secret_key": secrets.token_hex(16),
        "form_secret": secrets.token_hex(16),
        "bcrypt_rounds": 4,
        "report_stats": False,
        "trusted_key_servers": [],
        "suppress_key_server_warning": True,
        "federation_domain_whitelist": [],
        "presence": {"enabled": False},
        "max_upload_size": "5M",
        "app_service_config_files": [item["registration"] for item in info["appservices"]],
        **dict.fromkeys(("rc_message", "rc_registration", "rc_admin_redaction", "rc_joins_per_room", "rc_media_create"), _GENEROUS),
        "rc_login": {"address": _GENEROUS, "account": _GENEROUS, "failed_attempts": _GENEROUS},
        "rc_joins": {"local": _GENEROUS, "remote": _GENEROUS},
        "rc_invites": {"per_room": _GENEROUS, "per_user": _GENEROUS, "per_issuer": _GENEROUS},
    }
