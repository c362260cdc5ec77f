"""The practice network's page: hostile words stay words, forms work without script, and nobody elsewhere may send them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ui_extensions.rehearsal.network.app import EXTENSION, NetworkSettings, create_network
from ui_extensions.rehearsal.network.model import Kind
from ui_extensions.rehearsal.network.state import Network

HOSTILE = (
    """<script>alert(1)</script>"'><img src=x onerror=alert(1)> javascript:alert(1) https://x.example/"onmouseover="alert(1) {{7*7}}"""
)


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def assert_inert(page: str) -> None:
    for tag, attributes in Tags(page).found:
        assert not any(name.startswith("on") or name == "style" for name in attributes), (tag, attributes)
        assert tag != "script" or re.fullmatch(r"/(shared|look)/\w+\.js", attributes["src"] or "")
        for name in ("href", "src", "action"):
            assert re.match(r"(/|#|https?://|$)", attributes.get(name) or ""), (tag, attributes)
    assert "{{7*7}}" in page


@pytest.fixture
def app() -> Iterator[Flask]:
    made = create_network(NetworkSettings(token="company-token"))
    yield made
    made.extensions[EXTENSION].stop()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def network(app: Flask) -> Network:
    made: Network = app.extensions[EXTENSION].network
    return made


def say(client: FlaskClient, text: str, **more: Any) -> TestResponse:
    return client.post("/say", data={"as": "lena", "text": text, "where": "public", **more})


def test_hostile_words_names_and_files_are_inert(client: FlaskClient, network: Network) -> None:
    eve = network.add_customer("eve", HOSTILE)
    file = network.upload(eve, HOSTILE, "text/html", b"<script>alert(1)</script>", description=HOSTILE)
    picture = network.upload(eve, HOSTILE, "image/png", b"\x89PNG", description=HOSTILE)
    post = network.publish(eve, HOSTILE, media=[file.media_id, picture.media_id])
    network.publish(eve, HOSTILE, kind=Kind.MESSAGE)
    for address in (
        "/",
        "/?as=eve&view=private",
        f"/?as=eve&edit={post.post_id}",
        f"/?reply={post.post_id}",
        "/?as=acme&view=private&with=eve",
    ):
        page = client.get(address)
        assert page.status_code == 200
        assert_inert(page.get_data(as_text=True))
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    for media, disposition in ((file, "attachment"), (picture, "inline")):
        served = client.get(f"/files/{media.media_id}/x")
        assert served.headers["Content-Disposition"].startswith(disposition)
        assert served.headers["Content-Security-Policy"].startswith("sandbox")
        assert served.headers["X-Content-Type-Options"] == "nosniff"


def test_every_kind_of_asking_for_nonsense_gets_a_page(client: FlaskClient) -> None:
    for query in (
        "as=%00",
        "as=nobody",
        "view=x",
        "with=u_lena",
        "thread=p_1",
        "dialogue=x",
        "reply=m_1",
        "edit=",
        "as[]=1",
        "thread=" + "x" * 999,
    ):
        assert client.get(f"/?{query}").status_code == 200
    assert client.get("/files/f_1/x").status_code == 404


def test_forms_work_without_script(client: FlaskClient, network: Network) -> None:
    posted = say(client, "Where is\r\nmy parcel?")
    assert (posted.status_code, posted.headers["Location"]) == (303, "/?as=lena&view=wall")
    (((post, depth),),) = network.wall()
    assert (post.text, depth) == ("Where is\nmy parcel?", 0)
    answered = say(client, "", **{"as": "acme", "reply": post.post_id, "files": (io.BytesIO(b"%PDF"), "way bill.pdf", "application/pdf")})
    assert answered.status_code == 303
    answer = network.wall()[0][1][0]
    assert (answer.reply_to, network.files(answer)[0].filename) == (post.post_id, "way bill.pdf")
    assert say(client, "Where is it?", edit=post.post_id).status_code == 303
    assert network.wall()[0][0][0].text == "Where is it?"
    assert client.post("/delete", data={"as": "lena", "post": post.post_id}).status_code == 303
    assert "Deleted by its author" in client.get("/").get_data(as_text=True)
    late = say(client, "too late", **{"as": "acme", "reply": post.post_id})
    assert late.status_code == 410
    assert "too late" in late.get_data(as_text=True)


def test_what_is_refused_keeps_the_words(client: FlaskClient, network: Network) -> None:
    refused = say(client, "x" * 501)
    assert refused.status_code == 422
    page = refused.get_data(as_text=True)
    assert "501 characters" in page
    assert "x" * 501 in page
    assert not network.wall()
    someone_elses = network.publish(network.customers()[1], "mine")
    assert client.post("/delete", data={"as": "lena", "post": someone_elses.post_id}).status_code == 403
    assert client.post("/customers", data={"handle": "A B"}).status_code == 422
    assert client.post("/customers", data={"handle": "lena"}).status_code == 409


def test_a_private_message_is_shown_to_its_two_sides_only(client: FlaskClient) -> None:
    say(client, "My order is 4711", where="private")
    assert "4711" in client.get("/?as=lena&view=private").get_data(as_text=True)
    assert "4711" in client.get("/?as=acme&view=private&with=lena").get_data(as_text=True)
    for address in ("/", "/?as=omar&view=private", "/?as=omar&view=private&with=lena", "/?as=acme&view=private&with=omar"):
        assert "4711" not in client.get(address).get_data(as_text=True)


def test_pages_are_sent_again_only_when_something_changed(client: FlaskClient) -> None:
    first = client.get("/")
    tag = {"If-None-Match": first.headers["ETag"]}
    assert client.get("/", headers=tag).status_code == 304
    assert client.get("/?as=omar", headers=tag).status_code == 200
    say(client, "Hello")
    assert client.get("/", headers=tag).status_code == 200


def test_forms_from_elsewhere_are_refused(client: FlaskClient, network: Network) -> None:
    for site in ("cross-site", "same-site"):
        sent = client.post("/say", data={"as": "lena", "text": "hi", "where": "public"}, headers={"Sec-Fetch-Site": site})
        assert sent.status_code == 403
    assert not network.wall()


def test_what_may_be_pressed_stands_below_the_last_message_for_the_customer_alone(client: FlaskClient, network: Network) -> None:
    lena = network.customers()[0]
    network.publish(network.company, "Solved?", kind=Kind.MESSAGE, to=lena.user_id, choices=["Yes", HOSTILE[:20]])
    theirs = client.get("/?as=lena&view=private").get_data(as_text=True)
    assert "&lt;script&gt;alert(1)&lt;/" in theirs
    assert [one["value"] for tag, one in Tags(theirs).found if tag == "button" and one.get("name") == "text"] == ["Yes", HOSTILE[:20]]
    assert 'name="text" value="Yes"' not in client.get("/?as=acme&view=private&with=lena").get_data(as_text=True)
    pressed = {"as": "lena", "view": "private", "where": "private", "text": "Yes"}
    assert client.post("/say", data=pressed).status_code == 303
    assert network.dialogue(lena)[-1].text == "Yes"
    assert 'name="text" value="Yes"' not in client.get("/?as=lena&view=private").get_data(as_text=True)
