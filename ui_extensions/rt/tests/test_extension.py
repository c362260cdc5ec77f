"""The extension in a real Request Tracker: authors, the guard on RT's reply page, what agents see; and that it is packed whole."""

from __future__ import annotations

import re
import tarfile
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests

from plugin.contracts.platform import Connection
from plugin.domain.clock import SystemClock
from plugin.domain.errors import RemoteRejected
from plugin.domain.events import ArticleAuthor
from plugin.domain.ids import ArticleRef, ContactRef, HelpdeskKey, Marker, TicketRef
from plugin.domain.model import Contact, File, NewArticle, NewTicket, Stage, TicketChange
from plugin.domain.text import Text
from plugin.helpdesks.rt.adapter import HELPDESK, RtAdapter
from plugin.testing import outgoing
from plugin.testing.fakes import MemorySecrets
from plugin.transport.client import Transport
from tests.fixtures import server
from tests.rt_agent import RtAgent
from tests.servers import rt
from ui_extensions.rt.pack import NAME, pack

MARIA = Contact(ref=ContactRef("maria"), display_name="María 🦊 K.", handle="maria@hs.example")


def connect(info: dict[str, Any]) -> RtAdapter:
    loaded = {name: info[name] for name in ("url", "user", "password", "queue", "webhook_secret")}
    settings = HELPDESK.settings_schema.load({**loaded, "extension": True})
    connection = Connection(
        http=Transport().client(name="rt"), clock=SystemClock(), secrets=MemorySecrets(), webhook_url="http://127.0.0.1:1/in/helpdesk/rt"
    )
    return HELPDESK.connect(HelpdeskKey("rt"), settings, connection)


@pytest.fixture(scope="module")
def info() -> dict[str, Any]:
    return server("rt-extended", rt.start_extended)


@pytest.fixture(scope="module")
def desk(info: dict[str, Any]) -> RtAdapter:
    return connect(info)


@pytest.fixture
def agent(info: dict[str, Any]) -> RtAgent:
    return RtAgent(info)


@pytest.fixture
def second(info: dict[str, Any]) -> RtAgent:
    return RtAgent(info, "second")


def new_marker() -> Marker:
    return Marker("0" + uuid.uuid4().hex[:25])


def new_ticket(**changes: Any) -> NewTicket:
    article = NewArticle(text=Text("Where is it?"), author=MARIA)
    return outgoing.new_ticket(MARIA, "Where is it?", **{"group": "", "article": article, "tags": ("new",), **changes})


def words_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture
def ticket_ref(desk: RtAdapter) -> TicketRef:
    return desk.open_ticket(new_ticket(), marker=new_marker()).ticket_ref


