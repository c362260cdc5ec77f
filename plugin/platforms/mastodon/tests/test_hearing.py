"""The stream of notifications: which of them is a sign, where it is, and what its refusals mean."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.contracts.platform import HearsNews
from plugin.domain.errors import CredentialsRejected, RateLimited, RemoteError, RemoteRejected, RemoteUnavailable
from plugin.handlers.hearing import Hearing
from plugin.platforms.mastodon.adapter import MastodonAdapter
from plugin.platforms.mastodon.hearing import Events, streaming_base
from plugin.platforms.mastodon.server import read_instance
from plugin.platforms.mastodon.tests.fakes import ListenedHttp, Person, connect
from plugin.testing.fakes import CannedHttp, canned
from plugin.testing.standins.mastodon_streams import MastodonStreams
from tests.faults.inner import Inner

URL = "https://toots.example"


@pytest.fixture
def streams() -> Iterator[MastodonStreams]:
    with MastodonStreams() as running:
        yield running


@pytest.fixture
def account(streams: MastodonStreams) -> MastodonAdapter:
    return connect({"url": streams.url, "access_token": streams.token}, ListenedHttp())


class Listening:
    """Somebody who listens to a channel in a thread."""

    def __init__(self, channel: MastodonAdapter) -> None:
        self.signs = 0
        self.over = threading.Event()
        self.problem: Exception | None = None
        self._channel = channel
        self.thread = threading.Thread(target=self._listen)

    def _listen(self) -> None:
        try:
            self._channel.hear(self._heard, self.over.is_set)
        except RemoteError as problem:
            self.problem = problem

    def _heard(self) -> None:
        self.signs += 1


@contextlib.contextmanager
def listening(channel: MastodonAdapter) -> Iterator[Listening]:
    made = Listening(channel)
    made.thread.start()
    try:
        yield made
    finally:
        made.over.set()
        made.thread.join(30)
        assert not made.thread.is_alive()


def until(condition: Callable[[], object], *, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not so in time"
        time.sleep(0.01)


def signs_of(said: str) -> int:
    signs: list[None] = []
    events = Events(lambda: signs.append(None))
    for line in said.split("\n"):
        events.take(line)
    return len(signs)


@pytest.mark.parametrize(
    ("said", "signs"),
    [
        ('event: notification\ndata: {"type":"mention"}\n\n', 1),
        ('event:notification\ndata:{"type":"mention"}\n\n', 1),
        ('event: notification\ndata: {"type":"a kind of later years"}\n\n', 1),
        ("event: notification\ndata: not JSON\n\n", 1),
        ("event: notification\ndata: []\n\n", 1),
        ('event: notification\ndata: {"type":["favourite"]}\n\n', 1),
        ("event: notifications_merged\ndata: 1\n\n", 1),
        ('event: notification\ndata: {"type":"favourite"}\n\n', 0),
        ('event: update\ndata: {"id":"1"}\n\n', 0),
        ("event: filters_changed\ndata: undefined\n\n", 0),
        (":)\n:thump\n:thump\n\n", 0),
        ("event: notification\n:thump\n\n", 1),
        ("data: notification\n\n", 0),
        ('event: notification\ndata: {"type":"mention"}', 0),
        ('event: notification\ndata: {"type":"mention"}\n\n\n\n', 1),
    ],
)
def test_what_is_a_sign(said: str, signs: int) -> None:
    assert signs_of(said) == signs


@given(st.text(st.sampled_from('event: notification\ndata{}"[]\ud800\x00')))
def test_whatever_a_stream_says_is_a_sign_or_none(said: str) -> None:
    assert signs_of(f"{said}\n\n") <= said.count("\n") + 1


@pytest.mark.parametrize(
    ("told", "base"),
    [
        ("", URL),
        ("wss://toots.example", URL),
        ("wss://toots.example/", URL),
        ("ws://toots.example", URL),
        ("wss://streaming.toots.example", "https://streaming.toots.example"),
        ("https://streaming.toots.example/here/", "https://streaming.toots.example/here"),
    ],
)
def test_where_the_streams_are(told: str, base: str) -> None:
    assert streaming_base(told, url=URL) == base


@pytest.mark.parametrize(
    "told", ["ws://elsewhere.example", "http://elsewhere.example", "file:///etc/passwd", "elsewhere.example", "wss://", "wss://[", " "]
)
def test_where_the_token_does_not_go(told: str) -> None:
    with pytest.raises(RemoteRejected):
        streaming_base(told, url=URL)


@given(st.text() | st.from_regex(r"wss?://\S*"))
def test_an_address_is_safe_or_refused(told: str) -> None:
    with contextlib.suppress(RemoteRejected):
        assert streaming_base(told, url=URL).startswith("https://")


def test_both_versions_of_an_instance_tell_where() -> None:
    assert read_instance({"configuration": {"urls": {"streaming": "wss://a"}}}, host="h").streaming == "wss://a"
    assert read_instance({"urls": {"streaming_api": "wss://b"}}, host="h").streaming == "wss://b"
    assert read_instance({"urls": ["wss://b"]}, host="h").streaming == ""


def test_signs_come_until_it_is_over(streams: MastodonStreams, account: MastodonAdapter) -> None:
    assert isinstance(account, HearsNews)
    with listening(account) as heard:
        until(lambda: streams.opened)
        streams.tell("notification", {"id": "1", "type": "mention"})
        until(lambda: heard.signs == 1)
        streams.say(":thump\n")
        streams.tell("notification", {"id": "2", "type": "favourite"})
        streams.tell("notification", {"id": "3", "type": "mention"})
        until(lambda: heard.signs == 2)
    assert heard.problem is None


def test_a_stream_that_ends_is_no_fault(streams: MastodonStreams, account: MastodonAdapter) -> None:
    with listening(account) as heard:
        until(lambda: streams.opened)
        streams.hang_up()
        heard.thread.join(30)
        assert not heard.thread.is_alive()
    assert heard.problem is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, CredentialsRejected),
        (400, RemoteRejected),
        (404, RemoteRejected),
        (426, RemoteRejected),
        (501, RemoteRejected),
        (302, RemoteRejected),
        (429, RateLimited),
        (503, RemoteUnavailable),
    ],
)
def test_what_refusals_mean(streams: MastodonStreams, account: MastodonAdapter, status: int, kind: type[RemoteError]) -> None:
    streams.status = status
    with pytest.raises(kind) as refused:
        account.hear(lambda: None, lambda: False)
    assert refused.value.retryable is (kind in (RateLimited, RemoteUnavailable))
    assert streams.token not in str(refused.value) + refused.value.detail
    if isinstance(refused.value, RateLimited):
        assert refused.value.retry_after == 7.0


def test_a_wrong_token_is_told(streams: MastodonStreams) -> None:
    with pytest.raises(CredentialsRejected):
        connect({"url": streams.url, "access_token": "another"}, ListenedHttp()).hear(lambda: None, lambda: False)


def test_another_server_is_asked_only_in_public(streams: MastodonStreams) -> None:
    streams.streaming = "wss://127.0.0.1"
    http = ListenedHttp()
    with pytest.raises(RemoteRejected, match="private"):
        connect({"url": streams.url, "access_token": streams.token}, http).hear(lambda: None, lambda: False)
    assert streams.opened == 0


def test_an_http_that_cannot_follow_has_no_stream() -> None:
    instance: dict[str, Any] = {"status": 200, "json": {}}
    with pytest.raises(RemoteRejected):
        connect({"url": URL, "access_token": "token"}, CannedHttp([canned(instance)])).hear(lambda: None, lambda: False)


@pytest.mark.servers
def test_a_mention_is_called_out_by_a_server_that_none_of_us_wrote(channel: MastodonAdapter, brand: Person, stranger: Person) -> None:
    with listening(channel) as heard:
        # Nothing tells that the other side listens already: what is said too early is what the poll is for.
        end = time.monotonic() + 30
        while not heard.signs and time.monotonic() < end:
            stranger.say(f"@{brand.acct} my printer smokes")
            heard.thread.join(0.2)
    assert heard.signs
    assert heard.problem is None


@pytest.mark.servers
def test_a_mention_is_filed_at_once_though_the_next_poll_is_an_hour_away(
    network: dict[str, Any], brand: Person, stranger: Person, database_url: str
) -> None:
    http = ListenedHttp()
    channel: Any = connect({"url": network["url"], "access_token": brand.token, "poll_seconds": 3600}, http)
    inner = Inner(database_url, platform=channel)
    try:
        assert inner.poller.poll_due() == 0
        over = threading.Event()
        thread = threading.Thread(target=Hearing(inner.installation, inner.database, inner.wakeups).run, args=(over,))
        thread.start()
        try:
            until(lambda: ("FOLLOW", "/api/v1/streaming/user/notification") in http.calls)
            end = time.monotonic() + 30
            while not inner.wakeups.count and time.monotonic() < end:
                stranger.say(f"@{brand.acct} my printer smokes")
                over.wait(0.5)
            inner.until(inner.filed, seconds=30, polls=True)
        finally:
            over.set()
            thread.join(30)
        assert not thread.is_alive()
        assert "my printer smokes" in inner.filed()[0]
    finally:
        inner.close()
