"""The browser's side panel: which ticket an address shows, what it may and holds, and the whole of it loaded into a real Chromium."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask, Response, redirect, request
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from werkzeug.wrappers import Response as AnyResponse

from plugin.contracts.helpdesk import OAuth2Application
from plugin.testing.fake_helpdesk import FakeHelpdesk
from tests.engine import Engine
from tests.panels import Desk, served
from ui_extensions.browser.pack import NAME, pack
from ui_extensions.packing import packers
from ui_extensions.panel.entering import EXTENSION

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "ui_extensions" / "browser" / "extension"
DESKS = [
    {"kind": "zammad", "url": "https://support.example.com", "panel": "https://bridge.example.com/panel/support"},
    {"kind": "osticket", "url": "https://help.example.com/desk/", "panel": "https://bridge.example.com/panel/osticket"},
    {"kind": "rt", "url": "https://help.example.com/rt", "panel": "https://bridge.example.com/panel/rt"},
]
ADDRESSES = {
    "https://support.example.com/#ticket/zoom/42": ("zammad", "42"),
    "https://support.example.com/#ticket/zoom/42/1234": ("zammad", "42"),
    "https://support.example.com/desktop/tickets/43": ("zammad", "43"),
    "https://support.example.com/#ticket/view/my_tickets": None,
    "https://support.example.com/#ticket/zoom/42x": None,
    "https://support.example.com.evil.example/#ticket/zoom/42": None,
    "http://support.example.com/#ticket/zoom/42": None,
    "https://help.example.com/desk/scp/tickets.php?id=7": ("osticket", "7"),
    "https://help.example.com/desk/scp/tickets.php?id=7&a=edit#reply": ("osticket", "7"),
    "https://help.example.com/desk/tickets.php?id=7": None,
    "https://help.example.com/scp/tickets.php?id=7": None,
    "https://help.example.com/desktop/scp/tickets.php?id=7": None,
    "https://help.example.com/rt/Ticket/Display.html?id=9": ("rt", "9"),
    "https://help.example.com/rt/Ticket/Update.html?Action=Respond;id=9&id=9": ("rt", "9"),
    "https://help.example.com/rt/Ticket/Display.html?id=1%2F..%2F2": None,
    "https://help.example.com/rt/Search/Results.html?id=9": None,
    "chrome://settings": None,
    "": None,
    "javascript:1": None,
}


def test_it_asks_for_little_and_holds_all_that_runs(tmp_path: Path) -> None:
    for _ in range(2):
        packed = pack(tmp_path)
        assert [path.name for path in packed.made] == [NAME, f"{NAME}.zip"]
    folder = tmp_path / NAME
    with zipfile.ZipFile(tmp_path / f"{NAME}.zip") as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    assert inside == {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}
    manifest = json.loads(inside["manifest.json"])
    assert (manifest["manifest_version"], set(manifest["permissions"])) == (3, {"sidePanel", "storage", "identity"})
    assert {"host_permissions", "content_scripts", "externally_connectable", "web_accessible_resources"} & set(manifest) == set()
    setup = next(line for line in (ROOT / "setup.cfg").read_text("utf-8").splitlines() if line.startswith("version"))
    assert manifest["version"] == setup.partition("=")[2].strip()
    for name, content in inside.items():
        if name.endswith(".html"):
            page = content.decode()
            assert all(source in inside for source in re.findall(r'(?:src|href)="([^"]+)"', page))
            assert "<script>" not in page
        if name.endswith(".js"):
            assert not re.search(r"\beval\b|new Function|innerHTML|importScripts|\bimport\(", content.decode())
    assert inside["cd-panel.js"] == (ROOT / "ui_extensions" / "panel" / "cd-panel.js").read_bytes()
    assert "browser" in packers()


@pytest.mark.root
def test_addresses_and_settings_mean_what_they_say(page: Page, problems: list[str]) -> None:
    page.add_script_tag(content=(SOURCE / "tickets.js").read_text())
    script = (
        "(args) => args[0].map((address) => { const found = ticketIn(address, args[1]); return found && [found.desk.kind, found.ticket]; })"
    )
    found = page.evaluate(script, [list(ADDRESSES), DESKS])
    assert dict(zip(ADDRESSES, found, strict=True)) == {address: list(one) if one else None for address, one in ADDRESSES.items()}
    assert [page.evaluate("problemOf", desk) for desk in DESKS] == [None, None, None]
    for change in ({"kind": "x"}, {"url": "support"}, {"url": "http://support.example.com"}, {"panel": "https://bridge.example.com"}):
        assert page.evaluate("problemOf", {**DESKS[0], **change})
    assert problems == []


class SignedInto(FakeHelpdesk):
    """A helpdesk whose staff sign in on its own pages."""

    oauth2: OAuth2Application


@pytest.fixture
def bridge(database_url: str) -> Iterator[str]:
    """The address of a bridge, and of a Zammad as far as it lets agents sign in; the ticket is number 42."""
    helpdesk = SignedInto(refs=["42"])
    engine = Engine(database_url, helpdesk=helpdesk)
    engine.tell(engine.network.say("maria", "My kettle hums"))
    engine.settle()

    def build(url: str) -> Flask:
        helpdesk.oauth2 = OAuth2Application(url=url, web_url=url, client_id="our-id", client_secret="our-secret")
        app = Desk(engine, public_url=url).app
        given: dict[str, dict[str, Any]] = {
            "/oauth/token": {"access_token": "t"},
            "/oauth/revoke": {},
            "/api/v1/users/me": {"id": 3, "login": "mia", "firstname": "Mia", "lastname": "May", "roles": ["Agent"], "groups": {}},
            "/api/v1/users/search": {},
            "/api/v1/tickets/42": {"id": 42},
        }

        @app.get("/")
        def zammad() -> Response:
            return Response("<!doctype html><link rel=icon href=data:,><title>Zammad</title><h1>Ticket</h1>", content_type="text/html")

        @app.get("/oauth/authorize")
        def authorize() -> AnyResponse:
            return redirect(f"{request.args['redirect_uri']}?{urlencode({'code': 'c', 'state': request.args['state']})}")

        @app.route("/oauth/<path:_rest>", methods=["POST"])
        @app.get("/api/v1/<path:_rest>")
        def answer(_rest: str) -> Response:
            return Response(json.dumps(given[request.path]), content_type="application/json")

        return app

    with served(build) as url:
        yield url
    engine.close()


@pytest.fixture
def browser(tmp_path: Path, chromium: str, bridge: str) -> Iterator[BrowserContext]:
    """A Chromium with the extension, and with the leave that a person gives in its set-up: nobody can press the browser's own question here."""
    folder = pack(tmp_path).made[0]
    manifest = json.loads((folder / "manifest.json").read_text())
    allowed = {"host_permissions": [f"{bridge.rpartition(':')[0]}/*"]}
    (folder / "manifest.json").write_text(json.dumps({**manifest, **allowed}))
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=chromium,
            args=["--no-sandbox", f"--disable-extensions-except={folder}", f"--load-extension={folder}"],
            ignore_default_args=["--disable-extensions"],
        )
        context.set_default_timeout(30_000)
        yield context
        context.close()


