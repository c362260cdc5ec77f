"""That no page of X's, however odd, ends in anything but events, named leftovers and our own errors; and what texts become."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.contracts.http import HttpResponse
from plugin.domain.codec import encode_event
from plugin.domain.errors import RemoteError
from plugin.domain.events import PlatformEvent
from plugin.domain.ids import MessageRef
from plugin.domain.model import Visibility
from plugin.domain.text import MarkKind
from plugin.platforms._oauth.tokens import SECRET, Token
from plugin.platforms.x.adapter import PLATFORM
from plugin.platforms.x.capabilities import CAPABILITIES
from plugin.platforms.x.tests.conftest import SCOPES
from plugin.platforms.x.wording import essence, lead_of, said, weigh
from plugin.testing.fakes import CannedHttp
from plugin.testing.fixtures import load
from plugin.testing.tables import folder_of

SUBJECT = load(PLATFORM, folder_of(PLATFORM))
PAGES = [json.loads(answer.body) for fixture in SUBJECT.polls for answer in fixture.answers]
TOKEN = Token(access="access-7PqRs", renewal="renewal-8TuVw", ends_at=1795269600.0, scopes=tuple(SCOPES)).dump()
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=12)
    | st.sampled_from(["1", "-1", "9" * 30, "2026"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a page."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*at, key))


def grafted(page: Any, at: tuple[Any, ...], value: Any) -> Any:
    """The page with `value` there."""
    if not at:
        return value
    whole = json.loads(json.dumps(page))
    place = whole
    for key in at[:-1]:
        place = place[key]
    place[at[-1]] = value
    return whole


@settings(max_examples=60, deadline=None, database=None)
@given(st.sampled_from(PAGES), st.data(), ODD)
def test_any_page_is_endured(page: Any, data: st.DataObject, value: Any) -> None:
    body = json.dumps(grafted(page, data.draw(st.sampled_from(list(places(page)))), value)).encode()
    http = CannedHttp([HttpResponse(status=200, headers={}, body=body, url="https://fixture.example/")])
    adapter = SUBJECT.connect(http, stored={SECRET: TOKEN})
    asked: list[Callable[[], Sequence[PlatformEvent]]] = [
        lambda: adapter.poll(None).events,
        lambda: adapter.poll({"floor": "2026-07-24T20:00:00Z", "mentions": "1", "own": "1", "messages": "1"}).events,
        lambda: adapter.search("brand", "rail", None, most=5).events,
        lambda: adapter.recheck([MessageRef("2080765813578191303")]),
    ]
    for ask in asked:
        try:
            events = ask()
        except RemoteError:
            continue
        for event in events:
            json.dumps(encode_event(event)).encode("ascii")


@pytest.mark.parametrize(
    ("text", "entities", "wanted"),
    [
        ("a &amp;lt; b &lt;&gt; &quot;", {}, "a &lt; b <> &quot;"),
        (
            "https://t.co/aaa https://t.co/aaab x",
            {"urls": [{"url": "https://t.co/aaa", "expanded_url": "https://a.example/?x=1&lt=2"}, {"url": "https://t.co/aaab"}]},
            "https://a.example/?x=1&lt=2 https://t.co/aaab x",
        ),
        ("no link https://t.co/zzz", {"urls": "none", "mentions": [None, 5]}, "no link https://t.co/zzz"),
    ],
)
def test_texts_are_written_out(text: str, entities: Any, wanted: str) -> None:
    assert said(text, entities).plain == wanted


def test_names_are_marked_by_their_numbers() -> None:
    text = said("hi @Lena_Marsh and @nobody, @lena_marsh!", {"mentions": [{"username": "lena_marsh", "id": "222"}]})
    assert [(text.plain[mark.start : mark.end], mark.kind, mark.target) for mark in text.marks] == [
        ("@Lena_Marsh", MarkKind.MENTION, "222"),
        ("@lena_marsh", MarkKind.MENTION, "222"),
    ]


def test_only_names_before_an_answer_are_taken_off() -> None:
    assert lead_of("@a @b hello @c", [6, 14]) == "@a @b "
    assert lead_of("hello @c there", [6, 14]) == ""
    odd: list[Any] = [None, [], ["6"], [True], [-1], [99], {}]
    for shown in odd:
        assert lead_of("@a @b hello", shown) == ""


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("hello", 5),
        ("日本", 4),
        ("👨‍👩‍👧‍👦", 2),
        ("https://example.com/" + "x" * 200, 23),
        ("see example.com now", 31),
        ("é", 1),
        ("\ud800", 2),
    ],
)
def test_lengths_are_those_that_x_counts(text: str, length: int) -> None:
    assert weigh(text) == length


def test_links_and_space_make_no_difference_to_what_is_found_again() -> None:
    assert essence("See  example.com &\nhttps://a.example/b") == essence("See http://example.com & https://a.example/b ")
    assert essence("See example.com") != essence("See nothing")


def test_private_messages_have_limits_of_their_own() -> None:
    assert CAPABILITIES.limits_of(Visibility.PUBLIC) is CAPABILITIES.limits
    assert CAPABILITIES.limits_of(Visibility.PRIVATE) is CAPABILITIES.private_limits


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"account_id": "@ExampleRail"}, "account_id"),
        ({"bearer_token": ""}, "bearer_token"),
        ({"consumer_secret": ""}, "consumer_secret"),
        ({"consumer_secret": "two words here"}, "consumer_secret"),
        ({"longest_post": 100}, "longest_post"),
        ({"api_url": "api.x.com"}, "api_url"),
        ({"links": "sometimes"}, "links"),
    ],
)
def test_mistakes_in_the_settings_are_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Exception, match=field):
        PLATFORM.settings_schema.load({**SUBJECT.settings, **changes})
    PLATFORM.settings_schema.load({**SUBJECT.settings, "intake": "poll", "bearer_token": "", "consumer_secret": ""})
