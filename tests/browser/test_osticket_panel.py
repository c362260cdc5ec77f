"""The panel in osTicket's ticket page: the plugin's real PHP relay onto the real panel, under osTicket's own content policy, in a real Chromium."""

from __future__ import annotations

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
from plugin.helpdesks.osticket.adapter import HELPDESK
from plugin.testing import outgoing
from plugin.testing.fake_helpdesk import FakeHelpdesk
from plugin.testing.fakes import MemorySecrets
from plugin.testing.table_judge import TableJudge
from plugin.transport.client import Transport
from tests.engine import Engine
from tests.panels import Desk, served
from tests.servers import osticket

pytestmark = [pytest.mark.root, pytest.mark.servers]
MARIA = Contact(ref=ContactRef("maria"), display_name="María K.")
TOKEN = {"X-CSRFToken": "shim-token"}


@pytest.fixture(scope="module")
def info() -> dict[str, Any]:
    return osticket.own()


@pytest.fixture
def ticket(info: dict[str, Any]) -> str:
    """A ticket of the bridge's in osTicket."""
    assert osticket.configure(info, "http://127.0.0.1:1/in/helpdesk/fake", is_tested=False) == {}
    settings = HELPDESK.settings_schema.load({"url": info["url"], "webhook_secret": info["secret"]})
    connection = Connection(
        http=Transport().client(name="osticket"), clock=SystemClock(), secrets=MemorySecrets(), webhook_url="http://x/in"
    )
    article = NewArticle(text=Text("My kettle hums"), author=MARIA)
    new = outgoing.new_ticket(MARIA, words="My kettle hums", group="", article=article, platform="telegram")
    adapter = HELPDESK.connect(HelpdeskKey("osticket"), settings, connection)
    return str(adapter.open_ticket(new, marker=Marker("0" + uuid.uuid4().hex[:25])).ticket_ref)


@pytest.fixture
def desk(database_url: str, info: dict[str, Any], ticket: str) -> Iterator[Desk]:
    """The bridge, to which this ticket is the conversation's."""
    engine = Engine(database_url, helpdesk=FakeHelpdesk(refs=[ticket]), policy=PolicyAtWork(judge=TableJudge()))
    made = Desk(engine)
    engine.tell(engine.network.say("maria", "My kettle hums"))
    engine.settle()
    with served(lambda _: made.app) as url:
        assert osticket.configure(info, f"{url}/in/helpdesk/fake", is_tested=False, panel_secret=made.secret) == {}
        yield made
    engine.close()


def test_an_agent_acts_in_the_staff_panels_ticket_page(
    page: Page, problems: list[str], desk: Desk, ticket: str, info: dict[str, Any]
) -> None:
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (e) => console.error('violation', e.violatedDirective, e.blockedURI))"
    )
    page.goto(f"{info['url']}/scp/tickets.php?id={ticket}")
    panel = page.locator("cd-panel")
    expect(panel.locator("li.message")).to_contain_text("My kettle hums", timeout=30_000)
    page.locator("#response").press_sequentially("We look into it")
    expect(panel.locator(".reply")).to_contain_text("Everybody can read a reply here")
    page.locator("#internal_note").focus()
    expect(panel.locator(".reply")).to_contain_text("it stays inside")
    with desk.engine.crowd(1):
        panel.locator("button", has_text="Hand off to a formal ticket").click()
        panel.locator("button", has_text="Do it").click()
        expect(panel.locator(".stage")).to_contain_text("Handoff", timeout=30_000)
    assert desk.engine.decided() == ["agent's request"]
    with page.context.expect_page() as opened:
        page.locator(".crossdesk-panel-place > a").click()
    expect(opened.value.locator("cd-panel li.message").first).to_contain_text("My kettle hums", timeout=30_000)
    osticket.run_sql(info, "INSERT INTO ost_ticket (number, user_id, source) VALUES ('777', 1, 'Web')")
    (stranger,) = osticket.run_sql(info, "SELECT ticket_id FROM ost_ticket WHERE number = '777' LIMIT 1")
    page.goto(f"{info['url']}/scp/tickets.php?id={stranger['ticket_id']}")
    assert page.locator("h1").is_visible()
    assert page.locator("cd-panel, .crossdesk-panel-place, script").count() == 0
    page.context.close()
    assert problems == []


def test_the_relay_asks_osticket_who_it_is_and_whether_they_may(desk: Desk, ticket: str, info: dict[str, Any]) -> None:
    relay = f"{info['url']}/scp/ajax.php/crossdesk"
    shown = requests.get(f"{relay}/panel/{ticket}", timeout=30)
    assert (shown.status_code, shown.json()["me"]) == (200, {"id": "1", "name": "Ada Agent", "role": "agent"})
    assert requests.get(f"{relay}/panel/{ticket}", params={"since": shown.json()["rev"]}, timeout=30).status_code == 204
    assert requests.get(f"{relay}/panel/{ticket}", cookies={"staff": "2"}, timeout=30).json()["me"]["role"] == "supervisor"
    weighed = requests.post(f"{relay}/panel/{ticket}/preflight", json={"text": "Grüße 😀"}, headers=TOKEN, timeout=30)
    assert (weighed.status_code, weighed.json()["length"]) == (200, 7)
    press = {"key": uuid.uuid4().hex, "rev": "", "reason": "", "arguments": {}}
    for headers, cookies in (({}, {}), ({"X-CSRFToken": "wrong"}, {}), (TOKEN, {"staff": "2"})):
        refused = requests.post(f"{relay}/panel/{ticket}/actions/handoff", json=press, headers=headers, cookies=cookies, timeout=30)
        assert refused.status_code == 403
    desk.engine.settle()
    assert desk.engine.decided() == []
    assert requests.get(f"{relay}/panel/999999", timeout=30).status_code == 404
    script = requests.get(f"{relay}/assets/cd-panel.js", timeout=30)
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert requests.get(f"{relay}/assets/../plugin.php", timeout=30).status_code in {400, 404}
    osticket.configure(info, "http://127.0.0.1:1/in/helpdesk/fake", is_tested=False, panel_secret=desk.secret)
    away = requests.get(f"{relay}/panel/{ticket}", timeout=30)
    assert (away.status_code, away.json()["error"]["code"], away.headers["Retry-After"]) == (503, "away", "5")
