"""`python -m tests.benchmarks [a b c d e f panel paint policy] [--quick] [--json FILE]`: measure, print a table, write one JSON file."""

from __future__ import annotations

import argparse
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from plugin import log
from tests.benchmarks import burst, figures, filing, ground, history, judging, latency, memory, painting, panel, receipt
from tests.benchmarks.ground import Ground

_PARTS: dict[str, tuple[str, Callable[..., dict[str, Any]]]] = {
    "a": ("(a) receipt path against a bare handler", receipt.run),
    "b": ("(b) messages filed a second against one forked job each", filing.run),
    "c": ("(c) added latency at 20 messages a second", latency.run),
    "d": ("(d) throughput on top of stored history", history.run),
    "e": ("(e) burst", burst.run),
    "f": ("(f) memory and start", memory.run),
    "panel": ("(panel) an unchanged ticket's panel against a bare route", panel.run),
    "paint": ("(paint) the panel's first paint against plain paragraphs", painting.run),
    "policy": ("(policy) judging, and a back-test", judging.run),
}


def main() -> int:
    """Measure the wanted parts."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*_PARTS, []], help="which parts; all of them if none is named")
    parser.add_argument("--quick", action="store_true", help="small numbers, to see that everything runs; the ratios are rough")
    parser.add_argument("--json", type=Path, default=Path(".crossdesk/benchmarks.json"), help="where the figures go")
    wanted = parser.parse_args()
    # Told to stop, everything that was started must go too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    warnings.simplefilter("ignore", DeprecationWarning)
    log.configure()
    report: dict[str, Any] = {"machine": figures.machine(), "is_quick": wanted.quick, "figures": {}}
    wanted.json.parent.mkdir(parents=True, exist_ok=True)
    with ground.prepared() as here:
        for part in wanted.parts or _PARTS:
            title, run = _PARTS[part]
            print(f"{title} ...", file=sys.stderr, flush=True)
            report["figures"][title] = _measured(run, here, is_quick=wanted.quick)
            figures.write(wanted.json, report)
    print(figures.table(report))
    return 0


def _measured(run: Callable[..., dict[str, Any]], here: Ground, *, is_quick: bool) -> dict[str, Any]:
    """One part's figures; what cannot be measured says why, and the others go on."""
    try:
        return run(here, is_quick=is_quick)
    except RuntimeError as problem:
        return {"not measured": str(problem)}


if __name__ == "__main__":
    sys.exit(main())
