"""A strict stand-in of the X API v2 and of its webhooks, for tests.

It refuses what X refuses, in its words as far as they are documented or were seen: unknown fields and parameters, other content types,
sign-ins that ended or lack a permission, texts that weigh too much, files of the wrong category, the same words twice, answers to those who
did not summon the account, calls beyond the limits or without credit, addresses that fail the challenge.

    with XStandIn() as x:
        post = x.world.person_posts(CUSTOMER, "@ExampleRail where is my train?")
        ... XAdapter with x.url ...
        x.world.posts
"""

from __future__ import annotations

from plugin.testing.standins.x.server import (
    ACCOUNT,
    BEARER,
    BYSTANDER,
    CALLBACK,
    CLIENT_ID,
    CLIENT_SECRET,
    CONSUMER_SECRET,
    CUSTOMER,
    XStandIn,
)

__all__ = ["ACCOUNT", "BEARER", "BYSTANDER", "CALLBACK", "CLIENT_ID", "CLIENT_SECRET", "CONSUMER_SECRET", "CUSTOMER", "XStandIn"]
