"""Connections to Redis or Valkey as the configuration names it, Sentinel included."""

from __future__ import annotations

from typing import Any

from redis import Redis
from redis.sentinel import Sentinel

from plugin.config import RedisConfig


def connect(config: RedisConfig, *, timeout: float) -> Redis:
    """A client with `timeout` seconds for connecting and for each answer. Makes no connection yet."""
    options: dict[str, Any] = {"socket_connect_timeout": timeout, "socket_timeout": timeout}
    if config.sentinels is None:
        return Redis.from_url(config.url, **options)
    watchers = config.sentinels
    sentinel = Sentinel(list(watchers.addresses), socket_timeout=timeout)  # type: ignore[no-untyped-call]
    master: Redis = sentinel.master_for(  # type: ignore[no-untyped-call]
        watchers.service, db=watchers.database, username=watchers.username, password=watchers.password, **options
    )
    return master
