"""Fakes with behaviour: a clock, HTTP that is listened to, people with an app of somebody else's making (Mastodon.py)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from mastodon import Mastodon as App

from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection, Polled
from plugin.domain.errors import OutcomeUnknown
from plugin.domain.ids import ChannelKey
from plugin.platforms.mastodon.adapter import PLATFORM, MastodonAdapter
from plugin.testing.fakes import MemorySecrets
from plugin.transport.client import Transport


class MovableClock:
    """Now, until a test says otherwise."""

    def __init__(self, moment: datetime | None = None) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment or datetime.now(UTC)


class ListenedHttp:
    """The real transport; notes the calls. `lose` may lose an answer that was given, `drop_key` the Idempotency-Key."""

    def __init__(self) -> None:
        self._client = Transport().client(name="Mastodon")
        self.calls: list[tuple[str, str]] = []
        self.sent: list[Any] = []
        self.lose: Callable[[str, str], bool] = lambda method, path: False
        self.drop_key = False
        self.absent: tuple[str, ...] = ()

    def request(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **how: Any) -> HttpResponse:
        path = "/" + url.partition("://")[2].partition("/")[2]
        self.calls.append((method, path))
        self.sent.append(how.get("json"))
        if path in self.absent:
            return HttpResponse(status=404, headers={}, body=b'{"error": "Not Found"}', url=url)
        if self.drop_key:
            headers = {name: value for name, value in (headers or {}).items() if name != "idempotency-key"}
        answer = self._client.request(method, url, headers=headers, **how)
        if self.lose(method, path):
            raise OutcomeUnknown("The answer was lost.")
        return answer

    def download(self, url: str, *, max_bytes: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
        return self._client.download(url, max_bytes=max_bytes, headers=headers)

    def follow(self, url: str, on_line: Callable[[str], None], **how: Any) -> HttpResponse:
        self.calls.append(("FOLLOW", "/" + url.partition("://")[2].partition("/")[2]))
        return self._client.follow(url, on_line, **how)


class Person:
    """Somebody with an account and an app."""

    def __init__(self, url: str, *, token: str = "", name: str = "person") -> None:
        http = Transport().client(name="app")
        if not token:
            body = {"username": f"{name}_{secrets.token_hex(4)}"}
            token = http.request("POST", f"{url}/api/v1/_mock/dev_user", json=body).json()["access_token"]
        self.token = token
        self.app = App(access_token=token, api_base_url=url, ratelimit_method="throw", request_timeout=20)
        me = self.app.me()
        self.id, self.acct = str(me["id"]), str(me["acct"])

    def say(self, text: str, **how: Any) -> Any:
        """Post something; the status as it stands."""
        return self.app.status_post(text, **how)


class Faults:
    """The mock's own: what it does to calls."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v1/_mock/faults"
        self._http = Transport().client(name="faults")

    def add(self, method: str, path: str, effect: Mapping[str, Any], *, count: int = 1) -> None:
        body = {"match": {"methods": [method], "path": path}, "effect": effect, "count": count}
        assert self._http.request("POST", self._url, json=body).is_ok

    def clear(self) -> None:
        self._http.request("DELETE", self._url)


class Listener:
    """Polls a channel from where it stands, like the engine: the position is kept with the events."""

    def __init__(self, channel: MastodonAdapter) -> None:
        self.channel = channel
        self.position: Any = None

    def hear(self) -> tuple[Any, ...]:
        """What is new."""
        events: list[Any] = []
        for _ in range(20):
            polled: Polled = self.channel.poll(self.position)
            self.position = polled.position if polled.position is not None else self.position
            events += polled.events
            if not polled.has_more:
                return tuple(events)
        raise AssertionError("there is always more")


def connect(settings: Mapping[str, Any], http: Any, *, clock: Any = None) -> MastodonAdapter:
    """A channel on `http`."""
    connection = Connection(
        http=http, clock=clock or MovableClock(), secrets=MemorySecrets(), webhook_url="https://desk.example/in/channel/toot"
    )
    return PLATFORM.connect(ChannelKey("toot"), PLATFORM.settings_schema.load(settings), connection)
