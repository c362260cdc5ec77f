"""The fakes keep the contracts that the engine's tests lean on."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from plugin.contracts import helpdesk as helpdesk_contract
from plugin.contracts import platform as platform_contract
from plugin.contracts.capabilities import Idempotency
from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import DeletesMessages, EditsMessages, FetchesMedia, PollsEvents, ReadsBack
from plugin.domain.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteRejected,
    RemoteUnavailable,
    SignatureInvalid,
    TargetGone,
)
from plugin.domain.ids import ArticleRef, Marker
from plugin.domain.model import File, NewArticle, TicketChange
from plugin.domain.text import Text
from plugin.testing import fake_platform
from plugin.testing.fake_helpdesk import FakeHelpdesk
from plugin.testing.fake_platform import FakePlatform
from plugin.testing.fakes import CannedHttp, FixedClock, MemorySecrets
from plugin.testing.faults import Fault
from plugin.testing.outgoing import answer_to, new_ticket

ONE, TWO = Marker("0" * 26), Marker("1" * 26)
PNG = File(filename="a.png", content_type="image/png", content=b"png")


def test_the_fakes_are_what_the_contracts_ask() -> None:
    platform: platform_contract.Platform = FakePlatform()
    adapter: platform_contract.PlatformAdapter = FakePlatform()
    helpdesk: helpdesk_contract.Helpdesk = FakeHelpdesk()
    desk: helpdesk_contract.HelpdeskAdapter = FakeHelpdesk()
    assert platform.name == helpdesk.name == "fake"
    for protocol in (platform_contract.PlatformAdapter, PollsEvents, FetchesMedia, EditsMessages, DeletesMessages, ReadsBack):
        assert isinstance(adapter, protocol)
    assert isinstance(desk, helpdesk_contract.HelpdeskAdapter)
    assert isinstance(desk, PollsEvents)


def test_poll_webhook_and_echo_tell_the_same() -> None:
    network = FakePlatform()
    said = network.say("lena", "Hello", files=(PNG,))
    network.deliver(answer_to(said), marker=ONE)
    network.change(said.message_ref, "Hello!")
    network.take_back(said.message_ref)
    polled = network.poll(None)
    assert [event.event_key for event in polled.events] == ["said:p1", "said:p2", "edited:p1:1", "deleted:p1"]
    assert (polled.events[1].is_own, polled.events[1].marker) == (True, ONE)
    assert network.poll(polled.position).events == ()
    request = network.webhook(said)
    network.verify(request)
    assert network.parse(request) == [said]
    with pytest.raises(SignatureInvalid):
        network.verify(replace(request, body=request.body + b" "))


def test_saying_it_twice_says_it_twice_unless_the_key_is_natural() -> None:
    network = FakePlatform()
    message = answer_to(network.say("lena", "Hello"))
    first = network.deliver(message, marker=ONE)
    assert network.find_delivered(message, marker=ONE) == first
    assert network.find_delivered(message, marker=TWO) is None
    assert network.deliver(message, marker=ONE) != first
    natural = FakePlatform(capabilities=replace(fake_platform.CAPABILITIES, idempotency=Idempotency.NATURAL))
    assert natural.deliver(message, marker=ONE) == natural.deliver(message, marker=ONE)


@pytest.mark.parametrize(
    ("fault", "error", "applied"),
    [
        (Fault.LOSE_ANSWER, OutcomeUnknown, 1),
        (Fault.LOSE_REQUEST, OutcomeUnknown, 0),
        (Fault.REFUSE, RemoteRejected, 0),
        (Fault.RATE_LIMIT, RateLimited, 0),
        (Fault.UNAVAILABLE, RemoteUnavailable, 0),
        (Fault.BAD_CREDENTIALS, CredentialsRejected, 0),
        (Fault.GONE, TargetGone, 0),
    ],
)
def test_faults_happen_as_they_are_written(fault: Fault, error: type[Exception], applied: int) -> None:
    network = FakePlatform()
    message = answer_to(network.say("lena", "Hello"))
    network.faults.script("deliver", fault, None)
    with pytest.raises(error):
        network.deliver(message, marker=ONE)
    assert len(network.delivered) == applied
    network.deliver(message, marker=TWO)
    assert len(network.delivered) == applied + 1


def test_what_does_not_fit_or_is_gone_is_refused() -> None:
    network = FakePlatform()
    said = network.say("lena", "Hello", files=(PNG,))
    with pytest.raises(RemoteRejected):
        network.deliver(answer_to(said, "x" * 501), marker=ONE)
    assert network.fetch_media(said.attachments[0], max_bytes=3) == PNG
    with pytest.raises(RemoteRejected):
        network.fetch_media(said.attachments[0], max_bytes=2)
    network.take_back(said.message_ref)
    with pytest.raises(TargetGone):
        network.deliver(answer_to(said), marker=ONE)


def test_tickets_are_opened_followed_and_answered() -> None:
    desk = FakeHelpdesk()
    contact = FakePlatform().say("lena", "Help").author
    ticket = new_ticket(contact, article=NewArticle(text=Text("Help"), author=contact, files=(PNG,)), channel="c", platform="fake")
    opened, other = desk.open_ticket(ticket, marker=ONE), desk.open_ticket(ticket, marker=TWO)
    assert desk.find_ticket(ticket, marker=ONE) == opened
    assert opened.customer_ref == other.customer_ref == desk.find_or_create_customer(contact, channel="c", platform="fake")
    desk.note(opened.ticket_ref, "An odd one")
    touched = desk.reply(opened.ticket_ref, "Hello Lena", files=(PNG,))
    listed = desk.list_articles_since(opened.ticket_ref, opened.article_ref)
    assert [(added.text.plain, added.is_reply) for added in listed] == [("Help", False), ("An odd one", False), ("Hello Lena", True)]
    assert desk.fetch_attachment(listed[-1].attachments[0], max_bytes=10) == PNG
    desk.publish(opened.ticket_ref, listed[1].article_ref)
    assert len({*listed, *desk.list_articles_since(opened.ticket_ref, ArticleRef("a99"))}) == 4
    assert desk.poll(None).events[1] == touched == desk.parse(desk.webhook(touched))[0]
    desk.set_state(other.ticket_ref, "closed")
    desk.merge(opened.ticket_ref, other.ticket_ref)
    assert desk.follow_merge(opened.ticket_ref).live_ref == other.ticket_ref
    filed = desk.add_article(opened.ticket_ref, NewArticle(text=Text("More"), reopen=True), marker=Marker("2" * 26))
    assert filed.ticket_ref == other.ticket_ref
    assert desk.find_article(opened.ticket_ref, marker=Marker("2" * 26)) == filed
    desk.update_ticket(opened.ticket_ref, TicketChange(owner="ada", add_tags=("x",)))
    assert (desk.tickets[1].state, desk.tickets[1].owner, desk.tickets[1].tags) == ("open", "ada", {"x"})
    desk.remove(other.ticket_ref)
    assert desk.follow_merge(opened.ticket_ref).live_ref is None
    with pytest.raises(TargetGone):
        desk.add_article(opened.ticket_ref, NewArticle(text=Text("More")), marker=ONE)


def test_many_threads_file_without_losing_one() -> None:
    network, desk = FakePlatform(), FakeHelpdesk()
    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(lambda number: network.say(f"c{number}", "Hi"), range(400)))
        list(threads.map(lambda event: desk.open_ticket(new_ticket(event.author), marker=ONE), said))
    assert len({event.message_ref for event in said}) == len({ticket.ref for ticket in desk.tickets}) == 400


def test_secrets_are_renewed_once() -> None:
    secrets, renewals = MemorySecrets(session="old"), []
    gate = threading.Barrier(8)

    def renew(current: str | None) -> str:
        renewals.append(current)
        return "new"

    def ask(_: int) -> str:
        gate.wait(5)
        return secrets.refresh("session", "old", renew)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(8))) == {"new"}
    assert renewals == ["old"]
    assert secrets.get("session") == "new"


def test_canned_answers_come_in_order() -> None:
    first, last = HttpResponse(status=200, headers={}, body=b"1"), HttpResponse(status=200, headers={}, body=b"2")
    http = CannedHttp([first, RemoteUnavailable(), last])
    assert http.request("get", "https://x/", json={"a": 1}) == first
    with pytest.raises(RemoteUnavailable):
        http.request("GET", "https://x/")
    assert [http.download("https://x/", max_bytes=1), http.request("GET", "https://x/")] == [last, last]
    assert (http.made[0].method, http.made[0].sent, http.unserved) == ("GET", {"json": {"a": 1}}, 0)
    with pytest.raises(AssertionError):
        CannedHttp([], is_endless=False).request("GET", "https://x/")


def test_the_clock_stands_until_it_is_told() -> None:
    clock = FixedClock()
    before = clock.now()
    clock.advance(90)
    assert (clock.now() - before).total_seconds() == 90
