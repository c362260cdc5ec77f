"""A stand-in per test, with a clock that is set, and adapters connected to it over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plugin.contracts.platform import Connection
from plugin.platforms._oauth.tokens import SECRET, read_grant
from plugin.platforms.reddit.adapter import PLATFORM, RedditAdapter
from plugin.testing.fakes import FixedClock, MemorySecrets
from plugin.testing.standins.reddit import ACCOUNT, CLIENT_ID, CLIENT_SECRET, SUBREDDIT, RedditStandIn
from plugin.transport.client import Transport

SCOPES = ("identity", "read", "history", "submit", "edit", "privatemessages")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def reddit(clock: FixedClock) -> Iterator[RedditStandIn]:
    with RedditStandIn(now=lambda: clock.now().timestamp(), page=3) as standin:
        yield standin


@pytest.fixture
def secrets() -> MemorySecrets:
    return MemorySecrets()


@pytest.fixture
def connect(reddit: RedditStandIn, clock: FixedClock, secrets: MemorySecrets) -> Iterator[Callable[..., RedditAdapter]]:
    transport = Transport(allow_private=True)

    def connected(*scopes: str, **changes: Any) -> RedditAdapter:
        given = {"username": ACCOUNT, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "subreddits": [SUBREDDIT]}
        urls = {"api_url": reddit.url, "site_url": reddit.url}
        if scopes:
            token = read_grant(reddit.signing_in.issue(*scopes), now=reddit.now(), before=None)
            assert token is not None
            secrets.stored[SECRET] = token.dump()
        http = transport.client(name="Reddit", secrets=[CLIENT_SECRET], timeout=30.0)
        connection = Connection(http=http, clock=clock, secrets=secrets, webhook_url="")
        adapter = PLATFORM.connect("r", PLATFORM.settings_schema.load({**given, **urls, **changes}), connection)  # type: ignore[arg-type]
        assert isinstance(adapter, RedditAdapter)
        return adapter

    yield connected
    transport.close()


@pytest.fixture
def adapter(connect: Callable[..., RedditAdapter]) -> RedditAdapter:
    return connect(*SCOPES)
