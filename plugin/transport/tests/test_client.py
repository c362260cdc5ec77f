"""Calls against a real server that loses, cuts, drips and bombs."""

from __future__ import annotations

import gzip
import os
import pickle
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from plugin.contracts.http import FormFile
from plugin.domain.errors import CrossdeskError, OutcomeUnknown, RemoteError, RemoteRejected, RemoteUnavailable
from plugin.transport import client as client_module
from plugin.transport.client import Client, Transport
from plugin.transport.sessions import Session
from plugin.transport.tests import scripted
from plugin.transport.tests.certificate import self_signed
from plugin.transport.tests.scripted import ScriptedServer

SECRET = "s3cr3t/token+value"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer().running() as running:
        yield running


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport()
    yield made
    made.close()


@pytest.fixture
def client(transport: Transport) -> Client:
    return transport.client(name="Zammad", secrets=[SECRET], timeout=5)


def test_says_what_it_was_told(server: ScriptedServer, client: Client) -> None:
    server.scripts["/x"] = scripted.answering("201 Created", b'{"id": 7}', X_One="a", x_one="b")
    answer = client.request(
        "post", server.url("/x?a=1"), params={"b": "ü &", "c": 2}, json={"title": "ü"}, headers={"Authorization": "Bearer q"}
    )
    assert (answer.status, answer.json(), answer.headers["x-one"]) == (201, {"id": 7}, "a, b")
    asked = server.asked[0]
    assert (asked.method, asked.path) == ("POST", "/x?a=1&b=%C3%BC+%26&c=2")
    assert asked.body == b'{"title":"\\u00fc"}'
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["authorization"] == "Bearer q"
    assert asked.headers["host"] == f"127.0.0.1:{server.port}"


def test_forms_files_and_bytes(server: ScriptedServer, client: Client) -> None:
    client.request("POST", server.url(), data={"a": "1 2"})
    client.request(
        "POST", server.url(), data={"a": "ü"}, files=[("doc", FormFile(filename="ä.png", content=b"\x89P", content_type="image/png"))]
    )
    client.request("PUT", server.url("/ä b"), data=b"raw", headers={"Content-Type": "image/png"})
    form, multipart, raw = server.asked
    assert (form.body, form.headers["content-type"]) == (b"a=1+2", "application/x-www-form-urlencoded")
    assert multipart.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="doc"; filename="\xc3\xa4.png"\r\nContent-Type: image/png\r\n\r\n\x89P\r\n' in multipart.body
    assert (raw.path, raw.body, raw.headers["content-type"]) == ("/%C3%A4%20b", b"raw", "image/png")


def test_connections_are_used_again_and_cookies_are_not_kept(server: ScriptedServer, client: Client) -> None:
    server.scripts["/"] = scripted.answering(Set_Cookie="session=1")
    for _ in range(5):
        client.request("GET", server.url())
        client.request("POST", server.url())
    assert server.connections == 1
    assert not any("cookie" in asked.headers for asked in server.asked)


def test_redirects_are_answers(server: ScriptedServer, client: Client) -> None:
    server.scripts["/"] = scripted.answering("302 Found", b"", Location="http://10.0.0.1/")
    assert client.request("GET", server.url()).headers["location"] == "http://10.0.0.1/"


