"""Saved searches: what the canned answers and the network's own search bring, and what is left to the poll."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from plugin.contracts.platform import Polled
from plugin.domain.errors import MalformedPayload, RemoteRejected
from plugin.platforms.bluesky.adapter import BlueskyAdapter
from plugin.platforms.bluesky.tests.fakes import connect
from plugin.testing.fakes import CannedHttp, FixedClock, MemorySecrets, canned
from tests.bluesky_customer import BlueskyCustomer
from tests.waiting import eventually

FIXTURES = Path(__file__).parents[1] / "fixtures"


def read(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


def searching(*answers: Any) -> tuple[BlueskyAdapter, CannedHttp]:
    http = CannedHttp([canned(read("signed_in.answer.json")), *map(canned, answers)])
    return connect(read("settings.json"), http, clock=FixedClock(), secrets=MemorySecrets()), http


def test_what_was_found_says_so_and_what_addresses_us_is_left_to_the_poll() -> None:
    channel, http = searching(read("search__found.response.json")["responses"][1])
    polled = channel.search("brand", "printer", None, most=20)
    smokes, closed = polled.events
    assert (smokes.text.plain, smokes.found_by, smokes.no_reply) == ("My printer smokes", "brand", "")
    assert closed.no_reply == "Its author lets only some people answer, and this account is not among them."
    assert ("q", "printer") in http.made[-1].sent["params"]
    assert ("since", "2026-11-21T11:45:00.000Z") in http.made[-1].sent["params"]


def test_the_oldest_come_first_and_nothing_comes_twice() -> None:
    page = read("search__found.response.json")["responses"][1]
    channel, _ = searching(page)
    first = channel.search("brand", "printer", None, most=1)
    assert ([event.text.plain for event in first.events], first.has_more) == (["My printer smokes"], True)
    position = json.loads(json.dumps(first.position))
    second = channel.search("brand", "printer", position, most=20)
    assert ([event.text.plain for event in second.events], second.has_more) == (["Nobody may answer: printer"], False)
    assert channel.search("brand", "printer", second.position, most=20).events == ()


def test_an_empty_query_is_refused() -> None:
    channel, _ = searching()
    with pytest.raises(RemoteRejected, match="The query is empty"):
        channel.search("brand", " ", None, most=20)


@pytest.mark.servers
@pytest.mark.timeout(1200)
def test_words_are_searched_on_the_network(channel: BlueskyAdapter, brand: BlueskyCustomer, stranger: BlueskyCustomer) -> None:
    word = f"unheardof{secrets.token_hex(4)}"
    stranger.post(f"My {word} smokes")

    def found() -> Polled | None:
        polled = channel.search("brand", word, None, most=20)
        return polled if polled.events else None

    polled = eventually(found)
    (event,) = polled.events
    assert (event.text.plain, event.found_by, event.is_own) == (f"My {word} smokes", "brand", False)
    assert channel.search("brand", word, polled.position, most=20).events == ()


def test_what_was_found_and_cannot_be_read_is_named_and_the_rest_is_there() -> None:
    page = read("search__found.response.json")["responses"][1]
    spoilt = json.loads(json.dumps(page))
    next(post for post in spoilt["json"]["posts"] if post["record"]["text"] == "My printer smokes")["record"] = 17
    spoilt["json"]["posts"] += [{"rubbish": 17}, {"rubbish": 18}, None]
    channel, _ = searching(spoilt)
    polled = channel.search("brand", "printer", None, most=20)
    assert len(polled.events) == 1
    assert len({one.event_key for one in polled.skipped}) == 3
    assert {type(one.reason) for one in polled.skipped} == {MalformedPayload}
