"""How platforms count: the same text by every ruler."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.contracts import rulers
from plugin.contracts.capabilities import Ruler


@pytest.mark.parametrize(
    ("text", "code_points", "utf16", "utf8", "graphemes"),
    [
        ("", 0, 0, 0, 0),
        ("abc", 3, 3, 3, 3),
        ("Grüße", 5, 5, 7, 5),
        ("日本", 2, 2, 6, 2),
        ("😀", 1, 2, 4, 1),
        ("👩🏽\u200d💻", 4, 7, 15, 1),
        ("🇩🇪", 2, 4, 8, 1),
        ("e\u0301", 2, 2, 3, 1),
        ("\r\n", 2, 2, 2, 1),
    ],
)
def test_each_ruler_counts_its_own_way(text: str, code_points: int, utf16: int, utf8: int, graphemes: int) -> None:
    counted = [ruler.measure(text) for ruler in (rulers.CODE_POINTS, rulers.UTF16, rulers.UTF8, rulers.GRAPHEMES)]
    assert counted == [code_points, utf16, utf8, graphemes]


@pytest.mark.parametrize("ruler", [rulers.CODE_POINTS, rulers.UTF16, rulers.UTF8, rulers.GRAPHEMES], ids=lambda ruler: ruler.name)
@given(text=st.text(), more=st.text())
def test_no_ruler_shrinks_when_text_is_added(ruler: Ruler, text: str, more: str) -> None:
    assert ruler.measure(text) <= ruler.measure(text + more)
