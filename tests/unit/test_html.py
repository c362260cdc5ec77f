"""HTML to Text and back: what one sees is what is read, whatever is sent."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.domain.html import from_html, to_html
from plugin.domain.text import Mark, MarkKind, Text
from tests.unit.texts import loose_texts, pages

_TAGS = [
    "b",
    "div",
    "br",
    "p",
    "p hidden",
    "script",
    "style",
    "template",
    "li",
    "ul",
    "ol start=9",
    "td",
    "tr",
    "table",
    "pre",
    "blockquote",
]
_PIECES = [
    "<a href='https://x.example'>",
    "</a>",
    "<img alt=x>",
    "<!--",
    "-->",
    "<!x",
    "<?",
    "</",
    "<",
    ">",
    "&",
    "&amp;",
    "&#0;",
    "&#x110000;",
]
_FRAGMENTS = st.sampled_from(
    [f"<{tag}>" for tag in _TAGS] + [f"</{tag}>" for tag in _TAGS] + _PIECES + ["&nbsp;", '"', "'", "=", " ", "text", "\n"]
)


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("one line", "one line"),
        ("first<div>second</div><div>third</div>", "first\nsecond\nthird"),
        ("first<div><br></div><div>after an empty line</div>", "first\n\nafter an empty line"),
        ("first<div>second</div><div><br></div><div><br></div><div>last</div><div><br></div>", "first\nsecond\n\n\nlast"),
        ("a<br>b<br><br>c<br>", "a\nb\n\nc"),
        ("<div>a<br></div><div>b</div>", "a\nb"),
        ("<div>  spaced \n out  </div>\n<div> next </div>", "spaced out\nnext"),
        ("a&nbsp; b&nbsp;", "a  b"),
        ("1 &lt; 2 &amp; &quot;3&quot; &#128512; &bogus;", '1 < 2 & "3" 😀 &bogus;'),
        ("a < b and <3 and x <y", "a < b and <3 and x <y"),
        ("<p>one</p><p>two</p>three", "one\n\ntwo\n\nthree"),
        ("<h1>Head</h1>text", "Head\n\ntext"),
        ("<ul><li>a</li><li>b<ul><li>c</ul></ul><ol start=3><li>d<li>e</ol>", "• a\n• b\n  • c\n3. d\n4. e"),
        ("<ul><li><div>a</div></li><li></li></ul>b", "• a\nb"),
        ("<table><tr><td>a<td>b<tr><td>c</td><td></td></table>d", "a | b\nc\nd"),
        ("a<hr>b", "a\n---\nb"),
        ('x <img src="y" alt=":blob:"> z', "x :blob: z"),
        ("a<script>b<c</script>d<style>e</style><title>f</title><!-- g --><template>h<b>i</b></template>j", "adj"),
        ("a<div hidden>b<p>c</p></div>d<span style='display: none'>e</span>f", "adf"),
        ("<head><title>no</title><meta charset=x></head><body>yes</body>", "yes"),
        ("<div title='a > b' data-x=\"c > d\">e</div>", "e"),
        ("<p it's>a</p>", "a"),
        ("&#" + "1" * 5000 + ";", "\ufffd"),
        ("", ""),
    ],
)
def test_a_page_reads_as_it_looks(source: str, plain: str) -> None:
    assert from_html(source).plain == plain


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a <b>bold </b>c", Text("a bold c", (Mark(2, 6, MarkKind.BOLD),))),
        ("<strong>a<em>b</strong>c</em>", Text("abc", (Mark(0, 2, MarkKind.BOLD), Mark(1, 3, MarkKind.ITALIC)))),
        ('<a href="https://e.example/?a&amp;b">x</a>', Text("x", (Mark(0, 1, MarkKind.LINK, "https://e.example/?a&b"),))),
        ('<a href="HTTPS://matrix.to/#/@a:b">x</a>', Text("x", (Mark(0, 1, MarkKind.LINK, "HTTPS://matrix.to/#/@a:b"),))),
        ('<a href=" java\nscript:alert(1)">x</a><a href="/y">y</a><a href="ftp://z">z</a>', Text("xyz")),
        ("a<blockquote><div>b<br></div></blockquote>c", Text("a\nb\nc", (Mark(2, 3, MarkKind.QUOTE),))),
        ("<pre><code>\n a\n  b\n</code></pre>c", Text(" a\n  b\nc", (Mark(0, 6, MarkKind.PRE),))),
        ("<b><div>a</b>b</div>", Text("ab", (Mark(0, 1, MarkKind.BOLD),))),
        ("<s>a</s> <tt>b</tt>", Text("a b", (Mark(0, 1, MarkKind.STRIKE), Mark(2, 3, MarkKind.CODE)))),
    ],
)
def test_marks_cover_their_words(source: str, text: Text) -> None:
    assert from_html(source) == text


def test_a_signature_can_be_left_out() -> None:
    reply = 'Hello<div><br></div><div data-signature="true" data-signature-id="1">--<br>Agent<div>Company</div></div><div>PS</div>'
    read = from_html(reply, skip=lambda _name, attributes: attributes.get("data-signature") == "true")
    assert read.plain == "Hello\n\nPS"


@given(pages())
def test_what_was_written_is_read_again(text: Text) -> None:
    assert from_html(to_html(text)) == text


@given(loose_texts)
def test_nothing_in_a_text_is_markup(text: Text) -> None:
    written = to_html(text)
    assert "<" not in re.sub(r"</?(?:b|i|del|code|pre|blockquote|br)>|<a href=\"[^\"<>]*\">|</a>", "", written)
    assert "".join(from_html(written).plain.split()) == "".join(text.plain.split())


@given(st.one_of(st.text(), st.lists(_FRAGMENTS, max_size=40).map("".join)))
def test_any_input_is_read(source: str) -> None:
    text = from_html(source)
    assert all(0 <= mark.start < mark.end <= len(text.plain) for mark in text.marks)
    assert list(text.marks) == sorted(text.marks, key=lambda mark: (mark.start, -mark.end))
    assert from_html(to_html(text)).plain == text.plain


@pytest.mark.parametrize(
    "source",
    [
        "<div>" * 10_000 + "x" + "</div>" * 10_000,
        "<blockquote>x" * 20_000,
        "<ul><li>x" * 20_000,
        "<b>" * 50_000,
        "<b><i>" * 20_000 + "</b></i>" * 20_000,
        "<a " * 100_000,
        '<a ="' * 100_000,
        "<!--" * 100_000,
        "</script" * 50_000,
        "<script>" + "</script" * 50_000,
        "&" * 300_000,
        "&#" + "1" * 300_000,
        "a" + "\u0301" * 1_000_000,
        "<p" + " " * 300_000 + ">x",
        "<td>x" * 50_000,
    ],
    ids=lambda source: source[:12].strip(),
)
def test_hostile_input_takes_linear_time(source: str) -> None:
    began = time.process_time()
    to_html(from_html(source))
    assert time.process_time() - began < 5
