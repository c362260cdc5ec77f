"""An Instagram account and its people, over HTTP, against the strict stand-in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from plugin.contracts.platform import Grant
from plugin.domain.errors import CredentialsRejected, RemoteRejected, TargetGone, Unsupported, WindowClosed
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived
from plugin.domain.ids import ContactRef, MediaRef
from plugin.domain.model import Attachment, File, Visibility
from plugin.platforms.instagram.adapter import PLATFORM
from plugin.testing.fakes import CannedHttp, FixedClock, MemorySecrets, canned, connection
from plugin.testing.outgoing import answer_to, outbound
from tests.graph import MARKER, VERIFY, Rig

ADA = "998877665544"
PNG = File(filename="a.png", content_type="image/png", content=b"\x89PNG")
SCOPES = "instagram_business_basic,instagram_business_manage_comments,instagram_business_manage_messages"


def said(rig: Rig) -> MessageReceived:
    (event,) = rig.told()
    assert isinstance(event, MessageReceived)
    return event


def test_a_comment_is_answered_hidden_and_our_answer_taken_back(rig: Rig) -> None:
    rig.graph.instagram_comments(ADA, "Schön! Noch da?")
    comment = said(rig)
    receipt = rig.adapter.deliver(answer_to(comment, "Yes"), marker=MARKER)
    echo = said(rig)
    assert (echo.is_own, echo.message_ref, echo.thread_key) == (True, receipt.message_ref, comment.thread_key)
    rig.adapter.hide(comment.message_ref, comment.thread_key, is_hidden=True)
    assert rig.graph.world.comments[comment.message_ref].is_hidden
    rig.adapter.hide(comment.message_ref, comment.thread_key, is_hidden=False)
    rig.adapter.delete(receipt.message_ref, comment.thread_key, marker=MARKER)
    rig.adapter.delete(receipt.message_ref, comment.thread_key, marker=MARKER)
    assert [one.is_hidden for one in rig.graph.comments()] == [False]


def test_too_long_a_comment_is_refused_before_it_leaves(rig: Rig) -> None:
    rig.graph.instagram_comments(ADA, "Hi")
    comment = said(rig)
    with pytest.raises(RemoteRejected, match="300"):
        rig.adapter.deliver(answer_to(comment, "x" * 301), marker=MARKER)
    with pytest.raises(Unsupported):
        rig.adapter.deliver(answer_to(comment, "", files=(PNG,)), marker=MARKER)
    assert not rig.graph.comments(ours=True)


def test_a_deleted_comment_is_found_by_looking(rig: Rig) -> None:
    refs = [rig.graph.instagram_comments(ADA, f"{number}") for number in range(2)]
    assert rig.graph.pump.wait_idle()
    assert rig.adapter.recheck([*refs, "aWdfAda1"]) == []
    rig.graph.instagram_removes_comment(refs[0])
    (gone,) = rig.adapter.recheck(refs)
    assert gone == MessageDeleted(event_key=f"deleted:{refs[0]}", occurred_at=None, message_ref=refs[0])
    rig.graph.world.scopes.discard("instagram_manage_comments")
    with pytest.raises(CredentialsRejected, match="instagram_manage_comments"):
        rig.adapter.recheck(refs)


def test_direct_messages_go_both_ways(rig: Rig) -> None:
    ref = rig.graph.person_writes(ADA, "Hello", network="instagram")
    message = said(rig)
    receipt = rig.adapter.deliver(answer_to(message), marker=MARKER)
    echo = said(rig)
    assert (echo.is_own, echo.message_ref) == (True, receipt.message_ref)
    rig.adapter.deliver(answer_to(message, "", files=(PNG,)), marker=MARKER)
    assert list(rig.graph.world.uploads.values()) == ["instagram"]
    said(rig)
    rig.graph.person_edits_message(ADA, ref, "Hello!", network="instagram")
    (edited,) = rig.told()
    assert isinstance(edited, MessageEdited)
    rig.graph.person_unsends(ADA, ref, network="instagram")
    (unsent,) = rig.told()
    assert isinstance(unsent, MessageDeleted)
    assert edited.message_ref == unsent.message_ref == message.message_ref


def test_the_ruler_counts_bytes(rig: Rig) -> None:
    rig.graph.person_writes(ADA, "Hello", network="instagram")
    message = said(rig)
    limits = rig.adapter.capabilities.private_limits
    assert limits.ruler.measure("ö" * 500) == limits.text_length
    rig.adapter.deliver(answer_to(message, "ö" * 500), marker=MARKER)
    with pytest.raises(RemoteRejected):
        rig.adapter.deliver(answer_to(message, "ö" * 501), marker=MARKER)


def test_a_story_leaves_a_remark_and_nothing_else(rig: Rig) -> None:
    rig.graph.person_answers_story(ADA, "Love it")
    answer = said(rig)
    assert answer.text.plain == "Love it"
    assert not answer.attachments
    assert "Stories disappear" in answer.remarks[0]
    rig.graph.person_writes(
        ADA, network="instagram", files=[{"type": "story_mention", "payload": {"url": "https://cdn.example.com/story.jpg"}}]
    )
    mention = said(rig)
    assert not mention.attachments
    assert "cdn.example.com" not in repr(mention)


def test_the_window_and_the_private_reply(rig: Rig) -> None:
    rig.graph.person_writes(ADA, "Hello", network="instagram")
    message = said(rig)
    rig.clock.advance(25 * 3600)
    with pytest.raises(WindowClosed):
        rig.adapter.deliver(answer_to(message), marker=MARKER)
    rig.graph.instagram_comments("5550011", "My order number is 7")
    comment = said(rig)
    private = answer_to(comment, visibility=Visibility.PRIVATE)
    assert rig.adapter.deliver(private, marker=MARKER).opened_thread == "dm:psid-5550011"
    with pytest.raises(RemoteRejected, match="one private reply"):
        rig.adapter.deliver(private, marker=MARKER)


def test_a_mention_is_answered_where_it_was_said_and_its_words_are_fetched(rig: Rig) -> None:
    rig.graph.world.publish("instagram", "mentions", {"media_id": "1799", "comment_id": "17871"})
    mention = said(rig)
    file = rig.adapter.fetch_media(mention.attachments[0], max_bytes=1000)
    assert b"@example.shop is slow" in file.content
    rig.adapter.deliver(answer_to(mention, "Sorry!"), marker=MARKER)
    assert [one.text for one in rig.graph.comments(ours=True)] == ["Sorry!"]
    with pytest.raises(Unsupported):
        rig.adapter.deliver(answer_to(mention, visibility=Visibility.PRIVATE), marker=MARKER)


def test_what_no_webhook_told_is_caught_up(rig: Rig) -> None:
    top = rig.graph.instagram_comments(ADA, "told")
    told = said(rig)
    below = rig.graph.instagram_comments("5550012", "silent", parent=top, silent=True)
    written = rig.graph.person_writes(ADA, "Anybody?", network="instagram", silent=True)
    found = {event.message_ref: event for event in rig.adapter.poll(None).events}
    assert set(found) == {top, below, written}
    assert found[top].event_key == told.event_key
    assert found[below].thread_key == told.thread_key


def test_the_probes_name_what_is_missing(rig: Rig) -> None:
    assert all(probe.is_ok for probe in rig.adapter.probe())
    rig.graph.world.scopes.discard("instagram_manage_messages")
    (missing,) = [probe for probe in rig.adapter.probe() if not probe.is_ok]
    assert "instagram_manage_messages" in missing.answer


def test_nobody_is_written_to_first(rig: Rig) -> None:
    with pytest.raises(TargetGone):
        rig.adapter.deliver(outbound("dm:1", "Hi"), marker=MARKER)


def test_a_token_of_instagram_login_is_traded_and_renewed_each_month() -> None:
    answers = [
        {"data": [{"access_token": "IG-short", "user_id": "1", "permissions": SCOPES}]},
        {"access_token": "IG-long-one", "expires_in": 5_183_944},
        {"data": []},
        {"data": []},
        {"access_token": "IG-long-two", "expires_in": 5_183_944},
        {"data": []},
        {"data": []},
    ]
    http = CannedHttp([canned({"status": 200, "json": one}) for one in answers], is_endless=False)
    clock, secrets = FixedClock(), MemorySecrets()
    data = {"app_id": "1", "app_secret": "0" * 32, "verify_token": VERIFY, "account_id": "2", "login": "instagram"}
    given = connection(http, clock=clock, secrets=secrets)
    adapter = PLATFORM.connect("insta", PLATFORM.settings_schema.load(data), given)  # type: ignore[arg-type]
    grant = Grant(state="s", verifier="v" * 43, redirect_url="https://desk.example/oauth")
    assert adapter.authorize_url(grant).startswith("https://www.instagram.com/oauth/authorize?")
    adapter.exchange("code", grant)
    assert secrets.get("access_token") == "IG-long-one"
    adapter.poll(None)
    clock.at += timedelta(days=31)
    adapter.poll(None)
    assert secrets.get("access_token") == "IG-long-two"
    assert not http.unserved
    assert all("IG-" not in made.url for made in http.made)


def test_with_instagram_login_files_stay_behind() -> None:
    data = {"app_id": "1", "app_secret": "0" * 32, "verify_token": VERIFY, "account_id": "2", "login": "instagram"}
    adapter = PLATFORM.connect("insta", PLATFORM.settings_schema.load(data), connection(CannedHttp([])))  # type: ignore[arg-type]
    with pytest.raises(Unsupported):
        adapter.deliver(outbound("dm:1", files=(PNG,)), marker=MARKER)
    with pytest.raises(RemoteRejected):
        adapter.fetch_media(Attachment(media_ref=MediaRef("elsewhere"), filename="a.png"), max_bytes=10)


def test_a_question_bears_quick_replies_and_a_press_is_an_answer(rig: Rig) -> None:
    rig.graph.person_writes(ADA, "Hello", network="instagram")
    message = said(rig)
    rig.adapter.deliver(answer_to(message, "How was it?", choices=("1", "2", "3", "4", "5")), marker=MARKER)
    (sent,) = rig.graph.messages(ours=True)
    assert [one["title"] for one in sent.body["quick_replies"]] == ["1", "2", "3", "4", "5"]
    rig.told()
    rig.graph.person_writes(ADA, "5", network="instagram", quick_reply={"payload": sent.body["quick_replies"][4]["payload"]})
    assert said(rig).text.plain == "5"
    for wrong in (tuple(map(str, range(14))), ("x" * 21,)):
        with pytest.raises(RemoteRejected):
            rig.adapter.deliver(answer_to(message, "How was it?", choices=wrong), marker=MARKER)


def test_who_writes_is_described_with_followers_and_who_only_comments_is_not_asked_about(rig: Rig) -> None:
    rig.graph.person_writes("5500011", "Hello", network="instagram")
    writer = said(rig).author
    described = rig.adapter.describe(writer)
    assert (described.display_name, described.handle, described.followers, described.is_verified) == (
        "Ada Lovelace",
        "u5500011",
        1200,
        False,
    )
    assert described.url == "https://www.instagram.com/u5500011/"
    rig.graph.instagram_comments("5500012", "Hello")
    commenter = said(rig).author
    assert rig.adapter.describe(commenter) == commenter
    with pytest.raises(CredentialsRejected, match="consent"):
        rig.adapter.describe(replace(writer, ref=ContactRef("5500012")))


def test_a_field_that_this_version_does_not_know_costs_no_other(rig: Rig) -> None:
    assert [probe.answer for probe in rig.adapter.probe() if not probe.is_ok] == []
    rig.graph.edges.unknown_fields.add("message_edit")
    rig.adapter.register_webhook()
    told = {probe.name: probe for probe in rig.adapter.probe()}
    assert all(probe.is_ok for probe in told.values())
    assert told["webhook fields"].answer == "not told of: live_comments, message_edit, standby"
    rig.graph.edges.unknown_fields = {"comments"}
    with pytest.raises(RemoteRejected, match="must be one of"):
        rig.adapter.register_webhook()
