"""The ticket view draws what the desk holds: each kind of article as what it is, and nothing hostile that would run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ui_extensions.rehearsal.desk.app import EXTENSION, DeskSettings, Staff, create_desk
from ui_extensions.rehearsal.desk.pages import add_pages

NORA = Staff(login="nora@example.com", token="nora-token", firstname="Nora", lastname="Lindqvist", groups=("Social",))
SAM = Staff(login="sam@example.com", token="sam-token", firstname="Sam")
BRIDGE = Staff(login="crossdesk@example.com", token="bridge-token", firstname="Crossdesk")
HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(1)><a href="javascript:alert(1)" onclick=alert(1) style="x">a</a>"""


@pytest.fixture
def app() -> Iterator[Flask]:
    made = create_desk(DeskSettings(bridge=BRIDGE, staff=(NORA, SAM)))
    add_pages(made, agents=[NORA, SAM])
    yield made
    made.extensions[EXTENSION].stop()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def call(client: FlaskClient, method: str, path: str, data: Any, *, by: Staff = BRIDGE) -> dict[str, Any]:
    headers = {"Authorization": f"Token token={by.token}", "Accept": "application/json"}
    answer = client.open(f"/api/v1/{path}", method=method, json=data, headers=headers)
    assert answer.status_code < 300, answer.get_data(as_text=True)
    return dict(answer.json or {})


def ticket(client: FlaskClient, body: str = "Where is my parcel?", *, title: str = "Parcel", group: str = "Social", **more: Any) -> int:
    article = {"type": "chat", "sender": "Customer", "body": body, "message_id": "crossdesk:1", "internal": False, **more}
    customer = {"login": "plaza:u_lena", "firstname": title, "lastname": "Marsh", "web": "http://plaza.example/?as=lena"}
    data = {
        "title": title,
        "group": group,
        "customer": customer,
        "tags": "social",
        "preferences": {"crossdesk": {"channel": "plaza", "platform": "rehearsal", "visibility": "private"}, "crossdesk_stage": "handoff"},
        "article": article,
    }
    return int(call(client, "POST", "tickets", data)["id"])


def add(client: FlaskClient, ticket_id: int, body: str, *, by: Staff = BRIDGE, **more: Any) -> None:
    call(client, "POST", "ticket_articles", {"ticket_id": ticket_id, "body": body, **more}, by=by)


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def drawn_articles(page: str) -> list[str]:
    return [str(attributes["class"]) for tag, attributes in Tags(page).found if tag == "li" and "article" in str(attributes.get("class"))]


def test_each_article_looks_like_what_it_is(client: FlaskClient) -> None:
    links = {"links": [{"url": "http://plaza.example/?thread=p_1", "target": "_blank", "name": "on plaza"}]}
    key = ticket(client, preferences=links)
    add(client, key, "On its way", by=NORA, type="phone", sender="Agent")
    add(client, key, "Bug 881", by=NORA, type="note", sender="Agent", internal=True)
    add(client, key, "Lena deleted this message.", type="note", sender="Agent", internal=True, message_id="crossdesk:2")
    add(client, key, "Said on the platform", type="chat", sender="Agent", message_id="crossdesk:3")
    page = client.get(f"/?ticket={key}").get_data(as_text=True)
    assert drawn_articles(page) == [
        "article customer",
        "article agent",
        "article agent internal",
        "article bridge internal",
        "article native",
    ]
    assert 'href="http://plaza.example/?thread=p_1"' in page
    assert "The customer reads this in private on plaza." in page
    for words in ("handoff", "Private reply", "reply to the customer", "posted on the platform itself", "bystander"):
        assert (words in page) is (words != "bystander")


def test_hostile_words_are_inert(client: FlaskClient) -> None:
    files = [{"filename": "x.html", "data": "PHNjcmlwdD4=", "mime-type": "text/html"}]
    links = {"links": [{"url": "javascript:alert(1)", "target": "_blank", "name": HOSTILE}]}
    key = ticket(client, HOSTILE, title=HOSTILE, subject=HOSTILE, attachments=files, preferences=links)
    add(client, key, HOSTILE, type="chat", sender="Customer", content_type="text/html")
    answer = client.get(f"/?ticket={key}")
    for tag, attributes in Tags(answer.get_data(as_text=True)).found:
        assert not any(name.startswith("on") or name == "style" for name in attributes), (tag, attributes)
        assert tag != "script" or re.fullmatch(r"/(shared|look)/\w+\.js", attributes["src"] or "")
        for name in ("href", "src", "action"):
            assert re.match(r"(/|#|https?://|$)", attributes.get(name) or ""), (tag, attributes)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    address = re.search(r'href="(/files/\d+/[^"]+)"', answer.get_data(as_text=True))
    assert address
    served = client.get(address.group(1))
    assert served.headers["Content-Disposition"].startswith("attachment")
    assert served.headers["Content-Security-Policy"].startswith("sandbox")


def test_an_agent_sees_the_tickets_of_the_own_groups(client: FlaskClient) -> None:
    key = ticket(client, title="Secret", group="Users")
    assert "Secret" not in client.get(f"/?agent={NORA.login}&ticket={key}").get_data(as_text=True)
    assert "Secret" in client.get(f"/?agent={SAM.login}&ticket={key}").get_data(as_text=True)


def test_a_merged_ticket_says_where_it_went(client: FlaskClient) -> None:
    source, target = ticket(client, title="Twice"), ticket(client, title="Once")
    number = call(client, "GET", f"tickets/{target}", None)["number"]
    call(client, "PUT", f"ticket_merge/{source}/{number}", None, by=SAM)
    assert f"#{number}</a>." in client.get(f"/?ticket={source}").get_data(as_text=True)


def test_the_page_is_drawn_again_when_something_changed(client: FlaskClient) -> None:
    key = ticket(client)
    tag = {"If-None-Match": client.get(f"/?ticket={key}").headers["ETag"]}
    assert client.get(f"/?ticket={key}", headers=tag).status_code == 304
    add(client, key, "More", type="chat", sender="Customer")
    assert client.get(f"/?ticket={key}", headers=tag).status_code == 200


def test_every_kind_of_asking_for_nonsense_gets_a_page(client: FlaskClient) -> None:
    for query in ("ticket=x", "ticket=-1", "ticket=9999", "ticket=" + "9" * 99, "ticket=%C2%B2", "agent=nobody"):
        assert client.get(f"/?{query}").status_code == 200
    assert client.get("/files/99/x").status_code == 404
