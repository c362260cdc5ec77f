"""Which addresses from outside may be fetched. A name is resolved once; the connection goes to the very addresses that were checked.

Knows nothing of HTTP. Refused are all but global unicast addresses, also where one hides inside another (IPv4-mapped, 6to4, NAT64),
and host names in the old numeric forms (`2130706433`, `0x7f.1`, `0177.0.0.1`), which resolvers read as addresses.
(OWASP, "Server Side Request Forgery Prevention Cheat Sheet"; IANA, "Special-Purpose Address Registries".)
"""

from __future__ import annotations

import ipaddress
import queue
import re
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from plugin.domain.errors import RemoteRejected

Resolver = Callable[[str, int], Sequence[str]]
"""Host and port to addresses in the order in which to try them. Raises OSError where there is none."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # Azure's metadata server, at an address that looks public
        "192.0.0.0/24",  # protocol assignments, Oracle's metadata server among them; partly "global" in some Pythons
        "192.88.99.0/24",  # 6to4 relays
        "64:ff9b:1::/48",  # NAT64 of one's own network
        "2001::/23",  # protocol assignments, Teredo among them
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fec0::/10",  # site-local, as it once was
    )
)
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_UNSAFE = re.compile(r"[^!#$%&'()*+,/:;=?@\[\]~\w.-]|[^\x00-\x7f]", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A readable address of a web server."""

    is_tls: bool
    host: str
    port: int
    path: str
    """Path and query, as they go on the wire."""

    @property
    def origin(self) -> tuple[bool, str, int]:
        """What may share a connection."""
        return self.is_tls, self.host, self.port


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRules:
    """What may be fetched. `allow_private` opens loopback and private networks (never link-local, multicast or metadata addresses)."""

    allow_private: bool = False
    ports: frozenset[int] | None = frozenset([80, 443])
    """None: any port."""

    def check_target(self, target: Target) -> None:
        """Refuse ports and spellings before anything is resolved.

        Raises:
            RemoteRejected: not to be fetched.
        """
        if self.ports is not None and target.port not in self.ports:
            raise _refusal(f"port {target.port} is not one that files are fetched from")
        last = target.host.rstrip(".").rpartition(".")[2]
        if _NUMBER.fullmatch(last) and as_address(target.host) is None:
            raise _refusal("its host is a number in disguise")

    def check_addresses(self, addresses: Sequence[str]) -> None:
        """Refuse the lot if one of them is not to be reached: an honest name never mixes public and private ones.

        Raises:
            RemoteRejected: not to be fetched.
        """
        for text in addresses:
            address = as_address(text)
            if address is None or not self._may_reach(address):
                raise _refusal("it leads into a private or reserved network")

    def _may_reach(self, address: _Address) -> bool:
        innermost = address
        while (inner := _inside(innermost)) is not None:
            innermost = inner
        if any(innermost in network for network in _NEVER) or innermost.is_multicast or innermost.is_link_local or innermost.is_unspecified:
            return False
        if self.allow_private and (innermost.is_loopback or innermost.is_private):
            return True
        return innermost.is_global and not innermost.is_reserved


def read_target(url: str) -> Target:
    """The parts of an http(s) URL. A user name in it is refused: it only ever serves to deceive, and credentials go into headers.

    Raises:
        RemoteRejected: it cannot be read, or is not http(s).
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except ValueError:
        raise _refusal("it cannot be read") from None
    if parts.scheme not in ("http", "https"):
        raise _refusal("it is neither http nor https")
    if not host or parts.username is not None or not host.isprintable() or " " in host or "\\" in parts.netloc:
        raise _refusal("it names no host, or a user with it")
    is_tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(
        is_tls=is_tls,
        host=host,
        port=(443 if is_tls else 80) if port is None else port,
        path=quote(path, safe="!#$%&'()*+,/:;=?@[]~") if _UNSAFE.search(path) else path,
    )


def as_address(text: str) -> _Address | None:
    """`text` as an address in its one canonical form, or None."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def resolve_by_system(host: str, port: int) -> Sequence[str]:
    """The system's own resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(item[4][0]) for item in found))


def resolve(resolver: Resolver, host: str, port: int, until: float) -> Sequence[str]:
    """Ask `resolver`, but not past `until` (monotonic seconds). The system's resolver cannot be interrupted, so it is left behind.

    Raises:
        OSError: no such host, or no answer in time.
    """
    if as_address(host) is not None:
        return (host,)
    answers: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolver(host, port))
        except (OSError, UnicodeError) as problem:
            answers.put(problem if isinstance(problem, OSError) else OSError("the name cannot be looked up"))

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, until - time.monotonic()))
    except queue.Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(answer, OSError):
        raise answer
    if not answer:
        raise OSError("the name has no address")
    return answer


def _inside(address: _Address) -> _Address | None:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _refusal(reason: str) -> RemoteRejected:
    return RemoteRejected(f"The address was not fetched: {reason}. The message was kept; open the link by hand if you trust it.")