def test_head_and_empty_answers(server: ScriptedServer, client: Client) -> None:
    server.scripts["/none"] = scripted.saying(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert client.request("HEAD", server.url()).body == b""
    assert client.request("DELETE", server.url("/none")).status == 204


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_refused_is_surely_not_applied(client: Client) -> None:
    with pytest.raises(RemoteUnavailable, match="nothing listens there"):
        client.request("POST", f"http://127.0.0.1:{_closed_port()}/")


def test_unknown_hosts_are_surely_not_applied() -> None:
    def nobody(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(RemoteUnavailable, match="no such host"):
        Transport(resolver=nobody).client(name="x").request("POST", "http://desk.example/")


def test_a_resolver_that_hangs_does_not_outlive_the_deadline() -> None:
    release = threading.Event()

    def hanging(host: str, port: int) -> list[str]:
        release.wait(20)
        return []

    started = time.monotonic()
    with pytest.raises(RemoteUnavailable, match="no answer in time"):
        Transport(resolver=hanging).client(name="x").request("POST", "http://desk.example/", timeout=0.3)
    assert time.monotonic() - started < 2
    release.set()


def test_a_connection_that_nobody_accepts_is_surely_not_applied() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        with pytest.raises(RemoteUnavailable, match="no answer in time"):
            Transport(connect_seconds=0.3).client(name="x").request("POST", f"http://127.0.0.1:{full.getsockname()[1]}/")
        for one in waiting:
            one.close()


def test_a_failing_tls_handshake_is_surely_not_applied(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk_plainly() -> None:
            accepted, _ = listener.accept()
            with accepted:
                accepted.recv(10)
                accepted.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=talk_plainly)
        thread.start()
        with pytest.raises(RemoteUnavailable, match="no secure connection"):
            client.request("POST", f"https://127.0.0.1:{listener.getsockname()[1]}/", timeout=2)
        thread.join()


def test_certificates_count(tmp_path: Path) -> None:
    certificate = self_signed("desk.example", tmp_path)

    def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with ScriptedServer(tls=context).running() as server:
        url = f"https://desk.example:{server.port}/"
        with pytest.raises(RemoteUnavailable, match="certificate is not trusted"):
            Transport(resolver=here).client(name="x").request("POST", url)
        trusting = Transport(resolver=here, ca_file=str(certificate), allow_private=True)
        assert trusting.client(name="x").request("POST", url, json=1).is_ok
        assert trusting.client(name="x").request("POST", url, json=2).is_ok
        assert trusting.client(name="x").download(url, max_bytes=9).body == b"{}"
        with pytest.raises(RemoteUnavailable, match="certificate is not trusted"):
            trusting.client(name="x").request("POST", url.replace("desk", "evil"))
        assert [asked.connection for asked in server.asked] == [2, 2, 3]


LOST = {
    "hang up": scripted.hanging_up,
    "reset": scripted.resetting,
    "no answer": scripted.silent,
    "not HTTP": scripted.saying(b"SSH-2.0-OpenSSH\r\n"),
    "half a head": scripted.saying(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "half a body": scripted.saying(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"),
    "half a chunk": scripted.saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc"),
    "negative chunk": scripted.saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n"),
    "broken gzip": scripted.answering(body=b"no gzip", Content_Encoding="gzip"),
    "cut gzip": scripted.answering(body=gzip.compress(b"a" * 99)[:-9], Content_Encoding="gzip"),
    "unasked coding": scripted.answering(body=b"x", Content_Encoding="br"),
    "dripping head": scripted.dripping(b"HTTP/1.1 200 OK\r\n", b"x", 0.05),
    "dripping body": scripted.dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x", 0.05),
}


@pytest.mark.parametrize("script", LOST.values(), ids=LOST.keys())
def test_a_lost_answer_is_unknown_for_writes_and_unavailable_for_reads(
    server: ScriptedServer, client: Client, script: scripted.Script
) -> None:
    server.scripts["/"] = script
    for method, expected in (("POST", OutcomeUnknown), ("PUT", OutcomeUnknown), ("DELETE", OutcomeUnknown), ("GET", RemoteUnavailable)):
        started = time.monotonic()
        with pytest.raises(RemoteError) as caught:
            client.request(method, server.url(), json={"a": 1}, timeout=0.4)
        assert type(caught.value) is expected
        assert time.monotonic() - started < 2
    assert [asked.method for asked in server.asked] == ["POST", "PUT", "DELETE", "GET"]


def test_a_connection_closed_while_idle_costs_a_read_one_more_try(server: ScriptedServer, client: Client) -> None:
    seen: dict[int, int] = {}

    def closes_second(accepted: socket.socket, asked: scripted.Asked) -> bool:
        seen[asked.connection] = seen.get(asked.connection, 0) + 1
        return seen[asked.connection] == 1 and scripted.answering()(accepted, asked)

    server.scripts["/"] = closes_second
    assert client.request("GET", server.url()).is_ok
    assert client.request("GET", server.url()).is_ok
    with pytest.raises(OutcomeUnknown):
        client.request("POST", server.url())
    assert server.connections == 2
    assert len(server.asked) == 4


def test_a_write_never_meets_a_connection_that_idled(server: ScriptedServer, client: Client, transport: Transport) -> None:
    client.request("GET", server.url())
    for idle in transport._pool.values():
        for connection in idle:
            connection.idle_since -= client_module._IDLE_FOR_WRITES + 1
    client.request("GET", server.url())
    assert server.connections == 1
    for idle in transport._pool.values():
        for connection in idle:
            connection.idle_since -= client_module._IDLE_FOR_WRITES + 1
    client.request("POST", server.url())
    assert server.connections == 2


def test_a_connection_that_was_closed_meanwhile_is_noticed(server: ScriptedServer, client: Client) -> None:
    server.scripts["/last"] = scripted.saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    client.request("POST", server.url("/last"))
    time.sleep(0.05)
    assert client.request("POST", server.url()).is_ok


def test_bombs_and_oversize_are_cut_off(server: ScriptedServer, client: Client) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    server.scripts["/bomb"] = scripted.answering(body=bomb, Content_Encoding="gzip")
    server.scripts["/big"] = scripted.answering(body=b"x" * 2_000)
    server.scripts["/endless"] = scripted.dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1000, 0.001)
    server.scripts["/fits"] = scripted.answering(body=gzip.compress(b"y" * 1000), Content_Encoding="gzip")
    for path in ("/bomb", "/big", "/endless"):
        with pytest.raises(RemoteRejected, match="more than may be taken"):
            client.request("GET", server.url(path), max_bytes=1000)
        with pytest.raises(OutcomeUnknown, match="200"):
            client.request("POST", server.url(path), max_bytes=1000)
    assert client.request("GET", server.url("/fits"), max_bytes=1000).body == b"y" * 1000


def test_a_big_request_to_a_server_that_does_not_read_ends_in_time(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            client.request("POST", f"http://127.0.0.1:{deaf.getsockname()[1]}/", data=b"x" * 50_000_000, timeout=0.5)
        assert time.monotonic() - started < 2


@pytest.mark.parametrize("headers", [{"Authorization": f"Bearer {SECRET}\r\nX: y"}, {"X": "snow \N{SNOWMAN}"}])
def test_what_http_cannot_carry_is_refused_unsent(server: ScriptedServer, client: Client, headers: dict[str, str]) -> None:
    with pytest.raises(RemoteRejected, match="Nothing was sent") as caught:
        client.request("POST", server.url(), headers=headers)
    assert SECRET not in str(caught.value)
    assert not server.asked


@pytest.mark.parametrize(
    "url", ["ftp://x/", "http://", "http://[::1/", "http://a:b@127.0.0.1/", "http://127.0.0.1:99999/", "nonsense", "http://a b/"]
)
def test_what_is_no_address_is_refused(client: Client, url: str) -> None:
    with pytest.raises(RemoteRejected):
        client.request("POST", url)


def test_secrets_show_in_no_error(client: Client, server: ScriptedServer) -> None:
    server.scripts["/lost"] = scripted.saying(f"{SECRET}\r\n".encode())
    port = _closed_port()
    for url in (
        f"http://127.0.0.1:{port}/bot123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc/sendMessage",
        f"http://127.0.0.1:{port}/a?access_token=AAEhBOweik6ad9r&{SECRET}",
        f"http://127.0.0.1:{port}/{SECRET}/x",
        server.url("/lost"),
    ):
        with pytest.raises(CrossdeskError) as caught:
            client.request("POST", url, headers={"X": SECRET})
        shown = f"{caught.value!r} {caught.value} {caught.value.detail} {pickle.loads(pickle.dumps(caught.value))}"
        assert not [part for part in (SECRET, "AAEhBOweik6ad9r", "s3cr3t") if part in shown]
        assert "Zammad" in str(caught.value)
    assert SECRET not in repr(client)


def test_many_threads_share_the_connections(server: ScriptedServer, client: Client) -> None:
    def call(number: int) -> bool:
        return client.request("POST", server.url(f"/{number}"), json=number).is_ok

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(call, range(800)))
    assert sorted(int(asked.body) for asked in server.asked) == list(range(800))
    assert server.connections <= 40


def test_a_fork_starts_with_connections_of_its_own(server: ScriptedServer, client: Client, transport: Transport) -> None:
    client.request("GET", server.url())
    transport._pid = os.getpid() + 1  # what a child would see
    client.request("GET", server.url())
    assert server.connections == 2


def test_sessions_for_sdks_end_here_too(server: ScriptedServer, client: Client) -> None:
    server.scripts["/moved"] = scripted.answering("302 Found", b"", Location="/elsewhere", Set_Cookie="a=1")
    server.scripts["/lost"] = scripted.hanging_up
    with Session(client) as session:
        assert session.post(server.url("/x"), json={"a": 1}, timeout=3).json() == {}
        assert session.get(server.url("/moved")).status_code == 302
        assert not session.cookies
        with pytest.raises(OutcomeUnknown):
            session.post(server.url("/lost"), data={"a": "b"})
    assert [asked.path for asked in server.asked] == ["/x", "/moved", "/lost"]


def test_tls_is_checked() -> None:
    context = Transport()._tls()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
