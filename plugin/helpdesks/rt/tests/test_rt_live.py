"""The adapter against a real Request Tracker 5 from Debian, with an agent who works in it."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from plugin.contracts.helpdesk import AuthenticatesStaff, HelpdeskAdapter, TakesLock
from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection, PollsEvents
from plugin.domain.clock import SystemClock
from plugin.domain.errors import CredentialsRejected, RemoteRejected, SignatureInvalid, TargetGone
from plugin.domain.events import ArticleAuthor, TicketTouched
from plugin.domain.ids import ContactRef, HelpdeskKey, Marker, TicketRef
from plugin.domain.model import Contact, File, NewArticle, NewTicket, Stage, TicketChange
from plugin.domain.text import Mark, MarkKind, Text
from plugin.helpdesks.rt.adapter import HELPDESK, RtAdapter
from plugin.testing import outgoing
from plugin.testing.fakes import MemorySecrets
from plugin.transport.client import Transport
from tests.fixtures import server
from tests.rt_agent import RtAgent
from tests.servers import rt
from tests.webhook_listener import Listener

pytestmark = [pytest.mark.servers, pytest.mark.root]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


TRANSPORT = Transport()


def connect(info: dict[str, Any], secrets: MemorySecrets | None = None, **changes: Any) -> RtAdapter:
    loaded = {name: info[name] for name in ("url", "user", "password", "queue", "extension")}
    settings = HELPDESK.settings_schema.load({**loaded, "webhook_secret": info["webhook_secret"], **changes})
    connection = Connection(
        http=TRANSPORT.client(name="rt"),
        clock=SystemClock(),
        secrets=secrets or MemorySecrets(),
        webhook_url="http://127.0.0.1:1/in/helpdesk/rt",
    )
    return HELPDESK.connect(HelpdeskKey("rt"), settings, connection)


@pytest.fixture(scope="module")
def info(request: pytest.FixtureRequest) -> dict[str, Any]:
    if getattr(request, "param", "plain") == "extended":
        return server("rt-extended", rt.start_extended)
    return server("rt", rt.start)


BOTH = pytest.mark.parametrize("info", ["plain", "extended"], indirect=True)
"""For what the extension does in another way."""


@pytest.fixture(scope="module")
def desk(info: dict[str, Any]) -> RtAdapter:
    return connect(info)


@pytest.fixture
def agent(info: dict[str, Any]) -> RtAgent:
    return RtAgent(info)


def new_marker() -> Marker:
    return Marker("0" + uuid.uuid4().hex[:25].replace("w", "0"))


def new_ticket(**changes: Any) -> NewTicket:
    contact = Contact(ref=ContactRef("@maria:hs.example"), display_name="María 🦊 K.", handle="maria:hs.example")
    article = NewArticle(text=Text("Where is it? 😀\n\n<b>not bold</b>"), author=contact)
    return outgoing.new_ticket(contact, "Where is it? 😀", **{"group": "", "article": article, "tags": ("new",), **changes})


def says(plain: str, **changes: Any) -> NewArticle:
    return NewArticle(text=Text(plain), author=new_ticket().contact, **changes)


def opened(desk: RtAdapter) -> TicketRef:
    return desk.open_ticket(new_ticket(), marker=new_marker()).ticket_ref


def test_it_is_a_helpdesk_that_polls(desk: RtAdapter) -> None:
    assert isinstance(desk, HelpdeskAdapter)
    assert isinstance(desk, PollsEvents)
    assert all(probe.is_ok for probe in desk.probe()), desk.probe()


def test_a_contact_becomes_one_user_whose_name_is_our_key(desk: RtAdapter, info: dict[str, Any]) -> None:
    plain = Contact(ref=ContactRef(uuid.uuid4().hex), display_name="Ana")
    first = desk.find_or_create_customer(plain, channel="support", platform="telegram")
    assert first == f"telegram.support.{plain.ref}"
    assert desk.find_or_create_customer(dataclasses.replace(plain, display_name="Ana B."), channel="support", platform="telegram") == first
    shown = requests.get(f"{info['url']}/REST/2.0/user/{first}", auth=("root", info["root_password"]), timeout=30).json()
    assert (shown["RealName"], shown["EmailAddress"], shown["Privileged"]) == ("Ana B.", "", 0)
    look_alike = Contact(ref=ContactRef("@" + plain.ref), display_name="Ana B.")
    assert desk.find_or_create_customer(look_alike, channel="support", platform="telegram") not in (first, "")


def test_two_workers_who_meet_a_contact_at_once_make_one_user(info: dict[str, Any]) -> None:
    secrets, contact = MemorySecrets(), Contact(ref=ContactRef(uuid.uuid4().hex), display_name="Zoë")
    with ThreadPoolExecutor(3) as pool:
        made = pool.map(lambda _: connect(info, secrets).find_or_create_customer(contact, channel="c", platform="p"), range(3))
    assert len(set(made)) == 1


def test_a_ticket_is_found_by_its_marker_and_only_by_that(desk: RtAdapter, agent: RtAgent, info: dict[str, Any]) -> None:
    marker, ticket = new_marker(), new_ticket()
    assert desk.find_ticket(ticket, marker=marker) is None
    made = desk.open_ticket(ticket, marker=marker)
    assert made.losses == ()
    assert made.article_ref
    assert made.url == f"{info['url']}/Ticket/Display.html?id={made.ticket_ref}"
    assert desk.find_ticket(ticket, marker=marker) == made
    assert desk.find_ticket(ticket, marker=new_marker()) is None
    shown = agent.ticket(made.ticket_ref)
    assert shown["Subject"] == "Where is it? 😀"
    assert [user["id"] for user in shown["Requestor"]] == [made.customer_ref]
    assert {field["name"]: field["values"] for field in shown["CustomFields"]} == {
        "Crossdesk Channel": ["support"],
        "Crossdesk Platform": ["matrix"],
        "Crossdesk Visibility": ["public"],
        "Crossdesk Stage": ["social"],
        "Crossdesk Tags": ["new"],
        **{f"Crossdesk {name}": [] for name in ("Action", "Reason", "SLA", "Type")},
    }
    ((kind, creator, html),) = agent.texts(made.ticket_ref)
    assert (kind, creator) == ("Create", info["user"])
    assert "María 🦊 K. (@maria:hs.example) wrote" in html
    assert "&lt;b&gt;not bold&lt;/b&gt;" in html


def test_a_first_message_with_files_and_a_predecessor(desk: RtAdapter) -> None:
    before = opened(desk)
    files = (
        File(filename="日本 😀.png", content_type="image/png", content=PNG),
        File(filename="no.txt", content_type="text/plain", content=b""),
    )
    article = dataclasses.replace(new_ticket().article, files=files)
    made = desk.open_ticket(new_ticket(article=article, follows=before, priority="high"), marker=new_marker())
    assert made.losses == ("The file no.txt is empty; RT takes no empty files.",)
    (first,) = desk.list_articles_since(made.ticket_ref, None)
    assert [(file.filename, file.content_type, file.size) for file in first.attachments] == [("日本 😀.png", "image/png", len(PNG))]


@BOTH
def test_an_article_is_found_by_its_marker_and_is_not_an_agents(desk: RtAdapter) -> None:
    ticket_ref, marker = opened(desk), new_marker()
    assert desk.find_article(ticket_ref, marker=marker) is None
    files = (
        File(filename="メモ 😀.txt", content_type="text/plain", content="héllo\n".encode()),
        File(filename='a"b\n.png', content_type="image/png", content=PNG),
    )
    text = Text("Still waiting 😀 see here", (Mark(20, 24, MarkKind.LINK, "https://example.org/a?b=1&c=2"),))
    article = NewArticle(text=text, author=new_ticket().contact, files=files, source_url="https://hs.example/1")
    filed = desk.add_article(ticket_ref, article, marker=marker)
    assert desk.find_article(ticket_ref, marker=marker) == filed
    first, second = desk.list_articles_since(ticket_ref, None)
    assert first.marker
    assert (second.article_ref, second.author, second.is_reply, second.marker) == (filed.article_ref, ArticleAuthor.BRIDGE, False, marker)
    assert "Still waiting 😀 see here" in second.text.plain
    assert Mark(0, 0, MarkKind.LINK, "https://example.org/a?b=1&c=2").target in {mark.target for mark in second.text.marks}
    fetched = [desk.fetch_attachment(file, max_bytes=100_000) for file in second.attachments]
    assert [file.content for file in fetched] == ["héllo\n".encode(), PNG]
    assert fetched[0].filename == "メモ 😀.txt"
    with pytest.raises(RemoteRejected):
        desk.fetch_attachment(second.attachments[1], max_bytes=10)
    assert desk.list_articles_since(ticket_ref, second.article_ref) == []


def test_the_marker_is_in_the_subject_where_its_field_was_not_stored(desk: RtAdapter, info: dict[str, Any]) -> None:
    ticket_ref, marker = opened(desk), new_marker()
    body = {"Subject": f"{'😀' * 40} [cd:{marker}]", "Content": "as if RT had died before the field", "ContentType": "text/plain"}
    url = f"{info['url']}/REST/2.0/ticket/{ticket_ref}"
    bot = {"Authorization": f"token {info['token']}"}
    made = requests.post(f"{url}/correspond", json=body, headers=bot, timeout=30)
    filed = desk.find_article(ticket_ref, marker=marker)
    assert filed is not None
    assert filed.article_ref == made.headers["Location"].rpartition("/")[2]
    forged = new_marker()
    requests.post(
        f"{url}/comment", json={**body, "Subject": f"x [cd:{forged}]"}, auth=(info["agent"], info["agent_password"]), timeout=30
    ).raise_for_status()
    assert desk.find_article(ticket_ref, marker=forged) is None


def test_replies_notes_and_what_agents_hang_below(desk: RtAdapter, agent: RtAgent) -> None:
    ticket_ref = opened(desk)
    first = desk.list_articles_since(ticket_ref, None)[0].article_ref
    agent.comment(ticket_ref, "<p>rude customer</p>")
    agent.reply_in_browser(ticket_ref, "<p>Hello <b>there</b> 😀</p><p>-- <br />Ada, Support</p>", files=[("фото.png", PNG, "image/png")])
    agent.reply(ticket_ref, "Plain & simple\n\nOn 2024-05-01 Maria wrote:\n> Where is it?\n", content_type="text/plain")
    note, reply, plain = desk.list_articles_since(ticket_ref, first)
    assert (note.author, note.is_reply, note.text.plain) == (ArticleAuthor.AGENT, False, "rude customer")
    assert (reply.author, reply.is_reply, reply.agent_name) == (ArticleAuthor.AGENT, True, "Ada Agent")
    assert reply.text == Text("Hello there 😀", (Mark(6, 11, MarkKind.BOLD),))
    assert [file.filename for file in reply.attachments] == ["фото.png"]
    assert desk.fetch_attachment(reply.attachments[0], max_bytes=100_000).content == PNG
    assert (plain.is_reply, plain.text.plain) == (True, "Plain & simple")
    assert desk.list_articles_since(ticket_ref, reply.article_ref) == [plain]
    assert {article.event_key.rpartition(":")[2] for article in (reply, plain)} == {"reply"}


class Hooks(Listener):
    """Receives what RT's scrip posts."""

    def heard(self, desk: RtAdapter, count: int, *tickets: TicketRef) -> list[TicketTouched]:
        """The verified events of these tickets, once there are `count`; other tests' tickets may be heard of as well."""

        def look(_: object) -> list[TicketTouched] | None:
            events = about([event for request in self._about(*tickets) for event in desk.parse(request)], *tickets)
            return events if len(events) >= count else None

        events = self.wait_for(look, seconds=5)
        for request in self._about(*tickets):
            desk.verify(request)
        return events

    def _about(self, *tickets: TicketRef) -> list[WebhookRequest]:
        return [request for request in self.requests if {row["ticket"] for row in request.json()["transactions"]} & set(tickets)]


