"""One suite over every helpdesk that runs here: the practice desk as Zammad, real Request Tracker with and without our extension, and our osTicket
plugin's real PHP (`plugin.testing.desk_suite`).
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from plugin.contracts.helpdesk import HelpdeskAdapter
from plugin.contracts.platform import Connection
from plugin.domain.clock import SystemClock
from plugin.domain.ids import HelpdeskKey
from plugin.helpdesks.osticket.adapter import HELPDESK as OSTICKET
from plugin.helpdesks.rt.adapter import HELPDESK as RT
from plugin.helpdesks.zammad.adapter import HELPDESK as ZAMMAD
from plugin.testing.desk_suite import QUESTIONS, Bench, Question
from plugin.testing.fakes import MemorySecrets
from plugin.testing.questions import told
from plugin.transport.client import Transport
from tests.fixtures import server
from tests.osticket_agent import OsTicketAgent
from tests.rt_agent import RtAgent
from tests.servers import osticket, rt
from ui_extensions.rehearsal.desk.app import DeskSettings, Staff
from ui_extensions.rehearsal.desk.server import DeskServer

_SERVERS = [pytest.mark.servers, pytest.mark.root]
_TOKEN = "fake-signature-token"


@dataclass(frozen=True)
class ZammadAgent:
    """Gus, who answers, and an administrator, who deletes; by Zammad's API, as the ticket view does."""

    url: str
    session: requests.Session

    def reply(self, ticket: str, html: str, files: Sequence[tuple[str, bytes, str]] = ()) -> None:
        attached = [{"filename": name, "data": base64.b64encode(data).decode(), "mime-type": kind} for name, data, kind in files]
        self._say(ticket, {"type": "phone", "internal": False, "body": html, "attachments": attached})

    def note(self, ticket: str, html: str) -> None:
        self._say(ticket, {"type": "note", "internal": True, "body": html})

    def close(self, ticket: str) -> None:
        self._ask("PUT", f"/tickets/{ticket}", {"state": "closed"})

    def merge(self, ticket: str, into: str) -> None:
        number = self._ask("GET", f"/tickets/{into}").json()["number"]
        assert self._ask("PUT", f"/ticket_merge/{ticket}/{number}").json()["result"] == "success"

    def delete(self, ticket: str) -> None:
        self._ask("DELETE", f"/tickets/{ticket}", token="ada")

    def _say(self, ticket: str, article: dict[str, Any]) -> None:
        self._ask("PUT", f"/tickets/{ticket}?all=true", {"article": {"sender": "Agent", "content_type": "text/html", **article}})

    def _ask(self, method: str, path: str, data: Any = None, *, token: str = "gus") -> requests.Response:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
        answer = self.session.request(method, f"{self.url}/api/v1{path}", json=data, headers=headers, timeout=30)
        assert answer.ok, answer.text
        return answer


@dataclass(frozen=True)
class InRt:
    """Ada at a real Request Tracker."""

    ada: RtAgent

    def reply(self, ticket: str, html: str, files: Sequence[tuple[str, bytes, str]] = ()) -> None:
        self.ada.reply(ticket, html, files=files)

    def note(self, ticket: str, html: str) -> None:
        self.ada.comment(ticket, html)

    def close(self, ticket: str) -> None:
        self.ada.resolve(ticket)

    def merge(self, ticket: str, into: str) -> None:
        self.ada.merge(ticket, into=into)

    def delete(self, ticket: str) -> None:
        self.ada.delete(ticket)


@dataclass(frozen=True)
class InOsTicket:
    """Ada at the plugin's PHP, by the forms that an agent's browser posts."""

    ada: OsTicketAgent

    def reply(self, ticket: str, html: str, files: Sequence[tuple[str, bytes, str]] = ()) -> None:
        self.ada.reply(ticket, html, files=files)

    def note(self, ticket: str, html: str) -> None:
        self.ada.note(ticket, html)

    def close(self, ticket: str) -> None:
        assert self.ada.set_status(ticket, 2) == ""

    def merge(self, ticket: str, into: str) -> None:
        self.ada.merge(ticket, into)

    def delete(self, ticket: str) -> None:
        self.ada.set_status(ticket, 5)


def _bound(helpdesk: Any, settings: dict[str, Any], transport: Transport) -> HelpdeskAdapter:
    connection = Connection(
        http=transport.client(name=helpdesk.display_name), clock=SystemClock(), secrets=MemorySecrets(), webhook_url="http://127.0.0.1:1/in"
    )
    adapter: HelpdeskAdapter = helpdesk.connect(HelpdeskKey("bench"), helpdesk.settings_schema.load(settings), connection)
    return adapter


def _zammad(transport: Transport) -> Iterator[Bench]:
    groups = ("Users", "Social", "Formal")
    staff = (
        Staff(login="gus@example.com", token="gus", firstname="Gus", lastname="Agent"),
        Staff(login="eve@example.com", token="eve", firstname="Eve", lastname="Agent"),
        Staff(login="ada@example.com", token="ada", firstname="Ada", lastname="Admin", role="admin"),
    )
    bridge = Staff(login="crossdesk@example.com", token="bridge", firstname="Social", lastname="Bridge", groups=groups)
    with DeskServer(DeskSettings(bridge=bridge, staff=staff, groups=groups)) as desk, requests.Session() as session:
        adapter = _bound(ZAMMAD, {"url": desk.url, "token": "bridge", "group": "Social", "webhook_token": _TOKEN}, transport)
        agents = (staff[0].login, staff[1].login)
        yield Bench(adapter=adapter, agent=ZammadAgent(desk.url, session), groups=("Social", "Formal"), agents=agents)


def _rt(info: dict[str, Any], transport: Transport) -> Bench:
    settings = {name: info[name] for name in ("url", "user", "password", "queue", "extension", "webhook_secret")}
    return Bench(
        adapter=_bound(RT, settings, transport), agent=InRt(RtAgent(info)), groups=("Social", "Formal"), agents=("agent", "second")
    )


def _osticket(transport: Transport) -> Bench:
    info = osticket.own()
    # Nobody hears its web hook: what happens there is found by asking.
    assert osticket.configure(info, "http://127.0.0.1:1/in/helpdesk/osticket", is_tested=False) == {}
    adapter = _bound(OSTICKET, {"url": info["url"], "webhook_secret": info["secret"]}, transport)
    return Bench(adapter=adapter, agent=InOsTicket(OsTicketAgent(info)), groups=("Support", "Formal"), agents=("ada", "bo"))


@pytest.fixture(scope="module")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    transport = Transport()
    if request.param == "zammad":
        yield from _zammad(transport)
    elif request.param == "osticket":
        yield _osticket(transport)
    else:
        yield _rt(server("rt-extended", rt.start_extended) if request.param == "rt-extended" else server("rt", rt.start), transport)
    transport.close()


_DESKS = ["zammad", *(pytest.param(name, marks=_SERVERS) for name in ("rt", "rt-extended", "osticket"))]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
@pytest.mark.parametrize("bench", _DESKS, indirect=True)
def test_a_running_helpdesk_answers(bench: Bench, question: Question) -> None:
    problems = list(question(bench))
    assert not problems, told(problems)
