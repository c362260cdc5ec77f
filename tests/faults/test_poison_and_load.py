"""What is poisonous, oversized or endless (cases 36, 37 and 40)."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import requests

from plugin.domain.events import ArticleAdded, ArticleAuthor
from plugin.domain.ids import ArticleRef
from plugin.domain.text import Text
from tests.faults import children
from tests.faults.inner import Inner
from tests.faults.running import Running, until
from tests.faults.stage import SECRETS, Said
from tests.webhooks import signed_by_the_network


def deliver(lasting: Running, body: bytes, **headers: str) -> requests.Response:
    """A correctly signed webhook with this very body."""
    signed = signed_by_the_network(body, secret=SECRETS["network_secret"], at=time.time())
    url = f"http://127.0.0.1:{lasting.stage.receiver_port}/in/channel/practice"
    return requests.post(url, data=body, headers={**signed.headers, **headers}, timeout=20)


def _event(said: Said, text: str, **changes: object) -> bytes:
    """A message of the conversation as the network would tell it."""
    author = {"id": said.customer.user_id, "handle": said.customer.handle, "name": "N", "url": "http://127.0.0.1/", "is_company": False}
    post: dict[str, object] = {
        "id": f"m_poison{abs(hash((text[:50], str(changes)))):x}",
        "kind": "message",
        "author": author,
        "text": text,
        "conversation": {"id": said.customer.user_id, "with": said.customer.user_id},
        "reply_to": None,
        "media": [],
        "client_ref": None,
        "url": "http://127.0.0.1/",
        "revision": 0,
        "created_at": "2026-11-21T12:00:00.000Z",
    }
    post.update(changes)
    event = {"id": "e1", "type": "message.created", "at": "2026-11-21T12:00:00.000Z", "post": post}
    return json.dumps({"account": {"id": "u_acme"}, "events": [event]}).encode()


POISONS: dict[str, Callable[[Said], bytes]] = {
    "broken UTF-8": lambda said: b'{"account": {"id": "u_acme"}, "events": ["\xff\xfe\x80"]}',
    "no JSON at all": lambda said: b"\x00\x01\x02 hello",
    "nothing": lambda said: b"",
    "a list": lambda said: b"[1, 2, 3]",
    "not a number": lambda said: b'{"account": NaN, "events": Infinity}',
    "a lone surrogate": lambda said: _event(said, "a lone \ud800 surrogate"),
    "a NUL byte": lambda said: _event(said, "a NUL \x00 byte"),
    "a megabyte of combining marks": lambda said: _event(said, "e" + "\u0301" * 160_000),
    "deep nesting": lambda said: b'{"account": {"id": "u_acme"}, "events": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a huge number": lambda said: b'{"account": {"id": "u_acme"}, "events": [' + b"9" * 100_000 + b"]}",
    "an unknown type": lambda said: _event(said, "text").replace(b"message.created", b"message.levitated"),
    "missing fields": lambda said: _event(said, "text").replace(b'"conversation"', b'"conversion"'),
    "a number for a text": lambda said: _event(said, "text", url=7),
    "a time that is none": lambda said: _event(said, "text").replace(b"2026-11-21T12:00:00.000Z", b"2026-99-99T99:99:99Z"),
    "a name of control characters": lambda said: _event(said, "text \x1b[31m\r\n{}", url="javascript:alert(1)"),
}


@pytest.mark.parametrize("poison", POISONS)
def test_36_poison_is_taken_set_aside_with_a_reason_and_the_conversation_goes_on(lasting: Running, poison: str) -> None:
    _, private = lasting.pair()
    lasting.stage.write(private)
    lasting.is_whole()
    assert deliver(lasting, POISONS[poison](private)).status_code == 200
    lasting.stage.write(private)
    lasting.is_whole()
    assert not lasting.rows("SELECT 1 FROM receipt WHERE state IN ('new', 'retry')")
    assert not lasting.rows("SELECT 1 FROM receipt WHERE state = 'quarantined' AND reason = ''")


def test_37_a_delivery_that_kills_whoever_reads_it_is_set_aside_and_the_others_go_on(database_url: str, tmp_path: Path) -> None:
    inner = Inner(database_url)
    for words in ("before", "poison", "after"):
        inner.told(inner.platform.say("ann", words))
    deaths = _until_it_lives(children.split_poison, database_url, tmp_path)
    assert 1 <= deaths <= 9
    assert [row["state"] for row in inner.rows("SELECT state FROM receipt ORDER BY id")] == ["split", "quarantined", "split"]
    inner.settle()
    assert inner.filed() == ["before", "after"]
    inner.is_whole()


def test_37_an_event_that_kills_whoever_routes_it_is_set_aside_after_three_deaths(database_url: str, tmp_path: Path) -> None:
    inner = Inner(database_url)
    inner.told(inner.platform.say("ann", "hello"))
    inner.settle()
    for number, words in enumerate(("poison", "the next answer")):
        inner.touched(
            ArticleAdded(
                event_key=f"article:{number}",
                occurred_at=None,
                ticket_ref=inner.desk.tickets[0].ref,
                article_ref=ArticleRef(f"a90{number}"),
                author=ArticleAuthor.AGENT,
                agent_name="Ada",
                is_reply=True,
                text=Text(words),
            )
        )
    deaths = _until_it_lives(children.route_poison, database_url, tmp_path)
    assert 3 <= deaths <= 4
    found = inner.rows("SELECT state, reason FROM inbound_event WHERE kind = 'ArticleAdded' ORDER BY id")
    assert [row["state"] for row in found] == ["quarantined", "done"]
    assert "ended its process" in found[0]["reason"]
    inner.is_whole()


def test_37_a_wish_that_kills_whoever_fulfils_it_is_set_aside_and_its_lane_goes_on(database_url: str, tmp_path: Path) -> None:
    inner = Inner(database_url)
    inner.told(inner.platform.say("ann", "hello"))
    inner.settle()
    for words in ("poison", "the next message"):
        inner.told(inner.platform.say("ann", words))
    deaths = _until_it_lives(children.file_poison, database_url, tmp_path)
    assert 3 <= deaths <= 9
    assert [row["state"] for row in inner.rows("SELECT state FROM intent WHERE op = 'file' ORDER BY id")] == ["sent", "quarantined", "sent"]
    inner.is_whole()


def _until_it_lives(work: object, database_url: str, tmp_path: Path) -> int:
    """How many children died before one came to its end."""
    for deaths in range(12):
        code = children.die(work, database_url, faults="", log=tmp_path / "log")  # type: ignore[arg-type]
        if code == 0:
            return deaths
        assert code == -signal.SIGKILL, (tmp_path / "log").read_text()
    raise AssertionError("they never stopped dying")


@pytest.fixture
def knocking(lasting: Running) -> Iterator[list[socket.socket]]:
    """Connections that say a word and then drip."""
    sockets = []
    for _ in range(40):
        knocker = socket.create_connection(("127.0.0.1", lasting.stage.receiver_port), timeout=20)
        knocker.sendall(b"POST /in/channel/practice HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        sockets.append(knocker)
    yield sockets
    for knocker in sockets:
        knocker.close()


def test_40_senders_that_drip_do_not_keep_others_out(lasting: Running, knocking: list[socket.socket]) -> None:
    began = time.monotonic()
    assert deliver(lasting, b'{"account": {"id": "u_acme"}, "events": []}').status_code == 200
    for knocker in knocking[:8]:
        knocker.sendall(b"a")
    public, _ = lasting.pair()
    lasting.stage.write(public)
    lasting.is_whole()
    assert time.monotonic() - began < 15


def test_40_bodies_and_headers_beyond_all_measure_are_refused_early_and_memory_stays_flat(lasting: Running) -> None:
    until(lambda: lasting.bridge.below("receiver"))
    before = _resident(lasting)
    received = lasting.rows("SELECT count(*) AS total FROM receipt")
    head = b"POST /in/channel/practice HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"
    for _ in range(5):
        assert _answer_to(lasting, head, then=b"x" * 65536).startswith(b"HTTP/1.1 413")
    many = b"POST /in/channel/practice HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(10_000)) + b"\r\n"
    assert _answer_to(lasting, many).startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))
    assert lasting.rows("SELECT count(*) AS total FROM receipt") == received
    bomb = gzip.compress(b"0" * 50_000_000)
    assert deliver(lasting, bomb, **{"Content-Encoding": "gzip"}).status_code == 200, "kept as it came, never unpacked"
    assert _resident(lasting) - before < 30_000_000
    lasting.is_whole()


def _resident(lasting: Running) -> int:
    return sum(psutil.Process(pid).memory_info().rss for pid in lasting.bridge.below("receiver"))


def _answer_to(lasting: Running, head: bytes, *, then: bytes = b"") -> bytes:
    with socket.create_connection(("127.0.0.1", lasting.stage.receiver_port), timeout=20) as knocker:
        try:
            knocker.sendall(head)
            if then:
                knocker.sendall(then)
        except ConnectionError:
            pass
        return knocker.recv(64)
