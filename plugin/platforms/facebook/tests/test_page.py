"""A Page and its visitors, over HTTP, against the strict stand-in."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from plugin.contracts.platform import Grant
from plugin.domain.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteRejected,
    SignatureInvalid,
    TargetGone,
    Unsupported,
    WindowClosed,
)
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived
from plugin.domain.ids import ContactRef, MessageRef
from plugin.domain.model import File, Visibility
from plugin.testing.outgoing import answer_to, outbound
from plugin.testing.standins.graph import PAGE
from plugin.testing.standins.graph.people import POST
from tests.graph import MARKER, Rig

ADA = "5500011"
PNG = File(filename="a.png", content_type="image/png", content=b"\x89PNG")


def said(rig: Rig) -> MessageReceived:
    (event,) = rig.told()
    assert isinstance(event, MessageReceived)
    return event


def test_a_comment_is_answered_below_it_and_the_answer_comes_back_as_ours(rig: Rig) -> None:
    rig.graph.person_comments(ADA, "Grüße / wo bleibt Größe 42?")
    comment = said(rig)
    assert comment.text.plain == "Grüße / wo bleibt Größe 42?"
    receipt = rig.adapter.deliver(answer_to(comment), marker=MARKER)
    echo = said(rig)
    assert echo.is_own
    assert (echo.message_ref, echo.thread_key, echo.parent_ref) == (receipt.message_ref, comment.thread_key, comment.message_ref)
    below = rig.graph.person_comments(ADA, "Thank you", parent=receipt.message_ref)
    assert said(rig).thread_key == comment.thread_key
    assert below in {one.ref for one in rig.graph.comments(ours=False)}


def test_edits_removals_and_hiding_are_told(rig: Rig) -> None:
    ref = rig.graph.person_comments(ADA, "Where is it")
    comment = said(rig)
    rig.graph.person_edits_comment(ref, "Where is it?")
    (edited,) = rig.told()
    assert isinstance(edited, MessageEdited)
    assert (edited.message_ref, edited.text.plain) == (ref, "Where is it?")
    rig.adapter.hide(comment.message_ref, comment.thread_key, is_hidden=True)
    (hidden,) = rig.told()
    assert isinstance(hidden, MessageEdited)
    assert "hidden" in hidden.remarks[0]
    rig.graph.person_removes_comment(ref)
    (removed,) = rig.told()
    assert isinstance(removed, MessageDeleted)
    assert (removed.message_ref, removed.thread_key) == (ref, comment.thread_key)
    rig.adapter.hide(comment.message_ref, comment.thread_key, is_hidden=True)
    with pytest.raises(TargetGone):
        rig.adapter.hide(comment.message_ref, comment.thread_key, is_hidden=False)
    with pytest.raises(TargetGone):
        rig.adapter.deliver(answer_to(comment), marker=MARKER)


def test_our_comment_is_edited_and_taken_back(rig: Rig) -> None:
    rig.graph.person_comments(ADA, "Hello")
    comment = said(rig)
    receipt = rig.adapter.deliver(answer_to(comment, "Helo", files=(PNG,)), marker=MARKER)
    assert rig.graph.comments(ours=True)[0].has_picture
    rig.adapter.edit(receipt.message_ref, answer_to(comment, "Hello"), marker=MARKER)
    assert rig.graph.comments(ours=True)[0].text == "Hello"
    rig.adapter.delete(receipt.message_ref, comment.thread_key, marker=MARKER)
    rig.adapter.delete(receipt.message_ref, comment.thread_key, marker=MARKER)
    assert not rig.graph.comments(ours=True)
    with pytest.raises(Unsupported):
        rig.adapter.deliver(answer_to(comment, "", files=(replace(PNG, content_type="application/pdf"),)), marker=MARKER)


def test_a_comment_has_one_private_reply(rig: Rig) -> None:
    rig.graph.person_comments(ADA, "My number is 0170")
    comment = said(rig)
    private = answer_to(comment, "Let us go on here.", visibility=Visibility.PRIVATE)
    receipt = rig.adapter.deliver(private, marker=MARKER)
    echo = said(rig)
    assert (echo.visibility, echo.message_ref, echo.marker) == (Visibility.PRIVATE, receipt.message_ref, MARKER)
    assert receipt.opened_thread == echo.thread_key, "what the person answers will stand there"
    with pytest.raises(RemoteRejected, match="one private reply"):
        rig.adapter.deliver(private, marker=MARKER)
    assert len(rig.graph.messages(ours=True)) == 1


def test_messenger_carries_words_files_and_our_marker(rig: Rig) -> None:
    rig.graph.person_writes(ADA, "Hello")
    message = said(rig)
    receipt = rig.adapter.deliver(answer_to(message), marker=MARKER)
    echo = said(rig)
    assert (echo.is_own, echo.marker, echo.message_ref) == (True, MARKER, receipt.message_ref)
    rig.adapter.deliver(answer_to(message, "", files=(PNG,)), marker=MARKER)
    assert list(rig.graph.world.files.values()) == [PNG.content]
    rig.adapter.send_typing(message.thread_key)
    rig.adapter.mark_read(message.thread_key, message.message_ref)
    assert rig.graph.world.seen == [(ADA, "typing_on"), (ADA, "mark_seen")]
    with pytest.raises(Unsupported):
        rig.adapter.edit(receipt.message_ref, answer_to(message), marker=MARKER)


def test_what_the_inbox_says_is_ours_without_a_marker(rig: Rig) -> None:
    rig.graph.inbox_writes(ADA, "Bo here")
    native = said(rig)
    assert (native.is_own, native.marker, native.thread_key) == (True, None, f"dm:{ADA}")


def test_the_window_and_the_human_agent_tag(rig: Rig) -> None:
    rig.graph.person_writes(ADA, "Hello")
    message = said(rig)
    rig.clock.advance(25 * 3600)
    with pytest.raises(WindowClosed):
        rig.adapter.deliver(answer_to(message), marker=MARKER)
    patient = rig.connect(human_agent=True)
    assert patient.capabilities.private_limits.reply_window == 7 * 86_400
    with pytest.raises(RemoteRejected):
        patient.deliver(answer_to(message), marker=MARKER)
    rig.graph.world.may_human_agent = True
    patient.deliver(answer_to(message), marker=MARKER)
    rig.clock.advance(7 * 86_400)
    with pytest.raises(WindowClosed):
        patient.deliver(answer_to(message), marker=MARKER)


def test_another_app_controls_the_conversation(rig: Rig) -> None:
    rig.graph.person_writes(ADA, "Hello")
    message = said(rig)
    rig.graph.world.another_app.add(ADA)
    with pytest.raises(RemoteRejected, match="Conversation Routing"):
        rig.adapter.deliver(answer_to(message), marker=MARKER)


def test_nobody_is_written_to_first_and_nothing_too_long_leaves(rig: Rig) -> None:
    with pytest.raises(TargetGone):
        rig.adapter.deliver(outbound("dm:999", "Hi"), marker=MARKER)
    rig.graph.person_writes(ADA, "Hello")
    with pytest.raises(RemoteRejected):
        rig.adapter.deliver(answer_to(said(rig), "x" * 2001), marker=MARKER)
    with pytest.raises(RemoteRejected):
        rig.adapter.deliver(outbound("elsewhere", "Hi"), marker=MARKER)


@pytest.mark.parametrize(("fault", "value"), [("error_after", 500), ("drop_after", 0), ("error_before", 503), ("drop_before", 0)])
def test_an_unclear_outcome_is_said_to_be_one(rig: Rig, fault: str, value: float) -> None:
    rig.graph.person_writes(ADA, "Hello")
    message = said(rig)
    rig.graph.arm(fault, at="messages", value=value)
    with pytest.raises(OutcomeUnknown):
        rig.adapter.deliver(answer_to(message), marker=MARKER)
    is_there = bool(rig.graph.messages(ours=True))
    assert is_there is fault.endswith("after")
    if is_there:
        assert said(rig).marker == MARKER


def test_asked_to_wait_and_locked_out(rig: Rig) -> None:
    rig.graph.person_writes(ADA, "Hello")
    message = said(rig)
    rig.graph.arm("rate_limit", at="messages", value=17)
    with pytest.raises(RateLimited) as wait:
        rig.adapter.deliver(answer_to(message), marker=MARKER)
    assert wait.value.retry_after == 17
    rig.graph.world.scopes.discard("pages_messaging")
    with pytest.raises(CredentialsRejected, match="pages_messaging"):
        rig.adapter.deliver(answer_to(message), marker=MARKER)
    rig.graph.revoke_token()
    with pytest.raises(CredentialsRejected, match="access token"):
        rig.adapter.deliver(answer_to(message), marker=MARKER)
    assert not rig.graph.messages(ours=True)


def test_the_app_secret_is_changed_without_a_gap(rig: Rig) -> None:
    rig.graph.person_writes(ADA, "Hello")
    message = said(rig)
    new, old = "0c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f", rig.graph.secret
    both = rig.connect(app_secret=new, previous_app_secret=old)
    both.deliver(answer_to(message, "before"), marker=MARKER)
    both.verify(rig.listener.next(30.0))
    rig.graph.reset_secret(new)
    both.deliver(answer_to(message, "after"), marker=MARKER)
    signed = rig.listener.next(30.0)
    both.verify(signed)
    with pytest.raises(SignatureInvalid):
        rig.adapter.verify(signed)
    with pytest.raises(CredentialsRejected, match="app secret"):
        rig.adapter.deliver(answer_to(message), marker=MARKER)


def test_what_no_webhook_told_is_caught_up_under_the_same_keys(rig: Rig) -> None:
    rig.graph.person_comments(ADA, "told")
    told = said(rig)
    rig.clock.advance(60)
    silent = rig.graph.person_comments(ADA, "silent", silent=True)
    written = rig.graph.person_writes(ADA, "Anybody?", silent=True)
    other = rig.graph.person_writes("5500012", "Me, too", silent=True)
    polled = rig.adapter.poll(None)
    found = {event.message_ref: event for event in polled.events}
    assert set(found) == {told.message_ref, silent, written, other}
    assert found[told.message_ref].event_key == told.event_key
    assert found[told.message_ref].thread_key == told.thread_key
    rig.clock.advance(3600)
    later = rig.graph.person_comments(ADA, "later", silent=True)
    after = rig.adapter.poll(polled.position)
    assert after.events[-1].message_ref == later
    assert [event.message_ref for event in rig.adapter.poll(after.position).events] == [later]


def test_a_batch_is_read_whole_and_repeated_deliveries_change_nothing(rig: Rig) -> None:
    rig.graph.pump.duplicates = 1
    rig.graph.pump.hold(is_held=True)
    refs = [rig.graph.person_comments(ADA, f"{number}") for number in range(5)]
    refs.append(rig.graph.person_writes(ADA, "and a message"))
    rig.graph.pump.hold(is_held=False)
    first, again = rig.told(), rig.told()
    assert sorted(event.message_ref for event in first) == sorted(refs)  # type: ignore[union-attr]
    assert [event.event_key for event in first] == [event.event_key for event in again]


def test_a_refused_delivery_comes_again(rig: Rig) -> None:
    rig.listener.reply = lambda _: (503 if len(rig.listener.requests) < 3 else 200, {}, b"{}")
    rig.graph.person_comments(ADA, "Hello")
    assert rig.graph.pump.wait_idle()
    assert [delivery.status for delivery in rig.graph.pump.deliveries] == [503, 503, 200]


def test_the_probes_name_what_is_missing(rig: Rig) -> None:
    assert all(probe.is_ok for probe in rig.adapter.probe())
    rig.graph.world.scopes.discard("pages_manage_engagement")
    (missing,) = [probe for probe in rig.adapter.probe() if not probe.is_ok]
    assert "pages_manage_engagement" in missing.answer
    rig.graph.revoke_token()
    assert [probe.is_ok for probe in rig.adapter.probe()] == [False]


def test_a_page_is_connected_once_by_a_code(rig: Rig) -> None:
    unconnected = rig.connect(access_token="")
    with pytest.raises(CredentialsRejected, match="not connected"):
        unconnected.deliver(outbound(f"post:{POST}", "Hi", visibility=Visibility.PUBLIC), marker=MARKER)
    grant = Grant(state="s-1", verifier="v" * 43, redirect_url="https://desk.example/oauth")
    asked = parse_qs(urlsplit(unconnected.authorize_url(grant)).query)
    assert asked["state"] == ["s-1"]
    assert asked["redirect_uri"] == [grant.redirect_url]
    assert set(asked["scope"][0].split(",")) == set(unconnected.scopes)
    rig.graph.edges.codes["code-1"] = asked["code_challenge"][0]
    rig.graph.edges.declined.add("pages_messaging")
    with pytest.raises(CredentialsRejected, match="pages_messaging"):
        unconnected.exchange("code-1", grant)
    rig.graph.edges.declined.clear()
    with pytest.raises(CredentialsRejected, match="used before"):
        unconnected.exchange("code-1", grant)
    assert not rig.secrets.stored
    rig.graph.edges.codes["code-2"] = asked["code_challenge"][0]
    unconnected.exchange("code-2", grant)
    made = unconnected.deliver(outbound(f"post:{POST}", "Hi", visibility=Visibility.PUBLIC), marker=MARKER)
    assert rig.graph.world.comments[made.message_ref].author == PAGE


def test_our_comments_on_a_visitor_post_stand_below_it(rig: Rig) -> None:
    receipt = rig.adapter.deliver(outbound(f"post:{PAGE}_77", "Hi", visibility=Visibility.PUBLIC), marker=MARKER)
    assert rig.graph.world.comments[MessageRef(receipt.message_ref)].post == f"{PAGE}_77"


def test_a_question_bears_quick_replies_and_a_press_is_an_answer(rig: Rig) -> None:
    rig.graph.person_writes(ADA, "Hello")
    message = said(rig)
    rig.adapter.deliver(answer_to(message, "How was it?", choices=("1", "2", "3", "4", "5")), marker=MARKER)
    (sent,) = rig.graph.messages(ours=True)
    assert [one["title"] for one in sent.body["quick_replies"]] == ["1", "2", "3", "4", "5"]
    rig.told()
    rig.graph.person_writes(ADA, "5", quick_reply={"payload": sent.body["quick_replies"][4]["payload"]})
    assert said(rig).text.plain == "5"
    for wrong in (tuple(map(str, range(14))), ("x" * 21,)):
        with pytest.raises(RemoteRejected):
            rig.adapter.deliver(answer_to(message, "How was it?", choices=wrong), marker=MARKER)


def test_who_writes_in_messenger_is_named_when_asked_and_nobody_else_is_asked_about(rig: Rig) -> None:
    rig.graph.person_writes(ADA, "Hello")
    writer = said(rig).author
    assert (writer.ref, writer.display_name) == (ADA, "")
    described = rig.adapter.describe(writer)
    assert (described.ref, described.display_name, described.avatar_url) == (ADA, "Ada Lovelace", f"https://cdn.example.com/{ADA}.jpg")
    rig.graph.person_comments(ADA, "Hello")
    commenter = said(rig).author
    asked = len(rig.graph.calls)
    for known in (commenter, described, replace(writer, ref=ContactRef(PAGE)), replace(writer, ref=ContactRef("unknown:post:1_2"))):
        assert rig.adapter.describe(known) == known
    assert len(rig.graph.calls) == asked
    with pytest.raises(RemoteRejected, match="No profile available"):
        rig.adapter.describe(replace(writer, ref=ContactRef("5500012")))
    rig.graph.world.scopes.discard("pages_messaging")
    with pytest.raises(CredentialsRejected, match="pages_messaging"):
        rig.adapter.describe(writer)


def test_a_subscription_that_meta_dropped_is_asked_for_again_and_another_address_is_told(rig: Rig) -> None:
    first = rig.adapter.poll(None)
    assert first.silent is None
    rig.graph.edges.drop(PAGE)
    rig.clock.advance(1_800)
    assert rig.adapter.poll(first.position).silent is None, "once an hour is enough"
    rig.clock.advance(1_801)
    second = rig.adapter.poll(first.position)
    assert second.silent == ""
    assert all(probe.is_ok for probe in rig.adapter.probe())
    rig.graph.edges.move("page", "https://elsewhere.example/in")
    rig.graph.edges.drop(PAGE)
    rig.clock.advance(3_601)
    third = rig.adapter.poll(second.position)
    assert "another address" in str(third.silent)
    assert not next(probe for probe in rig.adapter.probe() if probe.name == "subscription").is_ok, (
        "nobody else's deliveries are begun again"
    )
    rig.adapter.register_webhook()
    assert rig.adapter.poll(third.position).silent == "", "while it is silent, every poll looks"
    rig.graph.world.scopes.discard("pages_manage_metadata")
    rig.graph.edges.drop(PAGE)
    rig.clock.advance(3_601)
    assert rig.adapter.poll(second.position).silent is None, "what cannot be known is not said"
