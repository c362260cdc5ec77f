"""A number and its customers, over HTTP, against the strict stand-in."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from plugin.contracts.platform import Polled, Template
from plugin.domain.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteRejected,
    SignatureInvalid,
    Unsupported,
    WindowClosed,
)
from plugin.domain.events import DeliveryStatus, DeliveryUpdated, MessageDeleted, MessageEdited, MessageReceived, PlatformEvent
from plugin.domain.ids import MediaRef
from plugin.domain.model import Attachment, File
from plugin.testing.outgoing import answer_to, outbound
from plugin.testing.standins.graph import WABA
from tests.graph import MARKER, Rig

ADA, HIDDEN = "16505551234", "US.13491208655302741918"
PDF = File(filename="bill.pdf", content_type="application/pdf", content=b"%PDF")


def said(rig: Rig) -> MessageReceived:
    (event,) = rig.told()
    assert isinstance(event, MessageReceived)
    return event


def states(events: Sequence[PlatformEvent]) -> list[DeliveryStatus]:
    return [event.status for event in events if isinstance(event, DeliveryUpdated)]


@pytest.mark.parametrize("person", [ADA, HIDDEN])
def test_an_answer_reaches_whoever_wrote_with_or_without_a_number(rig: Rig, person: str) -> None:
    rig.graph.whatsapp_writes(person, "Grüße, wo bleibt es?")
    message = said(rig)
    assert message.author.ref == person
    receipt = rig.adapter.deliver(answer_to(message), marker=MARKER)
    (sent,) = rig.graph.messages(ours=True)
    assert (sent.customer, sent.ref) == (person, receipt.message_ref)
    assert sent.body["context"] == {"message_id": message.message_ref}


def test_the_status_settles_a_call_without_an_answer(rig: Rig) -> None:
    rig.graph.whatsapp_writes(ADA, "Hello")
    message = said(rig)
    rig.graph.arm("drop_after", at="messages")
    with pytest.raises(OutcomeUnknown):
        rig.adapter.deliver(answer_to(message), marker=MARKER)
    echo, state = rig.told()
    assert isinstance(echo, MessageReceived)
    assert (echo.is_own, echo.marker, echo.thread_key) == (True, MARKER, message.thread_key)
    assert states([state]) == [DeliveryStatus.SENT]


def test_states_arrive_in_any_order_under_keys_of_their_own(rig: Rig) -> None:
    rig.graph.whatsapp_writes(ADA, "Hello")
    rig.graph.whatsapp.sends_status = False
    receipt = rig.adapter.deliver(answer_to(said(rig)), marker=MARKER)
    rig.graph.pump.hold(is_held=True)
    for status in ("read", "delivered", "sent", "read"):
        rig.graph.whatsapp_tells(receipt.message_ref, status)
    rig.graph.pump.hold(is_held=False)
    events = rig.told()
    assert len({event.event_key for event in events}) == len(events) == 4
    assert sorted(states(events)) == ["delivered", "read", "sent"]


def test_after_a_day_only_a_template_leaves(rig: Rig) -> None:
    rig.graph.whatsapp_writes(ADA, "Hello")
    message = said(rig)
    rig.clock.advance(86_401)
    with pytest.raises(WindowClosed):
        rig.adapter.deliver(answer_to(message), marker=MARKER)
    receipt = rig.adapter.send_template(Template(name="go_on", language="en", values=("42",)), answer_to(message), marker=MARKER)
    (sent,) = rig.graph.messages(ours=True)
    assert (sent.ref, sent.body["biz_opaque_callback_data"]) == (receipt.message_ref, MARKER)
    for wrong in (Template(name="go_on", language="en"), Template(name="unknown", language="en", values=("42",))):
        with pytest.raises(RemoteRejected):
            rig.adapter.send_template(wrong, answer_to(message), marker=MARKER)


def test_files_go_out_as_what_they_are(rig: Rig) -> None:
    rig.graph.whatsapp_writes(ADA, "Hello")
    message = said(rig)
    kinds = [
        (PDF, "document"),
        (File(filename="a.jpg", content_type="image/jpeg", content=b"jpeg"), "image"),
        (File(filename="a.jpg", content_type="image/jpeg", content=b"x" * 5_000_001), "document"),
        (File(filename="a.ogg", content_type="audio/ogg", content=b"ogg"), "document"),
    ]
    for file, _ in kinds:
        rig.adapter.deliver(answer_to(message, "Here", files=(file,)), marker=MARKER)
    assert [one.body["type"] for one in rig.graph.messages(ours=True)] == [kind for _, kind in kinds]
    rig.adapter.deliver(answer_to(message, "", files=(kinds[-1][0],)), marker=MARKER)
    assert rig.graph.messages(ours=True)[-1].body["audio"].keys() == {"id"}
    with pytest.raises(Unsupported):
        rig.adapter.deliver(answer_to(message, "x" * 1025, files=(PDF,)), marker=MARKER)


def test_a_customers_file_is_fetched_with_the_token_and_checked(rig: Rig) -> None:
    ref = rig.graph.whatsapp.keep(b"a picture", "image/jpeg")
    rig.graph.whatsapp_writes(ADA, kind="image", content={"id": ref, "mime_type": "image/jpeg", "caption": "Broken"})
    message = said(rig)
    assert message.text.plain == "Broken"
    file = rig.adapter.fetch_media(message.attachments[0], max_bytes=1_000)
    assert (file.content, file.content_type, file.filename) == (b"a picture", "image/jpeg", "image.jpg")
    with pytest.raises(RemoteRejected):
        rig.adapter.fetch_media(message.attachments[0], max_bytes=3)
    with pytest.raises(RemoteRejected):
        rig.adapter.fetch_media(Attachment(media_ref=MediaRef("44909"), filename="gone"), max_bytes=3)


def test_edits_and_revokes(rig: Rig) -> None:
    ref = rig.graph.whatsapp_writes(ADA, "Helo")
    said(rig)
    new = {"original_message_id": ref, "message": {"type": "text", "text": {"body": "Hello"}}}
    rig.graph.whatsapp_writes(ADA, kind="edit", content=new)
    (edited,) = rig.told()
    assert isinstance(edited, MessageEdited)
    assert (edited.message_ref, edited.text.plain) == (ref, "Hello")
    rig.graph.whatsapp_writes(ADA, kind="revoke", content={"original_message_id": ref})
    (revoked,) = rig.told()
    assert isinstance(revoked, MessageDeleted)
    assert revoked.message_ref == ref


def test_every_message_of_a_batch_is_read(rig: Rig) -> None:
    rig.graph.pump.hold(is_held=True)
    refs = [rig.graph.whatsapp_writes(person, f"{number}") for number in range(20) for person in (ADA, HIDDEN)]
    rig.graph.pump.hold(is_held=False)
    assert [event.message_ref for event in rig.told()] == refs  # type: ignore[union-attr]


def test_too_many_to_one_person_wait(rig: Rig) -> None:
    rig.graph.whatsapp_writes(ADA, "Hello")
    message = said(rig)
    rig.graph.whatsapp.sends_status = False
    for _ in range(45):
        rig.graph.world.add_message("whatsapp", ADA, "x", is_ours=True)
    with pytest.raises(RateLimited) as wait:
        rig.adapter.deliver(answer_to(message), marker=MARKER)
    assert wait.value.retry_after == 6
    rig.clock.advance(6)
    rig.adapter.deliver(answer_to(message), marker=MARKER)


def test_too_long_a_text_and_an_unknown_thread_are_refused(rig: Rig) -> None:
    rig.graph.whatsapp_writes(ADA, "Hello")
    with pytest.raises(RemoteRejected):
        rig.adapter.deliver(answer_to(said(rig), "x" * 4_097), marker=MARKER)
    with pytest.raises(RemoteRejected):
        rig.adapter.deliver(outbound("elsewhere", "Hi"), marker=MARKER)


def test_read_ticks_and_probes(rig: Rig) -> None:
    rig.graph.whatsapp_writes(ADA, "Hello")
    message = said(rig)
    rig.adapter.mark_read(message.thread_key, message.message_ref)
    assert rig.graph.world.seen == [(message.message_ref, "read")]
    assert all(probe.is_ok for probe in rig.adapter.probe())
    rig.graph.world.scopes.discard("whatsapp_business_messaging")
    (missing,) = [probe for probe in rig.adapter.probe() if not probe.is_ok]
    assert "whatsapp_business_messaging" in missing.answer


def test_a_forged_delivery_is_refused(rig: Rig) -> None:
    rig.graph.reset_secret("f" * 32)
    rig.graph.whatsapp_writes(ADA, "Hello")
    with pytest.raises(SignatureInvalid):
        rig.adapter.verify(rig.listener.next(30.0))


def test_a_question_bears_buttons_and_a_press_is_an_answer(rig: Rig) -> None:
    rig.graph.whatsapp_writes(ADA, "Hello")
    message = said(rig)
    rig.adapter.deliver(answer_to(message, "Solved?", choices=("Yes", "No")), marker=MARKER)
    buttons = rig.graph.messages(ours=True)[-1].body["interactive"]["action"]["buttons"]
    assert [one["reply"]["title"] for one in buttons] == ["Yes", "No"]
    rig.told()
    press = {"type": "button_reply", "button_reply": buttons[0]["reply"]}
    rig.graph.whatsapp_writes(ADA, kind="interactive", content=press)
    assert said(rig).text.plain == "Yes"


def test_a_text_too_long_for_buttons_leaves_without_them_and_what_is_not_declared_is_refused(rig: Rig) -> None:
    rig.graph.whatsapp_writes(ADA, "Hello")
    message = said(rig)
    rig.adapter.deliver(answer_to(message, "x" * 1_025, choices=("Yes", "No")), marker=MARKER)
    assert rig.graph.messages(ours=True)[-1].body["type"] == "text"
    for wrong in (("1", "2", "3", "4"), ("x" * 21,), ("Yes", "Yes")):
        with pytest.raises(RemoteRejected):
            rig.adapter.deliver(answer_to(message, "Solved?", choices=wrong), marker=MARKER)


def test_a_dead_token_and_a_silent_webhook_are_noticed_before_anybody_answers(rig: Rig) -> None:
    assert rig.adapter.poll(None) == Polled(events=(), position=None, silent="")
    rig.graph.edges.move("whatsapp_business_account", "https://elsewhere.example/in")
    assert "another address" in str(rig.adapter.poll(None).silent)
    rig.adapter.register_webhook()
    rig.graph.edges.drop(WABA)
    assert "does not tell our app" in str(rig.adapter.poll(None).silent)
    rig.graph.world.scopes.discard("whatsapp_business_management")
    assert rig.adapter.poll(None).silent is None, "a permission for looking is none that messages need"
    rig.graph.revoke_token()
    with pytest.raises(CredentialsRejected):
        rig.adapter.poll(None)