@pytest.mark.servers
@pytest.mark.root
class TestInRt:
    def test_doctor_sees_it(self, desk: RtAdapter) -> None:
        probes = {probe.name: probe for probe in desk.probe()}
        assert all(probe.is_ok for probe in probes.values()), probes
        assert "0.1.0 tells us of changes" in probes["extension"].answer

    def test_a_customer_is_the_author_of_what_they_wrote(self, desk: RtAdapter, agent: RtAgent, info: dict[str, Any]) -> None:
        ticket_ref, marker = desk.open_ticket(new_ticket(), marker=new_marker()).ticket_ref, new_marker()
        agent.resolve(ticket_ref)
        position = desk.poll(None).position
        file = File(filename="メモ 😀.txt", content_type="text/plain", content="héllo\n".encode())
        article = NewArticle(text=Text("Still waiting 😀"), author=MARIA, files=(file,), reopen=True, source_url="https://hs.example/1")
        filed = desk.add_article(ticket_ref, article, marker=marker)
        assert filed.losses == ()
        (_, (kind, creator, html)) = agent.texts(ticket_ref)
        assert (kind, creator) == ("Correspond", "matrix.support.maria")
        assert "Still waiting 😀" in html
        assert "wrote" not in html
        assert desk.follow_merge(ticket_ref).state == "open"
        assert desk.find_article(ticket_ref, marker=marker) == filed
        found = desk.list_articles_since(ticket_ref, None)[1]
        assert (found.author, found.marker, found.is_reply) == (ArticleAuthor.BRIDGE, marker, False)
        assert desk.fetch_attachment(found.attachments[0], max_bytes=1000).content == file.content
        # Neither told of by the poll, nor opening the ticket twice.
        assert f"txn:{filed.article_ref}" not in {event.event_key for event in desk.poll(position).events}

    def test_a_customer_is_the_author_of_what_opened_the_ticket(self, desk: RtAdapter, agent: RtAgent, ticket_ref: TicketRef) -> None:
        ((kind, creator, html),) = agent.texts(ticket_ref)
        assert (kind, creator) == ("Create", "matrix.support.maria")
        assert "wrote" not in html
        (first,) = desk.list_articles_since(ticket_ref, None)
        assert not first.is_reply
        assert first.author is not ArticleAuthor.AGENT

    def test_nobody_is_made_to_look_like_somebody_else(self, desk: RtAdapter, ticket_ref: TicketRef, info: dict[str, Any]) -> None:
        helper = Contact(ref=ContactRef("helper"), display_name="A helper")
        desk.add_article(ticket_ref, NewArticle(text=Text("Try this"), author=helper), marker=new_marker())
        assert RtAgent(info).texts(ticket_ref)[-1][1] == info["user"]
        url = f"{info['url']}/REST/2.0/crossdesk/ticket/{ticket_ref}/correspond"
        body = {"Author": "matrix.support.maria", "Marker": "x", "Content": "x", "ContentType": "text/plain"}
        bot, person = (info["user"], info["password"]), (info["agent"], info["agent_password"])
        for auth, changes, status in (
            (person, {}, 403),
            (bot, {"Author": "agent"}, 403),
            (bot, {"Author": "nobody-knows"}, 400),
            (bot, {"Marker": ""}, 400),
        ):
            assert requests.post(url, json={**body, **changes}, auth=auth, timeout=30).status_code == status
        assert len(RtAgent(info).texts(ticket_ref)) == 2

    def test_replies_that_would_not_be_posted_are_not_written(
        self, desk: RtAdapter, agent: RtAgent, second: RtAgent, ticket_ref: TicketRef
    ) -> None:
        assert "Nobody has taken this conversation" in agent.refused_in_browser(ticket_ref, "<p>Quick answer</p>")
        agent.reply_in_browser(ticket_ref, "<p>A note first</p>", UpdateType="private")
        agent.take(ticket_ref)
        assert "has taken this conversation" in second.refused_in_browser(ticket_ref, "<p>me too</p>")
        agent.reply_in_browser(ticket_ref, "<p>Quick answer</p>")
        desk.update_ticket(ticket_ref, TicketChange(stage=Stage.FORMAL))
        page = agent.refused_in_browser(ticket_ref, "<p>In public?</p>")
        assert "is a formal ticket now" in page
        assert "In public?" in page
        assert page.count('name="CrossdeskHold"') == 1
        assert [html for kind, creator, html in agent.texts(ticket_ref) if (kind, creator) == ("Correspond", "agent")] == [
            "<p>Quick answer</p>"
        ]
        agent.reply_in_browser(ticket_ref, "<p>Keep it</p>", CrossdeskHold="1")
        agent.reply_in_browser(ticket_ref, "<p>A note</p>", UpdateType="private")
        assert [kind for kind, creator, _ in agent.texts(ticket_ref) if creator == "agent"] == [
            "Comment",
            "Correspond",
            "Correspond",
            "Comment",
        ]

    def test_who_takes_a_free_ticket_in_the_very_save_may_answer(self, agent: RtAgent, ticket_ref: TicketRef, info: dict[str, Any]) -> None:
        user = requests.get(f"{info['url']}/REST/2.0/user/agent", auth=(info["agent"], info["agent_password"]), timeout=30).json()
        number = str(user["_hyperlinks"][0]["id"])
        agent.reply_in_browser(ticket_ref, "<p>Mine</p>", Owner=number)
        assert [kind for kind, creator, _ in agent.texts(ticket_ref) if creator == "agent"] == ["Correspond"]

    def test_an_agent_sees_what_the_ticket_is_about(
        self, desk: RtAdapter, agent: RtAgent, ticket_ref: TicketRef, info: dict[str, Any]
    ) -> None:
        first, other = (agent.reply(ticket_ref, text) for text in ("one", "two"))
        warning = NewArticle(text=Text("It did not arrive."), internal=True, is_warning=True, in_reply_to=ArticleRef(first))
        noted = desk.add_article(ticket_ref, warning, marker=new_marker()).article_ref
        with rt.panel_at(info, "https://bridge.example/panel/rt", ""):
            page = agent.page(f"/Ticket/Display.html?id={ticket_ref}")
        assert page.count('class="crossdesk-panel"') == 1
        assert "matrix, support, public" in words_of(page)
        assert f'href="https://bridge.example/panel/rt/{ticket_ref}"' in page
        history = agent.page(f"/Ticket/History.html?id={ticket_ref}")
        words = words_of(history)
        assert words.count("Crossdesk has a note about this reply") == 1
        assert f'href="#txn-{noted}"' in history
        assert words.count("Reply to matrix, support, by Crossdesk.") == 1
        assert int(other)
        stranger = agent.open("Social", "not of the bridge")
        assert "ticket-info-crossdesk" not in agent.page(f"/Ticket/Display.html?id={stranger}")

    def test_a_missing_extension_loses_nothing(self, desk: RtAdapter, ticket_ref: TicketRef, info: dict[str, Any]) -> None:
        # An extension set for another user refuses, and says so before anything is written.
        other = connect({**info, "user": "root", "password": info["root_password"]})
        with pytest.raises(RemoteRejected):
            other.add_article(ticket_ref, NewArticle(text=Text("x"), author=MARIA), marker=new_marker())
        assert not next(probe for probe in other.probe() if probe.name == "extension").is_ok
        assert len(desk.list_articles_since(ticket_ref, None)) == 1


def test_it_is_packed_as_a_folder_and_as_an_archive(tmp_path: Path) -> None:
    for _ in range(2):
        packed = pack(tmp_path)
        assert [path.name for path in packed.made] == [NAME, f"{NAME}.tar.gz"]
    with tarfile.open(tmp_path / f"{NAME}.tar.gz") as archive:
        names = {member.name for member in archive if member.isfile()}
    assert names == {str(path.relative_to(tmp_path)) for path in (tmp_path / NAME).rglob("*") if path.is_file()}
    assert {f"{NAME}/etc/initialdata", f"{NAME}/lib/RT/Action/TellCrossdesk.pm", f"{NAME}/README"} <= names
    panel = Path(__file__).parents[2] / "panel"
    assert (tmp_path / NAME / "static" / "crossdesk" / "cd-panel.js").read_bytes() == (panel / "cd-panel.js").read_bytes()
    assert f"{NAME}/static/crossdesk/locales/de.json" in names


def test_the_extension_has_the_bridges_version() -> None:
    root = Path(__file__).parents[3]
    setup = next(line for line in (root / "setup.cfg").read_text("utf-8").splitlines() if line.startswith("version"))
    module = (root / "ui_extensions" / "rt" / NAME / "lib" / "RT" / "Extension" / "Crossdesk.pm").read_text("utf-8")
    assert f"our $VERSION = '{setup.partition('=')[2].strip()}';" in module
