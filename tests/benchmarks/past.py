"""A past to try a policy on: finished messages and replies as people write them, in a store, and a back-test of two policies over them.

The whole way counts: reading from the store, decoding, finding what the rules ask of each message, and judging it twice. Every message has words of
its own, and every other conversation is public, where more rules look.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import resource
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from plugin.domain.codec import encode_event
from plugin.domain.events import ArticleAdded, ArticleAuthor, MessageReceived
from plugin.domain.ids import ArticleRef, ContactRef, MessageRef, ThreadKey, TicketRef
from plugin.domain.model import Contact, Visibility
from plugin.domain.text import Text
from plugin.handlers.backtesting import backtest
from plugin.policy.policy import Policy
from plugin.store.database import Database
from tests.benchmarks import chatter
from tests.benchmarks.ground import Ground
from tests.benchmarks.history import OFFSET, load_finished

_BATCH = 5_000
_VARY = """
    WITH said AS (SELECT * FROM jsonb_to_recordset(CAST(:said AS jsonb)) AS s(n bigint, kind text, payload jsonb))
    UPDATE inbound_event e SET kind = said.kind, payload = said.payload || jsonb_build_object('event_key', e.event_key)
    FROM said WHERE e.id = said.n
"""
_PUBLIC = "UPDATE conversation SET visibility = 'public' WHERE id % 2 = 0"
_REPLY = """
    UPDATE message m SET direction = 'outbound', contact_id = NULL FROM inbound_event e WHERE e.id = m.event_id AND e.kind = 'ArticleAdded'
"""


def run(here: Ground, names: Sequence[str], read: Callable[[str], Policy], *, count: int) -> dict[str, Any]:
    """Store the messages, then judge them in a process of its own, whose memory is only its own. `read` finds the two policies by name."""
    url = here.database()
    load_finished(url, count, per_contact=5)
    _vary(url, count)
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_judge, (here, url, names, read))


def _vary(url: str, count: int) -> None:
    """Give the stored messages words, and make every third a reply."""
    dice = random.Random(1)
    database = Database(url, pool_size=1, statement_seconds=1800)
    with database.begin() as connection:
        for first in range(1, count + 1, _BATCH):
            events = {
                OFFSET + number: _replied(chatter.answered(dice)) if number % 3 == 2 else _asked(chatter.asked(dice))
                for number in range(first, min(first + _BATCH, count + 1))
            }
            said = [{"n": number, "kind": type(event).__name__, "payload": encode_event(event)} for number, event in events.items()]
            connection.execute(text(_VARY), {"said": json.dumps(said)})
        connection.execute(text(_REPLY))
        connection.execute(text(_PUBLIC))
    with database.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
    database.dispose()


def _asked(said: str) -> MessageReceived:
    return MessageReceived(
        event_key="",
        occurred_at=None,
        message_ref=MessageRef("old"),
        thread_key=ThreadKey("old"),
        visibility=Visibility.PRIVATE,
        author=Contact(ref=ContactRef("old"), display_name="Customer"),
        text=Text(said),
    )


def _replied(said: str) -> ArticleAdded:
    return ArticleAdded(
        event_key="",
        occurred_at=None,
        ticket_ref=TicketRef("old"),
        article_ref=ArticleRef("old"),
        author=ArticleAuthor.AGENT,
        agent_name="Ada",
        is_reply=True,
        text=Text(said),
    )


def _judge(here: Ground, url: str, names: Sequence[str], read: Callable[[str], Policy]) -> dict[str, Any]:
    bridge = here.bridge(url)
    before, after = map(read, names)
    began, worked = time.perf_counter(), time.process_time()
    report = backtest(bridge.database, bridge.installation, before, after, since=datetime(2020, 1, 1, tzinfo=UTC))
    found = {
        "messages": report.moments,
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(time.process_time() - worked, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
        "differences": report.total,
        "target": "100,000 in < 60 s and < 500 MB",
    }
    bridge.database.dispose()
    return found
