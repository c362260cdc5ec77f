"""What may be fetched, and that the address that was checked is the one that is connected to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.domain.errors import RemoteRejected, RemoteUnavailable
from plugin.transport.addresses import AddressRules, read_target
from plugin.transport.client import Transport
from plugin.transport.tests import scripted
from plugin.transport.tests.scripted import ScriptedServer

REFUSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:1::1",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "100::1",
]
PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]


@pytest.mark.parametrize("address", REFUSED)
def test_refused(address: str) -> None:
    with pytest.raises(RemoteRejected):
        AddressRules().check_addresses([address])


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    AddressRules().check_addresses([address])


def test_one_private_address_spoils_the_lot() -> None:
    with pytest.raises(RemoteRejected):
        AddressRules().check_addresses(["8.8.8.8", "10.0.0.1"])


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.1.1.1", "192.168.0.1", "fd00::1", "::ffff:127.0.0.1", "8.8.8.8"])
def test_private_where_the_admin_says_so(address: str) -> None:
    AddressRules(allow_private=True).check_addresses([address])


@pytest.mark.parametrize("address", ["0.0.0.0", "169.254.169.254", "::ffff:169.254.169.254", "224.0.0.1", "fe80::1", "168.63.129.16", "::"])
def test_never(address: str) -> None:
    with pytest.raises(RemoteRejected):
        AddressRules(allow_private=True).check_addresses([address])


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0x7f000001", "127.0.0.01", "1.2.3.4.5", "10.0.0.1.", "a.0x1"]
)
def test_numbers_in_disguise(host: str) -> None:
    with pytest.raises(RemoteRejected):
        AddressRules(allow_private=True).check_target(read_target(f"http://{host}/"))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://x/",
        "http://x:22/",
        "https://x:8443/",
        "http://user@x/",
        "//x/",
        "http://a\\@b/",
        "http://\N{ROMAN NUMERAL ONE}\x00/",
    ],
)
def test_refused_before_anything_is_resolved(url: str) -> None:
    def never(host: str, port: int) -> list[str]:
        raise AssertionError

    with pytest.raises(RemoteRejected):
        Transport(resolver=never).client(name="x").download(url, max_bytes=10)


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for url in (text, f"http://{text}/", f"https://x/{text}"):
        try:
            target = read_target(url)
            AddressRules().check_target(target)
        except RemoteRejected:
            continue
        assert target.host.isascii()
        assert target.path.isascii()
        assert not set(target.path) & set(" \r\n\t\0")


class Names:
    """A resolver whose answers change with each question, as with DNS rebinding."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self._answers = {name.replace("_", "."): list(given) for name, given in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        given = self._answers[host]
        return given.pop(0) if len(given) > 1 else given[0]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer().running() as running:
        yield running


def test_the_checked_address_is_the_one_connected_to(server: ScriptedServer) -> None:
    names = Names(files_example=[["127.0.0.1"], ["169.254.169.254"]])
    answer = Transport(resolver=names, allow_private=True).client(name="x").download(server.url("/a", "files.example"), max_bytes=10)
    assert answer.body == b"{}"
    assert names.asked == ["files.example"]
    assert server.asked[0].headers["host"] == f"files.example:{server.port}"


def test_rebinding_to_private_space_is_refused(server: ScriptedServer) -> None:
    for first, second in ((["127.0.0.1"], ["8.8.8.8"]), (["8.8.8.8", "127.0.0.1"], ["8.8.8.8"])):
        names = Names(files_example=[first, second])
        with pytest.raises(RemoteRejected, match="private or reserved"):
            Transport(resolver=names, ports=[server.port]).client(name="x").download(server.url("/", "files.example"), max_bytes=10)
    assert not server.asked


LEADS = [
    "http://169.254.169.254/latest/meta-data/",
    "http://inner.example/",
    "file:///etc/passwd",
    "http://0xa9fea9fe/",
    "//inner.example/x",
]


@pytest.mark.parametrize("location", LEADS)
def test_redirects_are_checked_again(server: ScriptedServer, location: str) -> None:
    server.scripts["/"] = scripted.answering("302 Found", b"", Location=location)
    names = Names(files_example=[["127.0.0.1"]], inner_example=[["169.254.10.1"]])
    with pytest.raises(RemoteRejected):
        Transport(resolver=names, allow_private=True).client(name="x").download(server.url("/", "files.example"), max_bytes=10)
    assert len(server.asked) == 1


def test_redirects_are_followed_three_times_and_credentials_stay_home(server: ScriptedServer) -> None:
    names = Names(files_example=[["127.0.0.1"]], cdn_example=[["127.0.0.1"]])
    client = Transport(resolver=names, allow_private=True).client(name="x")
    server.scripts["/1"] = scripted.answering("302 Found", b"", Location="2")
    server.scripts["/2"] = scripted.answering("307 Temporary Redirect", b"", Location=server.url("/3", "cdn.example"))
    server.scripts["/3"] = scripted.answering("301 Moved", b"", Location="/4")
    answer = client.download(server.url("/1", "files.example"), max_bytes=10, headers={"Authorization": "Bearer q"})
    assert answer.body == b"{}"
    assert answer.url == server.url("/4", "cdn.example")
    assert ["authorization" in asked.headers for asked in server.asked] == [True, True, False, False]
    server.scripts["/0"] = scripted.answering("302 Found", b"", Location="/1")
    with pytest.raises(RemoteRejected, match="too often"):
        client.download(server.url("/0", "files.example"), max_bytes=10)


def test_downloads_are_capped(server: ScriptedServer) -> None:
    client = Transport(allow_private=True).client(name="x", timeout=0.5)
    server.scripts["/big"] = scripted.answering(body=b"x" * 11)
    server.scripts["/slow"] = scripted.dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x", 0.2)
    with pytest.raises(RemoteRejected):
        client.download(server.url("/big"), max_bytes=10)
    with pytest.raises(RemoteUnavailable):
        client.download(server.url("/slow"), max_bytes=10)
