"""(f) Memory of all processes of `crossdesk run`, at rest and after a burst, and the seconds from start to ready.

It is run as a rehearsal, since that needs no account; the rehearsal's own process (practice network and desk) is not counted.
RSS counts a page once for every process that shares it, PSS once in all: PSS is what the machine has to provide.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks import ground
from tests.benchmarks.ground import ROOT, Ground

_CONTACTS = 200
_JOB_SECONDS = 20


def run(here: Ground, *, is_quick: bool) -> dict[str, Any]:
    """First start, second start, rest, burst, rest."""
    count = 300 if is_quick else 10_000
    with tempfile.TemporaryDirectory(prefix="crossdesk-bench-memory-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        _choose_ports(folder)
        with running(folder) as (_, first_seconds):
            pass
        with running(folder) as (process, seconds):
            rest = at_rest(process.pid, folder)
            settings = tomllib.loads((folder / ".crossdesk/rehearsal/crossdesk.toml").read_text())
            answered = _burst(settings, count)
            _wait_until_filed(folder, count)
            after = at_rest(process.pid, folder)
    return {
        "at rest": rest,
        "after the burst": after,
        "burst answered": answered,
        "growth_pss": round(after["pss_mb"] / rest["pss_mb"], 2),
        "growth_rss": round(after["rss_mb"] / rest["rss_mb"], 2),
        "seconds_to_ready": seconds,
        "seconds_to_ready_first_time": first_seconds,
        "target": "< 400 MB at rest, growth <= 1.10, ready in < 6 s",
    }


def _choose_ports(folder: Path) -> None:
    """Ports of our own: the usual ones may be somebody's rehearsal."""
    kept = folder / ".crossdesk" / "rehearsal"
    kept.mkdir(parents=True)
    (kept / "practice.json").write_text(json.dumps({"receiver_port": ground.port(), "port": ground.port()}))


@contextlib.contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """`crossdesk run --rehearsal` in `folder`, and how long it took to be ready."""
    began = time.monotonic()
    with (folder / "run.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "plugin.cli", "run", "--rehearsal"],
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        is_ready = ground.wait_until(lambda: "is open" in _log(folder) or process.poll() is not None, seconds=60, pause=0.02)
        if not is_ready or process.poll() is not None:
            raise RuntimeError(f"crossdesk run did not become ready: {_log(folder)[-1500:]}")
        yield process, round(time.monotonic() - began, 2)
    finally:
        ground.end(process)


def at_rest(pid: int, folder: Path) -> dict[str, Any]:
    """The lowest of some moments: a job works on for up to 20 seconds after what woke it, and jobs that look for news come and go."""
    time.sleep(_JOB_SECONDS + 5)
    moments = []
    for _ in range(12):
        moments.append(measure(pid, folder))
        time.sleep(1)
    return min(moments, key=lambda moment: float(moment["pss_mb"]))


def measure(pid: int, folder: Path) -> dict[str, Any]:
    """Megabytes of everything but the rehearsal itself, by kind of process."""
    apart = _rehearsal_pid(folder)
    sums: dict[str, list[float]] = {}
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            if apart in {process.pid, *(above.pid for above in process.parents())}:
                continue
            used = process.memory_full_info()
            kind = next((name for name in ("postgres", "valkey") if name in process.name()), "python")
            sums.setdefault(kind, []).append(used.pss / 1e6)
            sums.setdefault("rss", []).append(used.rss / 1e6)
    rss = sum(sums.pop("rss"))
    return {
        "pss_mb": round(sum(map(sum, sums.values())), 1),
        "rss_mb": round(rss, 1),
        **{f"{kind}_pss_mb ({len(found)} processes)": round(sum(found), 1) for kind, found in sums.items()},
    }


def _rehearsal_pid(folder: Path) -> int:
    for line in _log(folder).splitlines():
        if re.search(r"rehearsal\b", line) and "started" in line and (found := re.search(r'"?pid"?[=:]\s*(\d+)', line)):
            return int(found.group(1))
    raise RuntimeError("the log does not say which process is the rehearsal")


def _log(folder: Path) -> str:
    return (folder / "run.log").read_text(errors="replace")


def _burst(settings: dict[str, Any], count: int) -> dict[int, int]:
    """Signed deliveries of the practice network, each of a message that the network itself never saw, on one kept-open connection."""
    channel, (key, _) = next(iter(settings["channel"].values())), next(iter(settings["channel"].items()))
    port = settings["receiver"]["port"]
    statuses: dict[int, int] = {}
    with socket.create_connection(("127.0.0.1", port)) as wire, wire.makefile("rb") as answers:
        for number in range(count):
            body = json.dumps(_delivery(number)).encode()
            stamp = str(int(time.time()))
            signature = "sha256=" + hmac.new(channel["webhook_secret"].encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
            head = (
                f"POST /in/channel/{key} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                f"X-Rehearsal-Timestamp: {stamp}\r\nX-Rehearsal-Signature: {signature}\r\n\r\n"
            )
            wire.sendall(head.encode() + body)
            status = int(answers.readline().split()[1])
            length = 0
            while (line := answers.readline()) not in {b"\r\n", b""}:
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            answers.read(length)
            statuses[status] = statuses.get(status, 0) + 1
    return statuses


def _delivery(number: int) -> dict[str, Any]:
    """A private message as the practice network tells it."""
    contact, now = f"u_bench{number % _CONTACTS:04d}", "2026-01-01T00:00:00+00:00"
    post: dict[str, Any] = {
        "id": f"m_bench{number}",
        "author": {"id": contact, "name": contact, "handle": contact, "url": ""},
        "conversation": {"id": f"m_bench{number % _CONTACTS}", "with": contact},
        "text": f"question {number}",
        "media": [],
        "reply_to": None,
        "client_ref": None,
        "url": "",
        "created_at": now,
    }
    return {"account": {"id": "u_acme"}, "events": [{"id": f"bench-{number}", "type": "message.created", "at": now, "post": post}]}


def _wait_until_filed(folder: Path, count: int) -> None:
    """Until `crossdesk ledger check` counts every message as done."""
    command = [
        sys.executable,
        "-m",
        "plugin.cli",
        "--config",
        str(folder / ".crossdesk/rehearsal/crossdesk.toml"),
        "ledger",
        "check",
        "--json",
    ]

    def is_drained() -> bool:
        said = subprocess.run(
            command, cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE, check=False
        )
        with contextlib.suppress(ValueError, KeyError):
            return bool(json.loads(said.stdout)["done"] >= count)
        return False

    if not ground.wait_until(is_drained, seconds=600, pause=2.0):
        raise RuntimeError("the burst was not worked off within 10 minutes")
