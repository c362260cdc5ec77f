"""The rehearsal as people have it, in a real Chromium: a customer's post becomes a ticket, and the agent's answer appears under the post."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.bridge import ROOT
from tests.servers import registry
from tests.waiting import eventually

pytestmark = [pytest.mark.root, pytest.mark.servers]
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync")
_PATIENCE = 20_000
"""Milliseconds for a message to go through the bridge on a busy machine."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A rehearsal of the test's own, with the whole bridge, as `crossdesk rehearse` runs it."""
    folder = tmp_path / "rehearsal"
    process = registry.spawn([sys.executable, "-m", "plugin.cli.rehearsing", str(folder)], tmp_path, env={"PYTHONPATH": str(ROOT)})
    practice: dict[str, Any] = json.loads(eventually(lambda: _read(folder / "practice.json")))
    registry.wait_for(f"http://127.0.0.1:{practice['receiver_port']}/readyz", process)
    registry.wait_for(f"http://127.0.0.1:{practice['port']}/healthz", process)
    yield f"http://127.0.0.1:{practice['port']}"
    process.send_signal(signal.SIGTERM)
    assert process.wait(40) == 0, (tmp_path / "server.log").read_text()[-3000:]


@pytest.fixture
def page(chromium: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        yield browser.new_page(viewport={"width": 1400, "height": 900})
        browser.close()


def test_a_post_becomes_a_ticket_and_the_answer_appears_under_it(page: Page, address: str, tmp_path: Path) -> None:
    (tmp_path / "screen.txt").write_text("Error 17")
    page.goto(address)
    network, desk = page.frame_locator("iframe").first, page.frame_locator("iframe").nth(1)

    network.locator("#text").fill("@acme my kettle hums <loudly> & smokes")
    network.locator("input[name=files]").set_input_files(tmp_path / "screen.txt")
    network.locator("text=Post in public").click()

    desk.locator("#tickets a").first.click(timeout=_PATIENCE)
    expect(desk.locator("#articles")).to_contain_text("my kettle hums <loudly> & smokes")
    expect(desk.locator("#articles")).to_contain_text("screen.txt", timeout=_PATIENCE)

    desk.locator("input[value=note]").check(force=True)
    desk.locator("#text").fill("Never tell them: third one this week")
    desk.locator("text=Update").click()
    expect(desk.locator("#articles .internal")).to_have_count(1)
    desk.locator("input[value=phone]").check(force=True)
    desk.locator("#text").fill("Unplug it, please.\n\nA new one is on its way.")
    desk.locator("text=Update").click()

    answer = network.locator("#feed .by-company .text")
    expect(answer).to_contain_text("Unplug it, please.", timeout=_PATIENCE)
    expect(answer).to_contain_text("A new one is on its way.")

    network.locator("#feed >> text=Reply").first.click()
    network.locator("#text").fill("Thank you!")
    network.locator("text=Answer in public").click()
    expect(desk.locator("#articles")).to_contain_text("Thank you!", timeout=_PATIENCE)
    expect(desk.locator("#tickets a")).to_have_count(1)
    expect(network.locator("#feed .by-company")).to_have_count(1)
    expect(network.locator("#feed")).not_to_contain_text("third one this week")


def _read(path: Path) -> str | None:
    try:
        return path.read_text() or None
    except FileNotFoundError:
        return None
