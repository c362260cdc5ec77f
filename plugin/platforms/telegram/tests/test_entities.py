"""Marks and entities mean the same, whatever the text is made of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.telegram.entities import to_entities, to_text
from plugin.testing.standins.telegram.formatting import fix_text, utf16_length

_LETTERS = st.sampled_from(["a", "é", "ß", "漢", "👍", "👩‍💻", "🇩🇪", "𝔘", "\u0301", "x", " ", "\n", "ffi"])
_KINDS = st.sampled_from([kind for kind in MarkKind if kind is not MarkKind.MENTION])


@st.composite
def texts(draw: st.DrawFn, *, kinds: st.SearchStrategy[MarkKind] = _KINDS) -> Text:
    # A letter at both ends: Telegram trims blanks, which is the stand-in's own test.
    plain = "a" + "".join(draw(st.lists(_LETTERS, max_size=30))) + "z"
    marks = []
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(plain) - 1))
        kind = draw(kinds)
        target = draw(st.sampled_from(["https://one.example/", "https://two.example/?q=1"])) if kind is MarkKind.LINK else ""
        marks.append(Mark(start, draw(st.integers(start + 1, len(plain))), kind, target))
    return Text(plain, tuple(sorted(marks)))


def painted(text: Text, kind: MarkKind) -> list[str | None]:
    """What a kind of mark says of each letter."""
    cells: list[str | None] = [None] * len(text.plain)
    for mark in text.marks:
        if mark.kind is kind:
            cells[mark.start : mark.end] = [mark.target] * (mark.end - mark.start)
    return cells


@given(texts())
def test_telegram_takes_every_entity_as_it_is_sent(text: Text) -> None:
    entities, _ = to_entities(text)
    plain, shown = fix_text(text.plain, entities, limit=4096, too_long="too long")
    assert plain == text.plain
    solid = [entity for entity in entities if entity["type"] in ("text_link", "code", "pre", "blockquote")]
    assert [entity for entity in shown if entity["type"] in ("text_link", "code", "pre", "blockquote")] == solid


@given(texts())
def test_links_and_quotes_survive_the_way_there_and_back(text: Text) -> None:
    entities, losses = to_entities(text)
    _, shown = fix_text(text.plain, entities, limit=4096, too_long="too long")
    back = to_text(text.plain, shown)
    assert painted(back, MarkKind.QUOTE) == painted(text, MarkKind.QUOTE)
    for mark in text.marks:
        if mark.kind is MarkKind.LINK:
            assert mark.target in {other.target for other in back.marks} or any(mark.target in loss for loss in losses)


@given(texts(kinds=st.sampled_from([MarkKind.BOLD, MarkKind.ITALIC, MarkKind.STRIKE, MarkKind.QUOTE])))
def test_looks_survive_the_way_there_and_back_to_the_letter(text: Text) -> None:
    entities, losses = to_entities(text)
    _, shown = fix_text(text.plain, entities, limit=4096, too_long="too long")
    back = to_text(text.plain, shown)
    assert losses == ()
    for kind in (MarkKind.BOLD, MarkKind.ITALIC, MarkKind.STRIKE, MarkKind.QUOTE):
        assert painted(back, kind) == painted(text, kind)


@given(
    st.lists(_LETTERS, max_size=20).map("".join),
    st.lists(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["bold", "text_link", "url", "text_mention", "mention", "rubbish"])},
            optional={
                "offset": st.integers(-5, 60) | st.none() | st.just("1"),
                "length": st.integers(-5, 60) | st.none(),
                "url": st.none() | st.just("https://a.example"),
                "user": st.none() | st.fixed_dictionaries({"id": st.integers()}),
            },
        )
    ),
)
def test_reading_never_fails_and_stays_within_the_text(plain: str, entities: list[dict[str, Any]]) -> None:
    text = to_text(plain, entities)
    assert text.plain == plain
    assert all(0 <= mark.start < mark.end <= len(plain) for mark in text.marks)


def test_offsets_are_utf16_both_ways() -> None:
    text = Text("👍👍 bold 𝔘", (Mark(3, 7, MarkKind.BOLD),))
    entities, losses = to_entities(text)
    assert entities == [{"type": "bold", "offset": 5, "length": 4}]
    assert losses == ()
    assert to_text(text.plain, entities) == text
    assert utf16_length(text.plain) == 12


@pytest.mark.parametrize(
    ("entity", "mark"),
    [
        ({"type": "text_link", "url": "https://a.example/"}, Mark(0, 4, MarkKind.LINK, "https://a.example/")),
        ({"type": "url"}, Mark(0, 4, MarkKind.LINK, "http://word")),
        ({"type": "text_mention", "user": {"id": 7}}, Mark(0, 4, MarkKind.MENTION, "7")),
        ({"type": "expandable_blockquote"}, Mark(0, 4, MarkKind.QUOTE)),
        ({"type": "pre", "language": "python"}, Mark(0, 4, MarkKind.PRE)),
        ({"type": "strikethrough"}, Mark(0, 4, MarkKind.STRIKE)),
        ({"type": "bot_command"}, None),
        ({"type": "spoiler"}, None),
    ],
)
def test_each_entity_has_its_mark(entity: dict[str, Any], mark: Mark | None) -> None:
    assert to_text("word", [{"offset": 0, "length": 4, **entity}]).marks == ((mark,) if mark else ())


def test_a_link_wins_over_the_code_around_it() -> None:
    text = Text("see this now", (Mark(0, 12, MarkKind.CODE), Mark(4, 8, MarkKind.LINK, "https://a.example/")))
    entities, losses = to_entities(text)
    assert [(entity["type"], entity["offset"], entity["length"]) for entity in entities] == [
        ("code", 0, 4),
        ("text_link", 4, 4),
        ("code", 8, 4),
    ]
    assert losses == ()


def test_a_link_is_cut_at_the_edge_of_a_quote() -> None:
    text = Text("aaaabbbb", (Mark(0, 4, MarkKind.QUOTE), Mark(2, 6, MarkKind.LINK, "https://a.example/")))
    entities, _ = to_entities(text)
    assert [(entity["type"], entity["offset"], entity["length"]) for entity in entities] == [
        ("blockquote", 0, 4),
        ("text_link", 2, 2),
        ("text_link", 4, 2),
    ]


def test_what_cannot_be_linked_is_said() -> None:
    text = Text(
        "call us or mail@a.example", (Mark(0, 7, MarkKind.LINK, "tel:+4930123"), Mark(11, 25, MarkKind.LINK, "mailto:mail@a.example"))
    )
    entities, losses = to_entities(text)
    assert entities == []
    assert len(losses) == 1
    assert "tel:+4930123" in losses[0]
