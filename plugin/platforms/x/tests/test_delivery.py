"""What we say on X, over HTTP, to a stand-in that refuses what X refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.contracts.splitting import split
from plugin.domain.errors import (
    BillingStopped,
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
    Unsupported,
    WindowClosed,
)
from plugin.domain.events import MessageReceived
from plugin.domain.ids import Marker, MessageRef, ThreadKey
from plugin.domain.model import File, OutboundMessage, Visibility
from plugin.domain.text import Text
from plugin.platforms.x.adapter import XAdapter
from plugin.platforms.x.answers import Duplicate
from plugin.platforms.x.tests.conftest import SCOPES, Connected
from plugin.platforms.x.wording import WEIGHED, weigh
from plugin.testing.outgoing import outbound
from plugin.testing.standins.x import ACCOUNT, BYSTANDER, CUSTOMER, XStandIn
from plugin.testing.standins.x.world import Post

PNG = b"\x89PNG\r\n\x1a\n"
PRIVATE = f"dm/{ACCOUNT}-{CUSTOMER}"


@pytest.fixture
def asked(x: XStandIn) -> Post:
    return x.world.person_posts(CUSTOMER, "@ExampleRail where is my train?")


def public(post: Post, words: str | Text = "In Graz.", **fields: Any) -> OutboundMessage:
    where = {"visibility": Visibility.PUBLIC, "reply_to": MessageRef(post.id), "contact": CUSTOMER, "created_at": datetime.now(UTC)}
    return outbound(f"public/{post.conversation}/{CUSTOMER}", words, **{**where, **fields})


def private(words: str = "In Graz.", **fields: Any) -> OutboundMessage:
    return outbound(PRIVATE, words, **{"contact": CUSTOMER, "created_at": datetime.now(UTC), **fields})


def ours(x: XStandIn) -> list[Post]:
    return [post for post in x.world.posts.values() if post.author == ACCOUNT]


def test_an_answer_stands_below_the_customers_post(x: XStandIn, adapter: XAdapter, asked: Post, marker: Marker) -> None:
    receipt = adapter.deliver(public(asked, "In Graz & on <time>."), marker=marker)
    (post,) = ours(x)
    assert (post.text, post.parent, post.conversation) == ("In Graz & on <time>.", asked.id, asked.id)
    assert (receipt.message_ref, receipt.losses) == (post.id, ())
    assert receipt.url.endswith(post.id)


def test_an_answer_goes_under_the_post_whichever_wording_is_named(x: XStandIn, adapter: XAdapter, asked: Post, marker: Marker) -> None:
    x.world.person_edits(asked.id, "@ExampleRail where are my trains?")
    adapter.deliver(public(asked), marker=marker)
    assert len(ours(x)) == 1


def test_a_long_answer_is_cut_by_xs_own_count_and_each_part_stands_below_the_last(
    x: XStandIn, adapter: XAdapter, asked: Post, marker: Marker
) -> None:
    limits = adapter.capabilities.limits
    assert limits.text_length is not None
    words = "列車はリンツにいます。👩‍👩‍👧‍👦 See https://trains.example.com/a/very/long/address?with=much&behind=it now! " * 12
    parent, parts = asked, split(Text(words), limits.text_length, WEIGHED)
    assert len(parts) > 2
    for part in parts:
        parent = x.world.posts[adapter.deliver(public(asked, part, reply_to=MessageRef(parent.id)), marker=marker).message_ref]
    assert "".join(post.text for post in ours(x)).replace(" ", "") == words.replace(" ", "")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.sampled_from(["word", "https://a.example/" + "x" * 90, "👩‍👩‍👧", "日本", "b.example.com", "\n\n", "é", "x" * 70 + ".com"]),
        max_size=20,
    )
)
def test_no_part_ever_weighs_too_much(words: list[str]) -> None:
    assert all(weigh(part.plain) <= 280 for part in split(Text(" ".join(words)), 280, WEIGHED))


def test_one_letter_too_many_is_refused_and_a_premium_account_may_say_more(
    x: XStandIn, connect: Callable[..., Connected], asked: Post, marker: Marker
) -> None:
    premium = connect(longest_post=25_000).adapter
    assert premium.capabilities.limits.text_length == 25_000
    premium.deliver(public(asked, "日" * 140), marker=marker)
    with pytest.raises(RemoteRejected, match="too long"):
        premium.deliver(public(asked, "日" * 140 + "x"), marker=marker)
    x.posts.longest = 25_000
    premium.deliver(public(asked, "日" * 140 + "x"), marker=marker)


def test_a_direct_message_may_be_long_and_goes_to_the_person(x: XStandIn, adapter: XAdapter, marker: Marker) -> None:
    limits = adapter.capabilities.limits_of(Visibility.PRIVATE)
    assert (limits.text_length, limits.files_per_message) == (10_000, 1)
    receipt = adapter.deliver(private("日" * 10_000), marker=marker)
    (message,) = x.world.messages.values()
    assert (message.sender, message.recipient, receipt.message_ref) == (ACCOUNT, CUSTOMER, f"dm:{message.id}")
    x.world.people[CUSTOMER].takes_messages = False
    with pytest.raises(RemoteRejected, match="cannot send messages"):
        adapter.deliver(private(), marker=marker)


def test_pictures_go_along_with_their_descriptions(x: XStandIn, adapter: XAdapter, asked: Post, marker: Marker) -> None:
    files = tuple(
        File(filename=f"{n}.png", content_type="image/png", content=PNG + bytes([n]), description=f"picture {n}") for n in range(4)
    )
    receipt = adapter.deliver(public(asked, files=files), marker=marker)
    (post,) = ours(x)
    shown = [x.world.media[one] for one in post.media]
    assert [(media.content, media.alt, media.category) for media in shown] == [
        (file.content, file.description, "tweet_image") for file in files
    ]
    assert receipt.losses == ()
    adapter.deliver(private("", files=files[:1]), marker=marker)
    (message,) = x.world.messages.values()
    assert x.world.media[message.media[0]].category == "dm_image"


def test_a_film_goes_in_pieces_and_is_waited_for(x: XStandIn, adapter: XAdapter, asked: Post, marker: Marker) -> None:
    x.uploads.checks, x.uploads.check_after = 3, 0
    film = File(filename="a.mp4", content_type="video/mp4", content=bytes(range(256)) * (5 << 12))
    adapter.deliver(public(asked, files=(film,)), marker=marker)
    (post,) = ours(x)
    media = x.world.media[post.media[0]]
    assert (media.content, len(media.parts), media.category) == (film.content, 2, "tweet_video")
    x.uploads.checks = 100
    with pytest.raises(RemoteUnavailable, match="still working"):
        adapter.deliver(public(asked, "again", files=(film,)), marker=marker)
    x.uploads.is_broken = True
    with pytest.raises(RemoteRejected, match="cannot use"):
        adapter.deliver(public(asked, "again", files=(film,)), marker=marker)
    assert len(ours(x)) == 1


def test_files_that_x_cannot_show_together_or_at_all_are_refused_before_any_call(
    x: XStandIn, adapter: XAdapter, asked: Post, marker: Marker
) -> None:
    picture = File(filename="a.png", content_type="image/png", content=PNG)
    film = File(filename="a.mp4", content_type="video/mp4", content=b"film")
    document = File(filename="a.pdf", content_type="application/pdf", content=b"%PDF")
    for files in ((picture, film), (film, film), (document,), (picture,) * 5):
        with pytest.raises(Unsupported):
            adapter.deliver(public(asked, files=files), marker=marker)
    with pytest.raises(Unsupported):
        adapter.deliver(private(files=(picture, picture)), marker=marker)
    with pytest.raises(RemoteRejected, match="5 MB"):
        adapter.deliver(public(asked, files=(File(filename="b.png", content_type="image/png", content=PNG * (1 << 20)),)), marker=marker)
    assert x.calls == []


def test_what_a_link_costs_is_told_or_avoided(x: XStandIn, connect: Callable[..., Connected], asked: Post, marker: Marker) -> None:
    told = connect().adapter.deliver(public(asked, "See trains.example.com"), marker=marker)
    assert "0.20" in told.losses[0]
    assert connect(links="allow").adapter.deliver(public(asked, "See https://trains.example.com/2"), marker=marker).losses == ()
    with pytest.raises(RemoteRejected, match="holds a link"):
        connect(links="refuse").adapter.deliver(public(asked, "See trains.example.com/3"), marker=marker)
    connect(links="refuse").adapter.deliver(private("See trains.example.com/3"), marker=marker)
    assert len(ours(x)) == 2
    told_before = {links: connect(links=links).adapter.capabilities.link_cost for links in ("tell", "allow", "refuse")}
    assert "0.20 USD" in told_before["tell"]
    assert told_before["allow"] == ""
    assert "would not be sent" in told_before["refuse"]


def test_who_did_not_summon_us_is_not_answered_in_public(x: XStandIn, adapter: XAdapter, marker: Marker) -> None:
    stray = x.world.person_posts(CUSTOMER, "Example Rail is late")
    (found,) = adapter.search("brand", "example rail", None, most=10).events
    assert isinstance(found, MessageReceived)
    assert found.no_reply
    with pytest.raises(WindowClosed, match="in private"):
        adapter.deliver(public(stray), marker=marker)
    assert ours(x) == []


def test_who_is_gone_or_has_blocked_us(x: XStandIn, adapter: XAdapter, asked: Post, marker: Marker) -> None:
    x.world.people[CUSTOMER].has_blocked.add(ACCOUNT)
    with pytest.raises(RemoteRejected, match="blocked"):
        adapter.deliver(public(asked), marker=marker)
    x.world.person_deletes(asked.id)
    with pytest.raises(TargetGone):
        adapter.deliver(public(asked), marker=marker)
    with pytest.raises(Unsupported, match="X app"):
        adapter.deliver(outbound(f"chat/{CUSTOMER}:{ACCOUNT}", "hello"), marker=marker)


@pytest.mark.parametrize(
    ("kind", "value", "applied"),
    [("error_before", 503, 0), ("error_after", 500, 1), ("drop_before", 0, 0), ("drop_after", 0, 1), ("stall_after", 1.0, 1)],
)
def test_an_unclear_answer_is_found_if_it_came_through(
    x: XStandIn, connect: Callable[..., Connected], asked: Post, marker: Marker, kind: str, value: float, applied: int
) -> None:
    adapter = connect(timeout=0.4).adapter
    for message, path in (
        (public(asked, "See trains.example.com & <wait>, it is in  Graz."), "tweets"),
        (private("See trains.example.com & <wait>."), "messages"),
    ):
        x.arm(kind, at=path, value=value)
        with pytest.raises(OutcomeUnknown):
            adapter.deliver(message, marker=marker)
        patient = connect().adapter
        found = patient.find_delivered(message, marker=marker)
        assert (found is not None) == bool(applied)
        if found is None:
            again = patient.deliver(message, marker=marker)
            assert patient.find_delivered(message, marker=marker) is not None
            assert again.message_ref
    assert (len(ours(x)), len(x.world.messages)) == (1, 1)


def test_what_was_said_before_or_elsewhere_is_not_taken_for_it(x: XStandIn, adapter: XAdapter, asked: Post, marker: Marker) -> None:
    other = x.world.person_posts(CUSTOMER, "@ExampleRail and the other one?")
    adapter.deliver(public(other), marker=marker)
    assert adapter.find_delivered(public(asked), marker=marker) is None
    adapter.deliver(public(asked), marker=marker)
    later = datetime.fromtimestamp(x.world.now() + 60, UTC)
    assert adapter.find_delivered(public(asked, created_at=later), marker=marker) is None
    adapter.deliver(private(), marker=marker)
    assert adapter.find_delivered(private(created_at=later), marker=marker) is None
    assert adapter.find_delivered(private("Something else"), marker=marker) is None


def test_the_same_words_again_are_the_ones_that_stand_there_or_are_refused(
    x: XStandIn, adapter: XAdapter, asked: Post, marker: Marker
) -> None:
    message = public(asked)
    first = adapter.deliver(message, marker=marker)
    assert adapter.deliver(message, marker=marker).message_ref == first.message_ref
    later = datetime.fromtimestamp(x.world.now() + 60, UTC)
    with pytest.raises(Duplicate):
        adapter.deliver(public(asked, created_at=later), marker=marker)
    assert len(ours(x)) == 1


def test_our_own_are_taken_back_and_others_hidden(x: XStandIn, adapter: XAdapter, asked: Post, marker: Marker) -> None:
    root = x.world.person_posts(ACCOUNT, "The new timetable is out")
    insult = x.world.person_posts(BYSTANDER, "@ExampleRail you fools", reply_to=root.id)
    thread = ThreadKey(f"public/{root.id}/{BYSTANDER}")
    for is_hidden in (True, True, False):
        adapter.hide(MessageRef(insult.id), thread, is_hidden=is_hidden)
        assert x.world.posts[insult.id].is_hidden is is_hidden
    with pytest.raises(RemoteRejected, match="not permitted"):
        adapter.hide(MessageRef(asked.id), thread, is_hidden=True)
    x.world.person_deletes(insult.id)
    adapter.hide(MessageRef(insult.id), thread, is_hidden=True)
    with pytest.raises(TargetGone):
        adapter.hide(MessageRef(insult.id), thread, is_hidden=False)
    with pytest.raises(Unsupported):
        adapter.hide(MessageRef("dm:1"), thread, is_hidden=True)
    refs = [adapter.deliver(public(asked), marker=marker).message_ref, adapter.deliver(private(), marker=marker).message_ref]
    for ref in (*refs, *refs):
        adapter.delete(ref, thread, marker=marker)
    assert ours(x) == [root]
    assert not x.world.messages


def test_a_pause_is_as_long_as_x_says(x: XStandIn, adapter: XAdapter, asked: Post, marker: Marker) -> None:
    x.limits.most["POST /2/tweets"] = 1
    adapter.deliver(public(asked), marker=marker)
    with pytest.raises(RateLimited) as limited:
        adapter.deliver(public(asked, "Still."), marker=marker)
    assert limited.value.retry_after is not None
    assert 890 < limited.value.retry_after <= 900
    for number in range(15):
        adapter.deliver(private(f"message {number}"), marker=marker)
    with pytest.raises(RateLimited):
        adapter.deliver(private("one more"), marker=marker)


def test_credit_that_is_used_up_stops_the_channel_and_nothing_is_lost(x: XStandIn, adapter: XAdapter, asked: Post, marker: Marker) -> None:
    x.credit = 0.02
    message = public(asked)
    adapter.deliver(message, marker=marker)
    adapter.deliver(public(asked, "Still."), marker=marker)
    for call in (
        lambda: adapter.deliver(public(asked, "More."), marker=marker),
        lambda: adapter.poll(None),
        lambda: adapter.recheck([MessageRef(asked.id)]),
        lambda: adapter.find_delivered(message, marker=marker),
    ):
        with pytest.raises(BillingStopped, match="credit"):
            call()
    x.credit = 10.0
    adapter.deliver(public(asked, "More."), marker=marker)
    assert len(ours(x)) == 3


@pytest.mark.parametrize(
    ("scope", "call"),
    [
        ("tweet.write", lambda adapter, post, marker: adapter.deliver(public(post), marker=marker)),
        ("dm.write", lambda adapter, post, marker: adapter.deliver(private(), marker=marker)),
        ("tweet.moderate.write", lambda adapter, post, marker: adapter.hide(MessageRef(post.id), ThreadKey("t"), is_hidden=True)),
        (
            "media.write",
            lambda adapter, post, marker: adapter.deliver(
                public(post, files=(File(filename="a.png", content_type="image/png", content=PNG),)), marker=marker
            ),
        ),
    ],
)
def test_a_missing_permission_is_named(
    connect: Callable[..., Connected], asked: Post, marker: Marker, scope: str, call: Callable[..., Any]
) -> None:
    adapter = connect(scopes=SCOPES - {scope}).adapter
    with pytest.raises(CredentialsRejected, match=scope.replace(".", r"\.")):
        call(adapter, asked, marker)
    assert scope in next(probe.answer for probe in adapter.probe() if probe.name == "permissions")
