"""The add-on's JavaScript in a page that does with it what Zammad's ticket page does, under Zammad's content policy, in a real Chromium.

No Zammad runs here. The page's `App` has what the add-on uses, as Zammad's own classes `TicketZoomSidebar`, `Sidebar` and `TicketZoomArticleNew` were
read to use it: one object for each tab, asked again whenever the sidebar is drawn again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from flask import Flask, Response, request
from playwright.sync_api import Page, expect

from tests.panel_hosts import POLICIES, Stand
from ui_extensions.rehearsal import serving
from ui_extensions.zammad.pack import package_files

pytestmark = pytest.mark.root
HOST = """
window.App = {
  Config: {
    groups: {}, values: { api_path: "/api/v1", crossdesk_panel: "%s/panel/desk" },
    set(key, value, group) { (this.groups[group] ||= {})[key] = value; }, get(key) { return this.groups[key] || this.values[key]; },
  },
  Ajax: { token: () => "csrf-of-zammad" }, i18n: { translatePlain: (words) => words },
  Event: { sent: [], trigger(name, data) { this.sent.push([name, data.type]); } }, TicketArticleType: { findByAttribute: (_, name) => ({ name }) },
};
window.openTicket = (ticket) => {
  const item = { currentView: () => "agent", editable: () => true, ...ticket }, backends = {};
  window.draw = () => {
    const place = document.getElementById("sidebars");
    place.replaceChildren();
    for (const [key, klass] of Object.entries(App.Config.get("TicketZoomSidebar")).sort()) {
      if (!backends[key]?.reload) backends[key] = new klass({ ticket: item, taskKey: "Ticket-1" }); else backends[key].reload({ params: {} });
      const told = backends[key].sidebarItem();
      if (!told) continue;
      const content = document.createElement("div");
      content.dataset.tab = told.name;
      place.append(content);
      told.sidebarCallback({ get: () => content, empty() { content.replaceChildren(); return this; } });
    }
  };
  draw();
  const action = Object.values(App.Config.get("TicketZoomArticleAction"))[0];
  window.types = () => action.articleTypes([], item);
  window.links = (article) => action.action([], item, article);
  window.answer = () => action.perform(null, "crossdeskReply", item, {}, { scrollToCompose() {} });
};
"""
PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>Ticket</title><link rel="icon" href="data:,">
<script src="/host.js"></script><script src="/sidebar.js"></script><script src="/reply.js"></script></head>
<body class="ticketZoom"><main><h1>Ticket#1</h1>
<div class="article-add is-public"><div data-name="body" contenteditable="true" aria-label="Reply"></div></div></main>
<aside id="sidebars"></aside></body></html>"""


@pytest.fixture
def stand() -> Stand:
    return Stand()


@pytest.fixture
def zammad(stand: Stand) -> Iterator[str]:
    """The address of the page."""
    files = package_files()
    scripts = {location.rpartition("/")[2]: content for location, content in files.items() if location.endswith(".js")}
    app, policy = Flask("zammad"), POLICIES["zammad"]

    @app.get("/")
    def page() -> Response:
        answer = Response(PAGE, content_type="text/html; charset=utf-8", headers=policy["headers"])
        answer.headers["Content-Security-Policy"] = policy["policy"].replace("{nonce}", "r4nd0m")
        return answer

    @app.get("/host.js")
    def host() -> Response:
        return Response(HOST.replace("%s", request.host_url.rstrip("/")), content_type="text/javascript")

    @app.get("/sidebar.js")
    def sidebar() -> Response:
        return Response(scripts["sidebar_crossdesk.js"], content_type="text/javascript")

    @app.get("/reply.js")
    def reply() -> Response:
        return Response(scripts["crossdesk_reply.js"], content_type="text/javascript")

    @app.get("/assets/<path:name>")
    def asset(name: str) -> Response:
        kind = "application/json" if name.endswith(".json") else "text/javascript"
        return Response(files[f"public/assets/{name}"], content_type=kind)

    @app.get("/panel/-/<path:_rest>")
    def picture(_rest: str) -> Response:
        return Response(status=204)

    @app.get("/api/v1/crossdesk/panel/1")
    def show() -> Response:
        status, content = stand.show("ada")
        return Response(json.dumps(content) if content else "", status=status, content_type="application/json")

    @app.post("/api/v1/crossdesk/panel/1/<path:_rest>")
    def press(_rest: str) -> Response:
        if request.headers.get("X-CSRF-Token") != "csrf-of-zammad":
            return Response(status=401)
        status, content = stand.press("ada", request.path, request.get_json())
        return Response(json.dumps(content), status=status, content_type="application/json")

    with serving.background(serving.bind(lambda _: app)) as url:
        yield url


