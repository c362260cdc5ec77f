"""A real Matrix homeserver: Synapse from PyPI on SQLite, loopback only, with two application services made by our own registration.

Each application service has a bot, two tokens and a port on which nobody listens until a test does; there are two because two
tests may run at the same time and each needs the port for itself.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import random
import secrets
import socket
import sys
from pathlib import Path
from typing import Any

from plugin.platforms.matrix.registration import registration
from plugin.platforms.matrix.schema import MatrixSettingsSchema
from tests.servers.registry import Missing, Started, free_port, spawn, wait_for

SERVER_NAME = "crossdesk.test"
_GENEROUS = {"per_second": 1000, "burst_count": 10000}


def start(directory: Path) -> Started:
    """Start it.

    Info: `url`, `server_name`, `shared_secret` (for making users, see `tests.matrix_customer`), and under `appservices` for each of
    `adapter` (the adapter's own tests) and `bridge` (the whole bridge): `port` on which to listen, `webhook_url` which the
    homeserver calls there (`http://127.0.0.1:PORT/in/channel/matrix`), and `settings`, ready for the adapter's schema.
    """
    if importlib.util.find_spec("synapse") is None:
        raise Missing("the package matrix-synapse (PyPI)")
    url = f"http://127.0.0.1:{free_port()}"
    appservices = {name: _appservice(name, url) for name in ("adapter", "bridge")}
    info = {"url": url, "server_name": SERVER_NAME, "shared_secret": secrets.token_hex(16), "appservices": appservices}
    for name, appservice in appservices.items():
        settings = MatrixSettingsSchema().load(appservice["settings"])
        (directory / f"{name}.yaml").write_text(registration(settings, appservice["webhook_url"]))
    seed = base64.b64encode(os.urandom(32)).decode().rstrip("=")
    (directory / "signing.key").write_text(f"ed25519 a_test {seed}\n")
    (directory / "log.yaml").write_text(json.dumps(_LOGGING))
    (directory / "homeserver.yaml").write_text(json.dumps(_configuration(directory, info)))
    process = spawn([sys.executable, "-m", "synapse.app.homeserver", "-c", "homeserver.yaml"], directory, env={"PYTHONWARNINGS": "ignore"})
    wait_for(f"{url}/health", process)
    return Started(info=info, pids=(process.pid,))


def _appservice(name: str, url: str) -> dict[str, Any]:
    port = _quiet_port()
    settings = {
        "homeserver_url": url,
        "user_id": f"@support-{name}:{SERVER_NAME}",
        "as_token": secrets.token_hex(32),
        "hs_token": secrets.token_hex(32),
    }
    return {"port": port, "webhook_url": f"http://127.0.0.1:{port}/in/channel/matrix", "settings": settings}


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
        "app_service_config_files": [str(directory / f"{name}.yaml") for name in info["appservices"]],
        **dict.fromkeys(("rc_message", "rc_registration", "rc_admin_redaction", "rc_joins_per_room", "rc_media_create"), _GENEROUS),
        "rc_login": {"address": _GENEROUS, "account": _GENEROUS, "failed_attempts": _GENEROUS},
        "rc_joins": {"local": _GENEROUS, "remote": _GENEROUS},
        "rc_invites": {"per_room": _GENEROUS, "per_user": _GENEROUS, "per_issuer": _GENEROUS},
    }
