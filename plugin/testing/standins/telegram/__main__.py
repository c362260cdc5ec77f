"""`python -m plugin.testing.standins.telegram --port 8081`: the stand-in as a process of its own."""

from __future__ import annotations

import argparse
import signal
import threading

from plugin.testing.standins.telegram.server import TOKEN, TelegramStandIn


def main() -> None:
    """Run until told to end."""
    options = argparse.ArgumentParser(description="A strict stand-in of Telegram's Bot API on loopback.")
    options.add_argument("--port", type=int, default=8081)
    options.add_argument("--token", default=TOKEN, help="the bot's token (default: %(default)s)")
    options.add_argument("--pace", type=float, default=1.0, help="scale of the webhook's waiting times")
    given = options.parse_args()
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    with TelegramStandIn(port=given.port, token=given.token, pace=given.pace):
        ended.wait()


if __name__ == "__main__":
    main()
