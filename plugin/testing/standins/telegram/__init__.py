"""A strict stand-in of Telegram's Bot API, for tests and for the fault harness.

It refuses what the real Bot API refuses, in its words, as far as a helpdesk's bot can meet it: checked against the source of the Bot API
server and of TDLib (Bot API 10). Where the real one is lenient (unknown parameters, broken JSON in a parameter) it refuses as well.

    with TelegramStandIn() as telegram:
        telegram.customer_says(77, "Hello")
        ... TelegramAdapter with telegram.url and telegram.token ...
        telegram.messages(77)

As a process of its own: `python -m plugin.testing.standins.telegram --port 8081`; every verb below is then a POST to `/control/VERB`.
"""

from __future__ import annotations

from plugin.testing.standins.faults import Fault
from plugin.testing.standins.telegram.files import Upload
from plugin.testing.standins.telegram.server import TelegramStandIn

__all__ = ["Fault", "TelegramStandIn", "Upload"]