def about(events: Sequence[Any], *tickets: TicketRef) -> list[TicketTouched]:
    return [event for event in events if event.ticket_ref in tickets]


@pytest.fixture
def hooks(info: dict[str, Any]) -> Iterator[Hooks]:
    with Hooks(0, "/in/helpdesk/rt") as hooks, rt.hooks_to(info, hooks.url):
        yield hooks


@BOTH
def test_the_hook_and_the_poll_tell_the_same_facts(desk: RtAdapter, agent: RtAgent, info: dict[str, Any], hooks: Hooks) -> None:
    ticket_ref, other = opened(desk), opened(desk)
    position = desk.poll(None).position
    desk.add_article(ticket_ref, says("me again"), marker=new_marker())
    note = agent.comment(ticket_ref, "a note")
    reply = agent.reply(ticket_ref, "an answer")
    agent.take(ticket_ref)
    agent.set(ticket_ref, Queue="Formal")
    agent.resolve(ticket_ref)
    agent.merge(other, into=ticket_ref)
    agent.set(ticket_ref, Subject="nobody needs to hear this")
    told = sorted(hooks.heard(desk, 8, ticket_ref, other), key=lambda event: int(event.event_key[4:]))
    polled = desk.poll(position)
    assert told == about(polled.events, ticket_ref, other)
    # The first is RT's own opening of the new ticket, when the bridge corresponded; the bridge's own entries are not told.
    assert [event.event_key for event in told[1:3]] == [f"txn:{note}", f"txn:{reply}"]
    assert [event.ticket_ref for event in told[-2:]] == [other, ticket_ref]
    again = desk.poll(polled.position)
    assert about(again.events, ticket_ref, other) == []
    body = b"".join(request.body for request in hooks.requests)
    assert b"answer" not in body
    forged = dataclasses.replace(hooks.requests[0], body=hooks.requests[0].body + b" ")
    with pytest.raises(SignatureInvalid):
        desk.verify(forged)
    with pytest.raises(SignatureInvalid):
        connect(info, webhook_secret="another secret of ours").verify(hooks.requests[0])


