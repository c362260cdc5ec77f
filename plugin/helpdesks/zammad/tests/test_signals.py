"""Webhooks and polling: what tells the bridge to look, once, however often it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugin.contracts.http import HttpResponse, WebhookRequest
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.helpdesks.zammad import polling
from tests.webhook_listener import Listener, Reply
from ui_extensions.rehearsal.desk.server import DeskServer
from ui_extensions.rehearsal.desk.webhooks import Endpoint

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def receiver() -> Iterator[Listener]:
    with Listener(0, "/in/helpdesk/desk") as listening:
        yield listening


@pytest.fixture
def hooked(receiver: Listener, tools: Any) -> Iterator[Any]:
    """A desk that tells the receiver, a thousand times faster than Zammad, with an agent and our adapter."""
    endpoint = Endpoint(url=receiver.url, token=tools.WEBHOOK_TOKEN, time_scale=0.001)
    http = tools.LoopbackHttp()
    with DeskServer(tools.desk_settings(endpoint)) as server:
        yield type("Hooked", (), {"server": server, "adapter": tools.connect(server.url, http), "agent": tools.Agent(server.url)})
        http.session.close()
        assert server.parts.refusals == []


def opened(hooked: Any, tools: Any, number: int = 1) -> Any:
    return hooked.adapter.open_ticket(tools.new_ticket(), marker=f"{number:026d}")


def test_one_save_with_reply_and_state_comes_twice_and_is_one_fact(hooked: Any, tools: Any, receiver: Listener) -> None:
    ticket = opened(hooked, tools)
    article = {"type": "phone", "internal": False, "body": "Found it."}
    hooked.agent.ask("PUT", f"/tickets/{ticket.ticket_ref}?all=true", {"state": "closed", "article": article})
    deliveries = [receiver.next(), receiver.next()]
    assert len({request.headers["x-zammad-delivery"] for request in deliveries}) == 2
    events = []
    for request in deliveries:
        hooked.adapter.verify(request)
        events += hooked.adapter.parse(request)
    assert len({event.event_key for event in events}) == 1
    assert {event.ticket_ref for event in events} == {ticket.ticket_ref}
    assert receiver.is_silent(0)


def test_the_bridges_own_calls_and_internal_notes_send_nothing(hooked: Any, tools: Any, receiver: Listener) -> None:
    ticket = opened(hooked, tools)
    hooked.agent.ask("POST", "/ticket_articles", {"ticket_id": int(ticket.ticket_ref), "body": "secret", "internal": True})
    article = hooked.agent.reply(ticket.ticket_ref, "hidden", internal=True)
    hooked.agent.ask("PUT", f"/ticket_articles/{article}", {"internal": False})
    assert receiver.is_silent(0.3)


def test_the_payload_shows_the_ticket_as_it_is_when_the_webhook_is_built(hooked: Any, tools: Any, receiver: Listener) -> None:
    ticket = opened(hooked, tools)
    may_answer = threading.Event()

    def hold(_: WebhookRequest) -> Reply:
        may_answer.wait(10)
        return 200, {}, b""

    receiver.reply = hold
    hooked.agent.reply(ticket.ticket_ref, "one")
    receiver.next()
    hooked.agent.ask("PUT", f"/tickets/{ticket.ticket_ref}", {"state": "closed"})
    hooked.agent.ask("PUT", f"/tickets/{ticket.ticket_ref}", {"state": "open"})
    may_answer.set()
    later = [receiver.next(), receiver.next()]
    assert [request.json()["ticket"]["state"] for request in later] == ["open", "open"]
    assert len({event.event_key for request in later for event in hooked.adapter.parse(request)}) == 1


def test_a_twin_and_a_late_delivery_are_the_same_fact(hooked: Any, tools: Any, receiver: Listener) -> None:
    hooked.server.parts.faults.add("duplicate_webhooks", seconds=0.1)
    hooked.server.parts.faults.add("delay_webhooks", seconds=0.1)
    ticket = opened(hooked, tools)
    hooked.agent.reply(ticket.ticket_ref, "one")
    hooked.agent.reply(ticket.ticket_ref, "two")
    events = [event for _ in range(3) for event in hooked.adapter.parse(receiver.next())]
    assert (len(events), len({event.event_key for event in events})) == (3, 2)


@pytest.mark.parametrize("status", [500, 400, 410])
def test_five_attempts_and_then_silence(hooked: Any, tools: Any, receiver: Listener, status: int) -> None:
    receiver.reply = lambda _: (status, {}, b"")
    hooked.agent.reply(opened(hooked, tools).ticket_ref, "lost")
    deliveries = [receiver.next() for _ in range(5)]
    assert len({request.headers["x-zammad-delivery"] for request in deliveries}) == 1
    assert receiver.is_silent(0.3)
    assert hooked.server.parts.webhooks.log[-1].is_dropped


def test_a_redirect_is_followed_with_the_payload_in_the_address(hooked: Any, tools: Any, receiver: Listener) -> None:
    receiver.reply = lambda request: (302 if request.method == "POST" else 200, {"Location": "/in/helpdesk/desk/elsewhere"}, b"")
    hooked.agent.reply(opened(hooked, tools).ticket_ref, "private words")
    receiver.next()
    leak = receiver.next()
    assert (leak.method, "private words" in str(leak.query)) == ("GET", True)


def test_a_dropped_webhook_is_found_by_the_poll(hooked: Any, tools: Any, receiver: Listener) -> None:
    ticket = opened(hooked, tools)
    position = hooked.adapter.poll(None).position
    hooked.server.parts.faults.add("drop_webhooks")
    hooked.agent.reply(ticket.ticket_ref, "nobody was told")
    assert receiver.is_silent(0.3)
    polled = hooked.adapter.poll(position)
    assert [event.ticket_ref for event in polled.events] == [ticket.ticket_ref]
    (added,) = hooked.adapter.list_articles_since(ticket.ticket_ref, ticket.article_ref)
    assert added.text.plain == "nobody was told"


def test_polling_finds_each_change_and_ends_where_it_began(world: Any) -> None:
    refs = [world.open(f"parcel {number}").ticket_ref for number in range(2 * polling.PAGE + 30)]
    seen: list[str] = []
    position: Any = {"after": "1970-01-01T00:00:00Z"}
    rounds, has_more = 0, True
    while has_more:
        polled = world.adapter.poll(position)
        seen += [event.ticket_ref for event in polled.events]
        position, has_more, rounds = polled.position, polled.has_more, rounds + 1
    assert (sorted(set(seen), key=int), rounds) == (refs, 3)
    known = {event.event_key for event in world.adapter.poll(position).events}
    world.agent.reply(refs[3], "an answer")
    news: list[Any] = []
    has_more = True
    while has_more:
        polled = world.adapter.poll(position)
        news += [event.ticket_ref for event in polled.events if event.event_key not in known]
        position, has_more = polled.position, polled.has_more
    assert refs[3] in news


def test_a_page_full_of_one_moment_is_turned(tools: Any) -> None:
    at = "2026-11-21T20:00:00.000Z"

    class Frozen:
        """A server on which 150 tickets changed in the same millisecond."""

        def request(self, method: str, url: str, *, json: Any = None, **options: Any) -> HttpResponse:
            rows = (
                [{"id": number, "updated_at": at} for number in range(150)] if json["condition"]["ticket.updated_at"]["value"] < at else []
            )
            start = (json["page"] - 1) * json["limit"]
            return HttpResponse(status=200, headers={}, body=tools.json.dumps(rows[start : start + json["limit"]]).encode())

    adapter = tools.connect("http://127.0.0.1:9", Frozen())
    seen: set[str] = set()
    position: Any = {"after": "2026-11-21T19:59:00.000Z"}
    for _ in range(5):
        polled = adapter.poll(position)
        seen |= {event.ticket_ref for event in polled.events}
        position = polled.position
        if not polled.has_more:
            break
    assert (len(seen), polled.has_more) == (150, False)


def test_odd_payloads_are_malformed_or_not_carried(tools: Any) -> None:
    adapter = tools.connect("http://127.0.0.1:9", None)
    for body in (b"{", b"\xff", b'{"a":NaN}', b"[" * 100_000):
        with pytest.raises(MalformedPayload):
            adapter.parse(webhook(body))
    for body in (b"[]", b"{}", b'{"ticket":[]}', b'{"ticket":{"id":1}}', b'{"id":"1","num":"16001"}'):
        with pytest.raises(UnsupportedEvent):
            adapter.parse(webhook(body))
    (event,) = adapter.parse(webhook(b'{"ticket":{"id":1,"updated_at":"soon"},"article":"?"}'))
    assert (event.event_key, event.occurred_at) == ("ticket:1:soon", None)


def webhook(body: bytes, **headers: str) -> WebhookRequest:
    return WebhookRequest(method="POST", path="", headers=headers, query={}, body=body)
