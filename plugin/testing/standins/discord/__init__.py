"""A strict stand-in of Discord's API, as far as a helpdesk's bot meets it: channels, threads, messages, files, and the ping of interactions.

with DiscordStandIn() as discord:
said = discord.says("1001...", discord.ada, "My sword is gone")
... DiscordAdapter with discord.url as api_url and discord.token ...
discord.said_by_bot("1001...")
"""

from __future__ import annotations

from plugin.testing.standins.discord.server import TOKEN, DiscordStandIn

__all__ = ["TOKEN", "DiscordStandIn"]
