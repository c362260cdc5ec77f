"""What osTicket would spoil survives it: codes, titles, names, and words that only look like HTML."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.domain.ids import ContactRef, HelpdeskKey
from plugin.domain.model import Contact, NewArticle
from plugin.domain.text import Mark, MarkKind, Text
from plugin.helpdesks.osticket import emoji, wording
from plugin.helpdesks.osticket.adapter import HELPDESK
from plugin.testing.fakes import CannedHttp, canned, connection

SPOILT = re.compile("[\u00a9-\u00ae\u2310-\u231f\u2322-\u232f\u23e0-\u23ff\u2702-\u27b0\U00010000-\U0010ffff]")
quick = settings(max_examples=150, deadline=None, database=None)
# Without colons (codes that were there before) and letters that are written plainly for good.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=":\u00ad")).filter(
    lambda said: not re.search("[\U0001d400-\U0001d7ff]", said)
)


@quick
@given(words)
def test_codes_say_all_and_come_back(said: str) -> None:
    coded = emoji.encode(Text(said))
    assert not SPOILT.search(coded.plain)
    assert emoji.decode(coded).plain == said


@quick
@given(st.text(st.sampled_from("a😀\n<b&;"), max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_marks_move_along(said: str, one: int, other: int) -> None:
    start, end = sorted((min(one, len(said)), min(other, len(said))))
    marked = Text(said, (Mark(start, end, MarkKind.BOLD),))
    coded = emoji.encode(marked)
    (mark,) = coded.marks
    assert coded.plain[mark.start : mark.end] == emoji.encode_line(said[start:end])
    assert emoji.decode(coded) == marked


@pytest.mark.parametrize(
    ("coded", "meant"),
    [
        (":grinning_face:", "😀"),
        (":flag_de:", "🇩🇪"),
        (":u1fae8:", "\U0001fae8"),
        (":a:grinning_face:", ":a😀"),
        ("12:30:45 :nothing_of_the_kind: :star: :latin_small_letter_a: :u41: :ufffffff: http://x:y:z", None),
    ],
)
def test_only_what_osticket_would_drop_is_decoded(coded: str, meant: str | None) -> None:
    assert emoji.decode(Text(coded)).plain == (coded if meant is None else meant)


@quick
@given(st.text())
def test_a_title_fits_osticket(said: str) -> None:
    title = wording.title(said)
    assert title
    assert len(title) <= 250
    assert not title.startswith(("=", "+", "-", "@"))
    assert not re.search("[<>\\n\x00]", title)


@quick
@given(st.text(st.sampled_from("<>/&;#abscript!x 1\"'=:\n"), max_size=40))
def test_nothing_becomes_a_tag_when_entities_are_decoded_once_more(said: str) -> None:
    stored = wording.article_html(NewArticle(text=Text(said)))
    decoded = html.unescape(stored)
    assert set(re.findall(r"</?([a-zA-Z!?/]\w*)", decoded)) <= {"p", "br"}
    assert "".join(wording.stored_text(stored, is_html=True).plain.split()) == ("".join(said.split()) or "(notext)")


@quick
@given(st.text(), st.booleans())
def test_whatever_is_stored_can_be_read(body: str, is_html: bool) -> None:
    wording.stored_text(body, is_html=is_html)


@quick
@given(st.text(), st.text(min_size=1), st.text(min_size=1))
def test_customers_and_posters_fit(name: str, ref: str, channel: str) -> None:
    contact = Contact(ref=ContactRef(ref), display_name=name, handle=name)
    key = wording.customer_key(contact, channel=channel, platform="telegram")
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", key)
    assert ".." not in key
    assert 0 < len(wording.poster(NewArticle(text=Text("x"), author=contact))) <= 120
    assert key == wording.customer_key(contact, channel=channel, platform="telegram")


def test_two_people_never_share_a_key() -> None:
    pairs = [("support", "a.b"), ("support.a", "b"), ("support", "A.b"), ("Support", "a.b"), ("support", "a_b"), ("s", "u.a.b"), ("s", "u")]
    keys = {wording.customer_key(Contact(ref=ContactRef(ref)), channel=channel, platform="x") for channel, ref in pairs}
    assert len(keys) == len(pairs)


def test_files_and_tags_keep_to_one_field() -> None:
    assert wording.tag("a, b 😀") == "a b :grinning_face:"
    assert wording.file_name("../é 😀\n.png") == ".._é :grinning_face: .png"
    assert wording.file_name("\n") == "file"


@pytest.mark.parametrize(
    ("version", "is_ok", "says"),
    [
        ("v1.18.1", False, "CVE-2026-22200"),
        ("v1.18.3", True, "v1.18.3"),
        ("1.17.6", False, "CVE-2026-22200"),
        ("v1.17.7", True, "1.17.7"),
        ("v1.16.6", False, "not supported"),
        ("v1.18-git", True, "does not tell its release"),
        ("of a fork", False, "not supported"),
    ],
)
def test_doctor_names_known_holes_of_a_version(version: str, is_ok: bool, says: str) -> None:
    there = {"ok": True, "contract": 1, "plugin": "0.1.0", "php": "8.2.29", "is_prepared": True, "has_mbstring": True, "waiting": 0}
    http = CannedHttp([canned({"status": 200, "json": {**there, "osticket": version}})])
    loaded = HELPDESK.settings_schema.load({"url": "https://desk.example", "webhook_secret": "0" * 32})
    probes = HELPDESK.connect(HelpdeskKey("desk"), loaded, connection(http)).probe()
    found = next(probe for probe in probes if probe.name == "version")
    assert (found.is_ok, says in found.answer) == (is_ok, True)
    assert found.is_ok or "1.18" in found.next_step
