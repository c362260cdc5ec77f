"""The rehearsal desk as the tests' Zammad, and clients to reach it: the bridge's through the adapter, an agent's by hand."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection
from plugin.domain.clock import SystemClock
from plugin.domain.ids import ContactRef, HelpdeskKey, Marker
from plugin.domain.model import Contact, NewArticle, NewTicket
from plugin.domain.text import Text
from plugin.helpdesks.zammad.adapter import HELPDESK, ZammadAdapter
from plugin.testing import outgoing
from plugin.testing.fakes import MemorySecrets
from plugin.transport.client import Transport
from ui_extensions.rehearsal.desk.app import DeskSettings, Parts, Staff
from ui_extensions.rehearsal.desk.server import DeskServer
from ui_extensions.rehearsal.desk.webhooks import Endpoint

WEBHOOK_TOKEN = "fake-signature-token"
MIA = Contact(ref=ContactRef("1001"), display_name="Mia Lund", handle="mia@social.example", url="https://social.example/@mia")


class LoopbackHttp:
    """The bridge's own transport, with a list of the calls that were made."""

    def __init__(self) -> None:
        self.session = Transport()
        self._client = self.session.client(name="Zammad", secrets=["bridge-token"])
        self.calls: list[str] = []

    def request(self, method: str, url: str, **options: Any) -> HttpResponse:
        self.calls.append(f"{method} {url.split('/api/v1')[-1].split('?')[0]}")
        return self._client.request(method, url, **options)

    def download(self, url: str, *, max_bytes: int, headers: Any = None) -> HttpResponse:
        raise AssertionError("the adapter fetches from its own server only")


@dataclass
class Agent:
    """Somebody who works in the desk by its API, as the ticket view does."""

    url: str
    token: str = "agent-token"
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, method: str, path: str, data: Any = None) -> Any:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {self.token}"}
        answer = self.session.request(method, f"{self.url}/api/v1{path}", json=data, headers=headers, timeout=10)
        answer.raise_for_status()
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.content

    def reply(self, ticket: Any, body: str, **more: Any) -> int:
        article = {"type": "phone", "sender": "Agent", "internal": False, "content_type": "text/html", "body": body, **more}
        self.ask("PUT", f"/tickets/{ticket}?all=true", {"article": article})
        return int(self.ask("GET", f"/ticket_articles/by_ticket/{ticket}")[-1]["id"])

    def ticket(self, ticket: Any) -> dict[str, Any]:
        return dict(self.ask("GET", f"/tickets/{ticket}?expand=true"))

    def articles(self, ticket: Any) -> list[dict[str, Any]]:
        return list(self.ask("GET", f"/ticket_articles/by_ticket/{ticket}"))


@dataclass
class World:
    """A desk with its switches, an adapter bound to it, an agent, an admin, and a count for markers."""

    server: DeskServer
    http: LoopbackHttp
    adapter: ZammadAdapter
    agent: Agent
    admin: Agent
    count: int = 0

    @property
    def parts(self) -> Parts:
        return self.server.parts

    def marker(self) -> Marker:
        self.count += 1
        return Marker(f"{self.count:026d}")

    def open(self, body: str = "Where is my parcel?", contact: Contact = MIA, **more: Any) -> Any:
        return self.adapter.open_ticket(new_ticket(body, contact, **more), marker=self.marker())


def new_ticket(body: str = "Where is my parcel?", contact: Contact = MIA, **more: Any) -> NewTicket:
    article = NewArticle(text=Text(body), author=contact, source_url=f"{contact.url}/1", occurred_at=datetime(2026, 11, 21, 20, tzinfo=UTC))
    return outgoing.new_ticket(contact, body, **{"article": article, "channel": "demo", "platform": "mastodon", **more})


def settings_for(url: str, **more: Any) -> Any:
    required = {"url": url, "token": "bridge-token", "group": "Social", "webhook_token": WEBHOOK_TOKEN}
    return HELPDESK.settings_schema.load({**required, **more})


def connect(url: str, http: Any, *, webhook_url: str = "http://127.0.0.1:1/in/helpdesk/desk", **more: Any) -> ZammadAdapter:
    connection = Connection(http=http, clock=SystemClock(), secrets=MemorySecrets(), webhook_url=webhook_url)
    return HELPDESK.connect(HelpdeskKey("desk"), settings_for(url, **more), connection)


def desk_settings(webhook: Endpoint | None = None, **more: Any) -> DeskSettings:
    staff = (
        Staff(login="gus@example.com", token="agent-token", firstname="Gus", lastname="Agent"),
        Staff(login="ada@example.com", token="admin-token", firstname="Ada", lastname="Admin", role="admin"),
    )
    groups = ("Users", "Social", "Formal", "Secret")
    bridge = Staff(login="crossdesk@example.com", token="bridge-token", firstname="Social", lastname="Bridge", groups=groups[:3])
    return DeskSettings(bridge=bridge, staff=staff, groups=groups, webhook=webhook, **more)


@pytest.fixture
def world() -> Iterator[World]:
    with DeskServer(desk_settings(control_token="control")) as server:
        http = LoopbackHttp()
        yield World(server, http, connect(server.url, http, timeout=1), Agent(server.url), Agent(server.url, "admin-token"))
        http.session.close()
        assert server.parts.refusals == []


@pytest.fixture
def tools() -> Any:
    """What test modules need besides the world; they cannot import this file."""
    names = (LoopbackHttp, Agent, new_ticket, settings_for, connect, desk_settings)
    return type("Tools", (), {tool.__name__: staticmethod(tool) for tool in names} | {"WEBHOOK_TOKEN": WEBHOOK_TOKEN, "json": jsonlib})