def test_a_deaf_receiver_costs_the_agent_nothing_and_the_poll_finds_it(desk: RtAdapter, agent: RtAgent, hooks: Hooks) -> None:
    ticket_ref = opened(desk)
    position = desk.poll(None).position
    hooks.reply = lambda _: (503, {}, b"")
    reply = agent.reply(ticket_ref, "an answer")
    assert f"txn:{reply}" in {event.event_key for event in desk.poll(position).events}


@BOTH
def test_a_merged_ticket_is_followed(desk: RtAdapter, agent: RtAgent) -> None:
    marker, article_marker = new_marker(), new_marker()
    old = desk.open_ticket(new_ticket(), marker=marker).ticket_ref
    target = opened(desk)
    early = desk.add_article(old, says("before"), marker=article_marker)
    agent.merge(old, into=target)
    state = desk.follow_merge(old)
    assert (state.ticket_ref, state.live_ref, state.number) == (old, target, target)
    filed = desk.add_article(old, says("after"), marker=new_marker())
    assert filed.ticket_ref == target
    found = desk.find_article(old, marker=article_marker)
    assert found is not None
    assert (found.ticket_ref, found.article_ref) == (target, early.article_ref)
    made = desk.find_ticket(new_ticket(), marker=marker)
    assert made is not None
    assert made.ticket_ref == old
    agent.reply(target, "for both")
    articles = desk.list_articles_since(old, None)
    assert [article.article_ref for article in articles] == sorted((article.article_ref for article in articles), key=int)
    assert len(articles) == 5
    assert marker in {article.marker for article in articles}
    assert articles[-1].is_reply


