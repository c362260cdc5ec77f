"""`python -m plugin.testing.standins.graph --port 8082`: the stand-in as a process of its own."""

from __future__ import annotations

import argparse
import signal
import threading

from plugin.testing.standins.graph.server import GraphStandIn


def main() -> None:
    """Run until told to end."""
    options = argparse.ArgumentParser(description="A strict stand-in of Meta's Graph API on loopback.")
    options.add_argument("--port", type=int, default=8082)
    options.add_argument("--pace", type=float, default=1.0, help="scale of the webhooks' waiting times")
    given = options.parse_args()
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    with GraphStandIn(port=given.port, pace=given.pace):
        ended.wait()


if __name__ == "__main__":
    main()
