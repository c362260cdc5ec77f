"""Webhooks come signed, in order within a conversation, and again until they are taken."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ui_extensions.rehearsal import serving
from ui_extensions.rehearsal.network.app import EXTENSION, NetworkSettings, Parts, create_network

SECRET = "webhook-secret-000001"


class Listener:
    """Takes webhooks, and answers with the statuses it is told to, then 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.taken: list[dict[str, Any]] = []
        self.calls: list[tuple[dict[str, str], bytes, int]] = []
        self._changed = threading.Condition()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
        with self._changed:
            status = self.statuses.pop(0) if self.statuses else 200
            self.calls.append((headers, body, status))
            if status == 200:
                self.taken += json.loads(body)["events"]
            self._changed.notify_all()
        start_response(f"{status} Status", [("Content-Length", "2"), ("Content-Type", "application/json")])
        return [b"{}"]

    def wait(self, count: int, seconds: float = 15.0) -> list[str]:
        """The texts of the first `count` events that were taken."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.taken) >= count, seconds), self.taken
            return [event["post"]["text"] for event in self.taken]


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    with serving.background(serving.bind(lambda _url: made)) as url:
        made.url = url  # type: ignore[attr-defined]
        yield made


@pytest.fixture
def parts(listener: Any) -> Iterator[Parts]:
    settings = NetworkSettings(token="company-token", webhook_url=f"{listener.url}/in/channel/plaza?x=1", webhook_secret=SECRET)
    made: Parts = create_network(settings).extensions[EXTENSION]
    yield made
    made.stop()


def test_deliveries_are_signed_over_time_and_body(parts: Parts, listener: Listener) -> None:
    lena = parts.network.customers()[0]
    parts.network.publish(lena, "Grüße ☹")
    assert listener.wait(1) == ["Grüße ☹"]
    headers, body, _ = listener.calls[0]
    stamp = headers["x-rehearsal-timestamp"]
    assert abs(int(stamp) - time.time()) < 30
    expected = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["x-rehearsal-signature"] == f"sha256={expected}"
    assert json.loads(body)["account"] == {"id": "u_acme"}
    assert headers["x-rehearsal-delivery"] == json.loads(body)["events"][0]["id"]


def test_what_is_refused_comes_again_and_nothing_overtakes_it(parts: Parts, listener: Listener) -> None:
    listener.statuses = [503, 500]
    lena, omar, _ = parts.network.customers()
    root = parts.network.publish(lena, "one")
    parts.network.publish(lena, "two", reply_to=root.post_id)
    parts.network.publish(lena, "three", reply_to=root.post_id)
    other = parts.network.publish(omar, "elsewhere")
    texts = listener.wait(4)
    assert [text for text in texts if text != "elsewhere"] == ["one", "two", "three"]
    assert other.conversation != root.conversation
    assert parts.pump.tally()["refused"] == 2


def test_faults_drop_delay_and_repeat(parts: Parts, listener: Listener) -> None:
    parts.faults.add("drop_webhooks", path="post.created")
    parts.faults.add("duplicate_webhooks", seconds=0.05)
    parts.faults.add("delay_webhooks", seconds=0.3)
    lena = parts.network.customers()[0]
    for text in ("dropped", "twice", "late", "on time"):
        parts.network.publish(lena, text)
    texts = listener.wait(4)
    assert sorted(texts) == ["late", "on time", "twice", "twice"]
    assert texts[-1] == "late"
    events, _, _ = parts.network.events_after(None, 10)
    assert [event.body["post"]["text"] for event in events] == ["dropped", "twice", "late", "on time"]


def test_many_events_keep_their_order_in_each_conversation(parts: Parts, listener: Listener) -> None:
    roots = [parts.network.publish(customer, "0") for customer in parts.network.customers()]
    for number in range(1, 60):
        for root in roots:
            parts.network.publish(parts.network.user(root.author_id), str(number), reply_to=root.post_id)
    listener.wait(180)
    for root in roots:
        mine = [event["post"]["text"] for event in listener.taken if event["post"]["conversation"]["id"] == root.post_id]
        assert mine == [str(number) for number in range(60)]
    deadline = time.monotonic() + 5
    while parts.pump.tally()["pending"] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert parts.pump.tally()["pending"] == 0


def test_what_was_not_taken_is_told_after_a_restart(listener: Any, tmp_path: Any) -> None:
    settings = NetworkSettings(token="company-token", webhook_url="http://127.0.0.1:9/nobody", webhook_secret=SECRET, folder=tmp_path)
    before: Parts = create_network(settings).extensions[EXTENSION]
    before.network.publish(before.network.customers()[0], "while you were away")
    before.stop()
    settings = NetworkSettings(token="company-token", webhook_url=listener.url, webhook_secret=SECRET, folder=tmp_path)
    after: Parts = create_network(settings).extensions[EXTENSION]
    try:
        assert listener.wait(1) == ["while you were away"]
    finally:
        after.stop()
