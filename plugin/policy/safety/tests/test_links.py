"""Links: read as browsers read them, and shown so that nothing can be followed and the real host stands there."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plugin.domain.text import Mark, MarkKind, Text
from plugin.policy.safety import links
from plugin.policy.safety.hosts import is_within, read
from plugin.policy.safety.links import Trick

_FOLLOWABLE = re.compile(r"https?:/|www\.|\w\.(?:com|example|ly|de)\b", re.IGNORECASE)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://bank.example@evil.example/login", "evil.example"),
        ("https://bank.example:443@evil.example", "evil.example"),
        ("https://evil.example\\@bank.example/", "evil.example"),
        ("https:\\\\evil.example\\bank.example", "evil.example"),
        ("https:evil.example/x", "evil.example"),
        ("https:///evil.example/x", "evil.example"),
        ("HTTPS://EVIL.Example:8443?a=@bank.example", "evil.example"),
        ("https://evil.example#@bank.example", "evil.example"),
        ("https://exa\u200bmple.com/a", "example.com"),
        ("https://b.example\u3002evil.example/x", "b.example.evil.example"),
        ("https://ｅｖｉｌ.example/", "evil.example"),
        ("https://%65vil.example/", "evil.example"),
        ("https://münchen.de/", "xn--mnchen-3ya.de"),
        ("www.example.com", "www.example.com"),
        ("example.com/path", "example.com"),
        ("example.com:8080/path", "example.com"),
        ("mailto:max@example.com", ""),
        ("javascript:alert(1)", ""),
        ("http://[::1]/a", "[::1]"),
        ("", ""),
    ],
)
def test_the_real_host(url: str, host: str) -> None:
    assert read(url).host == host


@pytest.mark.parametrize(
    ("text", "tricks"),
    [
        ("see https://example.com/a.", []),
        ("https://bank.example@evil.example/", [Trick.USERINFO]),
        ("https://аррӏе.com", [Trick.LOOK_ALIKE]),
        ("http://xn--80ak6aa92e.com/", [Trick.LOOK_ALIKE]),
        ("https://münchen.de", [Trick.PUNYCODE]),
        ("bit.ly/abc", [Trick.SHORTENER]),
        ("https://t.co/abc", [Trick.SHORTENER]),
        ("http://2130706433/", [Trick.NUMBER]),
        ("http://0x7f.1/", [Trick.NUMBER]),
        ("http://192.0.2.7:8080/a", [Trick.NUMBER]),
        ("http://[::1]/", [Trick.NUMBER]),
        ("https://exa\u200bmple.com", [Trick.INVISIBLE]),
        ("https://ex\u202emoc.elpma", [Trick.INVISIBLE]),
    ],
)
def test_tricks_are_named(text: str, tricks: list[Trick]) -> None:
    assert [list(link.tricks) for link in links.find(Text(text))] == [tricks]


@pytest.mark.parametrize(
    "text",
    [
        "no link. here",
        "max@example.com",
        "version 1.2.3 e.g. this",
        "yes.it is",
        "danke.bis morgen",
        "@max@social.example",
        "3.14",
        "...",
        "",
    ],
)
def test_what_is_no_link(text: str) -> None:
    assert links.find(Text(text)) == ()
    assert links.defang(Text(text)) == Text(text)


def test_words_that_name_another_address_are_told() -> None:
    words = "Login at https://bank.example now"
    text = Text(words, (Mark(0, len(words), MarkKind.BOLD), Mark(9, 29, MarkKind.LINK, "https://evil.example/p")))
    assert [link.tricks for link in links.find(text)] == [(Trick.OTHER_LABEL,)]
    shown = links.defang(text)
    assert shown.plain == (
        "Login at hxxps://bank[.]example [link to hxxps://evil[.]example/p; real host: evil[.]example; its words name another address] now"
    )
    assert {mark.kind for mark in shown.marks} == {MarkKind.BOLD}


def test_words_that_name_the_same_place_are_honest() -> None:
    text = Text("bank.example", (Mark(0, 12, MarkKind.LINK, "https://www.bank.example/start"),))
    assert links.find(text)[0].tricks == ()


def test_the_punctuation_of_the_sentence_stays_outside() -> None:
    text = "(see https://example.com/a_(b)), https://example.com/c?d=e!"
    assert [text[link.start : link.end] for link in links.find(Text(text))] == ["https://example.com/a_(b)", "https://example.com/c?d=e"]


def test_what_turns_the_line_is_made_visible() -> None:
    assert links.defang(Text("a\u202ehttps://example.com/x")).plain == "a[U+202E]hxxps://example[.]com/x"


def test_each_host_is_named_once() -> None:
    assert links.hosts(links.find(Text("https://a.example/1 https://a.example/2 www.b.example"))) == ("a.example", "www.b.example")


def test_addresses_are_given_as_they_lead() -> None:
    text = Text(
        "https://bank.example@evil.example:8443/login?x=1 and www.b.example and example.com:80/a",
        (Mark(0, 5, MarkKind.LINK, "mailto:a@b.example"),),
    )
    assert links.addresses(links.find(text)) == ("mailto:a@b.example", "https://www.b.example", "https://example.com:80/a")
    assert links.addresses(links.find(Text(text.plain)))[0] == "https://evil.example:8443/login?x=1"


def test_a_host_lies_within_its_own_domain_only() -> None:
    assert is_within("www.bank.example", "bank.example")
    assert is_within("login.bank.example", "bank.example")
    assert not is_within("notbank.example", "bank.example")
    assert not is_within("bank.example.evil.example", "bank.example")


_URLISH = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "https://",
                "http:",
                "www.",
                "bit.ly/",
                "@",
                "/",
                "\\",
                ".",
                "example.com",
                "evil.de",
                "xn--",
                "[",
                "]",
                ":",
                "#",
                "%",
                "\u202e",
                "\u200b",
                "。",
                "ü",
                "а",
                "\ud800",
                " ",
            ]
        ),
        st.text(max_size=5),
    ),
    max_size=12,
).map("".join)


@example(plain="https://evil.example", target="https://evil.example", cut=(1, 20))
@settings(deadline=None)
@given(plain=_URLISH, target=_URLISH, cut=st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_nothing_upsets_it_and_nothing_can_be_followed(plain: str, target: str, cut: tuple[int, int]) -> None:
    start, end = sorted(min(at, len(plain)) for at in cut)
    text = Text(plain, (Mark(start, end, MarkKind.LINK, target),) if start < end else ())
    shown = links.defang(text)
    assert all(mark.kind is not MarkKind.LINK for mark in shown.marks)
    assert not re.search(r"https?://\w", shown.plain)
    at = 0
    for link in links.find(text):
        assert at <= link.start < link.end <= len(plain)
        at = link.end


@settings(deadline=None)
@given(path=st.from_regex(r"(?:/[a-z0-9]{0,8}){0,3}", fullmatch=True), host=st.sampled_from(["example.com", "www.shop.example", "bit.ly"]))
def test_an_honest_address_is_defanged_whole(path: str, host: str) -> None:
    shown = links.defang(Text(f"at https://{host}{path} now")).plain
    assert not _FOLLOWABLE.search(shown)
    assert shown.startswith(f"at hxxps://{host.replace('.', '[.]')}{path}")
