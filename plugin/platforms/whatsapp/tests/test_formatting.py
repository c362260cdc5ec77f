"""WhatsApp's signs of formatting: what is read out of them, and what is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.whatsapp.formatting import CARRIED, read, write

_WORDS = st.text(alphabet="ab1 \n*_~`>-.", max_size=40)


@pytest.mark.parametrize(
    ("typed", "plain", "marks"),
    [
        ("Hello *there*, _you_ and ~not~ `x=1`", "Hello there, you and not x=1", ["bold:there", "italic:you", "strike:not", "code:x=1"]),
        ("*all _of_ it*", "all of it", ["bold:all of it", "italic:of"]),
        ("2*3*4 and snake_case_name", "2*3*4 and snake_case_name", []),
        ("* one\n- two\n1. three", "* one\n- two\n1. three", []),
        ("> said *you*\nand I", "said you\nand I", ["quote:said you", "bold:you"]),
        ("```two\nlines``` here", "two\nlines here", ["pre:two\nlines"]),
        ("`*no star*`", "*no star*", ["code:*no star*"]),
        ("(*x*)!", "(x)!", ["bold:x"]),
        ("* not bold* and *a*b", "* not bold* and *a*b", []),
    ],
)
def test_what_was_typed(typed: str, plain: str, marks: list[str]) -> None:
    text = read(typed)
    assert [text.plain, [f"{mark.kind}:{text.plain[mark.start : mark.end]}" for mark in text.marks]] == [plain, marks]
    assert write(text) == typed


def test_signs_stand_inside_of_white_space_and_on_each_line_anew() -> None:
    assert write(Text("to bold \nand on", (Mark(2, 12, MarkKind.BOLD),))) == "to *bold* \n*and* on"
    assert write(Text("see here", (Mark(4, 8, MarkKind.LINK, "https://example.org/x"),))) == "see here (https://example.org/x)"
    assert write(Text("inword", (Mark(2, 4, MarkKind.BOLD),))) == "inword", "WhatsApp would show the stars"
    assert write(Text("a*b c", (Mark(0, 3, MarkKind.BOLD),))) == "a*b c"


@given(_WORDS)
def test_no_word_is_ever_lost(words: str) -> None:
    text = read(words)
    assert [one for one in text.plain if one.isalnum()] == [one for one in words if one.isalnum()]
    assert all(0 <= mark.start <= mark.end <= len(text.plain) for mark in text.marks)


@given(_WORDS, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from(sorted(CARRIED))), max_size=3))
def test_what_is_written_says_the_same(words: str, spans: list[tuple[int, int, MarkKind]]) -> None:
    marks = tuple(Mark(min(a, b, len(words)), min(max(a, b), len(words)), kind) for a, b, kind in spans)
    written = write(Text(words, tuple(sorted(marks))))
    assert [one for one in written if one.isalnum()] == [one for one in words if one.isalnum()]
