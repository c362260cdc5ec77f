"""`crossdesk.toml` as frozen data, read once at the start. Knows adapters only by the schemas it is handed."""

from __future__ import annotations

from plugin.config.keys import secret_keys
from plugin.config.loading import load
from plugin.config.policies import LintedPolicy, lint_policy, load_policy
from plugin.config.shape import (
    ChannelConfig,
    Config,
    ConsoleConfig,
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
    "ConsoleConfig",
    "DatabaseConfig",
    "EngineConfig",
    "HelpdeskConfig",
    "LateMessages",
    "LintedPolicy",
    "ReceiverConfig",
    "RedisConfig",
    "SearchConfig",
    "Sentinels",
    "WorkerConfig",
    "lint_policy",
    "load",
    "load_policy",
    "secret_keys",
]
