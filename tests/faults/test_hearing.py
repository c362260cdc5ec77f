"""Platforms that call out that there is news: a sign makes the poll due and no more, and without any the poll comes all the same."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from plugin.domain.errors import CredentialsRejected, RateLimited, RemoteRejected, RemoteUnavailable
from plugin.handlers.hearing import Hearing
from plugin.store import cursors, places
from plugin.testing.fake_news import AudibleNetwork
from tests.faults import children
from tests.faults.inner import CHANNEL, QUICK, Inner


@pytest.fixture
def network() -> AudibleNetwork:
    return AudibleNetwork()


@pytest.fixture
def bridge(database_url: str, network: AudibleNetwork) -> Inner:
    """A bridge that has polled once, and will not again for an hour."""
    inner = Inner(database_url, platform=network, engine=replace(QUICK, poll_floor_seconds=0.0))
    assert inner.poller.poll_due() == 0
    assert not is_due(inner)
    return inner


@contextlib.contextmanager
def hearing(inner: Inner) -> Iterator[None]:
    """While inside, somebody listens; afterwards nobody does, within moments."""
    over = threading.Event()
    thread = threading.Thread(target=Hearing(inner.installation, inner.database, inner.wakeups).run, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)
        assert not thread.is_alive()


def until(condition: Callable[[], object], *, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not so in time"
        time.sleep(0.01)


def is_due(inner: Inner) -> bool:
    return bool(inner.one("SELECT due_at <= now() FROM cursor WHERE task = 'poll' AND place = :place", place=CHANNEL))


def stand(inner: Inner, status: str) -> None:
    with inner.database.begin() as connection:
        assert places.set_status(connection, CHANNEL, status, "")


def test_a_sign_makes_the_poll_due_and_wakes(bridge: Inner, network: AudibleNetwork) -> None:
    with hearing(bridge):
        until(lambda: network.listeners)
        network.say("ann", "my printer smokes")
        until(lambda: bridge.wakeups.count)
        assert is_due(bridge)
        assert bridge.states() == []
    until(lambda: not network.listeners)
    bridge.settle(polls=True)
    assert bridge.filed() == ["my printer smokes"]
    bridge.is_whole()


def test_without_the_stream_the_poll_comes_all_the_same(database_url: str) -> None:
    network = AudibleNetwork(poll_seconds=0.05)
    network.troubles = [RemoteUnavailable("The stream broke.")] * 10_000
    inner = Inner(database_url, platform=network)
    with hearing(inner):
        until(lambda: network.calls > 2)
        network.say("ann", "my printer smokes")
        inner.settle(polls=True)
    assert inner.filed() == ["my printer smokes"]
    assert inner.wakeups.count == 0
    assert inner.alerts() == []


def test_a_stream_that_broke_is_opened_again(bridge: Inner, network: AudibleNetwork) -> None:
    network.troubles = [RemoteUnavailable("Away."), ValueError("a fault of ours"), RateLimited("Slowly.", retry_after=0.01)]
    with hearing(bridge):
        until(lambda: network.listeners)
        network.say("ann", "hello")
        until(lambda: bridge.wakeups.count)
    assert network.calls == 4


@pytest.mark.parametrize("trouble", [RemoteRejected("There is no stream here."), CredentialsRejected("Not for you.")])
def test_where_there_is_nothing_to_hear_nobody_asks_again_soon(bridge: Inner, network: AudibleNetwork, trouble: Exception) -> None:
    network.troubles = [trouble]
    with hearing(bridge):
        until(lambda: network.calls)
        time.sleep(0.7)  # seven times the longest pause of this engine
    assert (network.calls, network.listeners) == (1, 0)
    assert bridge.one("SELECT status FROM place WHERE key = :place", place=CHANNEL) == "active"


@pytest.mark.parametrize("status", ["paused", "reauth"])
def test_a_channel_that_rests_is_not_listened_to_until_it_is_resumed(bridge: Inner, network: AudibleNetwork, status: str) -> None:
    with hearing(bridge):
        until(lambda: network.listeners)
        stand(bridge, status)
        until(lambda: not network.listeners)
        calls = network.calls
        stand(bridge, "active")
        until(lambda: network.listeners)
        assert network.calls == calls + 1


def test_a_refusal_is_forgotten_when_the_channel_is_resumed(bridge: Inner, network: AudibleNetwork) -> None:
    network.troubles = [CredentialsRejected("Not with this token.")]
    stand(bridge, "reauth")
    with hearing(bridge):
        stand(bridge, "active")
        until(lambda: network.calls == 1)
        stand(bridge, "reauth")
        until(lambda: all(thread.name != f"hear {CHANNEL}" for thread in threading.enumerate()))
        stand(bridge, "active")
        until(lambda: network.listeners)


def test_a_sign_during_a_poll_is_told_after_it(bridge: Inner, network: AudibleNetwork) -> None:
    with bridge.database.begin() as connection:
        cursors.ask_now(connection, CHANNEL)
        (lease,) = cursors.claim(connection, [(CHANNEL, cursors.POLL)], limit=1, seconds=60)
    with hearing(bridge):
        until(lambda: network.listeners)
        network.say("ann", "while you looked")
        time.sleep(0.1)
        assert bridge.wakeups.count == 0
        with bridge.database.begin() as connection:
            cursors.advance(connection, lease, cursors.Step(position=None, again_in=3600))
        until(lambda: bridge.wakeups.count)
    assert is_due(bridge)


def test_a_sign_right_after_a_poll_waits_for_the_shortest_pause(bridge: Inner) -> None:
    with bridge.database.begin() as connection:
        assert cursors.poll_now(connection, CHANNEL, floor=60.0)
    assert not is_due(bridge)
    left = bridge.one(
        "SELECT extract(epoch FROM due_at - last_ok_at)::double precision FROM cursor WHERE task = 'poll' AND place = :place", place=CHANNEL
    )
    assert left == 60.0


def test_many_signs_are_one(bridge: Inner, network: AudibleNetwork) -> None:
    with hearing(bridge):
        until(lambda: network.listeners)
        for number in range(50):
            network.say("ann", f"{number}")
        until(lambda: bridge.wakeups.count)
        assert bridge.wakeups.count == 1


def test_two_listeners_are_harmless(bridge: Inner, network: AudibleNetwork) -> None:
    with hearing(bridge), hearing(bridge):
        until(lambda: network.listeners == 2)
        network.say("ann", "hello")
        until(lambda: bridge.wakeups.count == 2)
        bridge.settle(polls=True)
    assert bridge.filed() == ["hello"]


@pytest.mark.parametrize("where", ["hear.before_commit", "hear.before_wake"])
def test_a_listener_that_dies_loses_nothing(where: str, tmp_path: Path, database_url: str, bridge: Inner, network: AudibleNetwork) -> None:
    network.say("ann", "nobody was woken for this")
    assert children.die(children.hear, database_url, faults=f"{where}=1:kill", log=tmp_path / "log") == -9
    assert is_due(bridge) is (where == "hear.before_wake")
    with hearing(bridge):
        until(lambda: network.listeners)
        network.call_out()
        until(lambda: bridge.wakeups.count)
    bridge.settle(polls=True)
    assert bridge.filed() == ["nobody was woken for this"]
    bridge.is_whole()