def test_a_deleted_ticket_is_gone(desk: RtAdapter, agent: RtAgent) -> None:
    ticket_ref = opened(desk)
    agent.delete(ticket_ref)
    state = desk.follow_merge(ticket_ref)
    assert (state.live_ref, state.is_closed) == (None, True)
    with pytest.raises(TargetGone):
        desk.add_article(ticket_ref, says("hello?"), marker=new_marker())
    with pytest.raises(TargetGone):
        desk.update_ticket(ticket_ref, TicketChange(title="x"))
    for call in (desk.follow_merge, lambda ref: desk.list_articles_since(ref, None)):
        with pytest.raises(TargetGone):
            call(TicketRef("999999"))


@BOTH
def test_a_customers_message_opens_a_closed_ticket_and_a_note_or_a_thank_you_does_not(desk: RtAdapter, agent: RtAgent) -> None:
    ticket_ref = opened(desk)
    for status in ("resolved", "rejected"):
        agent.set(ticket_ref, Status=status)
        assert desk.follow_merge(ticket_ref).is_closed
        desk.add_article(ticket_ref, says("internal", internal=True), marker=new_marker())
        assert desk.follow_merge(ticket_ref).state == status
        desk.add_article(ticket_ref, says("thanks"), marker=new_marker())
        assert desk.follow_merge(ticket_ref).state == status
        filed = desk.add_article(ticket_ref, says("it broke again", reopen=True), marker=new_marker())
        assert filed.losses == ()
        assert desk.follow_merge(ticket_ref).state == "open"


