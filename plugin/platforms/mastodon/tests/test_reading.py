"""Reading what servers say, however odd: statuses, instances, lists, times to wait, positions."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plugin.contracts.http import HttpResponse
from plugin.domain.events import MessageReceived
from plugin.domain.model import Visibility
from plugin.platforms.mastodon.checks import missing_scopes
from plugin.platforms.mastodon.client import read_reset
from plugin.platforms.mastodon.keys import Thread, media_ref, read_media_ref, root_of
from plugin.platforms.mastodon.position import Edge, Watched, begin, load_position
from plugin.platforms.mastodon.server import qualified, read_instance
from plugin.platforms.mastodon.statuses import edited, read_status, received
from plugin.platforms.mastodon.tests.fakes import connect
from plugin.testing.fakes import CannedHttp, canned

FIXTURES = Path(__file__).parents[1] / "fixtures"
SETTINGS = json.loads((FIXTURES / "settings.json").read_text())
SHOWN = json.loads((FIXTURES / "question_shown.answer.json").read_text())["json"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
PATHS = [(name,) for name in SHOWN] + [
    (outer, name)
    for outer, value in SHOWN.items()
    for one in [value[0] if isinstance(value, list) and value else value]
    if isinstance(one, dict)
    for name in one
]


@given(st.sampled_from(PATHS), JSON)
def test_a_status_with_one_odd_value_is_read_or_left(path: tuple[str, ...], odd: Any) -> None:
    raw = copy.deepcopy(SHOWN)
    at = raw
    for name in path[:-1]:
        at = at[name][0] if isinstance(at[name], list) else at[name]
    at[path[-1]] = odd
    status = read_status(raw)
    if status is not None:
        thread = Thread(status.id, status.seen_by, status.author)
        event = received(status, thread, own="1", domain="mastodon.example")
        assert isinstance(event, MessageReceived)
        assert event.message_ref
        assert event.visibility is Visibility.PUBLIC or raw["visibility"] not in ("public", "unlisted")
        edited(status, thread, own="1", revision=1)


@given(JSON)
def test_whatever_is_no_status_is_none(odd: Any) -> None:
    assert read_status(odd) is None


@given(st.dictionaries(st.sampled_from(["domain", "uri", "configuration", "max_toot_chars"]), JSON))
def test_an_instance_always_has_limits(told: dict[str, Any]) -> None:
    instance = read_instance(told, host="mastodon.example")
    assert instance.domain
    assert min(instance.text_length, instance.files, instance.file_bytes, instance.description_length, instance.url_length) > 0


def test_instances_of_both_versions() -> None:
    new = json.loads((FIXTURES / "instance.answer.json").read_text())["json"]
    assert read_instance(new, host="x").file_bytes == 16_777_216
    old = read_instance({"uri": "https://far.example/", "max_toot_chars": 5000}, host="x")
    assert (old.domain, old.text_length, old.url_length) == ("far.example", 5000, 23)
    assert (qualified("ali", "far.example"), qualified("ali@b.example", "far.example")) == ("ali@far.example", "ali@b.example")


@given(st.text(min_size=1), st.text(min_size=1), st.sampled_from(Visibility))
def test_keys_come_back_whole_whatever_the_ids(one: str, other: str, visibility: Visibility) -> None:
    assert root_of(Thread(one, visibility, other).key) == one
    assert read_media_ref(media_ref(one, other)) == (one, other)


def test_positions_come_back_whole() -> None:
    entry = Watched(id="01K", thread=Thread("01J", Visibility.PRIVATE, "7"), stamp="", is_own=True, revision=2)
    position = begin("2026-11-21T11:45:00+00:00").watching([entry])
    assert load_position(json.loads(json.dumps(position.dump()))) == position
    many = position.watching([Watched(id=str(n), thread=entry.thread, stamp="", is_own=False) for n in range(300)])
    assert len(many.watched) == 250
    assert "01K" not in many.watched
    assert many.notified == Edge("", "2026-11-21T11:45:00+00:00")


def test_limits_end_when_the_server_says() -> None:
    mastodons, others = read_reset("2026-11-21T12:02:00.123Z"), read_reset("1795262520")
    assert mastodons is not None
    assert others is not None
    assert mastodons.replace(microsecond=0) == others
    assert read_reset("soon") is read_reset("") is read_reset("9" * 40) is None


def test_scopes_that_cover_each_other() -> None:
    assert missing_scopes(["read", "write"]) == []
    assert missing_scopes(["read", "write:statuses"]) == ["write:media"]


def test_a_page_that_does_not_move_ends_the_walk() -> None:
    """A server without `min_id` shows its newest page for ever."""
    page = json.loads((FIXTURES / "message_received__mention.poll.json").read_text())["responses"][2]
    answers = [canned(json.loads((FIXTURES / f"{name}.answer.json").read_text())) for name in ("signed_in", "instance")]
    full = {**page, "json": [{**page["json"][0], "id": str(600 - number)} for number in range(40)]}
    http = CannedHttp([*answers, canned(full), canned({"status": 200, "json": []})])
    position = {"notified": ["600", ""], "own": ["1", ""], "watched": []}
    polled = connect(SETTINGS, http).poll(position)
    assert (polled.events, polled.has_more, polled.position) == ((), False, None)


@given(
    st.lists(
        st.sampled_from([b"", b"{}", b"[]", b"[{}]", b'[{"id": "1", "type": "mention"}]', json.dumps([SHOWN]).encode()]),
        min_size=6,
        max_size=6,
    )
)
def test_a_poll_brings_events_or_says_what_failed(bodies: list[bytes]) -> None:
    start = [canned(json.loads((FIXTURES / f"{name}.answer.json").read_text())) for name in ("signed_in", "instance")]
    http = CannedHttp([*start, *(HttpResponse(status=200, headers={}, body=body) for body in bodies)])
    position = {"notified": ["600", ""], "own": ["1", ""], "watched": [[SHOWN["id"], "1", "public", "2", "", False, 0]]}
    try:
        polled = connect(SETTINGS, http).poll(position)
    except Exception as problem:  # noqa: BLE001 - which one it is, is what is asked
        assert type(problem).__name__ == "RemoteUnavailable"  # noqa: PT017
    else:
        assert all(event.event_key for event in polled.events)
