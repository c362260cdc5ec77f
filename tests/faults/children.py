"""What forked children do in the tests about deaths: each is a piece of the bridge that ends at a fault point, or at something poisonous."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults.processes import arm, context, enter


def die(work: Callable[..., None], *arguments: Any, faults: str, log: Path) -> int | None:
    """Run `work` in a child with armed fault points; its exit code (negative: the signal that ended it)."""
    child = context().Process(target=_live, args=(work, arguments, faults, str(log)), daemon=True)
    child.start()
    child.join(60)
    code = child.exitcode
    child.kill()
    child.join()
    child.close()
    return code


def _live(work: Callable[..., None], arguments: tuple[Any, ...], faults: str, log: str) -> None:
    enter(Path(log))
    arm(faults, "")
    work(*arguments)


def split(database_url: str) -> None:
    """Split what is new, as soon as the claims of the dead have run out."""
    from dataclasses import replace

    from tests.faults.inner import QUICK, Inner

    inner = Inner(database_url, engine=replace(QUICK, lease_seconds=0.2, turn_seconds=0.1))
    while inner.rows("SELECT 1 FROM receipt WHERE state IN ('new', 'retry')"):
        inner.splitter.split_due()


def migrate(database_url: str) -> None:
    """Bring the schema up to date."""
    from plugin.store import schema

    schema.upgrade(database_url)


def spool(folder: str, words: str) -> None:
    """Keep one delivery in the spool."""
    from plugin.store.spool import Spool
    from plugin.testing.fake_platform import FakePlatform
    from tests.faults.inner import CHANNEL

    platform = FakePlatform()
    kept = Spool(Path(folder), most=10**6)
    kept.prepare()
    request = platform.webhook(platform.say("ann", words))
    from plugin.store.receipts import NewReceipt

    kept.keep(
        NewReceipt(place=CHANNEL, method=request.method, path=request.path, query=request.query, headers=request.headers, body=request.body)
    )


def import_spool(folder: str, database_url: str) -> None:
    """Bring the spool into the database."""
    from plugin.store.database import Database
    from plugin.store.spool import Spool

    Spool(Path(folder), most=10**6).import_into(Database(database_url, pool_size=1))


def ask(database_url: str) -> None:
    """Ask what is due of a network on which people have muttered, and changed what they had said."""
    muttering(database_url).poller.poll_due()


def hear(database_url: str) -> None:
    """Listen to a network that calls out as soon as somebody listens."""
    import threading
    from dataclasses import replace

    from plugin.handlers.hearing import Hearing
    from plugin.testing.fake_news import AudibleNetwork
    from tests.faults.inner import QUICK, Inner

    network = AudibleNetwork()
    inner = Inner(database_url, platform=network, engine=replace(QUICK, poll_floor_seconds=0.0))
    over = threading.Event()
    listening = threading.Thread(target=Hearing(inner.installation, inner.database, inner.wakeups).run, args=(over,))
    listening.start()
    while not inner.wakeups.count:
        network.call_out()
        over.wait(0.02)
    over.set()
    listening.join()


def muttering(database_url: str) -> Any:
    """A bridge to that network: the same words in every process."""
    from dataclasses import replace

    from plugin.config import SearchConfig
    from plugin.testing.fake_abilities import AbleNetwork
    from tests.faults.inner import QUICK, Inner

    network = AbleNetwork()
    said = network.say("ann", "My number is 12345")
    network.change_quietly(said.message_ref, "My number is secret")
    for number in range(5):
        network.mutter("otto", f"Crossdesk {number}")
    engine = replace(QUICK, lease_seconds=0.2, turn_seconds=0.1)
    return Inner(database_url, platform=network, engine=engine, searches={"brand": SearchConfig(query="crossdesk", a_day=100)})


def split_poison(database_url: str) -> None:
    """Split with an adapter whose parser ends the process at a certain word, as an endless regular expression or a fault in C would."""
    from dataclasses import replace

    from plugin.contracts.http import WebhookRequest
    from plugin.testing.fake_platform import FakePlatform
    from tests.faults.inner import QUICK, Inner

    class Poisoned(FakePlatform):
        def parse(self, request: WebhookRequest) -> Any:
            if b"poison" in request.body:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().parse(request)

    inner = Inner(database_url, platform=Poisoned(), engine=replace(QUICK, lease_seconds=0.2, turn_seconds=0.1))
    while inner.rows("SELECT 1 FROM receipt WHERE state IN ('new', 'retry')"):
        inner.splitter.split_due()


def file_poison(database_url: str) -> None:
    """Work with a helpdesk adapter that ends the process at a certain word."""
    from dataclasses import replace

    from plugin.domain.ids import ArticleRef, Marker, TicketRef
    from plugin.domain.model import FiledArticle, NewArticle
    from plugin.testing.fake_helpdesk import FakeHelpdesk
    from tests.faults.inner import QUICK, Inner

    class Poisoned(FakeHelpdesk):
        def add_article(self, ticket_ref: TicketRef, article: NewArticle, *, marker: Marker) -> FiledArticle:
            if "poison" in article.text.plain:
                os.kill(os.getpid(), signal.SIGKILL)
            return FiledArticle(ticket_ref=ticket_ref, article_ref=ArticleRef("a777"))

        def find_article(self, ticket_ref: TicketRef, *, marker: Marker) -> FiledArticle | None:
            return None

    Inner(database_url, desk=Poisoned(), engine=replace(QUICK, lease_seconds=0.4, turn_seconds=0.3)).settle(seconds=20)


def route_poison(database_url: str) -> None:
    """Work with a platform whose ruler ends the process at a certain word."""
    from dataclasses import replace

    from plugin.contracts.capabilities import Ruler
    from plugin.testing.fake_platform import FakePlatform
    from tests.faults.inner import QUICK, Inner, with_capabilities

    def measure(words: str) -> int:
        if "poison" in words:
            os.kill(os.getpid(), signal.SIGKILL)
        return len(words)

    platform = FakePlatform()
    limits = replace(platform.capabilities.limits, ruler=Ruler(name="poisoned", unit="characters", measure=measure))
    engine = replace(QUICK, lease_seconds=0.4, turn_seconds=0.3)
    Inner(database_url, platform=with_capabilities(platform, limits=limits), engine=engine).settle(seconds=20)
