"""A bridge inside the test's own process: the real handlers and a real PostgreSQL between a fake network and a fake helpdesk."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from plugin.config import EngineConfig, SearchConfig
from plugin.contracts.http import WebhookAnswer, WebhookRequest
from plugin.domain.events import Event
from plugin.domain.ids import ChannelKey, HelpdeskKey, Place
from plugin.handlers.drain import Drain
from plugin.handlers.installation import Channel, Desk, Installation
from plugin.handlers.polls import Poller
from plugin.handlers.receive import Receiver
from plugin.handlers.split import Splitter
from plugin.handlers.sweep import Sweeper
from plugin.store import conversations, cursors, ledger, places
from plugin.store.database import Database
from plugin.store.ledger import Balance
from plugin.store.spool import Spool
from plugin.testing.fake_helpdesk import FakeHelpdesk
from plugin.testing.fake_platform import FakePlatform

CHANNEL, DESK = Place("channel:fake"), Place("helpdesk:fake")
QUICK = EngineConfig(
    lease_seconds=2.0,
    turn_seconds=1.0,
    settle_seconds=0.1,
    backoff_base=0.02,
    backoff_cap=0.1,
    parent_wait_seconds=0.5,
    reply_wait_seconds=0.3,
    loop_pace_seconds=0.0,
)


MADE: list[Inner] = []
"""Those of the test that runs now; a fixture closes them, however it ends."""


class CountedWakeUps:
    """Counts how often somebody was woken."""

    def __init__(self) -> None:
        self.count = 0

    def wake(self) -> None:
        self.count += 1


@contextlib.contextmanager
def _free_slot(_: Place) -> Iterator[bool]:
    yield True


class Inner:
    """The bridge, its two sides, and the hands of a worker."""

    def __init__(
        self,
        database_url: str,
        *,
        platform: FakePlatform | None = None,
        desk: FakeHelpdesk | None = None,
        others: Mapping[str, FakePlatform] | None = None,
        spool: Spool | None = None,
        late: str = "reopen",
        engine: EngineConfig = QUICK,
        searches: Mapping[str, SearchConfig] | None = None,
    ) -> None:
        self.platform, self.desk = platform or FakePlatform(), desk or FakeHelpdesk()
        self.database = Database(database_url, pool_size=8)
        self.wakeups = CountedWakeUps()
        self.spool = spool
        channels = {CHANNEL: self._channel("fake", self.platform, late)}
        channels |= {Place(f"channel:{key}"): self._channel(key, other, late) for key, other in (others or {}).items()}
        channels[CHANNEL] = replace(channels[CHANNEL], searches=searches or {})
        self.installation = Installation(
            channels=channels,
            desks={DESK: Desk(key=HelpdeskKey("fake"), place=DESK, kind="fake", adapter=self.desk)},
            engine=engine,
        )
        self.splitter = Splitter(self.installation, self.database)
        self.poller = Poller(self.installation, self.database, self.splitter)
        self.drain = Drain(self.installation, self.database, _free_slot)
        self.sweeper = Sweeper(self.installation, self.database, self.wakeups)
        self.receiver = Receiver(self.installation, self.database, self.wakeups, spool)
        MADE.append(self)
        with self.database.begin() as connection:
            places.register(connection, self.installation.adapters)
            cursors.register(connection, self.poller.tasks)

    @staticmethod
    def _channel(key: str, platform: FakePlatform, late: str) -> Channel:
        return Channel(
            key=ChannelKey(key),
            place=Place(f"channel:{key}"),
            platform="fake",
            platform_name="Fake network",
            adapter=platform,
            helpdesk=DESK,
            group="Social",
            late=late,
        )

    def close(self) -> None:
        """Let go of the connections."""
        self.database.dispose()

    # -- what comes in

    def told(self, *events: Event, place: Place = CHANNEL) -> WebhookAnswer | None:
        """A webhook arrives from the network, or from the helpdesk if `place` says so."""
        adapter: Any = self.installation.adapter(place)
        return self.receiver.receive(place, adapter.webhook(*events))

    def received(self, place: Place, request: WebhookRequest) -> None:
        """This very request arrives."""
        self.receiver.receive(place, request)

    def touched(self, event: Event) -> None:
        """The helpdesk tells of a change in a ticket."""
        self.told(event, place=DESK)

    # -- what a worker does

    def round(self, *, polls: bool = False) -> int:
        """Split, poll if asked, and work every conversation that is due. Returns how much there was."""
        found = self.splitter.split_due()
        if polls:
            found += self.poller.poll_due()
        for lease in self.claim():
            found += 1
            self.drain.work(lease)
        return found

    def claim(self, owner: str = "test") -> list[conversations.Lease]:
        """Lease what is due."""
        seconds = self.installation.engine.lease_seconds
        return self.database.run(lambda connection: conversations.claim(connection, owner=owner, limit=50, seconds=seconds))

    def settle(self, *, seconds: float = 15.0, polls: bool = False) -> None:
        """Work until nothing is open any more but what waits for a person."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not self.round(polls=polls) and not self.open():
                return
            time.sleep(0.01)
        raise AssertionError(
            f"still open after {seconds} s: {self.rows('SELECT * FROM intent')} {self.rows('SELECT * FROM inbound_event')}"
        )

    def until(self, condition: Callable[[], Any], *, seconds: float = 10.0, polls: bool = False) -> None:
        """Work until something is so."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not so after {seconds} s"
            self.round(polls=polls)
            time.sleep(0.01)

    # -- what is there

    def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        """The database's own word."""
        with self.database.begin() as connection:
            return [dict(row._mapping) for row in connection.execute(text(query), parameters)]

    def one(self, query: str, **parameters: Any) -> Any:
        """A single value of it."""
        (row,) = self.rows(query, **parameters)
        return next(iter(row.values()))

    def open(self) -> int:
        """How much work a worker has still to do."""
        query = (
            "SELECT (SELECT count(*) FROM receipt WHERE state IN ('new', 'retry')) + (SELECT count(*) FROM inbound_event WHERE state = 'waiting') "
            "+ (SELECT count(*) FROM conversation WHERE due_at IS NOT NULL OR lease_until > now())"
        )
        return int(self.one(query))

    def balance(self) -> Balance:
        """The ledger's counts."""
        with self.database.begin() as connection:
            return ledger.balance(connection)

    def alerts(self) -> list[str]:
        """The codes of what the admin has been told."""
        return [row["code"] for row in self.rows("SELECT code FROM alert WHERE closed_at IS NULL ORDER BY id")]

    def states(self, table: str = "inbound_event") -> list[str]:
        """States in order, with reasons."""
        return [f"{row['state']}:{row['reason']}".rstrip(":") for row in self.rows(f"SELECT state, reason FROM {table} ORDER BY id")]

    def filed(self) -> list[str]:
        """The first line of every article that is the customer's words, over all tickets, in order."""
        found = [article for ticket in self.desk.tickets for article in ticket.articles if article.new is not None and not article.internal]
        return [article.text.plain.splitlines()[0] for article in found]

    def notes(self) -> list[str]:
        """Every internal article that the bridge wrote."""
        return [article.text.plain for ticket in self.desk.tickets for article in ticket.articles if article.new and article.internal]

    def delivered(self, platform: FakePlatform | None = None) -> list[str]:
        """What the bridge said on the network."""
        return [post.text.plain for post in (platform or self.platform).delivered]

    def is_whole(self) -> None:
        """The counts hold."""
        balance = self.balance()
        assert balance.is_ok, balance


def with_capabilities(adapter: Any, **changes: Any) -> Any:
    """The same fake with other capabilities."""
    adapter.capabilities = replace(adapter.capabilities, **changes)
    return adapter


def sequence(words: str, count: int) -> Sequence[str]:
    """`count` numbered sentences."""
    return [f"{words} {number}" for number in range(count)]
