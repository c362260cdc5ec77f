"""Strategies for texts with marks, shared by the property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from plugin.domain.text import Mark, MarkKind, Text

INLINE = (MarkKind.BOLD, MarkKind.ITALIC, MarkKind.STRIKE, MarkKind.CODE)
_LETTERS = st.sampled_from("abcdeäß<>&\"'; \t=/-.!?\u0301\u200d\ufe0f日👩🏽🇩🇪#x1")
_WORDS = st.text(_LETTERS, min_size=1, max_size=12).map(str.strip).filter(bool)
_TARGETS = st.sampled_from(["https://example.org/?a=1&b=2", "http://x.example/\"'<>", "mailto:a@b.example", "tel:+4930"])


@st.composite
def inline(draw: st.DrawFn, depth: int = 2, taken: frozenset[MarkKind] = frozenset()) -> Text:
    """A few words of one line, with nested marks; no kind inside itself."""
    result = Text("")
    for _ in range(draw(st.integers(1, 3))):
        if result:
            result += Text(draw(st.sampled_from(["", " ", "  "])))
        kind = draw(st.sampled_from([None, None, *INLINE, MarkKind.LINK]))
        if kind is None or kind in taken or depth == 0:
            result += Text(draw(_WORDS))
        else:
            inner = draw(inline(depth=depth - 1, taken=taken | {kind}))
            target = draw(_TARGETS) if kind is MarkKind.LINK else ""
            result += Text(inner.plain, (Mark(0, len(inner.plain), kind, target), *inner.marks))
    return result


@st.composite
def pages(draw: st.DrawFn, depth: int = 2) -> Text:
    """Lines, empty lines, quotes (nested) and preformatted lines, as `from_html` would give them."""
    blocks = [draw(_block(depth))]
    for _ in range(draw(st.integers(0, 3))):
        blocks.append(Text("\n" * draw(st.integers(1, 3))))
        blocks.append(draw(_block(depth)))
    result = Text("")
    for block in blocks:
        result += block
    return result


@st.composite
def _block(draw: st.DrawFn, depth: int) -> Text:
    shape = draw(st.sampled_from(["line", "line", "quote", "pre"]))
    if shape == "quote" and depth:
        inner = draw(pages(depth=depth - 1))
        return Text(inner.plain, (Mark(0, len(inner.plain), MarkKind.QUOTE), *inner.marks))
    if shape == "pre":
        inside = draw(st.lists(st.text(_LETTERS, max_size=10), max_size=3))
        plain = "\n".join([draw(st.sampled_from(["", "  "])) + draw(_WORDS), *inside, draw(_WORDS)])
        return Text(plain, (Mark(0, len(plain), MarkKind.PRE),))
    return draw(inline())


loose_texts = st.builds(
    lambda plain, spans: Text(
        plain,
        tuple(
            sorted(
                Mark(
                    min(a, b) % (len(plain) + 1), max(min(a, b) % (len(plain) + 1), max(a, b) % (len(plain) + 1)), kind, "https://e.example"
                )
                for a, b, kind in spans
            )
        ),
    ),
    st.text(max_size=80),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80), st.sampled_from(list(MarkKind))), max_size=8),
)
"""Any text at all, with marks that may cross each other, be empty or begin and end in white space."""
