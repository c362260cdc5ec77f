"""Text keeps its words and its marks through cutting, joining, folding and splitting."""

from __future__ import annotations

import time
from collections import Counter

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from plugin.contracts import rulers
from plugin.contracts.capabilities import Ruler
from plugin.contracts.splitting import split
from plugin.domain.text import Mark, MarkKind, Text, fold, join
from tests.unit.texts import loose_texts, pages

ALL_RULERS = [rulers.CODE_POINTS, rulers.UTF16, rulers.UTF8, rulers.GRAPHEMES]
_KINDS = st.frozensets(st.sampled_from(list(MarkKind)))
_texts = st.one_of(loose_texts, pages())


def covered(text: Text) -> Counter[tuple[MarkKind, str, str]]:
    """How often each letter that is no white space stands under each kind of mark."""
    return Counter(
        (mark.kind, mark.target, letter) for mark in text.marks for letter in text.plain[mark.start : mark.end] if not letter.isspace()
    )


def letters(*plains: str) -> list[str]:
    """Letters as people see them, without white space."""
    return [word for plain in plains for letter in regex.findall(r"\X", plain) if (word := letter.strip())]


@given(_texts, st.integers(0, 90), st.integers(0, 90))
def test_a_slice_keeps_its_marks_inside(text: Text, one: int, other: int) -> None:
    start, end = sorted((one, other))
    part = text.slice(start, end)
    assert part.plain == text.plain[start:end]
    assert all(0 <= mark.start < mark.end <= len(part.plain) for mark in part.marks)


@given(_texts, st.integers(0, 90))
def test_two_slices_are_the_whole(text: Text, at: int) -> None:
    whole = text.slice(0, at) + text.slice(at, len(text.plain))
    assert whole.plain == text.plain
    assert covered(whole) == covered(text)


@given(st.lists(loose_texts, max_size=4))
def test_join_keeps_every_part(parts: list[Text]) -> None:
    joined = join(parts, ", ")
    assert joined.plain == ", ".join(part.plain for part in parts)
    assert sum((covered(part) for part in parts), Counter()) == covered(joined)


@given(_texts, st.integers(4, 40), st.sampled_from(ALL_RULERS))
def test_every_part_fits_and_loses_only_white_space(text: Text, limit: int, ruler: Ruler) -> None:
    parts = split(text, limit, ruler)
    assert all(ruler.measure(part.plain) <= limit for part in parts)
    assert "".join("".join(part.plain.split()) for part in parts) == "".join(text.plain.split())
    assert sum((covered(part) for part in parts), Counter()) == covered(text)
    assert all(0 <= mark.start < mark.end <= len(part.plain) for part in parts for mark in part.marks) or parts == (text,)


@given(
    st.text(st.sampled_from("ab ä\u0301👩🏽\u200d💻🇩🇪\n.\ufe0f한\u1100\u1161"), max_size=80),
    st.integers(30, 60),
    st.sampled_from(ALL_RULERS),
)
def test_no_part_begins_inside_a_letter(plain: str, limit: int, ruler: Ruler) -> None:
    if any(ruler.measure(cluster) * 2 > limit for cluster in regex.findall(r"\X", plain)):
        return
    parts = split(Text(plain), limit, ruler)
    assert letters(*(part.plain for part in parts)) == letters(plain)


@pytest.mark.parametrize(
    ("plain", "limit", "parts"),
    [
        ("fits", 4, ("fits",)),
        (" fits ", 9, (" fits ",)),
        ("one two three", 8, ("one two", "three")),
        ("One. Two three.", 9, ("One.", "Two", "three.")),
        ("One two. Three four.", 12, ("One two.", "Three four.")),
        ("first line\nsecond line\n\nthird", 24, ("first line\nsecond line", "third")),
        ("unbreakable", 4, ("unbr", "eaka", "ble")),
        ("   ", 2, ("",)),
        ("", 2, ("",)),
        ("a 👩🏽\u200d💻", 5, ("a", "👩🏽\u200d💻")),
        ("🇩🇪🇫🇷🇮🇹", 3, ("🇩🇪", "🇫🇷", "🇮🇹")),
    ],
)
def test_cuts_are_kind(plain: str, limit: int, parts: tuple[str, ...]) -> None:
    assert tuple(part.plain for part in split(Text(plain), limit, rulers.CODE_POINTS)) == parts


@given(_texts, _KINDS)
def test_folding_loses_no_word_and_keeps_what_is_carried(text: Text, carried: frozenset[MarkKind]) -> None:
    folded, lost = fold(text, carried)
    assert lost == {mark.kind for mark in text.marks} - carried
    assert {mark.kind for mark in folded.marks} <= carried
    assert all(0 <= mark.start <= mark.end <= len(folded.plain) for mark in folded.marks)
    letters = iter(folded.plain)
    assert all(letter in letters for letter in text.plain)
    kept = [mark for mark in text.marks if mark.kind in carried]
    assert [text.plain[mark.start : mark.end] for mark in kept if MarkKind.LINK not in lost and MarkKind.QUOTE not in lost] == [
        folded.plain[mark.start : mark.end] for mark in folded.marks if MarkKind.LINK not in lost and MarkKind.QUOTE not in lost
    ]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (Text("see here now", (Mark(4, 8, MarkKind.LINK, "https://e.example/x"),)), "see here (https://e.example/x) now"),
        (Text("see e.example/x", (Mark(4, 15, MarkKind.LINK, "https://e.example/x/"),)), "see e.example/x"),
        (Text("a\nb\nc", (Mark(2, 5, MarkKind.QUOTE),)), "a\n> b\n> c"),
        (Text("a\nb", (Mark(0, 3, MarkKind.QUOTE), Mark(0, 1, MarkKind.QUOTE))), "> > a\n> b"),
        (Text("ab", (Mark(0, 1, MarkKind.LINK, "https://e.example"), Mark(1, 2, MarkKind.QUOTE))), "a (https://e.example)> b"),
    ],
)
def test_what_a_target_cannot_carry_is_said_in_words(text: Text, plain: str) -> None:
    assert fold(text, frozenset())[0].plain == plain


def test_marks_move_with_what_is_folded_in() -> None:
    text = Text(
        "go here\nor there", (Mark(3, 7, MarkKind.LINK, "https://e.example"), Mark(3, 16, MarkKind.QUOTE), Mark(8, 10, MarkKind.BOLD))
    )
    folded, _ = fold(text, frozenset({MarkKind.BOLD}))
    assert folded.plain == "go > here (https://e.example)\n> or there"
    assert [folded.plain[mark.start : mark.end] for mark in folded.marks] == ["or"]


@pytest.mark.parametrize("ruler", ALL_RULERS, ids=lambda ruler: ruler.name)
@pytest.mark.parametrize(
    "plain",
    ["word " * 60_000, "a" + "\u0301" * 300_000, "🇩" * 100_000, "x" * 300_000, "\n" * 300_000],
    ids=["words", "accents", "flags", "letters", "lines"],
)
def test_long_texts_are_split_in_linear_time(ruler: Ruler, plain: str) -> None:
    marks = tuple(Mark(at, at + 3, MarkKind.LINK, "https://e.example") for at in range(0, len(plain) - 5, 50))
    began = time.process_time()
    split(Text(plain, marks), 280, ruler)
    fold(Text(plain, marks), frozenset())
    assert time.process_time() - began < 15


def test_a_limit_that_holds_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="below one"):
        split(Text("a"), 0, rulers.CODE_POINTS)
