"""How the stand-in delivers updates: order, patience, repetition, and what a webhook may answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from plugin.testing.standins.telegram import TelegramStandIn
from tests.waiting import eventually
from tests.webhook_listener import Listener


class Receiver(Listener):
    """A webhook that answers as it is told and keeps what it got."""

    def __init__(self) -> None:
        super().__init__(0, "/in/channel/telegram")

    @property
    def updates(self) -> list[dict[str, Any]]:
        return [request.json() for request in self.requests]

    def texts(self) -> list[str]:
        return [update["message"]["text"] for update in self.updates if "text" in update.get("message", {})]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def telegram(receiver: Receiver) -> Iterator[TelegramStandIn]:
    with TelegramStandIn(pace=0.01) as standin:
        standin.methods.run("setWebhook", {"url": receiver.url, "secret_token": "s3cret_-"}, {})
        yield standin


def test_updates_come_in_order_with_the_secret(telegram: TelegramStandIn, receiver: Receiver) -> None:
    for number in range(20):
        telegram.customer_says(77, f"{number}")
    assert telegram.wait_idle()
    assert receiver.texts() == [f"{number}" for number in range(20)]
    numbers = [update["update_id"] for update in receiver.updates]
    assert numbers == sorted(set(numbers))
    assert {request.headers["x-telegram-bot-api-secret-token"] for request in receiver.requests} == {"s3cret_-"}


def test_what_waited_before_the_webhook_comes_too(receiver: Receiver) -> None:
    with TelegramStandIn() as standin:
        standin.customer_says(77, "early")
        standin.methods.run("setWebhook", {"url": receiver.url}, {})
        assert standin.wait_idle()
    assert receiver.texts() == ["early"]


def test_a_failing_update_blocks_its_own_chat_only(telegram: TelegramStandIn, receiver: Receiver) -> None:
    poison = threading.Event()
    receiver.reply = lambda request: (200 if request.json()["message"]["text"] != "poison" or poison.is_set() else 500, {}, b"")
    telegram.customer_says(77, "poison")
    telegram.customer_says(77, "behind")
    telegram.customer_says(78, "beside")
    eventually(lambda: receiver.texts().count("poison") >= 4 and telegram.updates.pending() == 2)
    assert "beside" in receiver.texts()
    assert "behind" not in receiver.texts()
    info = telegram.methods.run("getWebhookInfo", {}, {})
    assert info["last_error_message"] == "Wrong response from the webhook: 500 Internal Server Error"
    poison.set()
    assert telegram.wait_idle()
    assert receiver.texts()[-1] == "behind"


def test_the_waits_double(telegram: TelegramStandIn, receiver: Receiver) -> None:
    telegram.updates.pace = 0.05
    receiver.reply = lambda _: (503 if len(receiver.requests) < 5 else 200, {}, b"")
    telegram.customer_says(77, "a")
    assert telegram.wait_idle()
    times = receiver.arrivals
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits[0] < 0.4  # the first repeat comes at once, then 2, 4, 8 seconds
    assert [wait >= least for wait, least in zip(waits[1:], (0.1, 0.2, 0.4), strict=True)] == [True] * 3


def test_retry_after_is_honoured(telegram: TelegramStandIn, receiver: Receiver) -> None:
    telegram.updates.pace = 0.05
    receiver.reply = lambda _: (503, {"Retry-After": "10"}, b"") if len(receiver.requests) < 2 else (200, {}, b"")
    telegram.customer_says(77, "a")
    assert telegram.wait_idle()
    assert receiver.arrivals[1] - receiver.arrivals[0] >= 0.5


def test_duplicates_are_exact(telegram: TelegramStandIn, receiver: Receiver) -> None:
    telegram.updates.duplicates = 2
    telegram.customer_says(77, "a")
    eventually(lambda: len(telegram.deliveries) == 3)
    assert receiver.updates[0] == receiver.updates[1] == receiver.updates[2]
    assert [delivery.is_duplicate for delivery in telegram.deliveries] == [False, True, True]


def test_an_answer_with_a_method_is_obeyed(telegram: TelegramStandIn, receiver: Receiver) -> None:
    receiver.reply = lambda _: (200, {}, b'{"method": "sendMessage", "chat_id": 77, "text": "by accident"}')
    telegram.customer_says(77, "a")
    eventually(lambda: telegram.said_by_bot(77))
    assert [said["text"] for said in telegram.said_by_bot(77)] == ["by accident"]


def test_after_a_day_an_update_is_dropped(receiver: Receiver) -> None:
    now = [1_800_000_000.0]
    receiver.reply = lambda _: (500, {}, b"")
    with TelegramStandIn(now=lambda: now[0], pace=0.01) as standin:
        standin.methods.run("setWebhook", {"url": receiver.url}, {})
        standin.customer_says(77, "a")
        eventually(lambda: standin.updates.webhook.last_error)
        now[0] += 86401
        assert standin.wait_idle()


def test_a_webhook_that_is_gone_for_a_day_is_taken_away(receiver: Receiver) -> None:
    now = [1_800_000_000.0]
    receiver.reply = lambda _: (410, {}, b"")
    with TelegramStandIn(now=lambda: now[0], pace=0.001) as standin:
        standin.methods.run("setWebhook", {"url": receiver.url}, {})
        standin.customer_says(77, "a")
        eventually(lambda: standin.updates.webhook.gone_since)
        now[0] += 23.5 * 3600
        eventually(lambda: not standin.updates.webhook.url)
        assert standin.methods.run("getWebhookInfo", {}, {})["url"] == ""
        assert standin.updates.pending() == 1
