"""One suite over platforms that run here, as strict stand-ins of theirs or as mastodon-mock, over HTTP (`plugin.testing.channel_suite`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from plugin.contracts.platform import Connection
from plugin.domain.clock import SystemClock
from plugin.domain.events import MessageReceived, PlatformEvent
from plugin.domain.html import from_html
from plugin.platforms._oauth.tokens import SECRET, read_grant
from plugin.platforms.facebook.adapter import PLATFORM as FACEBOOK
from plugin.platforms.instagram.adapter import PLATFORM as INSTAGRAM
from plugin.platforms.mastodon.tests.fakes import Faults, ListenedHttp, Person
from plugin.platforms.mastodon.tests.fakes import Listener as Hearer
from plugin.platforms.mastodon.tests.fakes import connect as mastodon_channel
from plugin.platforms.whatsapp.adapter import PLATFORM as WHATSAPP
from plugin.platforms.x.adapter import PLATFORM as X
from plugin.platforms.x.tests.conftest import SCOPES, Receiver
from plugin.testing.channel_suite import QUESTIONS, Question, Running
from plugin.testing.fakes import MemorySecrets
from plugin.testing.questions import told
from plugin.testing.standins.graph import ACCOUNT, NUMBER, PAGE, WABA
from plugin.testing.standins.x import ACCOUNT as X_ACCOUNT
from plugin.testing.standins.x import BEARER, CLIENT_ID, CLIENT_SECRET, CONSUMER_SECRET, CUSTOMER, XStandIn
from plugin.transport.client import Transport
from tests.fixtures import server
from tests.graph import Rig
from tests.servers import mastodon

_ADA = "5500011"


class OfMeta:
    """A channel of Meta's: what a customer does, what stands there, and where a call that says something goes."""

    def __init__(self, rig: Rig, *, says: Callable[[Rig, str], object], stands: Callable[[Rig], Sequence[str]], at: str) -> None:
        self.adapter = rig.adapter
        self._rig, self._says, self._stands, self._at = rig, says, stands, at
        self._taken = 0

    def asks(self, words: str) -> MessageReceived:
        self._says(self._rig, words)
        (event,) = self.came()
        assert isinstance(event, MessageReceived)
        return event

    def came(self) -> Sequence[PlatformEvent]:
        assert self._rig.graph.pump.wait_idle()
        requests = self._rig.listener.requests[self._taken :]
        self._taken += len(requests)
        events: list[PlatformEvent] = []
        for request in requests:
            self.adapter.verify(request)
            events += self.adapter.parse(request)
        return events

    def stands(self) -> Sequence[str]:
        return self._stands(self._rig)

    def slow_down(self, seconds: float) -> None:
        self._rig.graph.arm("rate_limit", at=self._at, value=seconds)

    def break_down(self) -> None:
        self._rig.graph.arm("error_after", at=self._at, value=500)

    def lock_out(self) -> None:
        self._rig.graph.revoke_token()


def _comments(rig: Rig) -> Sequence[str]:
    return [one.text for one in rig.graph.comments(ours=True)]


def _messages(rig: Rig) -> Sequence[str]:
    return [one.text for one in rig.graph.messages(ours=True)]


@contextmanager
def _of_meta(
    platform: Any, says: Callable[[Rig, str], object], stands: Callable[[Rig], Sequence[str]], at: str, **settings: str
) -> Iterator[Running]:
    with Rig(platform, **settings) as rig:
        rig.adapter.register_webhook()
        yield OfMeta(rig, says=says, stands=stands, at=at)


class OfX:
    """An account on X with its webhook."""

    def __init__(self, x: XStandIn, receiver: Receiver, adapter: Any) -> None:
        self.adapter = adapter
        self._x, self._receiver = x, receiver
        self._taken = 0

    def asks(self, words: str) -> MessageReceived:
        self._x.world.person_posts(CUSTOMER, f"@ExampleRail {words}")
        event = self.came()[0]
        assert isinstance(event, MessageReceived)
        return event

    def came(self) -> Sequence[PlatformEvent]:
        self._x.hooks.settle()
        events = self._receiver.events()[self._taken :]
        self._taken += len(events)
        return events

    def stands(self) -> Sequence[str]:
        return [post.text for post in self._x.world.posts.values() if post.author == X_ACCOUNT]

    def slow_down(self, seconds: float) -> None:
        self._x.arm("rate_limit", at="tweets", value=time.time() + seconds)

    def break_down(self) -> None:
        self._x.arm("error_after", at="tweets", value=502)

    def lock_out(self) -> None:
        self._x.signing_in.revoke()


