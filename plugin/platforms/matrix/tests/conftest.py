"""A real Synapse, a receiver for its pushes, a customer, and the adapter between them; and a homeserver that follows a script."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plugin.contracts.http import HttpClient, HttpResponse
from plugin.contracts.platform import Connection
from plugin.contracts.settings import Renew
from plugin.domain.clock import SystemClock
from plugin.domain.ids import ChannelKey
from plugin.platforms.matrix.adapter import PLATFORM, MatrixAdapter
from plugin.platforms.matrix.schema import MatrixSettings, MatrixSettingsSchema
from plugin.transport.client import Transport
from tests.fixtures import server
from tests.matrix_customer import Customer
from tests.servers import synapse
from tests.webhook_listener import Listener

FIXTURES = Path(__file__).parents[1] / "fixtures"


class NoSecrets:
    """No secret changes at run time."""

    def get(self, name: str) -> str | None:
        return None

    def refresh(self, name: str, stale: str | None, renew: Renew) -> str:
        raise AssertionError("nothing to refresh")


@pytest.fixture(scope="module")
def homeserver() -> dict[str, Any]:
    return server("synapse", synapse.start)


@pytest.fixture(scope="module")
def appservice(homeserver: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = homeserver["appservices"]["adapter"]
    return found


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
    connection = Connection(http=http, clock=SystemClock(), secrets=NoSecrets(), webhook_url=appservice["webhook_url"])
    bound = PLATFORM.connect(ChannelKey("matrix"), settings, connection)
    assert isinstance(bound, MatrixAdapter)
    return bound


@pytest.fixture(scope="module")
def pushes(appservice: dict[str, Any], adapter: MatrixAdapter) -> Iterator[Listener]:
    with Listener(appservice["port"], "/in/channel/matrix", adapter.answer) as listener:
        yield listener


@pytest.fixture
def customer(homeserver: dict[str, Any]) -> Iterator[Customer]:
    person = Customer(homeserver)
    yield person
    person.close()


class ScriptedHttp:
    """A homeserver that gives prepared answers in their order, the last one again and again, and keeps what it was asked."""

    def __init__(self, *answers: HttpResponse | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, str, Mapping[str, Any]]] = []

    def request(self, method: str, url: str, **more: Any) -> HttpResponse:
        self.asked.append((method, url.removeprefix("https://matrix.example.org"), more))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def download(self, url: str, *, max_bytes: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
        raise AssertionError("files come through the homeserver")


class FixedClock:
    """It is always the same moment."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


Scripted = Callable[..., tuple[MatrixAdapter, ScriptedHttp]]


@pytest.fixture
def scripted() -> Scripted:
    """Makes an adapter with the fixtures' settings over prepared answers: JSON objects, `(status, object)`, responses or errors."""

    def make(*answers: Any, **settings: Any) -> tuple[MatrixAdapter, ScriptedHttp]:
        http = ScriptedHttp(*map(_response, answers or ({},)))
        loaded = MatrixSettingsSchema().load({**json.loads((FIXTURES / "settings.json").read_text()), **settings})
        connection = Connection(
            http=http, clock=FixedClock(), secrets=NoSecrets(), webhook_url="https://desk.example.org/in/channel/matrix"
        )
        bound = PLATFORM.connect(ChannelKey("matrix"), loaded, connection)
        assert isinstance(bound, MatrixAdapter)
        return bound, http

    return make


def _response(answer: Any) -> HttpResponse | Exception:
    if isinstance(answer, HttpResponse | Exception):
        return answer
    status, body = answer if isinstance(answer, tuple) else (200, answer)
    return HttpResponse(status=status, headers={"content-type": "application/json"}, body=json.dumps(body).encode())
