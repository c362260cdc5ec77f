"""The adapter and the plugin's real PHP against each other, every call held to their one schema, with an agent who works beside them."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from plugin.contracts.helpdesk import HandsOverStaff, HelpdeskAdapter, TakesLock
from plugin.contracts.platform import Connection, PollsEvents
from plugin.contracts.provisioning import Deed, Provisionable
from plugin.domain.clock import SystemClock
from plugin.domain.errors import CredentialsRejected, OutcomeUnknown, RemoteRejected, TargetGone, Unsupported
from plugin.domain.events import ArticleAdded, ArticleAuthor, Presser, TicketTouched
from plugin.domain.ids import ContactRef, HelpdeskKey, Marker, MediaRef, TicketRef
from plugin.domain.model import Contact, File, NewArticle, NewTicket, OpenedTicket, Stage, TicketChange
from plugin.domain.text import Mark, MarkKind, Text
from plugin.helpdesks.osticket.adapter import HELPDESK, OsTicketAdapter
from plugin.helpdesks.osticket.intake import OsTicketIntake
from plugin.testing import outgoing
from plugin.testing.fakes import MemorySecrets
from plugin.transport.client import Transport
from tests.osticket_agent import OsTicketAgent
from tests.osticket_contract import CheckedHttp, validator
from tests.servers import osticket
from tests.webhook_listener import Listener

pytestmark = [pytest.mark.servers, pytest.mark.root]

TRANSPORT = Transport()
ODD = "Where is it? 😀 🧑‍💻 🇩🇪 🫨 ❤️ © 𠮷\n<b>not bold</b> <script>alert(1)</script> a < b && c > d &lt;i&gt; &#128512;  two spaces"


def connect(info: dict[str, Any], **changes: Any) -> Any:
    settings = HELPDESK.settings_schema.load({"url": info["url"], "webhook_secret": info["secret"], **changes})
    connection = Connection(
        http=CheckedHttp(TRANSPORT.client(name="osticket")),
        clock=SystemClock(),
        secrets=MemorySecrets(),
        webhook_url="http://127.0.0.1:1/in/helpdesk/osticket",
    )
    return HELPDESK.connect(HelpdeskKey("osticket"), settings, connection)


@pytest.fixture(scope="module")
def hooks() -> Iterator[Listener]:
    with Listener(0, "/in/helpdesk/osticket") as listener:
        yield listener


@pytest.fixture(scope="module")
def info(hooks: Listener) -> dict[str, Any]:
    started = osticket.own()
    assert osticket.configure(started, hooks.url) == {}
    return started


@pytest.fixture(scope="module")
def desk(info: dict[str, Any]) -> OsTicketAdapter:
    made = connect(info)
    assert isinstance(made, OsTicketAdapter)
    return made


@pytest.fixture(scope="module")
def intake(info: dict[str, Any]) -> OsTicketIntake:
    made = connect(info, mode="intake", webhook_secret="", api_key=info["api_key"])
    assert isinstance(made, OsTicketIntake)
    return made


@pytest.fixture
def agent(info: dict[str, Any]) -> OsTicketAgent:
    return OsTicketAgent(info)


def new_marker() -> Marker:
    return Marker("0" + uuid.uuid4().hex[:25])


def new_ticket(**changes: Any) -> NewTicket:
    contact = Contact(ref=ContactRef(uuid.uuid4().hex[:12]), display_name="María 🦊 <K.>", handle="maria")
    article = NewArticle(text=Text("Where is it?"), author=contact)
    return outgoing.new_ticket(contact, **{"words": "Where is it?", "group": "", "article": article, "platform": "telegram", **changes})


def opened(desk: OsTicketAdapter, **changes: Any) -> OpenedTicket:
    return desk.open_ticket(new_ticket(**changes), marker=new_marker())


def says(plain: str, **changes: Any) -> NewArticle:
    return NewArticle(text=Text(plain), author=Contact(ref=ContactRef("maria"), display_name="María"), **changes)


def drain(desk: OsTicketAdapter) -> None:
    position = None
    while (polled := desk.poll(position)).events:
        position = polled.position


def articles(desk: OsTicketAdapter, ticket: TicketRef) -> list[ArticleAdded]:
    return list(desk.list_articles_since(ticket, None))


def test_it_is_a_helpdesk_that_polls_and_is_well(desk: OsTicketAdapter) -> None:
    assert isinstance(desk, HelpdeskAdapter)
    assert isinstance(desk, PollsEvents)
    assert [probe for probe in desk.probe() if not probe.is_ok] == []


def test_a_contact_becomes_one_user_whose_address_is_our_key(desk: OsTicketAdapter, info: dict[str, Any]) -> None:
    ana = Contact(ref=ContactRef(uuid.uuid4().hex), display_name="Ana")
    with ThreadPoolExecutor(3) as pool:
        made = set(pool.map(lambda _: desk.find_or_create_customer(ana, channel="support", platform="telegram"), range(3)))
    assert len(made) == 1
    renamed = dataclasses.replace(ana, display_name="Ana B. 🦊")
    assert {desk.find_or_create_customer(renamed, channel="support", platform="telegram")} == made
    statement = f"SELECT u.name, m.address FROM ost_user u JOIN ost_user_email m ON m.user_id = u.id WHERE u.id = {int(made.pop())}"
    (row,) = osticket.run_sql(info, statement)
    assert row == {"name": "Ana B.", "address": f"telegram.support.{ana.ref}@crossdesk.invalid"}


def test_words_come_back_to_the_letter(desk: OsTicketAdapter) -> None:
    marks = (Mark(0, 5, MarkKind.BOLD), Mark(13, 14, MarkKind.ITALIC))
    author = Contact(ref=ContactRef("maria"), display_name="María")
    ticket = opened(desk, words="@helpdesk 😀 <b>where</b>", article=NewArticle(text=Text(ODD, marks), author=author))
    (first,) = articles(desk, ticket.ticket_ref)
    assert first.text.plain == ODD
    assert first.text.marks == marks
    assert first.author is ArticleAuthor.BRIDGE
    state = desk.follow_merge(ticket.ticket_ref)
    assert (state.title, state.state, state.is_closed, state.group) == (
        "\u2060@helpdesk :grinning_face: \u2039b\u203awhere\u2039/b\u203a",
        "Open",
        False,
        "Support",
    )


def test_a_ticket_is_opened_once_and_found_by_its_marker_alone(desk: OsTicketAdapter, agent: OsTicketAgent) -> None:
    ticket, marker = new_ticket(group="Formal", priority="high", tags=("new", "vip, 😀")), new_marker()
    assert desk.find_ticket(ticket, marker=marker) is None
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: desk.open_ticket(ticket, marker=marker), range(3)))
    assert len({(one.ticket_ref, one.number, one.article_ref, one.customer_ref) for one in made}) == 1
    assert desk.find_ticket(ticket, marker=marker) == dataclasses.replace(made[0], losses=())
    fields = agent.fields(made[0].ticket_ref)
    assert fields["cd_tags"] == "new, vip :grinning_face:"
    assert (fields["cd_channel"], fields["cd_stage"], fields["priority"]) == ("support", "social", "High")
    assert made[0].url.endswith(f"/scp/tickets.php?id={made[0].ticket_ref}")


def test_a_ticket_that_was_begun_is_finished(desk: OsTicketAdapter, info: dict[str, Any]) -> None:
    ticket, marker = new_ticket(), new_marker()
    Path(info["crash_file"]).touch()
    with pytest.raises(OutcomeUnknown):
        desk.open_ticket(ticket, marker=marker)
    assert desk.find_ticket(ticket, marker=marker) is None
    made = desk.open_ticket(ticket, marker=marker)
    assert [one.marker for one in articles(desk, made.ticket_ref)] == [marker]
    rows = osticket.run_sql(info, f"SELECT ticket_id FROM ost_crossdesk_ticket WHERE marker = '{marker}'")
    assert [row["ticket_id"] for row in rows] == [made.ticket_ref]


def test_entries_of_each_kind_are_filed_once(desk: OsTicketAdapter, agent: OsTicketAgent) -> None:
    ticket = opened(desk).ticket_ref
    mail = len(agent.mails())
    kinds = [says("More."), says("We answered there.", by_staff=True), NewArticle(text=Text("Held."), internal=True)]
    for article in kinds:
        marker = new_marker()
        filed = desk.add_article(ticket, article, marker=marker)
        assert desk.add_article(ticket, article, marker=marker) == filed
        assert desk.find_article(ticket, marker=marker) == filed
        assert desk.find_article(ticket, marker=new_marker()) is None
    assert [kind for kind, _, _ in agent.entries(ticket)] == ["M", "M", "R", "N"]
    assert {one.author for one in articles(desk, ticket)} == {ArticleAuthor.BRIDGE}
    assert not any(one.is_reply for one in articles(desk, ticket))
    assert len(agent.mails()) == mail, "nobody who came through the bridge is mailed"


def test_the_original_and_its_time_stand_below(desk: OsTicketAdapter, agent: OsTicketAgent) -> None:
    ticket = opened(desk).ticket_ref
    article = says("Hi", source_url="https://social.example/p/1?a=1&b=2", occurred_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    desk.add_article(ticket, article, marker=new_marker())
    body = agent.entries(ticket)[-1][2]
    assert '<a href="https://social.example/p/1?a=1&b=2">Original message</a>, 2026-01-02 03:04 UTC' in body.replace("&amp;", "&")


def test_an_agents_reply_is_told_at_once_with_emoji_and_files(desk: OsTicketAdapter, agent: OsTicketAgent, hooks: Listener) -> None:
    ticket = opened(desk).ticket_ref
    mail, seen = len(agent.mails()), len(hooks.requests)
    agent.note(ticket, "<p>not for them</p>")
    agent.reply(ticket, "<p>Hold it <b>upside down</b> 😀&#128077; 🫨 🇩🇪</p>", files=[("a b.png", b"\x89PNG\x00\xff", "image/png")])
    request = hooks.wait_for(lambda come: come[-1] if len(come) >= seen + 2 else None)
    validator("$defs", "hook").validate(request.json())
    desk.verify(request)
    (touched,) = desk.parse(request)
    assert isinstance(touched, TicketTouched)
    assert touched.ticket_ref == ticket
    _, note, reply = articles(desk, ticket)
    assert (note.is_reply, note.author, note.agent_name, note.agent_ref) == (False, ArticleAuthor.AGENT, "Ada Agent", "ada")
    assert (reply.is_reply, reply.text.plain) == (True, "Hold it upside down 😀👍 🫨 🇩🇪")
    (attached,) = reply.attachments
    assert desk.fetch_attachment(attached, max_bytes=100).content == b"\x89PNG\x00\xff"
    with pytest.raises(RemoteRejected):
        desk.fetch_attachment(attached, max_bytes=3)
    assert len(agent.mails()) == mail, "no mail to an address that is none"
    assert list(desk.list_articles_since(ticket, reply.article_ref)) == []


def test_what_hangs_below_a_reply_stays_inside(desk: OsTicketAdapter, agent: OsTicketAgent) -> None:
    ticket = opened(desk).ticket_ref
    agent.reply(
        ticket,
        "<p>It left today.</p><p>-- <br>Ada Agent<br>Support</p><p>On 1 May 2026 María wrote:</p><blockquote>Where is it?</blockquote>",
    )
    agent.note(ticket, "<p>Seen.</p><p>-- <br>Ada</p>")
    assert [one.text.plain for one in articles(desk, ticket)[1:]] == ["It left today.", "Seen.\n\n--\nAda"]


def test_mail_goes_out_where_somebody_real_gets_it(desk: OsTicketAdapter, agent: OsTicketAgent, info: dict[str, Any]) -> None:
    ticket = opened(desk).ticket_ref
    osticket.run_sql(info, "INSERT IGNORE INTO ost_user_email (id, user_id, address) VALUES (9000, 9000, 'boss@lab.example')")
    osticket.run_sql(info, "INSERT IGNORE INTO ost_user (id, default_email_id, name) VALUES (9000, 9000, 'Boss')")
    before = len(agent.mails())
    agent.reply(ticket, "<p>See this, boss</p>", copies=["9000"])
    assert len(agent.mails()) == before + 1


def test_an_edited_reply_is_no_second_one(desk: OsTicketAdapter, agent: OsTicketAgent) -> None:
    ticket = opened(desk).ticket_ref
    agent.reply(ticket, "<p>One</p>", files=[("a.txt", b"a", "text/plain")])
    first = articles(desk, ticket)[-1]
    mail = len(agent.mails())
    agent.edit_and_resend(ticket, first.article_ref, "<p>Two 😀</p>")
    again, edit = articles(desk, ticket)[1:]
    assert (again.event_key, again.is_reply) == (first.event_key, True)
    assert again.text.plain == "Two 😀", "a reply that did not leave yet leaves as it is now"
    assert [one.filename for one in again.attachments] == ["a.txt"]
    assert (edit.is_reply, bool(edit.remarks)) == (False, True)
    assert len(agent.mails()) == mail


def test_what_the_hook_cannot_bring_is_asked_for(
    desk: OsTicketAdapter, agent: OsTicketAgent, info: dict[str, Any], hooks: Listener
) -> None:
    ticket = opened(desk).ticket_ref
    drain(desk)
    osticket.configure(info, "http://127.0.0.1:1/in/helpdesk/osticket", is_tested=False)
    try:
        agent.reply(ticket, "<p>Is anybody there?</p>")
        agent.assign(ticket)
        polled = desk.poll(None)
        assert {event.ticket_ref for event in polled.events} == {ticket}
        assert desk.poll(None).events == polled.events, "only what is known to be stored is forgotten"
        assert desk.poll(polled.position).events == ()
        agent.reply(ticket, "<p>Still there?</p>")
    finally:
        osticket.configure(info, hooks.url)
    seen = len(hooks.requests)
    agent.cron()
    (touched,) = desk.parse(hooks.wait_for(lambda come: come[-1] if len(come) > seen else None))
    assert isinstance(touched, TicketTouched)
    assert touched.ticket_ref == ticket
    assert desk.poll(None).events == ()


def test_closing_wants_the_customer_to_have_confirmed(desk: OsTicketAdapter, agent: OsTicketAgent) -> None:
    ticket = opened(desk).ticket_ref
    assert agent.set_status(ticket, 2) == "", "a quick question may be closed"
    desk.update_ticket(ticket, TicketChange(is_closed=False, stage=Stage.FORMAL))
    assert "cannot be closed" in agent.set_status(ticket, 2)
    with pytest.raises(RemoteRejected, match="cannot be closed"):
        desk.update_ticket(ticket, TicketChange(is_closed=True))
    desk.update_ticket(ticket, TicketChange(stage=Stage.RESOLVED, is_closed=True))
    assert desk.follow_merge(ticket).is_closed


@pytest.mark.parametrize("status", [2, 3])
def test_a_customer_who_speaks_opens_the_ticket_again(desk: OsTicketAdapter, agent: OsTicketAgent, status: int) -> None:
    ticket = opened(desk).ticket_ref
    agent.set_status(ticket, status)
    assert desk.add_article(ticket, says("Not yet!", reopen=True), marker=new_marker()).losses == ()
    assert not desk.follow_merge(ticket).is_closed


def test_a_ticket_is_changed_only_where_it_differs(desk: OsTicketAdapter, agent: OsTicketAgent) -> None:
    ticket = opened(desk, tags=("new",)).ticket_ref
    change = TicketChange(
        owner="ada", group="Formal", priority="high", title="Kettle", stage=Stage.HANDOFF, add_tags=("vip",), remove_tags=("new",)
    )
    for _ in range(2):
        desk.update_ticket(ticket, change)
        state = desk.follow_merge(ticket)
        assert (state.owner, state.group, state.title) == ("ada", "Formal", "Kettle")
        assert {"priority": "High", "cd_stage": "handoff", "cd_tags": "vip"}.items() <= agent.fields(ticket).items()
    desk.update_ticket(ticket, TicketChange(owner="", state="Resolved", stage=Stage.RESOLVED))
    assert (desk.follow_merge(ticket).owner, desk.follow_merge(ticket).state) == ("", "Resolved")
    for wrong in (TicketChange(owner="nobody"), TicketChange(group="Asleep"), TicketChange(priority="dire"), TicketChange(state="Gone")):
        with pytest.raises(RemoteRejected):
            desk.update_ticket(ticket, wrong)
    with pytest.raises(Unsupported):
        desk.set_visibility(ticket, articles(desk, ticket)[0].article_ref, is_internal=True)


def test_what_an_agent_asks_of_the_bridge_is_told_with_who_asked_and_is_emptied(
    desk: OsTicketAdapter, agent: OsTicketAgent, hooks: Listener
) -> None:
    ticket = opened(desk).ticket_ref
    agent.choose(ticket, cd_reason="They ask for money")
    seen = len(hooks.requests)
    agent.choose(ticket, cd_action="mark_scam")
    assert hooks.wait_for(lambda come: come[-1] if len(come) > seen else None).json()["touches"][0]["ticket"] == ticket
    told = dict(desk.follow_merge(ticket).fields)
    assert (told["action"], told["reason"]) == ("mark_scam", "They ask for money")
    assert desk.who_pressed(ticket, "mark_scam") == Presser(ref="ada", name="Ada Agent", groups=("Social", "Support"))
    desk.update_ticket(ticket, TicketChange(fields=(("action", ""), ("reason", ""))))
    told = dict(desk.follow_merge(ticket).fields)
    assert (told["action"], told["reason"]) == ("", "")


def test_fields_are_read_and_set_by_name(info: dict[str, Any], agent: OsTicketAgent) -> None:
    osticket.run_sql(info, "INSERT INTO ost_form_field (form_id, type, label, name, sort) VALUES (2, 'text', 'Asset', 'asset', 3)")
    osticket.run_sql(info, "INSERT INTO ost_form_field (form_id, type, label, name, sort) VALUES (2, 'choices', 'Kind', 'kind', 4)")
    desk = connect(info, read_fields=["asset", "kind", "absent"])
    ticket = desk.open_ticket(new_ticket(owner="bo", fields=(("asset", "K-1 😀"), ("stage", "handoff"))), marker=new_marker()).ticket_ref
    state = desk.follow_merge(ticket)
    assert state.owner == "bo"
    assert dict(state.fields) == {
        "channel": "support",
        "platform": "telegram",
        "visibility": "public",
        "stage": "handoff",
        "tags": "",
        "sla": "",
        "type": "",
        "confirmed": "",
        "action": "",
        "reason": "",
        "asset": "K-1 😀",
        "kind": "",
        "absent": "",
    }
    desk.update_ticket(ticket, TicketChange(fields=(("asset", ""),)))
    assert agent.fields(ticket)["asset"] is None
    for name in ("kind", "absent", "confirmed", "subject"):
        with pytest.raises(RemoteRejected):
            desk.update_ticket(ticket, TicketChange(fields=((name, "x"),)))
    assert desk.open_ticket(new_ticket(owner="nobody", fields=(("absent", "x"),)), marker=new_marker()).losses


def test_what_is_due_stands_in_the_tickets_own_date(desk: OsTicketAdapter, agent: OsTicketAgent, info: dict[str, Any]) -> None:
    def due() -> str | None:
        (row,) = osticket.run_sql(info, f"SELECT UNIX_TIMESTAMP(duedate) AS due FROM ost_ticket WHERE ticket_id = {made.ticket_ref}")
        return None if row["due"] is None else str(row["due"]).partition(".")[0]

    made = opened(desk, fields=(("due_at", "2036-11-23T12:00:00+01:00"), ("sla", "gold"), ("type", "complaint")))
    assert made.losses == ()
    assert due() == str(int(datetime(2036, 11, 23, 11, tzinfo=UTC).timestamp()))
    assert {"cd_sla": "gold", "cd_type": "complaint"}.items() <= agent.fields(made.ticket_ref).items()
    desk.update_ticket(made.ticket_ref, TicketChange(fields=(("due_at", ""),)))
    assert due() is None
    with pytest.raises(RemoteRejected, match="no moment"):
        desk.update_ticket(made.ticket_ref, TicketChange(fields=(("due_at", "soon"),)))


def test_a_field_that_is_not_there_keeps_no_stage_from_holding_the_ticket_open(desk: OsTicketAdapter, agent: OsTicketAgent) -> None:
    ticket = opened(desk).ticket_ref
    with pytest.raises(RemoteRejected, match=r"no text field absent.* The rest was changed"):
        desk.update_ticket(ticket, TicketChange(stage=Stage.HANDOFF, group="Formal", fields=(("absent", "x"),)))
    assert desk.follow_merge(ticket).group == "Formal"
    assert "cannot be closed" in agent.set_status(ticket, 2)


def test_a_merge_is_followed(desk: OsTicketAdapter, agent: OsTicketAgent) -> None:
    child_ticket, child_marker, late = new_ticket(), new_marker(), new_marker()
    child, parent = desk.open_ticket(child_ticket, marker=child_marker), opened(desk)
    agent.merge(child.ticket_ref, parent.ticket_ref)
    state = desk.follow_merge(child.ticket_ref)
    assert (state.live_ref, state.number) == (parent.ticket_ref, parent.number)
    filed = desk.add_article(child.ticket_ref, says("Late"), marker=late)
    assert filed.ticket_ref == parent.ticket_ref
    assert desk.find_article(child.ticket_ref, marker=late) == filed
    found = desk.find_ticket(child_ticket, marker=child_marker)
    assert found is not None
    assert (found.ticket_ref, found.article_ref, found.customer_ref) == (child.ticket_ref, child.article_ref, child.customer_ref)
    agent.set_status(child.ticket_ref, 5)
    assert desk.follow_merge(child.ticket_ref).live_ref == parent.ticket_ref, "the child's record may go, its thread stays"


def test_a_deleted_ticket_is_gone(desk: OsTicketAdapter, agent: OsTicketAgent, hooks: Listener) -> None:
    ticket = opened(desk).ticket_ref
    seen = len(hooks.requests)
    agent.set_status(ticket, 5)
    assert hooks.wait_for(lambda come: come[-1] if len(come) > seen else None).json()["touches"][0]["ticket"] == ticket
    assert desk.follow_merge(ticket).live_ref is None
    with pytest.raises(TargetGone):
        desk.add_article(ticket, says("Hello?"), marker=new_marker())
    following = opened(desk, follows=ticket)
    assert following.ticket_ref != ticket


def test_a_follow_up_names_what_it_continues(desk: OsTicketAdapter, agent: OsTicketAgent) -> None:
    former = opened(desk)
    ticket = opened(desk, follows=former.ticket_ref).ticket_ref
    assert f"ticket #{former.number}</a>" in agent.entries(ticket)[0][2]


def test_other_peoples_tickets_are_none_of_our_business(desk: OsTicketAdapter, agent: OsTicketAgent, info: dict[str, Any]) -> None:
    osticket.run_sql(info, "INSERT INTO ost_ticket (ticket_id, number, user_id, source) VALUES (800000, '800000', 1, 'Web')")
    osticket.run_sql(info, "INSERT INTO ost_thread (object_id, object_type) VALUES (800000, 'T')")
    drain(desk)
    agent.note("800000", "<p>private matter</p>")
    assert desk.poll(None).events == ()
    for call in (
        lambda: desk.follow_merge(TicketRef("800000")),
        lambda: desk.list_articles_since(TicketRef("800000"), None),
        lambda: desk.add_article(TicketRef("800000"), says("x"), marker=new_marker()),
    ):
        with pytest.raises(TargetGone):
            call()


def test_who_is_banned_is_refused_before_anything_is_filed(desk: OsTicketAdapter, agent: OsTicketAgent, info: dict[str, Any]) -> None:
    ticket = new_ticket()
    made = desk.open_ticket(ticket, marker=new_marker())
    osticket.run_sql(info, f"INSERT INTO ost_ban VALUES ('telegram.support.{ticket.contact.ref}@crossdesk.invalid')")
    with pytest.raises(RemoteRejected, match="banned"):
        desk.add_article(made.ticket_ref, says("Hey", customer_ref=made.customer_ref), marker=new_marker())
    with pytest.raises(RemoteRejected, match="banned"):
        desk.open_ticket(ticket, marker=new_marker())
    assert len(agent.entries(made.ticket_ref)) == 1


def test_the_helpdesks_own_lock_is_read_and_taken(desk: OsTicketAdapter) -> None:
    ticket = opened(desk).ticket_ref
    assert desk.read_lock(ticket) == ("", 0)
    assert isinstance(desk, TakesLock)
    assert not desk.locks_by_owner
    assert desk.take(ticket, "ada") == "ada"
    assert desk.take(ticket, "bo") == "ada"
    assert desk.follow_merge(ticket).answering == "ada"
    holder, seconds = desk.read_lock(ticket)
    assert (holder, 0 < seconds <= 180) == ("ada", True)
    desk.add_article(ticket, says("The customer does not wait for it."), marker=new_marker())
    assert desk.take(ticket, "bo", steal=True) == "bo"
    assert desk.release(ticket, "ada") == "bo"
    assert desk.release(ticket, "bo") == ""
    assert desk.read_lock(ticket) == ("", 0)


def test_a_file_of_any_name_and_a_long_text_go_both_ways(desk: OsTicketAdapter) -> None:
    content = bytes(range(256)) * 20_000
    ticket = opened(desk).ticket_ref
    file = File(filename="été/😀 报.bin", content_type="application/octet-stream", content=content)
    words = "long " * 15_000
    desk.add_article(ticket, says(words, files=(file,)), marker=new_marker())
    stored = articles(desk, ticket)[-1]
    assert stored.text.plain == words.strip()
    (attached,) = stored.attachments
    assert attached.filename == "été_:grinning_face: 报.bin"
    assert desk.fetch_attachment(attached, max_bytes=len(content)).content == content
    with pytest.raises(TargetGone):
        desk.fetch_attachment(dataclasses.replace(attached, media_ref=MediaRef("999999")), max_bytes=len(content))


def test_strangers_and_old_calls_are_turned_away(info: dict[str, Any]) -> None:
    with pytest.raises(CredentialsRejected):
        connect(info, webhook_secret="z" * 40).poll(None)
    bare = requests.post(f"{info['url']}/api/crossdesk/v1/about", data=b"{}", timeout=30)
    assert (bare.status_code, bare.json()["code"]) == (401, "signature")


def test_the_form_in_osticket_tries_the_connection(info: dict[str, Any], hooks: Listener) -> None:
    refused = osticket.configure(info, "http://127.0.0.1:1/in/helpdesk/osticket")
    assert "cannot be reached" in refused["err"]
    assert "characters" in osticket.configure(info, hooks.url, secret="short")["err"]
    assert "address" in osticket.configure(info, "ftp://bridge")["err"]
    hooks.reply = lambda _: (401, {}, b"")
    try:
        assert "secret" in osticket.configure(info, hooks.url)["err"]
    finally:
        hooks.reply = lambda _: (200, {}, b"{}")
    assert osticket.configure(info, hooks.url) == {}


def test_without_the_plugin_messages_still_go_in(intake: OsTicketIntake, agent: OsTicketAgent) -> None:
    assert [probe.is_ok for probe in intake.probe()] == [True]
    ticket, marker, more = new_ticket(group="Formal"), new_marker(), new_marker()
    made = intake.open_ticket(ticket, marker=marker)
    assert intake.open_ticket(ticket, marker=marker) == made
    assert made.losses
    file = File(filename="ü.txt", content_type="text/plain", content=b"hello")
    filed = intake.add_article(made.ticket_ref, says(ODD, customer_ref=made.customer_ref, files=(file,)), marker=more)
    assert filed == intake.add_article(made.ticket_ref, says(ODD, customer_ref=made.customer_ref, files=(file,)), marker=more)
    assert filed.ticket_ref == made.ticket_ref == intake.follow_merge(made.ticket_ref).live_ref
    with pytest.raises(Unsupported):
        intake.add_article(made.ticket_ref, NewArticle(text=Text("Held."), internal=True), marker=new_marker())
    (number,) = {made.number}
    assert number.isdigit()


def test_what_came_without_the_plugin_is_known_to_it_later(intake: OsTicketIntake, desk: OsTicketAdapter) -> None:
    ticket, marker = new_ticket(), new_marker()
    made = intake.open_ticket(ticket, marker=marker)
    intake.add_article(made.ticket_ref, says(ODD, customer_ref=made.customer_ref), marker=new_marker())
    told = articles(desk, made.ticket_ref)
    assert [one.author for one in told] == [ArticleAuthor.BRIDGE, ArticleAuthor.BRIDGE]
    assert (told[0].marker, told[1].text.plain) == (marker, ODD)
    found = desk.find_ticket(ticket, marker=marker)
    assert found is not None
    assert found.number == made.number
    assert desk.add_article(made.ticket_ref, says("Now with it."), marker=new_marker()).ticket_ref == found.ticket_ref
    with pytest.raises(TargetGone):
        intake.add_article(found.ticket_ref, says("And back?"), marker=new_marker())


def test_the_set_up_is_compared_made_tried_and_taken_away(desk: OsTicketAdapter, info: dict[str, Any], hooks: Listener) -> None:
    assert isinstance(desk, Provisionable)
    provisions = desk.provisions("")
    assert provisions.plan().to_do(overwrite_drift=True) == ()
    before = osticket.run_sql(info, "SELECT COUNT(*) AS many FROM ost_ticket")
    assert [probe for probe in provisions.verify() if not probe.is_ok] == []
    assert osticket.run_sql(info, "SELECT COUNT(*) AS many FROM ost_ticket") == before
    osticket.run_sql(info, "UPDATE ost_form_field SET label = 'Mine' WHERE name = 'cd_tags'")
    osticket.run_sql(info, "DELETE FROM ost_form_field WHERE name = 'cd_stage'")
    plan = provisions.plan()
    assert [(step.key, step.state.value) for step in plan.to_do(overwrite_drift=True)] == [
        ("field/Stage", "missing"),
        ("field/Tags", "drifted"),
    ]
    assert {done.name: done.deed for done in provisions.apply(plan)}["Stage"] is Deed.MADE
    assert [step.name for step in provisions.plan().to_do(overwrite_drift=True)] == ["Tags"]
    changed = provisions.apply(provisions.plan(), overwrite_drift=True)
    assert [done.name for done in changed if done.deed is Deed.CHANGED] == ["Tags"]
    try:
        removed = provisions.remove()
        assert {done.deed for done in removed} == {Deed.REMOVED, Deed.SWITCHED_OFF}
        assert osticket.run_sql(info, "SELECT 1 FROM ost_form WHERE name = 'crossdesk'") == []
        assert osticket.run_sql(info, "SHOW TABLES LIKE 'ost_crossdesk%'") == []
        assert osticket.run_sql(info, "SELECT flags FROM ost_plugin_instance") == [{"flags": "0"}]
    finally:
        assert osticket.configure(info, hooks.url) == {}
        osticket.run_sql(info, "UPDATE ost_plugin_instance SET flags = 1")


def test_only_trials_are_deleted(desk: OsTicketAdapter, info: dict[str, Any]) -> None:
    ticket = opened(desk).ticket_ref
    provisions = desk.provisions("")
    with pytest.raises(RemoteRejected, match="nothing was deleted"):
        provisions._clean_up(ticket)
    assert desk.follow_merge(ticket).live_ref == ticket


def test_an_agent_who_is_signed_in_comes_over_without_a_password(info: dict[str, Any]) -> None:
    adapter = connect(info)
    assert isinstance(adapter, HandsOverStaff)
    answer = requests.get(adapter.hand_over_url, cookies={"staff": "2"}, allow_redirects=False, timeout=30)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (303, "no-store")
    address = urlsplit(answer.headers["Location"])
    assert address.path.endswith("/console/hand-over")
    assert "/in/helpdesk/" not in address.path
    (word,) = parse_qs(address.query)["word"]
    found = adapter.receive_staff(word)
    assert found is not None
    assert (found.login, found.name) == ("bo", "Bo Second")
    assert "Support" in found.groups
    assert adapter.receive_staff(word[:-1]) is None
    # The staff panel's script may not follow to another server: no body, and the browser goes there itself.
    by_script = requests.get(f"{adapter.hand_over_url}?_pjax=%23pjax-container", cookies={"staff": "2"}, allow_redirects=False, timeout=30)
    assert (by_script.status_code, by_script.text) == (200, "")
