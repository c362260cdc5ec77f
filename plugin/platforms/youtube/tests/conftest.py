"""A stand-in per test, with a clock that is set, and adapters connected to it over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plugin.contracts.platform import Connection
from plugin.platforms._oauth.tokens import SECRET, read_grant
from plugin.platforms.youtube.adapter import PLATFORM, YouTubeAdapter
from plugin.testing.fakes import FixedClock, MemorySecrets
from plugin.testing.standins.youtube import CHANNEL, CLIENT_ID, CLIENT_SECRET, SCOPE, YouTubeStandIn
from plugin.transport.client import Transport


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def youtube(clock: FixedClock) -> Iterator[YouTubeStandIn]:
    with YouTubeStandIn(now=lambda: clock.now().timestamp(), page=3) as standin:
        yield standin


@pytest.fixture
def secrets() -> MemorySecrets:
    return MemorySecrets()


@pytest.fixture
def connect(youtube: YouTubeStandIn, clock: FixedClock, secrets: MemorySecrets) -> Iterator[Callable[..., YouTubeAdapter]]:
    transport = Transport(allow_private=True)

    def connected(*scopes: str, **changes: Any) -> YouTubeAdapter:
        given = {"channel_id": CHANNEL, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        urls = {"api_url": youtube.url, "sign_in_url": f"{youtube.url}/sign-in", "grant_url": f"{youtube.url}/token"}
        if scopes:
            token = read_grant(youtube.signing_in.issue(*scopes), now=youtube.now(), before=None)
            assert token is not None
            secrets.stored[SECRET] = token.dump()
        http = transport.client(name="YouTube", secrets=[CLIENT_SECRET], timeout=30.0)
        connection = Connection(http=http, clock=clock, secrets=secrets, webhook_url="")
        adapter = PLATFORM.connect("yt", PLATFORM.settings_schema.load({**given, **urls, **changes}), connection)  # type: ignore[arg-type]
        assert isinstance(adapter, YouTubeAdapter)
        return adapter

    yield connected
    transport.close()


@pytest.fixture
def adapter(connect: Callable[..., YouTubeAdapter]) -> YouTubeAdapter:
    return connect(SCOPE)
