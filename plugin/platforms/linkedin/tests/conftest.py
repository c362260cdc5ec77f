"""A stand-in per test, with a clock that is set, and adapters connected to it over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plugin.contracts.platform import Connection
from plugin.platforms._oauth.tokens import SECRET, read_grant
from plugin.platforms.linkedin.adapter import PLATFORM, LinkedInAdapter
from plugin.testing.fakes import FixedClock, MemorySecrets
from plugin.testing.standins.linkedin import CLIENT_ID, CLIENT_SECRET, ORGANIZATION_ID, SCOPES, LinkedInStandIn
from plugin.transport.client import Transport

WEBHOOK = "https://desk.example/in/channel/li"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def linkedin(clock: FixedClock) -> Iterator[LinkedInStandIn]:
    with LinkedInStandIn(now=lambda: clock.now().timestamp(), page=3) as standin:
        standin.world.post()
        yield standin


@pytest.fixture
def secrets() -> MemorySecrets:
    return MemorySecrets()


@pytest.fixture
def connect(linkedin: LinkedInStandIn, clock: FixedClock, secrets: MemorySecrets) -> Iterator[Callable[..., LinkedInAdapter]]:
    transport = Transport(allow_private=True)

    def connected(*scopes: str, **changes: Any) -> LinkedInAdapter:
        given = {"organization_id": ORGANIZATION_ID, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        if scopes:
            token = read_grant(linkedin.signing_in.issue(*scopes), now=linkedin.now(), before=None)
            assert token is not None
            secrets.stored[SECRET] = token.dump()
        http = transport.client(name="LinkedIn", secrets=[CLIENT_SECRET], timeout=30.0)
        connection = Connection(http=http, clock=clock, secrets=secrets, webhook_url=WEBHOOK)
        settings = PLATFORM.settings_schema.load({**given, "api_url": linkedin.url, "site_url": linkedin.url, **changes})
        adapter = PLATFORM.connect("li", settings, connection)  # type: ignore[arg-type]
        assert isinstance(adapter, LinkedInAdapter)
        return adapter

    yield connected
    transport.close()


@pytest.fixture
def adapter(connect: Callable[..., LinkedInAdapter]) -> LinkedInAdapter:
    return connect(*SCOPES)