@pytest.mark.root
@pytest.mark.servers
def test_it_shows_the_panel_of_the_ticket_in_view(browser: BrowserContext, bridge: str) -> None:
    problems: list[str] = []
    side = browser.new_page()
    side.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    side.on("pageerror", lambda problem: problems.append(str(problem)))
    side.goto(f"chrome-extension://{EXTENSION}/side.html")
    expect(side.locator("#said")).to_have_text("Say once which helpdesk you use.")
    side.evaluate("(url) => chrome.storage.sync.set({ desks: [{ kind: 'zammad', url, panel: `${url}/panel/fake` }] })", bridge)
    expect(side.locator("#said")).to_have_text("Open a ticket, and its conversation is shown here.")
    ticket = browser.new_page()
    ticket.goto(f"{bridge}/#ticket/zoom/42")
    ticket.bring_to_front()
    expect(side.locator("#said")).to_have_text("Ticket 42")
    # Pressed as the side panel has it: while the ticket stays in view.
    side.evaluate("document.getElementById('enter').click()")
    expect(side.locator("cd-panel li.message")).to_contain_text("My kettle hums", timeout=30_000)
    assert side.evaluate("document.querySelector('cd-panel').snapshot.me.name") == "Mia May"
    ticket.goto(f"{bridge}/#dashboard")
    expect(side.locator("cd-panel")).to_have_count(0)
    assert problems == []
