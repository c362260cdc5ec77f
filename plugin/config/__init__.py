"""`crossdesk.toml` as frozen data, read once at the start. Knows adapters only by the schemas it is handed."""

from __future__ import annotations

from plugin.config.keys import secret_keys
from plugin.config.loading import load
from plugin.config.shape import (
    ChannelConfig,
    Config,
    DatabaseConfig,
    EngineConfig,
    HelpdeskConfig,
    LateMessages,
    ReceiverConfig,
    RedisConfig,
    SearchConfig,
    Sentinels,
    WorkerConfig,
)

__all__ = [
    "ChannelConfig",
    "Config",
    "DatabaseConfig",
    "EngineConfig",
    "HelpdeskConfig",
    "LateMessages",
    "ReceiverConfig",
    "RedisConfig",
    "SearchConfig",
    "Sentinels",
    "WorkerConfig",
    "load",
    "secret_keys",
]