def opened(page: Page, address: str, ticket: str) -> None:
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (e) => console.error('violation', e.violatedDirective, e.blockedURI))"
    )
    page.goto(address)
    page.evaluate(f"openTicket({ticket})")


def test_the_panel_stands_beside_a_ticket_of_the_bridges(page: Page, problems: list[str], zammad: str, stand: Stand) -> None:
    opened(page, zammad, "{ id: 1, cd_state: 'formal' }")
    panel = page.locator("cd-panel")
    expect(panel.locator("li.message")).to_have_count(7)
    expect(page.locator("aside > div > a")).to_have_attribute("href", "/api/v1/crossdesk/page/1")
    panel.locator("button", has_text="The ticket is complete").click()
    panel.locator("button", has_text="Do it").click()
    expect(panel.locator(".actions .notice")).to_contain_text("Done")
    assert [name for name, _ in stand.pressed] == ["confirm"]
    # Zammad draws its sidebar anew: the same panel stands in it, with what was typed.
    page.evaluate("window.first = document.querySelector('cd-panel'); draw()")
    expect(page.locator("aside > div > cd-panel")).to_have_count(1)
    assert page.evaluate("window.first === document.querySelector('cd-panel')")
    page.locator("[data-name=body]").click()
    page.keyboard.type("We look into it")
    expect(panel.locator(".reply")).to_contain_text("15 of 100 characters")
    page.evaluate("document.querySelector('.article-add').className = 'article-add is-internal'")
    expect(panel.locator(".reply")).to_contain_text("it stays inside")
    # A tab that nobody sees asks for nothing.
    page.evaluate("document.querySelector('aside').style.display = 'none'")
    expect(page.locator("cd-panel")).to_have_count(0)
    page.evaluate("document.querySelector('aside').style.display = ''")
    expect(page.locator("cd-panel")).to_have_count(1)
    assert problems == []


def test_the_reply_has_the_platforms_length(page: Page, problems: list[str], zammad: str) -> None:
    opened(page, zammad, "{ id: 1, cd_state: 'social' }")
    expect(page.locator("cd-panel li.message")).to_have_count(7)
    (kind,) = page.evaluate("types()")
    assert (kind["name"], kind["maxTextLength"], kind["warningTextLength"], kind["internal"]) == ("crossdesk message", 500, 50, False)
    assert [link["type"] for link in page.evaluate("links({ sender: { name: 'Customer' }, internal: false })")] == ["crossdeskReply"]
    assert page.evaluate("links({ sender: { name: 'Agent' }, internal: false })") == []
    assert page.evaluate("answer() && App.Event.sent") == [["ui::ticket::setArticleType", {"name": "crossdesk message"}]]
    assert problems == []


def test_other_tickets_and_customers_see_nothing_of_it(page: Page, problems: list[str], zammad: str, stand: Stand) -> None:
    opened(page, zammad, "{ id: 1 }")
    for ticket in ("{ id: 1 }", "{ id: 1, cd_state: '' }", "{ id: 1, cd_state: 'social', currentView: () => 'customer' }"):
        page.evaluate(f"openTicket({ticket})")
        assert page.locator("aside > *, cd-panel, script[src*=cd-panel]").count() == 0
        assert page.evaluate("types()") == []
        assert page.evaluate("links({ sender: { name: 'Customer' }, internal: false })") == []
    assert stand.asked == []
    assert problems == []
