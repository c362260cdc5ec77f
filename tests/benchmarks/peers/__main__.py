"""`python -m tests.benchmarks.peers [--quick]`: a Node-RED flow and ours, in turns, each fed through its own webhook by the same load.

Node-RED comes from npm, pinned in `package.json`, into `.crossdesk/peers`. It keeps nothing: the figure beside ours buys no durability and
no order. Opening a ticket twice for one contact, which it does when two messages overlap, is not held against it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from plugin import log
from tests.benchmarks import figures, filing, ground
from tests.benchmarks.ground import PATH, ROOT, Ground
from tests.benchmarks.peers import flow

_CACHE = ROOT / ".crossdesk" / "peers"
_SETTINGS = (
    "module.exports = { uiPort: %(port)d, uiHost: '127.0.0.1', httpAdminRoot: false, flowFile: 'flows.json', "
    "logging: { console: { level: 'error' } } };"
)


def main() -> int:
    """Measure both, print, write JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers")
    parser.add_argument("--json", type=Path, default=Path(".crossdesk/benchmarks-peers.json"))
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    log.configure()
    report: dict[str, Any] = {"machine": figures.machine(), "is_quick": wanted.quick, "figures": {}}
    node_red = install()
    rounds, count = (1, 800) if wanted.quick else (3, 3_000)
    with ground.prepared() as here:
        results = [(through_ours(here, count), through_node_red(here, node_red, count)) for _ in range(rounds)]
    report["figures"]["messages filed a second through the webhook, 16 clients"] = {
        "ours_per_second (2 workers, durable)": round(statistics.median(ours["rate"] for ours, _ in results), 1),
        "node_red_per_second (nothing durable)": round(statistics.median(theirs["rate"] for _, theirs in results), 1),
        "ratio": round(statistics.median(ours["rate"] / theirs["rate"] for ours, theirs in results), 2),
        "node_red_out_of_order": max(theirs["disordered"] for _, theirs in results),
        "node_red_resident_mb": max(theirs["resident_mb"] for _, theirs in results),
        "target": "ratio >= 1",
    }
    wanted.json.parent.mkdir(parents=True, exist_ok=True)
    figures.write(wanted.json, report)
    print(figures.table(report))
    return 0


def install() -> Path:
    """Node-RED's entry point; installed on first use."""
    entry = _CACHE / "node_modules" / "node-red" / "red.js"
    if not entry.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(__file__).parent / "package.json", _CACHE)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=_CACHE, check=True, stdout=sys.stderr)
    return entry


def through_ours(here: Ground, count: int) -> dict[str, Any]:
    """Receiver, two workers and a sweeper."""
    bridge = here.bridge(here.database(), port=ground.port(), processes=2)
    here.flush()
    here.stub("POST", "/reset")
    port = bridge.config.receiver.port
    with (
        ground.forked(lambda: here.serve(bridge)),
        ground.forked(lambda: here.work(bridge), count=2),
        ground.forked(lambda: here.sweep(bridge)),
    ):
        assert ground.wait_until(lambda: ground.is_listening(port))
        rate = _rate(here, port, PATH, count)
    filing.check(here.stub("GET", "/log")["log"], count)
    bridge.database.dispose()
    return {"rate": rate}


def through_node_red(here: Ground, entry: Path, count: int) -> dict[str, Any]:
    """The flow, in a folder of its own."""
    here.stub("POST", "/reset")
    port = ground.port()
    with _running(here, entry, port) as process:
        rate = _rate(here, port, "/in", count)
        resident = psutil.Process(process.pid).memory_info().rss / 1e6
    latest: dict[int, int] = {}
    disordered = 0
    for _, _, _, words in here.stub("GET", "/log")["log"]:
        number = int(words[:8])
        disordered += number < latest.get(number % filing.CONTACTS, -1)
        latest[number % filing.CONTACTS] = number
    return {"rate": rate, "disordered": disordered, "resident_mb": round(resident)}


@contextlib.contextmanager
def _running(here: Ground, entry: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    folder = here.folder / f"node-red-{port}"
    folder.mkdir()
    (folder / "flows.json").write_text(json.dumps(flow.nodes(f"http://127.0.0.1:{here.stub_port}")))
    (folder / "settings.js").write_text(_SETTINGS % {"port": port})
    command = ["node", str(entry), "-u", str(folder), "-s", str(folder / "settings.js")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ})
    try:
        if not ground.wait_until(lambda: ground.is_listening(port), seconds=60):
            raise RuntimeError("Node-RED did not start within a minute")
        time.sleep(2)  # The flow starts a little after the door opens.
        yield process
    finally:
        ground.end(process)


def _rate(here: Ground, port: int, path: str, count: int) -> float:
    answer = ground.load(port=port, path=path, clients=16, count=count, contacts=filing.CONTACTS)
    if set(answer["statuses"]) != {"200"}:
        raise RuntimeError(f"answers other than 200: {answer['statuses']}")
    if not ground.wait_until(lambda: here.stub("GET", "/count")["writes"] >= count, seconds=300, pause=0.1):
        raise RuntimeError(f"only {here.stub('GET', '/count')['writes']} of {count} messages were filed within 300 s")
    log_ = here.stub("GET", "/log")["log"]
    return float((len(log_) - 1) / (log_[-1][0] - log_[0][0]))


if __name__ == "__main__":
    sys.exit(main())
