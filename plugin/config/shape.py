"""What `crossdesk.toml` holds: each section as a frozen dataclass, with its defaults. Sizes in bytes, times in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from plugin.domain.ids import ChannelKey, HelpdeskKey
from plugin.policy.policy import Policy

EMBEDDED = "embedded"


class LateMessages(StrEnum):
    """What a message does that comes after its ticket was closed."""

    REOPEN = "reopen"
    FOLLOW_UP = "follow_up"
    NEW = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseConfig:
    """`url` is SQLAlchemy's; `EMBEDDED` until the supervisor has started the embedded server."""

    url: str = field(default=EMBEDDED, repr=False)

    @property
    def is_embedded(self) -> bool:
        """Whether we bring the server ourselves."""
        return self.url == EMBEDDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentinels:
    """The watchers of a Redis that fails over, and the name of the service they watch."""

    addresses: tuple[tuple[str, int], ...]
    service: str
    database: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisConfig:
    """`url` is redis-py's; `EMBEDDED` until the supervisor has started the embedded server; `sentinels` where it names those instead."""

    url: str = field(default=EMBEDDED, repr=False)
    sentinels: Sentinels | None = None

    @property
    def is_embedded(self) -> bool:
        """Whether we bring the server ourselves."""
        return self.url == EMBEDDED


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverConfig:
    """Where webhooks arrive. `spool`: keep them in files while the database is away, at most `spool_max` bytes."""

    host: str = "127.0.0.1"
    port: int = 8010
    threads: int = 8
    max_body: int = 10_000_000
    """A Matrix homeserver sends up to a hundred events of 64 kB at once."""
    spool: bool = True
    spool_max: int = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """How many worker processes, and how many conversations each works at once."""

    processes: int = 1
    threads: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleConfig:
    """The admin pages. `admins`, `supervisors` and `auditors` are names of roles or groups in the helpdesk; without any, only links let people in."""

    on: bool = True
    helpdesk: str = ""
    admins: tuple[str, ...] = ()
    supervisors: tuple[str, ...] = ()
    auditors: tuple[str, ...] = ()
    idle_seconds: float = 1800.0
    """A session ends when nothing was asked for so long, and after twelve hours in any case."""

    @property
    def asks_helpdesk(self) -> bool:
        """Whether people can sign in with their login of the helpdesk."""
        return bool(self.admins or self.supervisors or self.auditors)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """What the handlers go by."""

    lease_seconds: float = 30.0
    turn_seconds: float = 20.0
    """A drain ends after so long, or after `batch` items, and lets others have a turn."""
    batch: int = 50
    settle_seconds: float | None = None
    """How long a request may still be applied after we gave up on it, where the adapters' own figures do not fit."""
    backoff_base: float = 1.0
    backoff_cap: float = 300.0
    parent_wait_seconds: float = 600.0
    """How long an edit, deletion or reaction waits for the message it belongs to."""
    reply_wait_seconds: float = 2.0
    """How long an answer waits for the message it answers: that one may never come, and the customer waits."""
    album_wait_seconds: float = 1.5
    """How long the first file of an album waits for the others, where the platform tells them one by one."""
    loop_turns: int = 5
    """More automatic turns than this within ten minutes stop a conversation."""
    loop_pace_seconds: float = 3.0
    """A reply that follows sooner than this is automatic."""
    sweep_seconds: float = 1.0
    poll_floor_seconds: float = 2.0
    """No channel is asked more often than this."""
    retention_days: int = 90
    """Raw receipts whose events have all ended are kept so long."""
    max_attachment: int = 25_000_000
    receipts_in_tickets: bool = False
    """Whether a ticket's field of the last reply follows the platform beyond `sent`: each step is a change of the ticket more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpdeskConfig:
    """One `[helpdesk.NAME]`. `settings` is what the adapter's schema made of it."""

    key: HelpdeskKey
    kind: str
    settings: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchConfig:
    """One `[channel.NAME.search.SEARCH]`: the platform's own `query`, at most `a_day` posts a day (UTC), filed in `group` where it names one."""

    query: str
    a_day: int = 100
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelConfig:
    """One `[channel.NAME]`. `group`: where its tickets are filed first, as the helpdesk calls it; empty for the helpdesk's own default.

    `registers`: the platform is told our address whenever a sweeper starts.
    """

    key: ChannelKey
    platform: str
    helpdesk: HelpdeskKey
    group: str = ""
    late: LateMessages = LateMessages.REOPEN
    is_paused: bool = False
    registers: bool = False
    searches: Mapping[str, SearchConfig] = field(default_factory=lambda: MappingProxyType({}))
    settings: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole file, checked. `warnings` are what works but should be different, with file and line."""

    path: Path
    data_dir: Path
    public_url: str
    language: str = "en"
    database: DatabaseConfig = field(default_factory=DatabaseConfig)
    redis: RedisConfig = field(default_factory=RedisConfig)
    receiver: ReceiverConfig = field(default_factory=ReceiverConfig)
    worker: WorkerConfig = field(default_factory=WorkerConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)
    console: ConsoleConfig = field(default_factory=ConsoleConfig)
    helpdesks: Mapping[HelpdeskKey, HelpdeskConfig] = field(default_factory=lambda: MappingProxyType({}))
    channels: Mapping[ChannelKey, ChannelConfig] = field(default_factory=lambda: MappingProxyType({}))
    policy: Policy = field(default_factory=Policy, repr=False)
    """Compiled; without `[policy]` it has no rules."""
    keys: tuple[str, ...] = field(default=(), repr=False)
    """Fernet keys, newest first; empty where the embedded default makes its own in `data_dir`."""
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """Every secret in the file, for redaction."""
    warnings: tuple[str, ...] = ()
