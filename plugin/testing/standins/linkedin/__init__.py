"""A strict stand-in of the part of LinkedIn's API that a page's comments need, for tests.

It refuses what LinkedIn refuses: calls without a version, a retired version, another protocol, URNs that are not escaped, unknown fields,
other content types, sign-ins that ended or lack a permission, comments that are too long or below what is gone, and too many calls.

    with LinkedInStandIn() as linkedin:
        comment = linkedin.world.say(CUSTOMER, "Where is my train?")
        ... LinkedInAdapter with linkedin.url ...
        linkedin.world.comments
"""

from __future__ import annotations

from plugin.testing.standins.linkedin.server import (
    APPLICATION_ID,
    CLIENT_ID,
    CLIENT_SECRET,
    ORGANIZATION_ID,
    SCOPES,
    VERSION,
    LinkedInStandIn,
)
from plugin.testing.standins.linkedin.world import ADMIN, BYSTANDER, CUSTOMER, PAGE

__all__ = [
    "ADMIN",
    "APPLICATION_ID",
    "BYSTANDER",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "CUSTOMER",
    "ORGANIZATION_ID",
    "PAGE",
    "SCOPES",
    "VERSION",
    "LinkedInStandIn",
]
