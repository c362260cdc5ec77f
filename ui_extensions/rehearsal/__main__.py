"""`python -m ui_extensions.rehearsal`: the rehearsal as a process of its own, for drills that kill and restart it.

Reads one JSON object from standard input: the fields of `Practice`, and `port`. Prints its address once it listens.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ui_extensions.rehearsal.app import Practice, serve


def main() -> None:
    """Read the settings and serve until told to stop."""
    asked = json.load(sys.stdin)
    port, folder = int(asked.pop("port")), asked.pop("folder", None)
    practice = Practice(**asked, folder=Path(folder) if folder else None)
    serve(practice, port=port, on_ready=lambda: print(f"http://127.0.0.1:{port}", flush=True))  # noqa: T201 - told to who started us


if __name__ == "__main__":
    main()
