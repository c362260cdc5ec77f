"""What a rig has instead of the rest of a bridge: the channels that it was built with and no others, and nobody to ask outside."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from plugin.config import ChannelConfig, Config
from plugin.contracts.http import HttpClient
from plugin.domain.ids import Place
from plugin.handlers.channel_making import ChannelMaker
from plugin.handlers.installation import Channel, Installation, LiveChannels
from plugin.store.channels import MadeChannels
from plugin.store.database import Database


def none_made(config: Config, installation: Installation, database: Database, keys: Sequence[str]) -> ChannelMaker:
    """What makes channels, in a rig that never asks it to."""
    live = LiveChannels(installation.channels)
    return ChannelMaker(config=config, platforms={}, live=live, database=database, made=MadeChannels(keys), bind=_refuse)


def no_http(name: str) -> HttpClient:
    """In a rig that asks nobody."""
    raise AssertionError(f"this rig asks nobody outside, not even for {name}")


def _refuse(item: ChannelConfig, kept_under: Place, secrets: Collection[str]) -> Channel:
    raise AssertionError(f"this rig makes no channels, not even {item.key} at {kept_under} with {len(secrets)} secrets")
