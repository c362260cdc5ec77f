"""A real Synapse, a receiver for its pushes, a customer, and the adapter between them; and a homeserver that follows a script."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plugin.contracts.http import HttpClient, HttpResponse
from plugin.contracts.platform import Connection
from plugin.domain.clock import SystemClock
from plugin.domain.errors import CrossdeskError, UnsupportedEvent
from plugin.domain.events import PlatformEvent
from plugin.domain.ids import ChannelKey
from plugin.platforms.matrix.adapter import PLATFORM, MatrixAdapter
from plugin.platforms.matrix.schema import MatrixSettings, MatrixSettingsSchema
from plugin.testing.fakes import CannedHttp, FixedClock, MemorySecrets, connection
from plugin.transport.client import Transport
from tests.fixtures import server
from tests.matrix_customer import Customer
from tests.servers import synapse
from tests.webhook_listener import Listener

FIXTURES = Path(__file__).parents[1] / "fixtures"
NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def homeserver() -> dict[str, Any]:
    return server("synapse", synapse.start)


@pytest.fixture(scope="module")
def appservice(homeserver: dict[str, Any]) -> Iterator[dict[str, Any]]:
    with synapse.appservice(homeserver) as taken:
        yield taken


@pytest.fixture(scope="module")
def settings(appservice: dict[str, Any]) -> MatrixSettings:
    loaded = MatrixSettingsSchema().load(appservice["settings"])
    assert isinstance(loaded, MatrixSettings)
    return loaded


@pytest.fixture(scope="module")
def http(settings: MatrixSettings) -> Iterator[HttpClient]:
    transport = Transport()
    yield transport.client(name="Matrix", secrets=(settings.as_token, settings.hs_token))
    transport.close()


@pytest.fixture(scope="module")
def adapter(appservice: dict[str, Any], settings: MatrixSettings, http: HttpClient) -> MatrixAdapter:
    connection = Connection(http=http, clock=SystemClock(), secrets=MemorySecrets(), webhook_url=appservice["webhook_url"])
    bound = PLATFORM.connect(ChannelKey("matrix"), settings, connection)
    assert isinstance(bound, MatrixAdapter)
    return bound


@pytest.fixture(scope="module")
def pushes(appservice: dict[str, Any], adapter: MatrixAdapter) -> Iterator[Pushes]:
    with Listener(appservice["port"], "/in/channel/matrix", adapter.answer) as listener:
        yield Pushes(listener, adapter)


@pytest.fixture
def customer(homeserver: dict[str, Any]) -> Iterator[Customer]:
    person = Customer(homeserver)
    yield person
    person.close()


class Pushes:
    """What the homeserver pushed, as the adapter reads it."""

    def __init__(self, listener: Listener, adapter: MatrixAdapter) -> None:
        self._listener = listener
        self._adapter = adapter

    def all(self, adapter: MatrixAdapter | None = None) -> list[PlatformEvent]:
        """Everything so far, in the order in which it came; read by `adapter` instead of the one it was sent to."""
        reader, events = adapter or self._adapter, list[PlatformEvent]()
        for request in self._listener.requests:
            reader.verify(request)
            with contextlib.suppress(UnsupportedEvent):
                events += reader.parse(request)
        return events

    def wait_for(self, fits: Callable[[PlatformEvent], bool], *, adapter: MatrixAdapter | None = None) -> Any:
        """The first event that fits, as soon as it is there."""
        return self._listener.wait_for(lambda _: next(filter(fits, self.all(adapter)), None))

    def named(self, key: str, *, adapter: MatrixAdapter | None = None) -> Any:
        """The event with this key, as soon as it is there."""
        return self.wait_for(lambda event: event.event_key == key, adapter=adapter)


class Poller:
    """Asks again and again, each time from where it stopped, as the engine does."""

    def __init__(self, adapter: MatrixAdapter) -> None:
        self._adapter = adapter
        self._position: Mapping[str, Any] | None = None

    def poll(self) -> list[PlatformEvent]:
        events: list[PlatformEvent] = []
        while True:
            answer = self._adapter.poll(self._position)
            assert answer.position is not None
            self._position = json.loads(json.dumps(answer.position))
            events += answer.events
            if not answer.has_more:
                return events


@pytest.fixture(scope="module")
def poller(adapter: MatrixAdapter, pushes: Pushes) -> Poller:
    """Has asked once, so the bot exists."""
    first = Poller(adapter)
    first.poll()
    return first


@pytest.fixture
def room(customer: Customer, adapter: MatrixAdapter, settings: MatrixSettings, poller: Poller) -> str:
    """A private room of the customer's into which the bot came by being invited."""
    made = customer.create_room(settings.user_id)
    poller.poll()
    assert settings.user_id in customer.members(made)
    return made


@pytest.fixture
def rebind(http: HttpClient) -> Callable[[MatrixSettings], MatrixAdapter]:
    def bind(settings: MatrixSettings) -> MatrixAdapter:
        connection = Connection(http=http, clock=SystemClock(), secrets=None, webhook_url="")  # type: ignore[arg-type]
        bound = PLATFORM.connect(ChannelKey("matrix"), settings, connection)
        assert isinstance(bound, MatrixAdapter)
        return bound

    return bind


Scripted = Callable[..., tuple[MatrixAdapter, CannedHttp]]


@pytest.fixture
def scripted() -> Scripted:
    """Makes an adapter with the fixtures' settings over prepared answers: JSON objects, `(status, object)`, responses or errors."""

    def make(*answers: Any, **settings: Any) -> tuple[MatrixAdapter, CannedHttp]:
        http = CannedHttp([_response(answer) for answer in answers or ({},)])
        loaded = MatrixSettingsSchema().load({**json.loads((FIXTURES / "settings.json").read_text()), **settings})
        bound = PLATFORM.connect(ChannelKey("matrix"), loaded, connection(http, clock=FixedClock(NOW)))
        assert isinstance(bound, MatrixAdapter)
        return bound, http

    return make


def _response(answer: Any) -> HttpResponse | CrossdeskError:
    if isinstance(answer, HttpResponse | CrossdeskError):
        return answer
    status, body = answer if isinstance(answer, tuple) else (200, answer)
    return HttpResponse(status=status, headers={"content-type": "application/json"}, body=json.dumps(body).encode())
