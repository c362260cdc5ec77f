"""Links in what was said: found in words and marks, judged by where they really lead, and shown so that nobody can follow one by accident."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from plugin.domain.text import MarkKind, Text, join
from plugin.policy.safety.hosts import Address, is_within, read
from plugin.policy.safety.wordlists import any_of, load

_TRAILING = ".,;:!?'\"*_~|\u00ab\u00bb\u201c\u201d\u2019\u2026"
_CLOSING = {")": "(", "]": "[", "}": "{"}
_LONGEST = 2048
_DOT = re.compile(r"\.(?<=\w\.)[^\s<>\"]")
_AT_SCHEME = re.compile(r":(?<=\w:)")
_SCHEME = re.compile(r"(?:https?|ftp)(?=://)", re.IGNORECASE)
_TURNS = re.compile("[\u202a-\u202e]")
"""Characters that turn the direction of what follows, with which an address is made to read backwards."""


class Trick(StrEnum):
    """What is wrong with a link."""

    OTHER_LABEL = "other_label"
    USERINFO = "userinfo"
    PUNYCODE = "punycode"
    LOOK_ALIKE = "look_alike"
    INVISIBLE = "invisible"
    SHORTENER = "shortener"
    NUMBER = "number"
    SCHEME = "scheme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link at `plain[start:end]`. `label` are its words where a mark gave them a target of their own."""

    start: int
    end: int
    address: Address
    label: str = ""
    tricks: tuple[Trick, ...] = ()


def find(text: Text) -> tuple[Link, ...]:
    """All links, in order of place."""
    marked = sorted((mark for mark in text.marks if mark.kind is MarkKind.LINK and mark.target), key=lambda mark: mark.start)
    found: list[Link] = []
    for mark in marked:
        if not found or mark.start >= found[-1].end:
            found.append(_judge(mark.start, mark.end, mark.target, text.plain[mark.start : mark.end]))
    if _may_have_link(text.plain):
        at = 0
        for stop, behind in [*((link.start, link.end) for link in found), (len(text.plain), 0)]:
            for match in _shape().finditer(text.plain, at, stop):
                url = _trim(match.group())
                if url:
                    found.append(_judge(match.start(), match.start() + len(url), url, ""))
            at = behind
    return tuple(sorted(found, key=lambda link: link.start))


def hosts(links: tuple[Link, ...]) -> tuple[str, ...]:
    """The real hosts, each once."""
    return tuple(dict.fromkeys(link.address.host or f"{link.address.scheme}:" for link in links))


def addresses(links: tuple[Link, ...]) -> tuple[str, ...]:
    """Where they really lead, each once, for `message.links`: `https://evil.example/login`, with nothing before the host."""
    return tuple(dict.fromkeys(_real(link.address) for link in links))


def defang(text: Text, *, keep: Collection[str] = ()) -> Text:
    """`text` for a note: no link can be followed, each is shown with its real host, and what is wrong with it stands behind it.

    Honest links to the domains in `keep` stay as they are.
    """
    found = find(text)
    kept = [link for link in found if not link.tricks and any(is_within(link.address.host, domain) for domain in keep)]
    if kept:
        return _defang_but(text, kept)
    changes = [(link.start, link.end, _shown(link)) for link in found]
    for turn in _TURNS.finditer(text.plain):
        if all(not start <= turn.start() < end for start, end, _ in changes):
            changes.append((turn.start(), turn.end(), f"[U+{ord(turn.group()):04X}]"))
    if not changes and all(mark.kind is not MarkKind.LINK for mark in text.marks):
        return text
    plain = Text(text.plain, tuple(mark for mark in text.marks if mark.kind is not MarkKind.LINK))
    parts, at = [], 0
    for start, end, shown in sorted(changes):
        parts += [plain.slice(at, start), Text(shown)]
        at = end
    whole = join([*parts, plain.slice(at, len(plain.plain))])
    # A mark may begin in the middle of an address: what its edges put together again is undone, letter for letter, so that marks stay.
    return Text(_SCHEME.sub(lambda match: match.group().replace("t", "x").replace("T", "X"), whole.plain), whole.marks)


def _defang_but(text: Text, kept: Sequence[Link]) -> Text:
    """The same with some links left as they are."""
    parts, at = [], 0
    for link in kept:
        parts += [defang(text.slice(at, link.start)), text.slice(link.start, link.end)]
        at = link.end
    return join([*parts, defang(text.slice(at, len(text.plain)))])


def harmless(address: Address) -> str:
    """An address that no program takes for one: `hxxps://evil[.]example/path`."""
    if not address.host:
        return address.url.replace(":", "[:]", 1)
    port, path = _behind_host(address)
    shown = (f"{address.userinfo}@" if address.userinfo else "") + address.host + port
    return f"{address.scheme.replace('tt', 'xx')}://{shown.replace('.', '[.]')}{path.replace('.', '[.]').replace('://', '[://]')}"


