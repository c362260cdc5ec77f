"""Record keys, positions and words: what must hold for every input."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from plugin.contracts.splitting import split
from plugin.domain.errors import RemoteRejected
from plugin.domain.ids import ContactRef, Marker, MessageRef
from plugin.domain.model import Contact
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.bluesky.adapter import PLATFORM
from plugin.platforms.bluesky.keys import PostUri, earliest_key, post_of, read_uri, record_key, root_of, thread_key
from plugin.platforms.bluesky.position import Edge, begin, load_position, watch
from plugin.platforms.bluesky.posts import Post, read_post, read_text
from plugin.platforms.bluesky.wording import LENGTH, RULER, write_record

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
VALID_TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
MARKERS = st.text("0123456789abcdefghijklmnopqrstuv", min_size=26, max_size=26).map(Marker)
MOMENTS = st.integers(1_700_000_000_000_000, 7_000_000_000_000_000).map(
    lambda number: datetime.fromtimestamp(0, UTC) + timedelta(microseconds=number)
)
BRAND, ANA = "did:plc:brandaaaaaaaaaaaaaaaaaaa", "did:plc:anaaaaaaaaaaaaaaaaaaaaaa"
CONTACT = Contact(ref=ContactRef(ANA), handle="ana.example")


@given(MARKERS, MOMENTS)
def test_a_record_key_is_a_valid_tid_of_the_recent_past(marker: Marker, moment: datetime) -> None:
    key = record_key(marker, moment)
    assert VALID_TID.fullmatch(key)
    assert key == record_key(marker, moment)
    assert earliest_key(moment - timedelta(seconds=35)) <= key < earliest_key(moment)
    assert key != record_key(marker, moment, 1)


def test_parts_of_one_moment_have_keys_of_their_own() -> None:
    keys = {record_key(Marker(f"{number:026d}"), NOW) for number in range(3000)}
    assert len(keys) == 3000


@pytest.mark.parametrize(
    "text", ["", "at://", "at://brand.example/app.bsky.feed.post/3k", "at://did:plc:x/app.bsky.feed.like/3k", "https://x/", None]
)
def test_what_is_no_post_is_told_apart(text: Any) -> None:
    assert read_uri(text) is None
    if text is not None:
        with pytest.raises(RemoteRejected):
            post_of(MessageRef(text))


def test_a_thread_key_leads_back_to_its_root() -> None:
    root = PostUri(BRAND, "3m6aaaaaaaa22")
    assert root_of(thread_key(root, ANA)) == root


def a_post(number: int, *, cid: str = "c") -> Post:
    return Post(uri=PostUri(ANA, f"{number:013d}"), cid=f"{cid}{number}", author={}, record={}, indexed_at=None)


@given(st.lists(st.lists(st.integers(0, 400), max_size=150), max_size=8))
def test_an_edge_takes_everything_above_its_floor_once_and_stays_small(batches: list[list[int]]) -> None:
    edge = Edge("000", {})
    taken: list[int] = []
    for batch in batches:
        new = [number for number in dict.fromkeys(batch) if edge.is_new(a_post(number), f"{number:03d}")]
        assert set(batch) - set(new) - set(taken) <= {number for number in batch if f"{number:03d}" < edge.floor}
        edge = edge.with_seen((a_post(number), f"{number:03d}") for number in new)
        taken += new
        assert len(edge.seen) <= 200
    assert len(taken) == len(set(taken))


def test_a_position_survives_storing_and_forgets_the_oldest() -> None:
    position = begin(notified="a", own="b").watching([watch(a_post(number), ANA if number % 2 else BRAND) for number in range(300)])
    assert load_position(json.loads(json.dumps(position.dump()))) == position
    assert [entry.uri.rkey for entry in position.watched.values()] == [f"{number:013d}" for number in range(50, 300)]
    assert len(json.dumps(position.dump())) < 25_000


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=700))
def test_every_part_fits_the_ruler_and_both_limits(words: str) -> None:
    parts = split(Text(words + "👩‍👩‍👧‍👦" * 150), LENGTH, RULER)
    assert all(RULER.measure(part.plain) <= LENGTH and len(part.plain.encode()) <= 3000 for part in parts)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.data())
def test_marks_survive_the_way_out_and_back(words: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words)))
    end = data.draw(st.integers(start, len(words)))
    mark = Mark(start, end, MarkKind.LINK, "https://example.com/x")
    record = write_record(Text(words, (mark,)), contact=CONTACT, reply={}, images=(), created_at=NOW, marker=Marker("m" * 26))
    marks = read_text(record).marks
    assert (mark in marks) == (start < end)
    assert read_text(record).plain == words


def test_bare_addresses_and_the_customers_handle_are_linked_without_overlap() -> None:
    words = 'Grüße @ana.example! (https://example.com/a_(b)?q="x") https://example.com/ü. @ana.example.org a@ana.example'
    linked = words.index("https://example.com/ü")
    text = Text(words, (Mark(linked, linked + 21, MarkKind.LINK, "https://other.example/"), Mark(0, 5, MarkKind.LINK, "no address")))
    record = write_record(text, contact=CONTACT, reply={}, images=(), created_at=NOW, marker=Marker("m" * 26))
    octets = words.encode()
    found = [
        (octets[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode(), next(iter(list(facet["features"][0].values())[1:])))
        for facet in record["facets"]
    ]
    assert found == [
        ("@ana.example", ANA),
        ("https://example.com/a_(b)?q=", "https://example.com/a_(b)?q="),
        ("https://example.com/ü", "https://other.example/"),
    ]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "text",
                        "facets",
                        "index",
                        "features",
                        "embed",
                        "$type",
                        "images",
                        "image",
                        "ref",
                        "reply",
                        "parent",
                        "uri",
                        "langs",
                        "labels",
                        "values",
                        "val",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_record_however_odd_breaks_the_reading(record: Any) -> None:
    from plugin.platforms.bluesky.posts import received

    post = read_post({"uri": f"at://{ANA}/app.bsky.feed.post/3k", "cid": "c", "record": record, "author": record, "labels": record})
    assert post is not None
    received(post, own_did=BRAND, customer=ANA)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"service": "http://pds.example"}, "service"),
        ({"service": "pds.example"}, "service"),
        ({"identifier": ""}, "identifier"),
        ({"app_password": ""}, "app_password"),
        ({"poll_seconds": 0}, "poll_seconds"),
        ({"pol_seconds": 5}, "pol_seconds"),
    ],
)
def test_wrong_settings_are_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PLATFORM.settings_schema.load({"identifier": "brand.example", "app_password": "secret", **changes})
    assert list(caught.value.messages_dict) == [field]


def test_settings_are_tidied_and_keep_their_secret() -> None:
    settings = PLATFORM.settings_schema.load(
        {"service": "http://localhost:2583/", "identifier": "@brand.example", "app_password": "s3cret"}
    )
    assert (settings.service, settings.identifier, settings.directory) == (
        "http://localhost:2583",
        "brand.example",
        "https://plc.directory",
    )
    assert "s3cret" not in repr(settings)
