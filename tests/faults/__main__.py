"""`python -m tests.faults --events N --faults N --minutes N --seed S`: a long random run. Ends with 1 when something was lost, doubled or reordered."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.faults import drill


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--faults", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", type=Path, default=None, help="keep the servers' data and logs in this folder")
    given = parser.parse_args()
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    with tempfile.TemporaryDirectory(prefix="crossdesk-faults-") as made:
        folder = given.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        report = drill.run(folder, events=given.events, faults=given.faults, seconds=given.minutes * 60, seed=seed)
    print(report.sentence())
    return 0 if report.is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
