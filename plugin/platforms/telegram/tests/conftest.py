"""A stand-in per test, and adapters connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from plugin.contracts.http import FormFile, HttpResponse
from plugin.contracts.platform import Connection
from plugin.domain.clock import SystemClock
from plugin.domain.errors import OutcomeUnknown, RemoteRejected, RemoteUnavailable
from plugin.domain.ids import ContactRef, Marker, MessageRef, ThreadKey
from plugin.domain.model import Contact, File, OutboundMessage, Visibility
from plugin.domain.text import Text
from plugin.platforms.telegram.adapter import PLATFORM, PollingTelegramAdapter, TelegramAdapter
from plugin.testing.standins.telegram import TelegramStandIn

SECRET = "q7Xw_2c-93kfhQzE"
WEBHOOK_URL = "https://desk.example/in/channel/telegram"


class PlainHttp:
    """The HTTP contract without redaction and address filter, so that a leak in the adapter would show."""

    def __init__(self) -> None:
        self.timeout = 5.0

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Any = None,
        json: Any = None,
        data: Any = None,
        files: Sequence[tuple[str, FormFile]] | None = None,
        timeout: float | None = None,
        max_bytes: int | None = None,
    ) -> HttpResponse:
        parts = [(name, (file.filename, file.content, file.content_type)) for name, file in files or ()] or None
        try:
            answer = requests.request(
                method, url, headers=headers, params=params, json=json, data=data, files=parts, timeout=self.timeout, allow_redirects=False
            )
        except requests.ConnectionError as problem:
            if "refused" in str(problem):
                raise RemoteUnavailable(f"{url} refused", detail=str(problem)) from problem
            raise OutcomeUnknown(f"{url} broke off", detail=str(problem)) from problem
        except requests.Timeout as problem:
            raise OutcomeUnknown(f"{url} did not answer", detail=str(problem)) from problem
        return HttpResponse(
            status=answer.status_code, headers={name.lower(): value for name, value in answer.headers.items()}, body=answer.content, url=url
        )

    def download(self, url: str, *, max_bytes: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
        raise RemoteRejected("no address from outside is fetched here")


class NoSecrets:
    def get(self, name: str) -> str | None:
        return None

    def refresh(self, name: str, stale: str | None, renew: Any) -> str:
        raise AssertionError("a bot's token does not rotate")


@pytest.fixture
def telegram() -> Iterator[TelegramStandIn]:
    with TelegramStandIn(pace=0.01) as standin:
        yield standin


@pytest.fixture
def http() -> PlainHttp:
    return PlainHttp()


@pytest.fixture
def connect(telegram: TelegramStandIn, http: PlainHttp) -> Callable[..., Any]:
    def connected(*, webhook_url: str = WEBHOOK_URL, **changes: Any) -> TelegramAdapter:
        data = {"token": telegram.token, "secret_token": SECRET, "api_url": telegram.url, **changes}
        settings = PLATFORM.settings_schema.load(data)
        connection = Connection(http=http, clock=SystemClock(), secrets=NoSecrets(), webhook_url=webhook_url)
        adapter = PLATFORM.connect("telegram", settings, connection)  # type: ignore[arg-type]
        assert isinstance(adapter, TelegramAdapter)
        return adapter

    return connected


@pytest.fixture
def adapter(connect: Callable[..., TelegramAdapter]) -> TelegramAdapter:
    return connect()


@pytest.fixture
def poller(connect: Callable[..., Any]) -> PollingTelegramAdapter:
    found = connect(intake="poll", secret_token="")
    assert isinstance(found, PollingTelegramAdapter)
    return found


@pytest.fixture
def outbound() -> Callable[..., OutboundMessage]:
    def made(thread: str, text: Text | str = "", *, files: tuple[File, ...] = (), reply_to: str | None = None) -> OutboundMessage:
        return OutboundMessage(
            thread_key=ThreadKey(thread),
            contact=Contact(ref=ContactRef("77")),
            visibility=Visibility.PRIVATE,
            text=Text(text) if isinstance(text, str) else text,
            files=files,
            reply_to=MessageRef(reply_to) if reply_to else None,
            created_at=datetime(2026, 11, 21, tzinfo=UTC),
        )

    return made


@pytest.fixture
def marker() -> Marker:
    return Marker("0123456789abcdefghijklmnop")
