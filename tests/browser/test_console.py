"""The console in a real Chromium that runs no JavaScript: every page in light, dark and narrow, by keyboard, with hostile words in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from plugin.handlers.admission import Role
from tests.consoles import HOSTILE, Ground, ground
from ui_extensions.console.app import create_app
from ui_extensions.rehearsal import serving

pytestmark = pytest.mark.root
PICTURES = os.environ.get("CROSSDESK_PICTURES", "")
"""A folder where to keep what was seen."""
ADDRESSES = (
    "",
    "board",
    "figures",
    "held",
    "ledger",
    "ledger/1",
    "channels",
    "channels/channel:fake",
    "conversations/1",
    "policy",
    "audit",
    "diagnostics",
)


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


def test_the_whole_console_works_without_javascript(scriptless: Page, problems: list[str], house: tuple[Ground, str]) -> None:
    page, (found, url) = scriptless, house
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
        for name, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("narrow", 340, "light")):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 0, (address, name, overflow)
            picture(page, f"{address.replace('/', '-').replace(':', '-') or 'health'}-{name}")
    page.set_viewport_size({"width": 1280, "height": 900})
    unnamed = "[...document.querySelectorAll('input:not([type=hidden]), textarea')].filter(e => !e.labels.length).length"
    assert page.evaluate(unnamed) == 0

    page.goto(f"{url}/held")
    page.get_by_role("link", name="It arrived").click()
    page.get_by_label("Reason").fill("seen on the wall")
    picture(page, "act")
    page.get_by_role("button", name="Mark this intent as sent").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("counts as sent")
    page.goto(f"{url}/audit")
    expect(page.locator("tbody tr").first).to_contain_text("seen on the wall")
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{url}/enter?token={found.link(Role.AUDITOR)}")
    page.get_by_role("button", name="Enter").click()
    expect(page.locator("header")).to_contain_text("auditor")
    assert problems == []