def test_changes_are_made_once_and_refusals_are_told(desk: RtAdapter, agent: RtAgent) -> None:
    ticket_ref = opened(desk)
    change = TicketChange(
        state="stalled",
        owner="agent",
        group="Formal",
        priority="high",
        stage=Stage.FORMAL,
        title="New\ntitle",
        add_tags=("a", "b"),
        remove_tags=("new",),
    )
    desk.update_ticket(ticket_ref, change)
    state = desk.follow_merge(ticket_ref)
    assert (state.state, state.owner, state.group, state.title) == ("stalled", "agent", "Formal", "New title")
    shown = agent.ticket(ticket_ref)
    fields = {field["name"]: sorted(field["values"]) for field in shown["CustomFields"]}
    assert (fields["Crossdesk Stage"], fields["Crossdesk Tags"], shown["Priority"]) == (["formal"], ["a", "b"], "100")
    before = shown["LastUpdated"], len(agent.texts(ticket_ref))
    desk.update_ticket(ticket_ref, change)
    assert (agent.ticket(ticket_ref)["LastUpdated"], len(agent.texts(ticket_ref))) == before
    desk.update_ticket(ticket_ref, TicketChange(is_closed=True, owner=""))
    state = desk.follow_merge(ticket_ref)
    assert (state.state, state.owner) == ("resolved", "")
    for wrong in (TicketChange(owner="nobody-knows"), TicketChange(group="Nowhere"), TicketChange(state="bogus")):
        with pytest.raises(RemoteRejected) as refusal:
            desk.update_ticket(ticket_ref, wrong)
        assert refusal.value.detail


def test_the_owner_is_the_lock(desk: RtAdapter, agent: RtAgent) -> None:
    assert isinstance(desk, TakesLock)
    assert desk.locks_by_owner
    ticket_ref = opened(desk)
    assert desk.take(ticket_ref, "agent") == "agent"
    assert desk.take(ticket_ref, "agent") == "agent"
    assert desk.take(ticket_ref, "second") == "agent"
    assert desk.take(ticket_ref, "second", steal=True) == "second"
    assert desk.release(ticket_ref, "agent") == "second"
    assert desk.release(ticket_ref, "second") == ""
    agent.take(ticket_ref)
    assert desk.follow_merge(ticket_ref).owner == "agent"
    with pytest.raises(RemoteRejected):
        desk.take(ticket_ref, "nobody-knows", steal=True)


def test_what_is_due_stands_in_rts_own_date(desk: RtAdapter, agent: RtAgent) -> None:
    made = desk.open_ticket(new_ticket(fields=(("due_at", "2026-11-23T12:00:00+01:00"),)), marker=new_marker())
    assert made.losses == ()
    assert agent.ticket(made.ticket_ref)["Due"] == "2026-11-23T11:00:00Z"
    for moment, shown in (("2026-11-24T09:30:00+00:00", "2026-11-24T09:30:00Z"), ("", "1970-01-01T00:00:00Z")):
        for _ in range(2):
            desk.update_ticket(made.ticket_ref, TicketChange(fields=(("due_at", moment),)))
        assert agent.ticket(made.ticket_ref)["Due"] == shown


def test_custom_fields_by_our_words_and_by_rts_names(desk: RtAdapter, agent: RtAgent, info: dict[str, Any]) -> None:
    ticket = new_ticket(owner="agent", fields=(("sla", "gold"), ("Room", "12")), priority="low")
    made = desk.open_ticket(ticket, marker=new_marker())
    assert made.losses == ("RT did not fill the field Room: the queue has none of that name, or the bridge may not write it.",)
    state = desk.follow_merge(made.ticket_ref)
    assert state.owner == "agent"
    told = dict(state.fields)
    assert (told["stage"], told["sla"], told["action"], told["reason"]) == ("social", "gold", "", "")
    position = desk.poll(None).position
    agent.set(made.ticket_ref, CustomFields={"Crossdesk Action": "handoff", "Crossdesk Reason": "they ask for money"})
    assert about(desk.poll(position).events, made.ticket_ref)
    told = dict(desk.follow_merge(made.ticket_ref).fields)
    assert (told["action"], told["reason"]) == ("handoff", "they ask for money")
    who = desk.who_pressed(made.ticket_ref, "handoff")
    assert who is not None
    assert (who.ref, who.name, who.is_supervisor) == ("agent", "Ada Agent", False)
    assert desk.who_pressed(made.ticket_ref, "close") is None
    assert tuple(desk.groups_of("agent")) == who.groups
    assert tuple(desk.groups_of("nobody-knows")) == ()
    desk.update_ticket(made.ticket_ref, TicketChange(fields=(("action", ""), ("reason", ""), ("sla", "silver"))))
    told = dict(desk.follow_merge(made.ticket_ref).fields)
    assert (told["action"], told["reason"], told["sla"]) == ("", "", "silver")
    before = agent.ticket(made.ticket_ref)["LastUpdated"]
    desk.update_ticket(made.ticket_ref, TicketChange(fields=(("action", ""), ("sla", "silver"))))
    assert agent.ticket(made.ticket_ref)["LastUpdated"] == before
    with pytest.raises(RemoteRejected, match="room"):
        desk.update_ticket(made.ticket_ref, TicketChange(fields=(("Room", "13"),)))
    further = connect(info, custom_fields=["Crossdesk Tags", "Nowhere"])
    assert dict(further.follow_merge(made.ticket_ref).fields)["Crossdesk Tags"] == "new"
    assert list(further.tags_of(made.ticket_ref)) == ["new"]
    refused = desk.open_ticket(new_ticket(owner="nobody-knows"), marker=new_marker())
    assert "did not make nobody-knows" in refused.losses[0]


