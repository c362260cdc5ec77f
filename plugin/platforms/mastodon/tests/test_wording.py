"""Writing answers and recognising them, without a server."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.domain.html import from_html
from plugin.domain.model import Visibility
from plugin.platforms.mastodon.wording import address, answer_visibility, essence, is_wider, ruler, shortened

MEASURE = ruler().measure


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("Grüße 🦊", 7),
        ("https://example.com/a/very/long/address/that/never/ends", 23),
        ("http://a.b", 23),
        ("see https://example.com/x?y=1 now", 4 + 23 + 4),
        ("https://例え.jp/ですよ", 23 + 3),
        ("no.link.example", 15),
        ("https://localhost/of/no/use", 27),
    ],
)
def test_lengths_are_counted_as_the_server_does(text: str, length: int) -> None:
    assert MEASURE(text) == length


@given(st.text(alphabet="aB :/.?#htps@é\U0001f98a\n", max_size=80), st.text(alphabet="aB :/.?#htps@é\U0001f98a\n", max_size=5))
def test_a_text_never_gets_shorter_by_adding_to_it(text: str, more: str) -> None:
    assert MEASURE(text + more) >= MEASURE(text)


@pytest.mark.parametrize(
    ("text", "written", "silenced"),
    [
        ("Hello", "@lena@far.example Hello", ()),
        ("", "@lena@far.example", ()),
        ("Hello @lena@far.example!", "Hello @lena@far.example!", ()),
        ("Hello @Lena, hi", "Hello @lena@far.example, hi", ()),
        ("mail a@b.example or https://far.example/@ali", "@lena@far.example mail a@b.example or https://far.example/@ali", ()),
        (
            "ask @ali or @lena@near.example",
            "@lena@far.example ask @\u200bali or @\u200blena@\u200bnear.example",
            ("@ali", "@lena@near.example"),
        ),
    ],
)
def test_a_private_answer_addresses_the_customer_alone(text: str, written: str, silenced: tuple[str, ...]) -> None:
    assert address(text, "lena@far.example", alone=True) == (written, silenced)


def test_a_public_answer_may_name_others() -> None:
    assert address("ask @ali", "lena", alone=False) == ("@lena ask @ali", ())


@given(st.text(max_size=60), st.sampled_from(["lena", "lena@far.example"]), st.booleans())
def test_a_posted_answer_is_recognised_as_the_server_shows_it(text: str, handle: str, alone: bool) -> None:
    written, _ = address(text.strip(), handle, alone=alone)
    shown = f"<p>{html.escape(written)}</p>".replace("\n", "<br>")
    # A browser shows no control characters, so nor does what was read.
    seen = "".join(letter for letter in text if letter.isprintable() or letter in " \n")
    if seen == text:
        assert essence(from_html(shown).plain) == essence(text)


@given(st.sampled_from(Visibility), st.sampled_from(["public", "unlisted", "private", "direct", "local", "mutuals_only", ""]))
def test_no_answer_is_more_public_than_its_question(asked: Visibility, parent: str) -> None:
    ours = answer_visibility(asked, parent)
    assert ours == "direct" or (asked is Visibility.PUBLIC and ours == parent and parent in {"public", "unlisted"})
    assert is_wider(ours, "direct") == (ours != "direct")
    assert not is_wider("limited", "direct")


def test_a_cut_text_fits() -> None:
    assert shortened("abcdef", 4) == "abc…"
    assert shortened("abcd", 4) == "abcd"
