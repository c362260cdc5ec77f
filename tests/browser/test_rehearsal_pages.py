"""The rehearsal's pages in a real Chromium: one posts as a customer, another answers as an agent, and nothing hostile runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ui_extensions.rehearsal import serving
from ui_extensions.rehearsal.app import Rehearsal, create_rehearsal
from ui_extensions.rehearsal.desk.app import DeskSettings, Staff
from ui_extensions.rehearsal.desk.rows import Article, Ticket
from ui_extensions.rehearsal.network.app import NetworkSettings

pytestmark = pytest.mark.root
HOSTILE = "<script>window.hit=1</script><img src=x onerror=window.hit=1> javascript:window.hit=1 \u202egnp.elif\u202c a" + "\u0301" * 200


@pytest.fixture
def rehearsal() -> Iterator[tuple[Rehearsal, str]]:
    made: list[Rehearsal] = []

    def build(url: str) -> Rehearsal:
        staff = (Staff(login="nora@example.com", token="nora-token", firstname="Nora", lastname="Lindqvist"),)
        desk = DeskSettings(bridge=Staff(login="crossdesk@example.com", token="bridge-token"), staff=staff)
        made.append(create_rehearsal(NetworkSettings(token="company-token"), desk, base_url=url))
        return made[0]

    with serving.background(serving.bind(build)) as url:
        yield made[0], url
    made[0].stop()


def opened_ticket(rehearsal: Rehearsal, title: str, body: str) -> int:
    """A ticket such as the bridge makes."""
    bridge = {"Authorization": "Token token=bridge-token", "Accept": "application/json"}
    client = rehearsal.desk_side.test_client()
    customer = {"login": "plaza:u_lena", "firstname": "Lena", "lastname": "Marsh"}
    article = {"type": "chat", "sender": "Customer", "body": body, "internal": False, "message_id": "crossdesk:1"}
    marks = {"crossdesk": {"channel": "plaza", "platform": "rehearsal", "visibility": "public"}, "crossdesk_stage": "social"}
    data = {"title": title, "group": "Social", "customer": customer, "preferences": marks, "article": article}
    answer = client.post("/api/v1/tickets", json=data, headers=bridge)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return int((answer.json or {})["id"])


def test_a_customer_posts_answers_edits_attaches_and_deletes(
    page: Page, problems: list[str], rehearsal: tuple[Rehearsal, str], tmp_path: Path
) -> None:
    _, url = rehearsal
    page.goto(f"{url}/network/")
    page.fill("#text", "Where is my parcel?")
    page.click("text=Post in public")
    expect(page.locator("#feed .text")).to_have_text("Where is my parcel?")
    expect(page.locator("#text")).to_have_value("")
    page.click("#feed >> text=Edit")
    expect(page.locator(".about")).to_contain_text("You edit")
    page.fill("#text", HOSTILE)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#feed .text")).to_have_text(HOSTILE)
    expect(page.locator("#feed .edited")).to_be_visible()

    page.click("#as-omar")
    page.click("#feed >> text=Reply")
    expect(page.locator(".about")).to_contain_text("@lena")
    (tmp_path / "log.txt").write_text("hello")
    page.set_input_files("input[name=files]", tmp_path / "log.txt")
    page.fill("#text", "Mine too")
    page.click("text=Answer in public")
    expect(page.locator("#feed .chip")).to_contain_text("log.txt")

    page.click("#as-lena")
    page.click("#feed >> text=Delete")
    expect(page.locator("#feed .tombstone")).to_have_count(1)
    page.fill("#text", "x" * 501)
    page.click("text=Send privately")
    expect(page.locator("[role=alert]")).to_contain_text("501 characters")
    page.fill("#text", "My order is 4711")
    page.click("text=Send privately")
    expect(page.locator("#feed.private .text")).to_have_text("My order is 4711")
    page.click("#newcomer summary")
    page.fill("input[name=handle]", "ada")
    page.click("#newcomer >> text=Add")
    expect(page.locator("#as-ada")).to_have_attribute("aria-current", "true")
    assert page.evaluate("window.hit") is None
    assert [said for said in problems if "422" not in said] == []


def test_what_the_company_says_appears_by_itself_while_one_writes(page: Page, rehearsal: tuple[Rehearsal, str]) -> None:
    made, url = rehearsal
    network = made.network.network
    post = network.publish(network.customers()[0], "Where is my parcel?")
    page.goto(f"{url}/network/")
    page.fill("#text", "half a thou")
    network.publish(network.company, "On its way", reply_to=post.post_id)
    expect(page.locator(".by-company .text")).to_have_text("On its way", timeout=5000)
    expect(page.locator("#text")).to_have_value("half a thou")
    expect(page.locator("#text")).to_be_focused()


def test_an_agent_answers_notes_and_closes_in_one_call_each(
    page: Page, problems: list[str], rehearsal: tuple[Rehearsal, str], tmp_path: Path
) -> None:
    made, url = rehearsal
    desk = made.desk.desk
    page.goto(f"{url}/desk/")
    ticket_id = opened_ticket(made, f"@lena: {HOSTILE}", HOSTILE)
    page.click("#tickets a")
    expect(page.locator("#articles .text")).to_have_text(HOSTILE)
    page.fill("#text", "Sorry!\n\nWe look <into> it & tell you.")
    (tmp_path / "note.txt").write_text("hello")
    page.set_input_files("input[name=files]", tmp_path / "note.txt")
    page.select_option("#set-state_id", label="closed")
    page.click("text=Update")
    expect(page.locator("#articles .article.agent .text")).to_contain_text("We look <into> it & tell you.")
    expect(page.locator("#done")).to_contain_text("Reply added")
    expect(page.locator("#text")).to_have_value("")
    reply = desk.articles_of(ticket_id)[-1]
    assert (reply.type_id, reply.sender_id, reply.internal) == (5, 1, False)
    assert reply.body == "Sorry!<div><br></div><div>We look &lt;into&gt; it &amp; tell you.</div>"
    assert [(file.filename, file.size) for file in desk.files_of(reply)] == [("note.txt", 5)]
    ticket = desk.get(Ticket, ticket_id)
    assert ticket is not None
    assert ticket.state_id == 4

    page.check("input[value=note]", force=True)
    page.fill("#text", "Bug 881")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#articles .internal .text")).to_have_text("Bug 881")
    note = desk.articles_of(ticket_id)[-1]
    assert (note.type_id, note.internal) == (10, True)
    page.click("text=set to public")
    expect(page.locator("#articles .internal")).to_have_count(0)
    changed = desk.get(Article, note.id)
    assert changed is not None
    assert changed.internal is False
    assert made.desk.refusals == []
    assert page.evaluate("window.hit") is None
    assert problems == []


def test_an_answer_that_never_came_keeps_the_text(page: Page, rehearsal: tuple[Rehearsal, str]) -> None:
    made, url = rehearsal
    ticket_id = opened_ticket(made, "Parcel", "Where is it?")
    page.goto(f"{url}/desk/?ticket={ticket_id}")
    made.desk.faults.add("unavailable", method="PUT")
    page.fill("#text", "On its way")
    page.select_option("#set-priority_id", label="3 high")
    page.click("text=Update")
    expect(page.locator("#problem")).to_contain_text("503")
    expect(page.locator("#text")).to_have_value("On its way")
    made.desk.faults.add("lose_answer", method="PUT")
    page.click("text=Update")
    expect(page.locator("#problem")).to_contain_text("gave no answer")
    expect(page.locator("#articles .article.agent")).to_have_count(1)
    expect(page.locator("#set-priority_id")).to_have_value("3")


def test_both_sides_stand_on_one_page_and_one_at_a_time_on_a_phone(
    page: Page, problems: list[str], rehearsal: tuple[Rehearsal, str]
) -> None:
    _, url = rehearsal
    page.goto(url)
    network = page.frame_locator("iframe").first
    network.locator("#text").fill("Hello")
    network.locator("text=Post in public").click()
    expect(network.locator("#feed .text")).to_have_text("Hello")
    expect(page.frame_locator("iframe").nth(1).locator("text=Choose a ticket")).to_be_visible()
    for width in (320, 700, 1000):
        page.set_viewport_size({"width": width, "height": 700})
        for path in ("/", "/network/", "/network/?view=private", "/desk/"):
            page.goto(url + path)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, path)
    assert problems == []
    assert re.search("frame-ancestors 'self'", page.request.get(f"{url}/desk/").headers["content-security-policy"])
