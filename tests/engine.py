"""The engine between a network and a helpdesk in memory, on a real database: driven step by step, or by several workers at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from plugin.config import EngineConfig, SearchConfig
from plugin.contracts.http import WebhookRequest
from plugin.domain.events import HelpdeskEvent, PlatformEvent
from plugin.domain.ids import ChannelKey, HelpdeskKey, Place
from plugin.handlers import pressing
from plugin.handlers.drain import Drain
from plugin.handlers.installation import Channel, Desk, Installation, PolicyAtWork
from plugin.handlers.polls import Poller
from plugin.handlers.pressing import Press
from plugin.handlers.receive import Receiver
from plugin.handlers.split import Splitter
from plugin.platforms._page.adapter import PageAdapter
from plugin.store import conversations, cursors, ledger, places
from plugin.store.database import Database
from plugin.store.ledger import Balance
from plugin.testing.fake_helpdesk import FakeHelpdesk
from plugin.testing.fake_platform import FakePlatform

CHANNEL, DESK, PAGE = Place("channel:fake"), Place("helpdesk:fake"), Place("channel:page.fake")
QUICK = EngineConfig(
    lease_seconds=2.0,
    turn_seconds=1.0,
    settle_seconds=0.05,
    backoff_base=0.02,
    backoff_cap=0.1,
    parent_wait_seconds=0.3,
    reply_wait_seconds=0.1,
    album_wait_seconds=0.2,
    loop_turns=1000,
)


class Counter:
    """Wake-ups that are only counted."""

    def __init__(self) -> None:
        self.count = 0

    def wake(self) -> None:
        self.count += 1


class Engine:
    """One bridge with one channel and one helpdesk."""

    def __init__(
        self,
        url: str,
        *,
        network: FakePlatform | None = None,
        helpdesk: FakeHelpdesk | None = None,
        config: EngineConfig = QUICK,
        late: str = "reopen",
        searches: Mapping[str, SearchConfig] | None = None,
        policy: PolicyAtWork | None = None,
        page: PageAdapter | None = None,
    ) -> None:
        self.network = network or FakePlatform()
        self.helpdesk = helpdesk or FakeHelpdesk()
        self.database = Database(url, pool_size=6, connect_seconds=1.0)
        channel = Channel(
            key=ChannelKey("fake"),
            place=CHANNEL,
            platform="fake",
            platform_name="Fake network",
            adapter=self.network,
            helpdesk=DESK,
            group="Social",
            late=late,
            searches=searches or {},
        )
        desk = Desk(key=HelpdeskKey("fake"), place=DESK, kind="fake", adapter=self.helpdesk)
        channels = {CHANNEL: channel}
        if page is not None and policy is not None:
            policy = replace(policy, page=page)
            channels[PAGE] = replace(channel, key=ChannelKey("page.fake"), place=PAGE, platform="page", adapter=page, group="")
        self.installation = Installation(channels=channels, desks={DESK: desk}, engine=config, policy=policy)
        self.splitter = Splitter(self.installation, self.database)
        self.poller = Poller(self.installation, self.database, self.splitter)
        self.drain = Drain(self.installation, self.database, _always)
        self.wakeups = Counter()
        self.receiver = Receiver(self.installation, self.database, self.wakeups, None)
        with self.database.begin() as connection:
            places.register(connection, self.installation.adapters)
            cursors.register(connection, self.poller.tasks)

    def tell(self, *events: PlatformEvent) -> None:
        """The network's webhook brings events."""
        self.receive(CHANNEL, self.network.webhook(*events))

    def tell_of_tickets(self, *events: HelpdeskEvent) -> None:
        """The helpdesk's webhook brings events."""
        self.receive(DESK, self.helpdesk.webhook(*events))

    def press(self, action: str, *, who: str = "Ada Agent", role: str = "agent", reason: str = "", **arguments: str) -> None:
        """A person presses something in the first conversation."""
        pressing.press(self.database, 1, Press(action=action, actor=who, role=role, reason=reason, arguments=arguments))

    def wait_for(self, timer: str) -> None:
        """The moment of a timer comes."""
        self.rows(
            """
            WITH come AS (UPDATE inbound_event SET due_at = now() WHERE kind = 'TimerElapsed' AND state = 'waiting' AND payload->>'name' = :name
                          RETURNING conversation_id)
            UPDATE conversation SET due_at = now() WHERE id IN (SELECT conversation_id FROM come) RETURNING id
            """,
            name=timer,
        )

    def stage(self, conversation: int = 1) -> str:
        """Where a conversation stands."""
        return str(self.rows("SELECT stage FROM conversation WHERE id = :id", id=conversation)[0].stage)

    def decided(self) -> list[str]:
        """The rules by which something was decided, in order."""
        return [row.rule for row in self.rows("SELECT rule FROM decision ORDER BY id")]

    def receive(self, place: Place, request: WebhookRequest) -> None:
        """A delivery arrives and is answered 2xx."""
        assert self.receiver.receive(place, request) is None

    def work(self) -> int:
        """One round: split what is new, and work what is due now. Returns how many conversations were worked."""
        self.splitter.split_due()
        leases = self.database.run(lambda connection: conversations.claim(connection, owner="test", limit=8, seconds=self._lease))
        for lease in leases:
            self.drain.work(lease)
        return len(leases)

    def settle(self, *, seconds: float = 10.0) -> None:
        """Work until nothing is due any more, not even soon."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not self.work() and not self.is_open():
                return
            time.sleep(0.01)
        raise AssertionError(
            f"still open: {self.rows('SELECT id, lane, op, state, reason, reason_text FROM intent WHERE ended_at IS NULL')}"
        )

    def is_open(self) -> bool:
        """Whether something will be due by itself."""
        return bool(
            self.rows("SELECT 1 FROM conversation WHERE due_at < now() + interval '1 minute' OR lease_until > now() LIMIT 1")
            or self.rows("SELECT 1 FROM receipt WHERE state IN ('new', 'retry') LIMIT 1")
        )

    @contextmanager
    def crowd(self, workers: int) -> Iterator[None]:
        """So many workers at once while inside."""
        over = threading.Event()

        def labour() -> None:
            while not over.is_set():
                if not self.work():
                    over.wait(0.005)

        threads = [threading.Thread(target=labour) for _ in range(workers)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def balance(self) -> Balance:
        """The ledger's counts."""
        with self.database.begin() as connection:
            return ledger.balance(connection)

    def rows(self, statement: str, **parameters: Any) -> Sequence[Any]:
        """What the database says."""
        with self.database.begin() as connection:
            return connection.execute(text(statement), parameters).all()

    def articles(self, ticket: int = 0) -> list[str]:
        """What a ticket's articles say, in order."""
        return [article.text.plain for article in self.helpdesk.tickets[ticket].articles]

    def notes(self, ticket: int = 0) -> list[str]:
        """What a ticket's internal articles by the bridge say."""
        return [article.text.plain for article in self.helpdesk.tickets[ticket].articles if article.internal and article.new is not None]

    def delivered(self) -> list[str]:
        """What the bridge said on the network, in order."""
        return [post.text.plain for post in self.network.delivered]

    def close(self) -> None:
        """Give the connections back."""
        self.database.dispose()

    @property
    def _lease(self) -> float:
        return self.installation.engine.lease_seconds


@contextmanager
def _always(_: Place) -> Iterator[bool]:
    yield True


def quick(**changes: Any) -> EngineConfig:
    """The quick engine, with some values changed."""
    return replace(QUICK, **changes)
