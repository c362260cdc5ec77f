"""A strict stand-in of Meta's Graph API for a Page, an Instagram account and a WhatsApp number, for tests and for the fault harness.

It refuses what Graph refuses, with its codes and subcodes, as far as a helpdesk can meet it: unknown fields, missing permissions, a missing
`appsecret_proof`, other content types, over-long texts, shut windows, too many calls. Where the real one is lenient it refuses as well.

    with GraphStandIn() as graph:
        graph.person_comments("5500011", "Where is my parcel?")
        ... FacebookAdapter with graph.url, graph.token, graph.secret ...
        graph.comments()

As a process of its own: `python -m plugin.testing.standins.graph --port 8082`; every verb below is then a POST to `/control/VERB`.
"""

from __future__ import annotations

from plugin.testing.standins.graph.server import GraphStandIn
from plugin.testing.standins.graph.world import ACCOUNT, APP, NUMBER, PAGE, WABA

__all__ = ["ACCOUNT", "APP", "NUMBER", "PAGE", "WABA", "GraphStandIn"]
