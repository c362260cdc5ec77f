"""The whole bridge through its pages: what a customer posts stands in the desk, and what an agent answers stands under the post."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.servers.registry import free_port

pytestmark = [pytest.mark.root, pytest.mark.servers]
WAIT = 20_000


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A rehearsal of its own, as `crossdesk run --rehearsal` starts it."""
    log = tmp_path / "rehearsal.log"
    # Not the usual ports: somebody may be practising there.
    (tmp_path / "practice.json").write_text(json.dumps({"port": free_port(), "receiver_port": free_port()}))
    command = [
        sys.executable,
        "-c",
        f"from plugin.cli.running import run_practice; from pathlib import Path; run_practice(Path({str(tmp_path)!r}))",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        yield opened(tmp_path, process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def opened(folder: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    """The rehearsal's address, once both it and the receiver answer."""
    until = time.monotonic() + 90
    while time.monotonic() < until and process.poll() is None:
        try:
            practice = json.loads((folder / "practice.json").read_text())
            for port, path in ((practice["receiver_port"], "readyz"), (practice["port"], "healthz")):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=2).close()
        except urllib.error.HTTPError as answer:
            answer.close()
        except (OSError, ValueError):
            pass
        else:
            return f"http://127.0.0.1:{practice['port']}"
        time.sleep(0.1)
    raise RuntimeError(f"the rehearsal did not start:\n{log.read_text()[-3000:]}")


def chosen(network: FrameLocator, handle: str) -> None:
    """Act as this customer from now on."""
    network.locator(f"#as-{handle}").click()
    expect(network.locator(f"#as-{handle}")).to_have_attribute("aria-current", "true")


def test_a_post_becomes_a_ticket_and_the_answer_stands_under_the_post(
    page: Page, problems: list[str], address: str, tmp_path: Path
) -> None:
    page.goto(address)
    network, desk = page.frame_locator("iframe").first, page.frame_locator("iframe").nth(1)
    words = "<b>My app</b> logs me out. https://example.org/x?a=1&b=2"
    (tmp_path / "log file.txt").write_text("what the app wrote")
    network.locator("input[name=files]").set_input_files(tmp_path / "log file.txt")
    network.locator("#text").fill(words)
    network.get_by_role("button", name="Post in public").click()

    expect(desk.locator("#tickets a")).to_have_count(1, timeout=WAIT)
    desk.locator("#tickets a").click()
    # The customer's link is shown, and leads nowhere by itself.
    expect(desk.locator("#articles .customer .text")).to_have_text(words.replace("https://example.org", "hxxps://example[.]org"))
    expect(desk.locator("#articles .customer .chip")).to_contain_text("log file.txt")

    desk.get_by_text("Internal note").click()
    desk.locator("#text").fill("Known: bug 881")
    desk.get_by_role("button", name="Update").click()
    expect(desk.locator("#articles .agent.internal")).to_have_count(1)
    desk.get_by_text("Public reply").click()
    desk.locator("#text").fill("Sorry!\n\nWhich version <5.2> & phone?")
    desk.get_by_role("button", name="Update").click()
    expect(network.locator(".by-company .text")).to_have_text("Sorry!\n\nWhich version <5.2> & phone?", timeout=WAIT, use_inner_text=True)

    network.locator("#feed").get_by_role("link", name="Edit").click()
    expect(network.locator(".about")).to_be_visible()
    network.locator("#text").fill("It logs me out every minute")
    network.get_by_role("button", name="Save").click()
    expect(desk.locator("#articles")).to_contain_text("It logs me out every minute", timeout=WAIT)

    chosen(network, "omar")
    network.locator("#feed").get_by_role("link", name="Reply").last.click()
    expect(network.locator(".about")).to_contain_text("@acme")
    network.locator("#text").fill("Same for me")
    network.get_by_role("button", name="Answer in public").click()
    expect(desk.locator("#articles")).to_contain_text("Same for me", timeout=WAIT)

    network.locator("#text").fill("My order is 4711")
    network.get_by_role("button", name="Send privately").click()
    expect(desk.locator("#tickets a")).to_have_count(2, timeout=WAIT)
    desk.locator("#tickets a").filter(has_text="My order is 4711").click()
    expect(desk.locator("#articles .customer .text")).to_have_text("My order is 4711", timeout=WAIT)
    desk.locator("#text").fill("Found it.")
    desk.get_by_role("button", name="Update").click()
    expect(network.locator(".private .by-company .text")).to_have_text("Found it.", timeout=WAIT)

    network.locator("#to-wall").click()
    chosen(network, "lena")
    expect(network.locator("#feed")).not_to_contain_text("4711")
    expect(network.locator("#feed")).not_to_contain_text("bug 881")
    network.locator("#feed").get_by_role("button", name="Delete").click()
    desk.locator("#tickets a").filter(has_text="logs me out").click()
    expect(desk.locator("#articles")).to_contain_text("deleted", timeout=WAIT)
    expect(network.locator(".by-company")).to_have_count(1)

    password = page.locator(".console code").nth(1).inner_text()
    page.goto(page.locator(".console a").get_attribute("href") or "")
    page.get_by_label("Login").fill("mia@acme.example")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Health")
    page.get_by_role("link", name="Board").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    assert problems == []
