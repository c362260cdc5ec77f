"""What no recording shows: the desk refuses what it does not speak, survives a restart, and stays quick when it is full."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from ui_extensions.rehearsal.desk.app import EXTENSION, DeskSettings, Parts, Staff, create_desk
from ui_extensions.rehearsal.desk.rows import Ticket
from ui_extensions.rehearsal.desk.webhooks import Endpoint

BRIDGE = Staff(login="crossdesk@example.com", token="b", firstname="Social", lastname="Bridge")
AGENT = Staff(login="gus@example.com", token="a", firstname="Gus", lastname="Agent")
TICKET: dict[str, Any] = {
    "title": "t",
    "group": "Social",
    "customer": {"login": "x:1:"},
    "article": {"body": "hi", "type": "chat", "sender": "Customer"},
}


class Client:
    """Asks as the bridge."""

    def __init__(self, **settings: Any) -> None:
        app = create_desk(DeskSettings(bridge=BRIDGE, staff=(AGENT,), control_token="control", **settings))
        self.parts: Parts = app.extensions[EXTENSION]
        self.client: FlaskClient = app.test_client()

    def ask(self, method: str, path: str, data: Any = None, **headers: str) -> Any:
        given = {"Accept": "application/json", "Authorization": "Token token=b"} | {
            key.replace("_", "-"): value for key, value in headers.items()
        }
        return self.client.open(f"/api/v1{path}", method=method, json=data, headers={key: value for key, value in given.items() if value})


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("GET", "/templates", None),
        ("PATCH", "/tickets/1", {}),
        ("GET", "/tickets/1?fields=all", None),
        ("POST", "/tickets", {**TICKET, "mood": "social"}),
        ("POST", "/tickets", {**TICKET, "article": {"body": "x", "mood": "good"}}),
        ("POST", "/tickets", ["x"]),
        ("POST", "/tickets/search", {"condition": {"article.message_id": {"operator": "is", "value": "x"}}}),
        ("POST", "/tickets/search?expand=true", {"condition": {"article.message_id": {"operator": "contains", "value": "x"}}}),
        ("POST", "/tickets/search?expand=true", {"condition": {"ticket.title": {"operator": "is", "value": "x"}}}),
    ],
)
def test_what_the_desk_does_not_speak_is_refused_loudly(method: str, path: str, data: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = Client()
    client.ask("POST", "/tickets", TICKET)
    answer = client.ask(method, path, data)
    assert (answer.status_code, len(client.parts.refusals)) == (501, 1)
    assert client.parts.refusals[0] in caplog.text


def test_errors_are_json_only_for_those_who_accept_it() -> None:
    client = Client()
    body = {**TICKET, "article": {"body": ""}}
    assert client.ask("POST", "/tickets", body).json["error"] == "Need at least an 'article body' field."
    page = client.ask("POST", "/tickets", body, Accept="")
    assert (page.status_code, page.mimetype) == (422, "text/html")


def test_a_refused_ticket_leaves_nothing_and_a_refused_article_may() -> None:
    client = Client()
    refused = client.ask("POST", "/tickets", {**TICKET, "article": {**TICKET["article"], "time_unit": "5"}})
    assert (refused.status_code, client.parts.desk.all(Ticket)) == (403, [])
    client.ask("POST", "/tickets", TICKET)
    assert client.ask("POST", "/ticket_articles", {"ticket_id": 1, "body": "x", "time_unit": "5"}).status_code == 403
    assert len(client.ask("GET", "/ticket_articles/by_ticket/1").json) == 2


def test_rows_files_and_waiting_webhooks_survive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "desk.sqlite"
    nowhere = Endpoint(url="http://127.0.0.1:9/", token="t", delay=60.0)
    first = Client(file=file, webhook=nowhere)
    entry = {"filename": "a.txt", "data": "aGVsbG8=", "mime-type": "text/plain"}
    first.ask("POST", "/tickets", {**TICKET, "tags": "a,b", "article": {**TICKET["article"], "attachments": [entry], "message_id": "m:1"}})
    first.ask("PUT", "/tickets/1?all=true", {"article": {"type": "phone", "body": "answer"}}, Authorization="Bearer a")
    before = first.ask("GET", "/tickets/1?expand=true").json
    first.parts.stop()
    second = Client(file=file, webhook=nowhere)
    assert second.ask("GET", "/tickets/1?expand=true").json == before
    assert second.ask("GET", "/ticket_attachment/1/1/1").data == b"hello"
    condition = {"article.message_id": {"operator": "is", "value": "m:1"}}
    assert [row["id"] for row in second.ask("POST", "/tickets/search?expand=true", {"condition": condition}).json] == [1]
    assert [job.article_id for job in second.parts.desk.jobs()] == [2]
    assert second.ask("POST", "/tickets", TICKET).json["id"] == 2
    second.parts.stop()


def test_faults_are_set_over_http_by_those_who_hold_the_token() -> None:
    client = Client()
    set_by = {"Authorization": "Bearer control"}
    assert client.client.post("/rehearsal/faults", json={"kind": "unavailable"}).status_code == 401
    assert client.client.post("/rehearsal/faults", json={"kind": "nonsense"}, headers=set_by).status_code == 422
    assert client.client.post("/rehearsal/faults", json={"kind": "rate_limited", "seconds": 3}, headers=set_by).status_code == 201
    answer = client.ask("GET", "/version")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    assert client.ask("GET", "/version").json == {"version": "6.2.0"}
    client.parts.faults.add("unavailable", times=None)
    assert client.client.delete("/rehearsal/faults", headers=set_by).json == []
    assert client.ask("GET", "/version").status_code == 200


def test_many_writers_lose_nothing_and_each_change_has_its_own_time() -> None:
    client = Client()
    client.ask("POST", "/tickets", TICKET)

    def write() -> None:
        for _ in range(50):
            assert client.ask("POST", "/ticket_articles", {"ticket_id": 1, "body": "x"}).status_code == 201

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    articles = client.ask("GET", "/ticket_articles/by_ticket/1").json
    assert (len(articles), len({article["created_at"] for article in articles})) == (201, 201)


def test_a_full_desk_is_as_quick_as_an_empty_one() -> None:
    client = Client()

    def seconds(count: int) -> float:
        started = time.process_time()
        for number in range(count):
            article = {**TICKET["article"], "message_id": f"m:{started}:{number}"}
            client.ask("POST", "/tickets?expand=true", {**TICKET, "customer": {"login": f"x:{started}:{number}:"}, "article": article})
            condition = {"article.message_id": {"operator": "is", "value": f"m:{started}:{number}"}}
            client.ask("POST", "/tickets/search?expand=true", {"condition": condition})
        return time.process_time() - started

    first = seconds(100)
    seconds(800)
    assert seconds(100) < 3 * first
