"""The console in a real Chromium that runs no JavaScript: every page in light, dark and narrow, by keyboard, with hostile words in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

from plugin.handlers.admission import Role
from plugin.handlers.channel_making import Routing
from tests.consoles import HOSTILE, Ground, await_approval, ground
from ui_extensions.console.app import create_app
from ui_extensions.rehearsal import serving

pytestmark = pytest.mark.root
PICTURES = os.environ.get("CROSSDESK_PICTURES", "")
"""A folder where to keep what was seen."""
ADDRESSES = (
    "",
    "board",
    "approvals",
    "figures",
    "held",
    "ledger",
    "ledger/1",
    "channels",
    "channels/channel:fake",
    "connect",
    "connect/shop/credentials",
    "connect/shop/test",
    "connect/shop/routing",
    "connect/shop/live",
    "connect/second/credentials",
    "act/take_over/1",
    "conversations/1",
    "policy",
    "audit",
    "diagnostics",
)


DARK = {"", "approvals", "connect", "connect/shop/test", "figures"}
"""Those that axe sees in the dark, too: between them they have every colour."""


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[tuple[Ground, str]]:
    with ground(database_url, tmp_path) as found:
        app = create_app(found.bridge)
        with serving.background(serving.bind(lambda _: app)) as address:
            yield found, address


@pytest.fixture
def scriptless(chromium: str, problems: list[str]) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: problems.append(dialog.message))
        yield page
        browser.close()


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def keeps_out(page: Page, url: str) -> list[str]:
    """What axe finds on any page that would keep somebody out. It needs timers, which a page without scripts has not: a second one is asked."""
    assert page.context.browser is not None
    context = page.context.browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies(page.context.cookies())  # type: ignore[arg-type] # what was read is what is set
    second, found = context.new_page(), []
    second.set_default_timeout(60_000)
    for address in ADDRESSES:
        second.goto(f"{url}/{address}")
        for scheme in ("light", "dark") if address in DARK else ("light",):
            second.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            said = Axe().run(second).response["violations"]
            found += [
                (address, scheme, item["id"], item["nodes"][0]["html"][:200]) for item in said if item["impact"] in {"serious", "critical"}
            ]
    context.close()
    return [str(item) for item in found]


def prepare(found: Ground) -> None:
    """A draft whose checks said hostile things, one that is only begun, a reply that waits, and a lock."""
    maker = found.bridge.channels
    for key in ("shop", "second"):
        maker.begin(key, "rehearsal", actor=HOSTILE)
    made = maker.draft("shop")
    assert made is not None
    given = {"url": "http://127.0.0.1:9", "token": "token-of-the-shop", "webhook_secret": "webhook-secret-of-the-shop"}
    maker.fill("shop", given, forget=(), version=made.version, actor=HOSTILE)
    made = maker.draft("shop")
    assert made is not None
    maker.route("shop", Routing(helpdesk="fake", group=HOSTILE, late="new"), version=made.version, actor=HOSTILE)
    made = maker.draft("shop")
    assert made is not None
    said = [
        {"name": "account", "is_ok": False, "answer": HOSTILE, "next_step": HOSTILE},
        {"name": "clock", "is_ok": True, "answer": "", "next_step": ""},
    ]
    with found.bridge.database.begin() as connection:
        maker.made.keep_test(connection, "shop", version=made.version, tested=said)
    await_approval(found, holder=HOSTILE)


def focus(page: Page, name: str) -> None:
    """Go to a field by the keyboard alone."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"{name} is not reached by the keyboard")


def enter(page: Page, leads_to: str) -> None:
    """Press Enter, and be where that leads."""
    page.keyboard.press("Enter")
    page.wait_for_url(leads_to)


def test_a_channel_is_connected_by_keyboard_alone(scriptless: Page, house: tuple[Ground, str]) -> None:
    page, (found, url) = scriptless, house
    page.goto(f"{url}/enter?token={found.link(Role.ADMIN)}")
    page.get_by_role("button", name="Enter").click()
    expect(page.locator("h1")).to_contain_text("Health")
    page.goto(f"{url}/connect")
    focus(page, "platform")
    page.keyboard.press("Space")
    for _ in range(40):
        if page.evaluate("document.activeElement.value") == "rehearsal":
            break
        page.keyboard.press("ArrowDown")
    focus(page, "key")
    page.keyboard.type("shop")
    enter(page, "**/credentials")
    for name, value in (("url", "http://127.0.0.1:9"), ("token", "token-of-the-shop"), ("webhook_secret", "webhook-secret-of-the-shop")):
        focus(page, name)
        page.keyboard.type(value)
    enter(page, "**/test")
    focus(page, "Go on to routing")
    enter(page, "**/routing")
    focus(page, "group")
    page.keyboard.type("Social")
    enter(page, "**/live")
    focus(page, "anyway")
    page.keyboard.press("Space")
    focus(page, "register")
    page.keyboard.press("Space")
    focus(page, "Go live")
    enter(page, "**/channels/channel:shop")
    expect(page.locator("main")).to_contain_text("Waiting for the first event.")


def test_the_whole_console_works_without_javascript(scriptless: Page, problems: list[str], house: tuple[Ground, str]) -> None:
    page, (found, url) = scriptless, house
    prepare(found)
    page.goto(f"{url}/")
    expect(page.locator("h1")).to_have_text("Sign in")
    picture(page, "sign-in")
    page.get_by_label("Login").fill("mia@acme.example")
    page.get_by_label("Password").fill("mia's password")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Health")
    expect(page.locator("body")).to_contain_text(HOSTILE)

    for address in ADDRESSES:
        answer = page.goto(f"{url}/{address}")
        assert answer is not None
        assert answer.status == 200, address
        expect(page.locator("h1")).to_have_count(1)
        assert page.evaluate("[...document.links].filter((link) => !/^https?:$/.test(link.protocol)).length") == 0
        for name, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("narrow", 280, "light")):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 0, (address, name, overflow)
            picture(page, f"{address.replace('/', '-').replace(':', '-') or 'health'}-{name}")
    assert keeps_out(page, url) == []
    page.set_viewport_size({"width": 1280, "height": 900})
    unnamed = "[...document.querySelectorAll('input:not([type=hidden]), textarea, select')].filter(e => !e.labels.length).length"
    assert page.evaluate(unnamed) == 0

    page.goto(f"{url}/approvals")
    page.get_by_role("link", name="Send back").click()
    page.get_by_label("Reason").fill("seen on the wall")
    picture(page, "act")
    page.get_by_role("button", name="Send this reply back").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("goes back to its author")
    page.goto(f"{url}/audit")
    expect(page.locator("tbody tr").first).to_contain_text("seen on the wall")
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{url}/enter?token={found.link(Role.AUDITOR)}")
    page.get_by_role("button", name="Enter").click()
    expect(page.locator("header")).to_contain_text("auditor")
    assert problems == []
