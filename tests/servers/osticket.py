"""Our osTicket plugin's real PHP, behind PHP's own server and a real MariaDB, with what osTicket is to it played by `osticket_shim/`.

osTicket is not packaged anywhere and its code is not ours to keep. The shim was written from recordings of osTicket 1.18.1 and compared with
a running one; what is tested here is the plugin, not osTicket.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import requests

from tests.fixtures import server
from tests.servers import debian
from tests.servers.registry import Missing, Started, free_port, spawn, wait_for
from ui_extensions.osticket.pack import pack

PLUGIN = Path(__file__).parents[2] / "ui_extensions" / "osticket" / "crossdesk"
SHIM = Path(__file__).parent / "osticket_shim"
_WORKERS = "4"
_OFF = (
    "--no-defaults",
    "--skip-networking",
    "--performance-schema=OFF",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=32M",
)


def php() -> str:
    """Where PHP's command is.

    Raises:
        Missing: it is not there and cannot be installed.
    """
    debian.install(*debian.OSTICKET)
    found = shutil.which("php")
    if found is None:
        raise Missing("Debian packages php-cli, php-mysql (root or sudo)")
    return found


def own() -> dict[str, Any]:
    """An osTicket of this test process's own: the plugin tells of everything to one address, so processes cannot share one."""
    database = server("osticket_mariadb", start_database)
    return server(f"osticket_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}", lambda directory: start(directory, database["socket"]))


def start_database(directory: Path) -> Started:
    """Start the MariaDB in which each osTicket has a database of its own. Info: `socket`."""
    php()
    socket = directory / "db.sock"
    return Started(info={"socket": str(socket)}, pids=(_database(directory, socket).pid,))


def start(directory: Path, socket: str) -> Started:
    """Start it. Info: `url`, `secret`, `api_key`, `crash_file` (made by a test: the next ticket loses its process halfway), `directory`.
    The plugin is not configured: post its settings to `/shim/config`.
    """
    program = php()
    name = directory.name
    client = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root"]
    subprocess.run([*client, "-e", f"CREATE DATABASE {name}"], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    with (SHIM / "tables.sql").open("rb") as tables:
        subprocess.run([*client, name], stdin=tables, capture_output=True, check=True)
    port = free_port()
    (directory / "plugins").mkdir()
    info: dict[str, Any] = {
        "url": f"http://127.0.0.1:{port}",
        "secret": secrets.token_hex(20),
        "api_key": secrets.token_hex(16).upper(),
        "crash_file": str(directory / "crash"),
        "directory": str(directory),
    }
    environment = {
        "PHP_CLI_SERVER_WORKERS": _WORKERS,
        "SHIM_SOCKET": socket,
        "SHIM_DATABASE": name,
        "SHIM_PLUGIN": str(pack(directory / "plugins").made[0]),
        "SHIM_API_KEY": info["api_key"],
        "SHIM_CRASH": info["crash_file"],
        "TMPDIR": str(directory),
    }
    process = spawn(
        [program, "-d", "post_max_size=32M", "-d", "log_errors=1", "-S", f"127.0.0.1:{port}", str(SHIM / "index.php")],
        directory,
        env=environment,
        name="php",
    )
    wait_for(f"{info['url']}/", process)
    return Started(info=info, pids=(process.pid,))


def run_sql(info: dict[str, Any], statement: str) -> list[dict[str, Any]]:
    """One statement on the shim's database; the rows of a SELECT, all as text."""
    answer = requests.post(f"{info['url']}/shim/sql", data=statement.encode(), timeout=30)
    found = answer.json()
    return found if isinstance(found, list) else []


def configure(info: dict[str, Any], webhook_url: str, *, is_tested: bool = True, **changes: str) -> dict[str, str]:
    """Save the plugin's settings as its form does; what it found wrong, by field."""
    settings = {"webhook_url": webhook_url, "secret": info["secret"], "untested": "" if is_tested else "1", **changes}
    answer = requests.post(f"{info['url']}/shim/config", json=settings, timeout=30)
    problems: dict[str, str] = answer.json()
    return problems


def _database(directory: Path, socket: Path) -> subprocess.Popen[bytes]:
    data = directory / "db"
    user = ["--user=root"] if os.geteuid() == 0 else []
    make = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db", *user]
    subprocess.run(make, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    server = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
    process = spawn([server, *_OFF, f"--datadir={data}", f"--socket={socket}", *user], directory, name="mariadb")
    client = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root"]
    until = time.monotonic() + 60
    while subprocess.run([*client, "-e", "SELECT 1"], stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode:
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"MariaDB did not start; see {directory}/mariadb.log")
        time.sleep(0.1)
    return process
