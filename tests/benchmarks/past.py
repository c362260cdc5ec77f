"""A past to try a policy on: finished messages and replies with words, in a store, and a back-test of two policies over them.

The whole way counts: reading from the store, decoding, finding what there is to know of each message, and judging it twice.
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
from tests.benchmarks.ground import Ground
from tests.benchmarks.history import load_finished

_WORDS = "the invoice refund phone is broken hello how do I get my money back please help lawyer outage price nothing works today"
_SAMPLES = 500
_VARY = """
    WITH sample AS (SELECT * FROM jsonb_to_recordset(CAST(:samples AS jsonb)) AS s(n int, kind text, payload jsonb))
    UPDATE inbound_event e SET kind = sample.kind, payload = sample.payload || jsonb_build_object('event_key', e.event_key)
    FROM sample WHERE sample.n = e.id % :count
"""
_REPLY = """
    UPDATE message m SET direction = 'outbound', contact_id = NULL FROM inbound_event e WHERE e.id = m.event_id AND e.kind = 'ArticleAdded'
"""


def run(here: Ground, names: Sequence[str], read: Callable[[str], Policy], *, count: int) -> dict[str, Any]:
    """Store the messages, then judge them in a process of its own, whose memory is only its own. `read` finds the two policies by name."""
    url = here.database()
    load_finished(url, count, per_contact=5)
    _vary(url)
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_judge, (here, url, names, read))


def _vary(url: str) -> None:
    """Give the stored messages words, and make every third a reply."""
    chance, words = random.Random(1), _WORDS.split()
    samples = []
    for number in range(_SAMPLES):
        said = Text(" ".join(chance.choices(words, k=20)))
        event = _replied(said) if number % 3 == 2 else _asked(said)
        samples.append({"n": number, "kind": type(event).__name__, "payload": encode_event(event)})
    database = Database(url, pool_size=1, statement_seconds=1800)
    with database.begin() as connection:
        connection.execute(text(_VARY), {"samples": json.dumps(samples), "count": _SAMPLES})
        connection.execute(text(_REPLY))
    with database.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
    database.dispose()


def _asked(said: Text) -> MessageReceived:
    return MessageReceived(
        event_key="",
        occurred_at=None,
        message_ref=MessageRef("old"),
        thread_key=ThreadKey("old"),
        visibility=Visibility.PRIVATE,
        author=Contact(ref=ContactRef("old"), display_name="Customer"),
        text=said,
    )


def _replied(said: Text) -> ArticleAdded:
    return ArticleAdded(
        event_key="",
        occurred_at=None,
        ticket_ref=TicketRef("old"),
        article_ref=ArticleRef("old"),
        author=ArticleAuthor.AGENT,
        agent_name="Ada",
        is_reply=True,
        text=said,
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
