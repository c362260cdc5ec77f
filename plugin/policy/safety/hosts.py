"""Where an address really leads: read as browsers read it, not as people do (WHATWG URL Standard, host parsing; UTS 46)."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

import idna

from plugin.policy.safety.skeletons import latinise, scripts

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=:)")
_AUTHORITY_END = re.compile(r"[/\\?#]")
_PORT = re.compile(r":[0-9]*\Z")
_WEB = frozenset({"http", "https", "ftp", "ws", "wss"})
_NUMERIC = re.compile(r"(?:0x[0-9a-f]+|[0-9]+)(?:\.(?:0x[0-9a-f]+|[0-9]+)){0,3}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An address taken apart. `url` has nothing invisible left; `host` is ASCII as the resolver gets it, `readable` what a browser might show."""

    url: str
    scheme: str
    host: str
    readable: str
    userinfo: str = ""
    has_invisible: bool = False
    is_number: bool = False
    """An IP address, however written."""
    imitates: str = ""
    """The Latin name for which its letters can be taken."""


def read(url: str) -> Address:
    """Take an address apart; never fails. Without a scheme it counts as `https`; without a host, as in `mailto:`, `host` is empty."""
    cleaned = "".join(letter for letter in url if unicodedata.category(letter) not in ("Cc", "Cf", "Zl", "Zp")).strip()
    match = _SCHEME.match(cleaned)
    scheme = match.group().lower() if match else ""
    if match and scheme not in _WEB and not cleaned.startswith("://", match.end()) and (scheme in ("mailto", "tel") or "." not in scheme):
        return Address(url=cleaned, scheme=scheme, host="", readable="", has_invisible=cleaned != url.strip())
    is_bare = match is None or "." in scheme
    rest = cleaned if is_bare or match is None else cleaned[match.end() + 1 :]
    rest = rest.lstrip("/\\")
    end = _AUTHORITY_END.search(rest)
    authority = rest[: end.start()] if end else rest
    userinfo, _, host = authority.rpartition("@")
    host, readable = _resolve(_PORT.sub("", host))
    return Address(
        url=cleaned,
        scheme="https" if is_bare else scheme,
        host=host,
        readable=readable,
        userinfo=userinfo,
        has_invisible=cleaned != url.strip(),
        is_number=_is_number(host),
        imitates=_imitates(readable),
    )


def _resolve(host: str) -> tuple[str, str]:
    """The ASCII form and the readable one."""
    plain = unicodedata.normalize("NFKC", unquote(host)).lower().replace("\u3002", ".").strip(".")
    try:
        asked = idna.encode(plain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        asked = plain if plain.isascii() else _punycode(plain)
    return asked, ".".join(_unicode(label) for label in asked.split("."))


def _punycode(plain: str) -> str:
    """By hand, for what the standard forbids and some resolver might still take."""
    known = plain.encode("utf-8", "replace").decode("utf-8")
    return ".".join(label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii") for label in known.split("."))


def _unicode(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError):
        return label


def _is_number(host: str) -> bool:
    if _NUMERIC.fullmatch(host):
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _imitates(readable: str) -> str:
    """The Latin name that a foreign or mixed one can be taken for; empty where it is a word of its own language."""
    if readable.isascii():
        return ""
    latin = ".".join(latinise(label) for label in readable.split("."))
    foreign = scripts("".join(letter for letter in readable if not letter.isascii()))
    return latin if latin.isascii() and (foreign - {"LATIN"} or len(scripts(readable)) > 1) else ""


def is_within(host: str, domain: str) -> bool:
    """Whether `host` is `domain` or lies below it; `www.` in front means nothing."""
    host, domain = host.removeprefix("www."), domain.removeprefix("www.")
    return host == domain or host.endswith(f".{domain}")