def sentence(link: Link) -> str:
    """Where it leads and what is wrong with it, for people; empty for an honest link."""
    says = [_SAYS[trick] for trick in link.tricks]
    if not says:
        return ""
    readable = f" (shown as {link.address.readable})" if link.address.readable != link.address.host else ""
    real = f"real host: {link.address.host.replace('.', '[.]')}{readable}; " if link.address.host else ""
    return real + "; ".join(says).format(imitates=link.address.imitates.replace(".", "[.]"))


_SAYS = {
    Trick.OTHER_LABEL: "its words name another address",
    Trick.USERINFO: "what stands before the @ is not where it leads",
    Trick.PUNYCODE: "written with foreign letters",
    Trick.LOOK_ALIKE: "looks like {imitates}",
    Trick.INVISIBLE: "it had invisible or turned characters",
    Trick.SHORTENER: "a short link, nobody can see where it leads",
    Trick.NUMBER: "a number instead of a name",
    Trick.SCHEME: "not a web address",
}


def _real(address: Address) -> str:
    if not address.host:
        return address.url
    return f"{address.scheme}://{address.host}{''.join(_behind_host(address))}"


def _behind_host(address: Address) -> tuple[str, str]:
    """Port and path, as they stand in the address."""
    rest = re.sub(r"\A[A-Za-z][A-Za-z0-9+-]*:[/\\]*", "", address.url)
    end = re.search(r"[/\\?#]", rest)
    authority, path = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    port = re.search(r":[0-9]+\Z", authority)
    return (port.group() if port else "", path)


def _shown(link: Link) -> str:
    target = harmless(link.address)
    told = sentence(link)
    if link.label and link.label != link.address.url:
        return f"{_cleaned(link.label)} [link to {target}{'; ' + told if told else ''}]"
    return f"{target} [{told}]" if told else target


def _cleaned(label: str) -> str:
    """A label that is an address itself is defanged as well."""
    return _shape().sub(lambda match: harmless(read(_trim(match.group()))) + match.group()[len(_trim(match.group())) :], label)


def _judge(start: int, end: int, target: str, label: str) -> Link:
    address = read(target[:_LONGEST])
    tricks = [trick for trick, holds in _tests(address, label) if holds]
    return Link(start=start, end=end, address=address, label=label, tricks=tuple(tricks))


def _tests(address: Address, label: str) -> list[tuple[Trick, bool]]:
    named = _shape().search(label) if label else None
    shown = read(_trim(named.group())).host if named else ""
    return [
        (Trick.OTHER_LABEL, bool(shown) and not is_within(address.host, shown)),
        (Trick.USERINFO, bool(address.userinfo) and bool(address.host)),
        (Trick.PUNYCODE, "xn--" in address.host and not address.imitates),
        (Trick.LOOK_ALIKE, bool(address.imitates)),
        (Trick.INVISIBLE, address.has_invisible),
        (Trick.SHORTENER, address.host.removeprefix("www.") in _shorteners()),
        (Trick.NUMBER, address.is_number),
        (Trick.SCHEME, address.scheme not in ("http", "https", "mailto", "tel")),
    ]


def _may_have_link(plain: str) -> bool:
    """Whether it is worth while to look closely: a dot inside of a word, or a scheme."""
    return ("." in plain and _DOT.search(plain) is not None) or (":" in plain and _AT_SCHEME.search(plain) is not None)


def _trim(url: str) -> str:
    """Without the punctuation of the sentence around it."""
    while url:
        last = url[-1]
        is_unpaired = last in _CLOSING and url.count(last) > url.count(_CLOSING[last])
        if not (last in _TRAILING or is_unpaired):
            break
        url = url[:-1]
    return url


@cache
def _shorteners() -> frozenset[str]:
    return frozenset(load("links")["shorteners"])


@cache
def _shape() -> re.Pattern[str]:
    words = load("links")
    label = r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)"
    anywhere = rf"(?:{any_of(words['domains'])}(?!\w)(?::\d+)?(?:[/?#][^\s<>\"]*)?|{any_of(words['wordlike_domains'])}/[^\s<>\"]*)"
    short = any_of(words["shorteners"]) + r"/[^\s<>\"]+"
    return re.compile(
        rf"(?:(?:https?|ftp|wss?)://|\b(?:https?|ftp|wss?):[/\\]{{0,3}})[^\s<>\"]{{1,{_LONGEST}}}|\bwww\.[^\s<>\"]{{3,{_LONGEST}}}|(?<![\w@.+/-])(?:{short}|{label}{{1,5}}{anywhere})(?!@)",
        re.IGNORECASE,
    )
