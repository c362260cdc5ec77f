"""A strict stand-in of what a Teams bot meets: Microsoft's sign-in, the OpenID metadata and keys, and the Bot Connector, which also signs activities.

with TeamsStandIn() as teams:
request = teams.says(teams.personal, "Hello")
... TeamsAdapter with teams.settings ...
teams.said
"""

from __future__ import annotations

from plugin.testing.standins.teams.server import TeamsStandIn

__all__ = ["TeamsStandIn"]
