"""Signing in through the helpdesk: on its own page and sent over from there, each once, for this very browser, with a role."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from plugin.contracts.helpdesk import StaffMember
from plugin.contracts.http import HttpResponse
from plugin.contracts.signing import sign
from plugin.domain.clock import SystemClock
from plugin.handlers.installation import Installation
from plugin.helpdesks.osticket import hand_over
from plugin.testing.fakes import CannedHttp
from tests.consoles import Ground, ground, hidden
from ui_extensions.console.app import create_app

MIA = {"id": 3, "login": "mia", "firstname": "Mia", "lastname": "May", "active": True, "roles": ["Admin"], "groups": {}}
SECRET = "a-shared-secret-of-32-characters"


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Ground]:
    with ground(database_url, tmp_path) as found:
        yield found


class SentOver:
    """A helpdesk whose signed-in staff come over."""

    hand_over_url = "https://desk.example/scp/ajax.php/crossdesk/console"

    def receive_staff(self, word: str) -> StaffMember | None:
        return hand_over.receive(SECRET, word, SystemClock().now())


def with_desk(house: Ground, adapter: Any) -> Installation:
    installation = house.bridge.installation
    ((place, desk),) = installation.desks.items()
    return replace(installation, desks={place: replace(desk, adapter=adapter)})


def said(status: int, data: Any) -> HttpResponse:
    return HttpResponse(status=status, headers={}, body=json.dumps(data).encode())


def browser(house: Ground, answers: Sequence[HttpResponse]) -> FlaskClient:
    """A browser at a console whose helpdesk has our application registered."""
    (desk,) = house.bridge.installation.desks.values()
    adapter: Any = desk.adapter
    settings = replace(adapter._settings, oauth_client_id="our-id", oauth_client_secret="our-secret")
    made = type(adapter)(settings, adapter._connection)
    http = CannedHttp(answers, is_endless=False)
    return create_app(replace(house.bridge, installation=with_desk(house, made), http=lambda _: http)).test_client()


def go(client: FlaskClient) -> dict[str, str]:
    """Press the button; what the helpdesk's page is asked."""
    assert "Sign in with the helpdesk" in client.get("/sign-in").get_data(as_text=True)
    answer = client.get("/sign-in/helpdesk")
    assert answer.status_code == 303
    asked = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    assert asked["redirect_uri"] == "http://127.0.0.1:8010/console/sign-in/callback"
    assert "our-secret" not in answer.headers["Location"]
    return asked


def test_who_comes_back_from_the_helpdesks_page_is_signed_in_once_and_in_that_browser(house: Ground) -> None:
    token = said(200, {"access_token": "t", "token_type": "Bearer"})
    client = browser(house, [token, said(200, MIA), said(200, {})])
    asked = go(client)
    back = {"code": "the-code", "state": asked["state"]}
    stranger = client.application.test_client()
    stranger.get("/sign-in")
    assert stranger.get("/sign-in/callback", query_string=back).status_code == 403, "another browser's way back"
    assert client.get("/sign-in/callback", query_string=back).status_code == 403, "and used up by it"
    back["state"] = go(client)["state"]
    answer = client.get("/sign-in/callback", query_string=back)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    page = client.get("/").get_data(as_text=True)
    assert "Mia May" in page
    assert "<small>admin</small>" in page
    assert client.get("/sign-in/callback", query_string=back).status_code == 403
    assert house.one("SELECT count(*) FROM audit WHERE action = 'console sign-in' AND actor = 'mia'") == 1


def test_who_has_no_role_there_is_not_let_in(house: Ground) -> None:
    token = said(200, {"access_token": "t", "token_type": "Bearer"})
    client = browser(
        house, [token, said(200, {**MIA, "roles": ["Agent of nothing"]}), said(200, {}), said(400, {"error": "invalid_grant"})]
    )
    for why in ("no role", "unknown"):
        answer = client.get("/sign-in/callback", query_string={"code": "c", "state": go(client)["state"]})
        assert (answer.status_code, "nobody gave you a role" in answer.get_data(as_text=True)) == (403, True)
        assert house.one("SELECT count(*) FROM audit WHERE action = 'console sign-in refused' AND subject = :why", why=why) == 1
    assert client.get("/").status_code == 303


def test_the_helpdesks_word_for_somebody_counts_once(house: Ground) -> None:
    client = create_app(replace(house.bridge, installation=with_desk(house, SentOver()))).test_client()
    assert SentOver.hand_over_url in client.get("/sign-in").get_data(as_text=True)
    at = str(int(SystemClock().now().timestamp()))
    payload = "eyJsb2dpbiI6ICJhZGEiLCAibmFtZSI6ICJBZGEiLCAiZ3JvdXBzIjogWyJBZ2VudCJdfQ"
    word = f"{at}.{payload}.{sign(SECRET, at.encode(), b'.hand-over.', payload.encode())}"
    page = client.get("/hand-over", query_string={"word": word}).get_data(as_text=True)
    assert "The helpdesk says that you are" in page
    form = {**hidden(page, "/hand-over"), "word": word}
    assert client.post("/hand-over", data={"word": word}).status_code == 403, "the form is ours alone"
    answer = client.post("/hand-over", data=form)
    assert answer.status_code == 303
    assert "<small>supervisor</small>" in client.get("/").get_data(as_text=True)
    other = client.application.test_client()
    page = other.get("/hand-over", query_string={"word": word}).get_data(as_text=True)
    again = other.post("/hand-over", data={**hidden(page, "/hand-over"), "word": word})
    assert (again.status_code, "used before" in again.get_data(as_text=True)) == (403, True)
    assert other.get("/hand-over", query_string={"word": "1.x.y"}).status_code == 403
    assert house.one("SELECT count(*) FROM audit WHERE action = 'console sign-in' AND actor = 'ada'") == 1
