"""The panel in the ticket page of a real Request Tracker: through the extension's relay onto the real panel, in a real Chromium."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from plugin.contracts.platform import Connection
from plugin.domain.clock import SystemClock
from plugin.domain.ids import ContactRef, HelpdeskKey, Marker
from plugin.domain.model import Contact, NewArticle
from plugin.domain.text import Text
from plugin.handlers.installation import PolicyAtWork
from plugin.helpdesks.rt.adapter import HELPDESK, RtAdapter
from plugin.testing import outgoing
from plugin.testing.fake_helpdesk import FakeHelpdesk
from plugin.testing.fakes import MemorySecrets
from plugin.testing.table_judge import TableJudge
from plugin.transport.client import Transport
from tests.engine import Engine
from tests.fixtures import server
from tests.panels import Desk, served
from tests.rt_agent import RtAgent
from tests.servers import rt

pytestmark = [pytest.mark.root, pytest.mark.servers]
MARIA = Contact(ref=ContactRef("maria"), display_name="María K.", handle="maria@hs.example")


@pytest.fixture(scope="module")
def info() -> dict[str, Any]:
    return server("rt-extended", rt.start_extended)


@pytest.fixture
def ticket(info: dict[str, Any]) -> str:
    """A ticket of the bridge's in RT."""
    loaded = {name: info[name] for name in ("url", "user", "password", "queue", "webhook_secret")}
    settings = HELPDESK.settings_schema.load({**loaded, "extension": True})
    connection = Connection(http=Transport().client(name="rt"), clock=SystemClock(), secrets=MemorySecrets(), webhook_url="http://x/in")
    adapter: RtAdapter = HELPDESK.connect(HelpdeskKey("rt"), settings, connection)
    new = outgoing.new_ticket(MARIA, "My kettle hums", group="", article=NewArticle(text=Text("My kettle hums"), author=MARIA), tags=())
    return adapter.open_ticket(new, marker=Marker("0" + uuid.uuid4().hex[:25])).ticket_ref


@pytest.fixture
def desk(database_url: str, info: dict[str, Any], ticket: str) -> Iterator[Desk]:
    """The bridge, to which this ticket is the conversation's."""
    engine = Engine(database_url, helpdesk=FakeHelpdesk(refs=[ticket]), policy=PolicyAtWork(judge=TableJudge()))
    made = Desk(engine)
    engine.tell(engine.network.say("maria", "My kettle hums"))
    engine.settle()
    with served(lambda _: made.app) as url, rt.panel_at(info, f"{url}/panel/fake", made.secret):
        yield made
    engine.close()


def signed_in(page: Page, info: dict[str, Any]) -> None:
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (e) => console.error('violation', e.violatedDirective, e.blockedURI))"
    )
    page.goto(info["url"])
    page.locator("input[name=user]").fill(info["agent"])
    page.locator("input[name=pass]").fill(info["agent_password"])
    page.locator("input[type=submit], button[type=submit]").first.click()
    page.wait_for_url(lambda address: "Login" not in address)


def test_an_agent_acts_in_rts_own_ticket_page(page: Page, problems: list[str], desk: Desk, ticket: str, info: dict[str, Any]) -> None:
    page.set_default_timeout(30_000)
    signed_in(page, info)
    page.goto(f"{info['url']}/Ticket/Display.html?id={ticket}")
    panel = page.locator("cd-panel")
    expect(panel.locator("li.message")).to_contain_text("My kettle hums", timeout=30_000)
    expect(panel.locator(".foot")).to_contain_text("As of")
    with desk.engine.crowd(1):
        panel.locator("button", has_text="Hand off to a formal ticket").click()
        panel.locator("button", has_text="Do it").click()
        expect(panel.locator(".stage")).to_contain_text("Handoff", timeout=30_000)
    assert desk.engine.decided() == ["agent's request"]
    assert page.locator("cd-panel").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # On a page of its own, by a link for one use.
    with page.context.expect_page() as opened:
        page.locator("a.crossdesk-panel").click()
    expect(opened.value.locator("cd-panel li.message").first).to_contain_text("My kettle hums", timeout=30_000)
    expect(opened.value.locator("#who")).to_have_text("Ada Agent")
    stranger = RtAgent(info).open("Social", "not of the bridge")
    page.goto(f"{info['url']}/Ticket/Display.html?id={stranger}")
    expect(page.locator(".ticket-info-basics").first).to_be_visible()
    assert page.locator("cd-panel, .crossdesk-panel-place, script[src*=crossdesk]").count() == 0
    page.context.close()
    assert problems == []


def test_what_did_not_come_from_rts_page_does_nothing(desk: Desk, ticket: str, info: dict[str, Any]) -> None:
    with requests.Session() as agent:
        agent.post(
            f"{info['url']}/NoAuth/Login.html",
            data={"user": info["agent"], "pass": info["agent_password"], "next": "x"},
            allow_redirects=False,
            timeout=60,
        )
        # The first page decides what the session is for.
        own, relay = {"Referer": f"{info['url']}/"}, f"{info['url']}/Crossdesk/Panel"
        assert agent.get(info["url"], headers=own, timeout=60).ok
        press = {"key": uuid.uuid4().hex, "rev": "", "reason": "", "arguments": {}}
        for headers in ({}, own, {"X-Crossdesk-Panel": "1", "Referer": "https://evil.example/"}, {"X-Crossdesk-Panel": "1"}):
            refused = agent.post(f"{relay}/{ticket}/actions/handoff", json=press, headers=headers, timeout=60)
            assert refused.status_code != 200 or "csrf" in refused.text.casefold(), (headers, refused.text[:300])
        desk.engine.settle()
        assert desk.engine.decided() == []
        shown = agent.get(f"{relay}/{ticket}", timeout=60)
        assert shown.status_code == 200
        assert shown.json()["me"] == {"id": shown.json()["me"]["id"], "name": "Ada Agent", "role": "agent"}
        assert "no-store" in shown.headers["Cache-Control"]
        assert agent.get(f"{relay}/{ticket}?since={shown.json()['rev']}&doing=viewing&lang=de", timeout=60).status_code == 204
        weighed = agent.post(
            f"{relay}/{ticket}/preflight?lang=de", json={"text": "Grüße 😀"}, headers={**own, "X-Crossdesk-Panel": "1"}, timeout=60
        )
        assert (weighed.status_code, weighed.json()["length"], weighed.json()["unit"]) == (200, 7, "Zeichen")
        stranger = RtAgent(info).open("Social", "not of the bridge")
        for path, status in ((stranger, 404), ("999999", 404), ("panel/-/session", 404), (f"{ticket}/actions/handoff", 405)):
            assert agent.get(f"{relay}/{path}", headers=own, timeout=60).status_code == status, path
    assert re.search("login", requests.get(f"{relay}/{ticket}", timeout=60).text, re.IGNORECASE)