@contextmanager
def _of_x() -> Iterator[Running]:
    transport = Transport(allow_private=True)
    with XStandIn() as x, Receiver() as receiver:
        given = {"account_id": X_ACCOUNT, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "consumer_secret": CONSUMER_SECRET}
        settings = X.settings_schema.load({**given, "bearer_token": BEARER, "api_url": x.url})
        token = read_grant(x.signing_in.issue(X_ACCOUNT, SCOPES), now=x.world.now(), before=None)
        assert token is not None
        http = transport.client(name="X", secrets=[CLIENT_SECRET], timeout=10.0)
        connection = Connection(http=http, clock=SystemClock(), secrets=MemorySecrets(**{SECRET: token.dump()}), webhook_url=receiver.url)
        adapter: Any = X.connect("x", settings, connection)  # type: ignore[arg-type]
        receiver.adapter = adapter
        adapter.register_webhook()
        yield OfX(x, receiver, adapter)
    transport.close()


class OfMastodon:
    """An account on a server that none of us wrote."""

    def __init__(self, url: str) -> None:
        self._http = ListenedHttp()
        self._url, self._brand, self._customer = url, Person(url, name="brand"), Person(url, name="customer")
        self._faults = Faults(url)
        self.adapter = mastodon_channel({"url": url, "access_token": self._brand.token}, self._http)
        self._listener = Hearer(self.adapter)
        self._listener.hear()

    def asks(self, words: str) -> MessageReceived:
        self._customer.say(f"@{self._brand.acct} {words}")
        (event,) = self.came()
        assert isinstance(event, MessageReceived)
        return event

    def came(self) -> Sequence[PlatformEvent]:
        return self._listener.hear()

    def stands(self) -> Sequence[str]:
        return [from_html(status["content"]).plain for status in self._brand.app.account_statuses(self._brand.id)][::-1]

    def slow_down(self, seconds: float) -> None:
        effect = {"type": "status", "status": 429, "headers": {"retry-after": str(int(seconds))}, "body": {"error": "Too many requests"}}
        self._faults.add("POST", "/api/v1/statuses", effect)

    def break_down(self) -> None:
        answers = iter([True])
        self._http.lose = lambda method, path: (method, path) == ("POST", "/api/v1/statuses") and next(answers, False)

    def lock_out(self) -> None:
        assert self._http.request("POST", f"{self._url}/oauth/revoke", data={"token": self._brand.token}).is_ok

    def leave(self) -> None:
        """The server is the whole run's: nothing stays armed."""
        self._faults.clear()


@contextmanager
def _of_mastodon() -> Iterator[Running]:
    running = OfMastodon(server(mastodon.name(), mastodon.start)["url"])
    yield running
    running.leave()


_PLATFORMS: dict[str, Callable[[], Any]] = {
    "facebook, in public": lambda: _of_meta(
        FACEBOOK, lambda rig, words: rig.graph.person_comments(_ADA, words), _comments, "comments", page_id=PAGE
    ),
    "facebook, in private": lambda: _of_meta(
        FACEBOOK, lambda rig, words: rig.graph.person_writes(_ADA, words), _messages, "messages", page_id=PAGE
    ),
    "instagram, in private": lambda: _of_meta(
        INSTAGRAM,
        lambda rig, words: rig.graph.person_writes(_ADA, words, network="instagram"),
        _messages,
        "messages",
        account_id=ACCOUNT,
        page_id=PAGE,
    ),
    "instagram, in public": lambda: _of_meta(
        INSTAGRAM, lambda rig, words: rig.graph.instagram_comments(_ADA, words), _comments, "replies", account_id=ACCOUNT, page_id=PAGE
    ),
    "whatsapp": lambda: _of_meta(
        WHATSAPP,
        lambda rig, words: rig.graph.whatsapp_writes("16505551234", words),
        _messages,
        "messages",
        phone_number_id=NUMBER,
        business_account_id=WABA,
    ),
    "x": _of_x,
    "mastodon": _of_mastodon,
}
_MARKS = {"mastodon": [pytest.mark.servers]}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
@pytest.mark.parametrize("name", [pytest.param(name, marks=_MARKS.get(name, ())) for name in _PLATFORMS])
def test_a_running_platform_answers(name: str, question: Question) -> None:
    with _PLATFORMS[name]() as running:
        problems = list(question(running))
    assert not problems, told(problems)
