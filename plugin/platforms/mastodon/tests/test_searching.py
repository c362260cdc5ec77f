"""Saved searches: what the canned answers and the mock bring, and what is left to the poll."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plugin.domain.errors import MalformedPayload, RemoteRejected
from plugin.domain.model import Visibility
from plugin.platforms.mastodon.adapter import MastodonAdapter
from plugin.platforms.mastodon.tests.fakes import ListenedHttp, Person, connect
from plugin.testing.fakes import CannedHttp, FixedClock, canned

FIXTURES = Path(__file__).parents[1] / "fixtures"


def read(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(("case", "query"), [("hashtag", "#printers"), ("words", "smoking printer")])
def test_what_was_found_says_so_and_what_addresses_us_is_left_to_the_poll(case: str, query: str) -> None:
    answers = [read(f"{one}.answer.json") if isinstance(one, str) else one for one in read(f"search__{case}.response.json")["responses"]]
    http = CannedHttp([canned(one) for one in answers])
    polled = connect(read("settings.json"), http, clock=FixedClock()).search("brand", query, None, most=20)
    (event,) = polled.events
    assert (event.found_by, event.no_reply, event.event_key) == ("brand", "", "115590000000000400")
    assert (event.thread_key, event.visibility) == ("public|109300000000000042|115590000000000400", Visibility.PUBLIC)
    assert "https://mastodon.example" + ("/api/v1/timelines/tag/printers" if case == "hashtag" else "/api/v2/search") == http.made[-1].url
    assert ("limit", "20") in http.made[-1].sent["params"]


def test_what_was_found_and_cannot_be_read_is_named_and_the_rest_is_there() -> None:
    answers = [read(f"{one}.answer.json") if isinstance(one, str) else one for one in read("search__hashtag.response.json")["responses"]]
    answers[-1] = {**answers[-1], "json": [{"rubbish": 17}, {**answers[-1]["json"][0], "account": "nobody"}, *answers[-1]["json"]]}
    answers[-1]["json"][1]["id"] = "115590000000000999"
    http = CannedHttp([canned(one) for one in answers])
    polled = connect(read("settings.json"), http, clock=FixedClock()).search("brand", "#printers", None, most=20)
    assert [event.event_key for event in polled.events] == ["115590000000000400"]
    nameless, named = polled.skipped
    assert {type(one.reason) for one in polled.skipped} == {MalformedPayload}
    assert nameless.event_key.startswith("unreadable:")
    assert named.event_key == "found status 115590000000000999"


@pytest.mark.parametrize("query", ["", "  ", "#", "#two words", "#one #two"])
def test_what_is_neither_a_hashtag_nor_words_is_refused_before_anybody_is_asked(query: str) -> None:
    http = CannedHttp([canned(read("signed_in.answer.json")), canned(read("instance.answer.json"))])
    with pytest.raises(RemoteRejected, match="is no hashtag and no words"):
        connect(read("settings.json"), http, clock=FixedClock()).search("brand", query, None, most=20)


@pytest.mark.servers
def test_a_hashtag_is_followed_on_a_server(channel: MastodonAdapter, brand: Person, stranger: Person, http: ListenedHttp) -> None:
    tag = f"crossdesk{stranger.id}{brand.id}x"
    assert channel.search("brand", f"#{tag}", None, most=20).events == ()
    first = stranger.say(f"Anybody using #{tag}?")
    stranger.say(f"@{brand.acct} are you #{tag}?")
    brand.say(f"We are #{tag}")
    stranger.say(f"psst #{tag}", visibility="direct")
    found = channel.search("brand", f"#{tag}", None, most=20)
    assert [event.message_ref for event in found.events] == [str(first["id"])]
    second = stranger.say(f"Still #{tag}")
    third = stranger.say(f"And #{tag}")
    page = channel.search("brand", f"#{tag}", found.position, most=1)
    assert ([event.message_ref for event in page.events], page.has_more) == ([str(second["id"])], True)
    rest = channel.search("brand", f"#{tag}", page.position, most=20)
    assert [event.message_ref for event in rest.events] == [str(third["id"])]
    assert channel.search("brand", f"#{tag}", rest.position, most=20).events == ()


@pytest.mark.servers
def test_words_are_searched_on_a_server(channel: MastodonAdapter, brand: Person, stranger: Person) -> None:
    word = f"unheardof{stranger.id}{brand.id}x"
    said = stranger.say(f"My {word} smokes")
    found = channel.search("brand", word, None, most=20)
    assert [event.message_ref for event in found.events] == [str(said["id"])]
    assert channel.search("brand", word, found.position, most=20).events == ()
