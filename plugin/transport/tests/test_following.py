"""Streams without end, from servers that say nothing, say too much, cut off, or refuse."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from plugin.contracts.http import FollowsStreams, HttpResponse, Patience
from plugin.domain.errors import RemoteRejected, RemoteUnavailable
from plugin.transport.client import Client, Transport
from plugin.transport.tests import scripted
from plugin.transport.tests.scripted import ScriptedServer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
CHUNKED, PLAIN = HEAD + b"Transfer-Encoding: chunked\r\n\r\n", HEAD + b"\r\n"
SECRET = "s3cr3t-token-of-ours"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer().running() as running:
        yield running


@pytest.fixture
def client() -> Client:
    return Transport().client(name="Toots", secrets=[SECRET], timeout=5)


def never() -> bool:
    return False


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def starting(raw: bytes, then: scripted.Script) -> scripted.Script:
    def script(accepted: socket.socket, asked: scripted.Asked) -> bool:
        accepted.sendall(raw)
        return then(accepted, asked)

    return script


def lines_of(
    client: Client, url: str, *, is_over: Callable[[], bool] = never, idle: float = 30.0, most: int = 1 << 16
) -> tuple[HttpResponse, list[str]]:
    lines: list[str] = []
    patience = Patience(is_over=is_over, idle_seconds=idle, line_bytes=most)
    return client.follow(url, lines.append, patience=patience, headers={"authorization": f"Bearer {SECRET}"}), lines


def test_lines_come_as_they_are_said_and_a_cut_one_was_never_said(server: ScriptedServer, client: Client) -> None:
    said = chunk(b":)\nevent: not") + chunk("ification\r\ndata: ü\n\n".encode()) + chunk(b"half a li") + b"0\r\n\r\n"
    server.scripts["/"] = scripted.saying(CHUNKED + said)
    answer, lines = lines_of(client, server.url())
    assert (answer.status, answer.body, lines) == (200, b"", [":)", "event: notification", "data: ü", ""])
    assert isinstance(client, FollowsStreams)
    (asked,) = server.asked
    assert (asked.headers["accept"], asked.headers["accept-encoding"]) == ("text/event-stream", "identity")
    assert asked.headers["authorization"] == f"Bearer {SECRET}"


def test_a_stream_of_no_declared_length_ends_with_its_connection(server: ScriptedServer, client: Client) -> None:
    server.scripts["/"] = scripted.saying(PLAIN + b"data: 1\n\n")
    assert lines_of(client, server.url())[1] == ["data: 1", ""]


@pytest.mark.parametrize("status", ["401 Unauthorized", "429 Too Many Requests", "404 Not Found"])
def test_another_answer_comes_back_as_it_is(server: ScriptedServer, client: Client, status: str) -> None:
    server.scripts["/"] = scripted.answering(status, b'{"error":"no"}', Retry_After="7", Content_Type="application/json")
    answer, lines = lines_of(client, server.url())
    assert (answer.status, answer.json(), answer.retry_after, lines) == (int(status[:3]), {"error": "no"}, 7.0, [])


def test_a_page_is_no_stream(server: ScriptedServer, client: Client) -> None:
    server.scripts["/"] = scripted.answering(body=b"<html>\n</html>", Content_Type="text/html")
    answer, lines = lines_of(client, server.url())
    assert (answer.status, answer.body, lines) == (200, b"<html>\n</html>", [])
    server.scripts["/"] = scripted.answering(body=b"x" * 70_000, Content_Type="text/html")
    with pytest.raises(RemoteRejected, match="more than may be taken"):
        lines_of(client, server.url())


def test_who_says_nothing_for_too_long_is_left(server: ScriptedServer, client: Client) -> None:
    server.scripts["/silent"] = scripted.silent
    server.scripts["/head"] = starting(CHUNKED, scripted.silent)
    for path in ("/silent", "/head"):
        with pytest.raises(RemoteUnavailable, match="no answer in time"):
            lines_of(client, server.url(path), idle=0.1)


@pytest.mark.parametrize("head", [CHUNKED, PLAIN])
def test_a_line_without_end_is_cut_off(server: ScriptedServer, client: Client, head: bytes) -> None:
    piece = b"x" * 4096
    server.scripts["/"] = scripted.dripping(head, chunk(piece) if head is CHUNKED else piece, 0.001)
    with pytest.raises(RemoteRejected, match="more than may be taken"):
        lines_of(client, server.url())


def test_a_stream_that_is_cut_is_told_from_one_that_ended(server: ScriptedServer, client: Client) -> None:
    server.scripts["/"] = scripted.saying(CHUNKED + chunk(b"data: 1\n\n") + b"40\r\nhalf")
    with pytest.raises(RemoteUnavailable, match="ended early") as refused:
        lines_of(client, server.url(f"/?access_token={SECRET}"))
    assert SECRET not in str(refused.value) + refused.value.detail


def test_a_packed_stream_is_not_unpacked(server: ScriptedServer, client: Client) -> None:
    server.scripts["/"] = scripted.saying(HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b")
    with pytest.raises(RemoteUnavailable):
        lines_of(client, server.url())


@pytest.mark.parametrize("path", ["/silent", "/head", "/talks"])
def test_whoever_follows_can_stop_at_once(server: ScriptedServer, client: Client, path: str) -> None:
    asked, over = threading.Event(), threading.Event()

    def noted(then: scripted.Script) -> scripted.Script:
        def script(accepted: socket.socket, it: scripted.Asked) -> bool:
            asked.set()
            return then(accepted, it)

        return script

    server.scripts["/silent"] = noted(scripted.silent)
    server.scripts["/head"] = starting(CHUNKED, noted(scripted.silent))
    server.scripts["/talks"] = noted(scripted.dripping(CHUNKED, chunk(b":thump\n"), 0.01))
    threading.Thread(target=lambda: over.set() if asked.wait(30) else None, daemon=True).start()
    answer, _ = lines_of(client, server.url(path), is_over=over.is_set, idle=300.0)
    assert answer.status == (0 if path == "/silent" else answer.status)


def test_a_stream_has_its_time(server: ScriptedServer, client: Client) -> None:
    server.scripts["/"] = scripted.dripping(CHUNKED, chunk(b":thump\n"), 0.01)
    server.scripts["/quiet"] = starting(CHUNKED, scripted.silent)
    for path in ("/", "/quiet"):
        answer = client.follow(server.url(path), lambda _: None, patience=Patience(is_over=never, seconds=0.2))
        assert answer.status == 200


def test_who_never_ends_a_head_has_the_time_of_a_call(server: ScriptedServer) -> None:
    server.scripts["/"] = scripted.dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.05)
    with pytest.raises(RemoteUnavailable):
        lines_of(Transport().client(name="Toots", timeout=0.3), server.url())


def test_an_address_that_somebody_else_named_must_be_public(server: ScriptedServer, client: Client) -> None:
    with pytest.raises(RemoteRejected):
        client.follow(server.url(), lambda _: None, patience=Patience(is_over=never), is_named=False)
    with pytest.raises(RemoteRejected):
        client.follow("ws://toot.example/", lambda _: None, patience=Patience(is_over=never))
    assert server.asked == []


def test_nobody_there(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(RemoteUnavailable, match="nothing listens there"):
        lines_of(client, f"http://127.0.0.1:{port}/")
    assert time.monotonic() - began < 30