def test_a_queue_that_is_not_prepared_gets_no_ticket(desk: RtAdapter) -> None:
    for queue in ("General", "Nowhere"):
        with pytest.raises(RemoteRejected, match="seed"):
            desk.open_ticket(new_ticket(group=queue), marker=new_marker())


def test_processes_share_one_login_and_renew_it_once(info: dict[str, Any]) -> None:
    secrets = MemorySecrets()
    desks = [connect(info, secrets) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda each: each.poll(None), desks))
        assert secrets.renewals == 1
        valid = secrets.stored["session"]
        secrets.stored["session"] = valid[:-4] + "0000"
        list(pool.map(lambda each: each.poll(None), desks))
        assert secrets.renewals == 2
    # A session of another user or server is not ours to use.
    secrets.stored["session"] = "f" * 16 + valid[16:]
    desks[0].poll(None)
    assert secrets.renewals == 3


def test_wrong_credentials_are_told_apart_from_an_outage(info: dict[str, Any]) -> None:
    with pytest.raises(CredentialsRejected):
        connect(info, password="wrong").poll(None)
    with pytest.raises(CredentialsRejected):
        connect(info, password="", token="1-2-wrong").poll(None)
    assert not any(probe.is_ok for probe in connect(info, password="wrong").probe())


def test_a_token_does_as_well(info: dict[str, Any]) -> None:
    desk = connect(info, password="", token=info["token"])
    made = desk.open_ticket(new_ticket(), marker=new_marker())
    assert desk.fetch_attachment is not None
    assert len(desk.list_articles_since(made.ticket_ref, None)) == 1


def test_nobody_but_agents_could_be_mailed(desk: RtAdapter, agent: RtAgent, info: dict[str, Any]) -> None:
    ticket_ref = opened(desk)
    agent.reply(ticket_ref, "an answer")
    rows = requests.get(
        f"{info['url']}/REST/2.0/ticket/{ticket_ref}/history?fields=Type", auth=("root", info["root_password"]), timeout=30
    ).json()["items"]
    assert "EmailRecord" not in {row["Type"] for row in rows}


def test_the_seed_may_be_run_again_with_a_queue_and_a_secret_more(
    desk: RtAdapter, agent: RtAgent, info: dict[str, Any], hooks: Hooks
) -> None:
    directory, old = Path(info["directory"]), info["environment"]
    new = {**old, "CROSSDESK_QUEUES": "Social,Formal,Sales", "CROSSDESK_WEBHOOK_SECRET": "an it's \\ new secret"}
    rt.seed_again(directory, new)
    made = desk.open_ticket(new_ticket(group="Sales"), marker=new_marker())
    assert made.losses == ()
    assert desk.follow_merge(made.ticket_ref).group == "Sales"
    renewed = connect(info, webhook_secret=new["CROSSDESK_WEBHOOK_SECRET"])
    for environment, listener in ((new, renewed), (old, desk)):
        rt.seed_again(directory, environment)
        ticket_ref = opened(desk)
        agent.reply(ticket_ref, "an answer")
        assert hooks.heard(listener, 1, ticket_ref)


def test_staff_sign_in_with_their_own_password(info: dict[str, Any]) -> None:
    adapter = connect(info)
    assert isinstance(adapter, AuthenticatesStaff)
    found = adapter.sign_in("agent", info["agent_password"])
    assert found is not None
    assert (found.login, found.name) == ("agent", "Ada Agent")
    assert all(name and not name.isdecimal() for name in found.groups)
    assert adapter.sign_in("agent", "not the password") is None
    assert adapter.sign_in("nobody", info["agent_password"]) is None
    assert adapter.sign_in("age:nt", "x") is None
