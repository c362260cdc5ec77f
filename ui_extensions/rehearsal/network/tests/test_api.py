"""The practice network's API refuses what a platform would refuse, and tells the company everything once and in order."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from ui_extensions.rehearsal.network.app import EXTENSION, NetworkSettings, Parts, create_network

TOKEN = "company-token-0001"
CONTROL = "control-token-0001"


class Network:
    """A network and a way to call it."""

    def __init__(self, folder: Path | None = None) -> None:
        self.app = create_network(NetworkSettings(token=TOKEN, control_token=CONTROL, folder=folder), base_url="http://plaza.example")
        self.parts: Parts = self.app.extensions[EXTENSION]
        self.client: FlaskClient = self.app.test_client()
        self.tokens = {customer.handle: customer.token for customer in self.parts.network.customers()} | {"acme": TOKEN}

    def call(self, who: str, method: str, path: str, data: Any = None, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        if data is not None:
            more["json"] = data
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)

    def said(self, who: str, text: str, path: str = "/posts", **more: Any) -> dict[str, Any]:
        answer = self.call(who, "POST", path, {"text": text, **more})
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return dict(answer.json or {})

    def events(self, after: str | None = None) -> dict[str, Any]:
        return dict(self.call("acme", "GET", "/events" + (f"?after={after}" if after else "")).json or {})


@pytest.fixture
def network() -> Any:
    made = Network()
    yield made
    made.parts.stop()


def code(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, str((answer.json or {}).get("error", {}).get("code"))


def test_a_token_is_needed(network: Network) -> None:
    assert code(network.call("", "GET", "/account")) == (401, "token_invalid")
    wrong = network.client.get("/api/v1/account", headers={"Authorization": "Bearer nobody"})
    assert code(wrong) == (401, "token_invalid")
    assert network.call("acme", "GET", "/account").json == {
        "id": "u_acme",
        "handle": "acme",
        "name": "Acme Support",
        "url": "/?as=acme",
        "is_company": True,
    }


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"text": "a", "visibility": "public"}, (422, "invalid")),
        ({"text": 5}, (422, "invalid")),
        ({"text": " \n"}, (422, "text_missing")),
        ({}, (422, "text_missing")),
        ({"text": "a" * 501}, (422, "text_too_long")),
        ({"text": "\U0001f600" * 501}, (422, "text_too_long")),
        ({"text": "a\0b"}, (422, "text_invalid")),
        ({"text": "\ud800"}, (422, "text_invalid")),
        ({"text": "a", "reply_to": "p_1"}, (404, "post_unknown")),
        ({"text": "a", "media": ["f_1"]}, (422, "media_invalid")),
        ({"text": "a", "client_ref": "no blanks"}, (422, "invalid")),
        ({"text": "a", "client_ref": "x" * 65}, (422, "invalid")),
    ],
)
def test_posts_are_checked_to_the_letter(network: Network, data: Any, expected: tuple[int, str]) -> None:
    assert code(network.call("acme", "POST", "/posts", data)) == expected
    assert network.events()["events"] == []


def test_what_is_no_json_is_refused(network: Network) -> None:
    assert code(network.call("acme", "POST", "/posts", content_type="text/plain", data=None)) == (415, "json_expected")
    broken = network.client.post(
        "/api/v1/posts", data="{", headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    )
    assert code(broken) == (400, "json_invalid")
    assert code(network.call("acme", "POST", "/posts", {"text": "a", "media": ["f"] * 30000})) == (413, "too_big")
    assert code(network.call("acme", "GET", "/nothing")) == (404, "route_unknown")
    assert code(network.call("acme", "PUT", "/posts")) == (405, "method_not_allowed")


def test_500_code_points_fit_whatever_they_weigh(network: Network) -> None:
    assert network.said("lena", "\U0001f600" * 500)["text"] == "\U0001f600" * 500


def test_a_conversation_belongs_to_the_customer_who_began_it(network: Network) -> None:
    root = network.said("lena", "Help")
    bystander = network.said("omar", "Same here", reply_to=root["id"])
    answer = network.said("acme", "Which version?", reply_to=bystander["id"])
    news = network.said("acme", "We are open")
    comment = network.said("mei", "Great", reply_to=news["id"])
    thanks = network.said("acme", "Thanks", reply_to=comment["id"])
    assert root["conversation"] == bystander["conversation"] == answer["conversation"] == {"id": root["id"], "with": "u_lena"}
    assert news["conversation"] == {"id": news["id"], "with": None}
    assert comment["conversation"] == thanks["conversation"] == {"id": comment["id"], "with": "u_mei"}


def test_messages_go_between_the_company_and_one_customer(network: Network) -> None:
    secret = network.said("lena", "My order is 4711", "/messages")
    assert secret["conversation"] == {"id": "u_lena", "with": "u_lena"}
    assert code(network.call("omar", "GET", f"/messages/{secret['id']}")) == (404, "message_unknown")
    assert code(network.call("lena", "GET", f"/posts/{secret['id']}")) == (404, "post_unknown")
    assert code(network.call("omar", "POST", "/messages", {"text": "a", "to": "u_lena"})) == (422, "recipient_invalid")
    assert code(network.call("acme", "POST", "/messages", {"text": "a"})) == (422, "recipient_invalid")
    assert code(network.call("acme", "POST", "/messages", {"text": "a", "to": "u_omar", "reply_to": secret["id"]})) == (
        422,
        "reply_elsewhere",
    )
    assert code(network.call("acme", "POST", "/messages", {"text": "a", "to": "u_nobody"})) == (404, "user_unknown")
    assert network.said("acme", "Thanks", "/messages", reply_to=secret["id"])["conversation"]["with"] == "u_lena"
    assert code(network.call("acme", "POST", "/posts", {"text": "a", "reply_to": secret["id"]})) == (404, "post_unknown")


def test_only_its_author_changes_a_post(network: Network) -> None:
    post = network.said("lena", "Help")
    assert code(network.call("acme", "PATCH", f"/posts/{post['id']}", {"text": "Buy!"})) == (403, "not_yours")
    assert code(network.call("omar", "DELETE", f"/posts/{post['id']}")) == (403, "not_yours")
    changed = network.call("lena", "PATCH", f"/posts/{post['id']}", {"text": "Help me"}).json or {}
    assert (changed["revision"], changed["text"]) == (2, "Help me")
    again = network.call("lena", "PATCH", f"/posts/{post['id']}", {"text": "Help me"}).json or {}
    assert again["revision"] == 2
    assert network.call("lena", "DELETE", f"/posts/{post['id']}").status_code == 204
    for method in ("GET", "DELETE"):
        assert code(network.call("lena", method, f"/posts/{post['id']}")) == (410, "post_deleted")
    assert code(network.call("acme", "POST", "/posts", {"text": "a", "reply_to": post["id"]})) == (410, "post_deleted")
    assert [event["type"] for event in network.events()["events"]] == ["post.created", "post.edited", "post.deleted"]
    assert network.events()["events"][-1]["post"]["text"] == ""


def test_the_same_reference_twice_is_two_posts_and_both_are_found(network: Network) -> None:
    first = network.said("acme", "Hello", client_ref="ref-1")
    second = network.said("acme", "Hello", client_ref="ref-1")
    found = network.call("acme", "GET", "/posts?client_ref=ref-1").json or {}
    assert [post["id"] for post in found["posts"]] == [first["id"], second["id"]]
    assert network.call("acme", "GET", "/messages?client_ref=ref-1").json == {"messages": []}
    assert network.call("lena", "GET", "/posts?client_ref=ref-1").json == {"posts": []}
    assert code(network.call("acme", "GET", "/posts")) == (422, "invalid")
    assert [event["post"]["client_ref"] for event in network.events()["events"]] == ["ref-1", "ref-1"]


def upload(network: Network, who: str, content: bytes, filename: str = "log.txt", content_type: str = "text/plain") -> TestResponse:
    # Encoded here: the test client leaves the temporary file open into which it spools a large form.
    file = FileStorage(io.BytesIO(content), filename, content_type=content_type)
    boundary, body = encode_multipart({"file": file})
    headers = {"Authorization": f"Bearer {network.tokens[who]}"}
    return network.client.post("/api/v1/media", data=body, content_type=f"multipart/form-data; boundary={boundary}", headers=headers)


def test_files_have_an_owner_a_limit_and_readers(network: Network) -> None:
    media = dict(upload(network, "lena", b"secret", "../../etc/pass\u202ewd.html", "text/html; charset=x").json or {})
    assert (media["filename"], media["content_type"], media["size"]) == ("passwd.html", "text/html", 6)
    assert code(network.call("omar", "POST", "/posts", {"text": "mine", "media": [media["id"]]})) == (422, "media_invalid")
    assert code(network.call("acme", "GET", f"/media/{media['id']}")) == (404, "media_unknown")
    message = network.said("lena", "", "/messages", media=[media["id"]])
    assert code(network.call("lena", "POST", "/posts", {"text": "again", "media": [media["id"]]})) == (422, "media_invalid")
    assert code(network.call("omar", "GET", f"/media/{media['id']}")) == (404, "media_unknown")
    fetched = network.call("acme", "GET", f"/media/{media['id']}")
    assert fetched.data == b"secret"
    assert fetched.headers["Content-Disposition"].startswith("attachment")
    assert fetched.headers["Content-Security-Policy"].startswith("sandbox")
    assert network.call("lena", "DELETE", f"/messages/{message['id']}").status_code == 204
    assert code(network.call("acme", "GET", f"/media/{media['id']}")) == (404, "media_unknown")


def test_files_within_the_limits_only(network: Network) -> None:
    assert code(upload(network, "lena", b"")) == (422, "file_empty")
    assert upload(network, "lena", b"x" * (5 * 1024 * 1024)).status_code == 201
    assert code(upload(network, "lena", b"x" * (5 * 1024 * 1024 + 1))) == (413, "file_too_big")
    five = [dict(upload(network, "lena", b"x").json or {})["id"] for _ in range(5)]
    assert code(network.call("lena", "POST", "/posts", {"text": "a", "media": five})) == (422, "too_many_files")
    assert code(network.call("lena", "POST", "/posts", {"text": "a", "media": five[:1] * 2})) == (422, "too_many_files")
    kept = network.said("lena", "a", media=five[:4])
    changed = network.call("lena", "PATCH", f"/posts/{kept['id']}", {"text": "a", "media": [five[0], five[4]]}).json or {}
    assert [file["id"] for file in changed["media"]] == [five[0], five[4]]
    assert code(network.call("acme", "GET", f"/media/{five[1]}")) == (404, "media_unknown")


def test_events_are_read_page_by_page_by_the_company_alone(network: Network) -> None:
    start = network.events()["next"]
    for number in range(7):
        network.said("lena", f"post {number}")
    assert code(network.call("lena", "GET", "/events")) == (403, "forbidden")
    texts, after, pages = [], start, 0
    while True:
        page = dict(network.call("acme", "GET", f"/events?after={after}&limit=3").json or {})
        texts += [event["post"]["text"] for event in page["events"]]
        after, pages = page["next"], pages + 1
        if not page["has_more"]:
            break
    assert (texts, pages) == ([f"post {number}" for number in range(7)], 3)
    newest = dict(network.call("acme", "GET", "/events?limit=2").json or {})
    assert [event["post"]["text"] for event in newest["events"]] == ["post 5", "post 6"]
    for wrong in ("0", "abc-1", f"{after.split('-')[0]}-99", f"{after.split('-')[0]}--1"):
        assert code(network.call("acme", "GET", f"/events?after={wrong}")) == (410, "cursor_unknown")
    assert code(network.call("acme", "GET", "/events?limit=900")) == (422, "invalid")
    assert code(network.call("acme", "GET", "/events?since=1")) == (422, "invalid")


def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    before = Network(tmp_path)
    media = dict(upload(before, "lena", b"kept").json or {})
    post = before.said("lena", "Help", media=[media["id"]])
    before.call("lena", "PATCH", f"/posts/{post['id']}", {"text": "Help me"})
    before.said("acme", "We do", reply_to=post["id"], client_ref="ref-1")
    before.said("omar", "Psst", "/messages")
    ada = before.parts.network.add_customer("@Ada", "Ada  Byron")
    events = before.events()
    before.parts.stop()
    with (tmp_path / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"torn')

    after = Network(tmp_path)
    assert after.events() == events
    assert after.events(events["next"])["events"] == []
    assert after.parts.network.user("u_ada") == ada
    assert after.call("acme", "GET", f"/media/{media['id']}").data == b"kept"
    assert len((after.call("acme", "GET", "/posts?client_ref=ref-1").json or {})["posts"]) == 1
    assert after.said("lena", "More", reply_to=post["id"])["conversation"]["id"] == post["id"]
    after.parts.stop()


def test_the_trainer_needs_the_control_token(network: Network) -> None:
    for path in ("/rehearsal/faults", "/rehearsal/customers"):
        assert network.client.get(path).status_code == 401
        assert network.client.get(path, headers={"Authorization": f"Bearer {CONTROL}"}).status_code == 200
    made = network.client.post("/rehearsal/customers", json={"handle": "ada"}, headers={"Authorization": f"Bearer {CONTROL}"})
    network.tokens["ada"] = (made.json or {})["token"]
    assert network.said("ada", "Hello")["author"]["handle"] == "ada"


def test_faults_spoil_calls_as_they_say(network: Network) -> None:
    faults = network.parts.faults

    def struck(kind: str, seconds: float = 0.0) -> TestResponse:
        faults.add(kind, method="POST", path="posts", seconds=seconds)
        return network.call("acme", "POST", "/posts", {"text": kind, "client_ref": kind})

    limited = struck("rate_limited", 7)
    assert (code(limited), limited.headers["Retry-After"]) == ((429, "rate_limited"), "7")
    assert code(struck("unavailable")) == (503, "not_applied")
    assert code(struck("token_refused")) == (401, "token_revoked")
    assert code(struck("error_after")) == (500, "broken")
    assert struck("stall", 0.01).status_code == 201
    for kind in ("lose_answer", "down", "late"):
        with pytest.raises(ConnectionResetError):
            struck(kind)
    applied = {event["post"]["client_ref"] for event in network.events()["events"]}
    assert {"error_after", "stall", "lose_answer"} <= applied <= {"error_after", "stall", "lose_answer", "late"}
    assert network.said("acme", "as ever")["text"] == "as ever"


@pytest.mark.parametrize(
    ("who", "choices", "expected"),
    [
        ("lena", ["Yes"], (403, "forbidden")),
        ("acme", ["1", "2", "3", "4", "5", "6"], (422, "choices_invalid")),
        ("acme", ["Yes", "Yes"], (422, "choices_invalid")),
        ("acme", ["x" * 21], (422, "choices_invalid")),
        ("acme", [" "], (422, "text_missing")),
        ("acme", "Yes", (422, "invalid")),
    ],
)
def test_answers_to_press_are_checked_to_the_letter(network: Network, who: str, choices: Any, expected: tuple[int, str]) -> None:
    to = next(customer.user_id for customer in network.parts.network.customers() if customer.handle == "lena")
    assert (
        code(network.call(who, "POST", "/messages", {"text": "a", "choices": choices, **({"to": to} if who == "acme" else {})})) == expected
    )
    assert code(network.call("acme", "POST", "/posts", {"text": "a", "choices": ["Yes"]})) == (422, "invalid")


def test_answers_to_press_outlive_a_restart_and_go_with_the_message(tmp_path: Path) -> None:
    before = Network(tmp_path)
    lena = before.parts.network.customers()[0].user_id
    asked = before.said("acme", "Solved?", "/messages", to=lena, choices=["Yes", "No"])
    before.parts.stop()
    after = Network(tmp_path)
    assert (after.call("acme", "GET", f"/messages/{asked['id']}").json or {})["choices"] == asked["choices"] == ["Yes", "No"]
    after.call("acme", "DELETE", f"/messages/{asked['id']}")
    assert after.events()["events"][-1]["post"]["choices"] == []
    after.parts.stop()
