"""Agents of a helpdesk without relay: the way over its own sign-in to one ticket, and all the ways that end before it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from plugin.contracts.helpdesk import OAuth2Application
from plugin.contracts.http import HttpResponse
from plugin.domain.errors import OutcomeUnknown
from plugin.testing.fake_helpdesk import FakeHelpdesk
from plugin.testing.fakes import CannedHttp
from tests.engine import Engine
from tests.panels import Desk
from ui_extensions.panel.entering import EXTENSION

PERSON = {"Accept": "text/html,application/xhtml+xml"}
MIA = {"id": 3, "login": "mia", "firstname": "Mia", "lastname": "May", "active": True, "roles": ["Agent"], "groups": {"Social": ["full"]}}


class SignedInto(FakeHelpdesk):
    """A helpdesk whose staff sign in on its own pages."""

    oauth2 = OAuth2Application(url="http://zammad:3000", web_url="https://desk.example", client_id="our-id", client_secret="our-secret")


def said(data: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status=status, headers={}, body=json.dumps(data).encode())


def answers(*, user: Any = MIA, ticket: int = 200) -> list[HttpResponse]:
    return [said({"access_token": "the-token"}), said(user), said([]), said({"id": 1}, ticket), said({})]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = Engine(database_url, helpdesk=SignedInto())
    engine.tell(engine.network.say("maria", "My kettle hums"))
    engine.settle()
    yield engine
    engine.close()


def begun(desk: Desk, *, query: str = "") -> str:
    """Begin as a person does; the state that was sent along."""
    answer = desk.client.get(desk.path() + query, headers=PERSON)
    assert answer.status_code == 303
    address = urlsplit(answer.headers["Location"])
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert (address.netloc, address.path, asked["redirect_uri"]) == (
        "desk.example",
        "/oauth/authorize",
        "http://127.0.0.1/panel/fake/callback",
    )
    assert "our-secret" not in str(answer.headers)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/panel/fake/callback" in cookie
    return asked["state"]


def test_who_may_see_the_ticket_there_sees_its_panel_here(engine: Engine) -> None:
    http = CannedHttp(answers(user={**MIA, "roles": ["Agent", "Social Supervisor"]}))
    desk = Desk(engine, http=http)
    state = begun(desk)
    back = desk.client.get(f"/panel/fake/callback?code=the-code&state={state}")
    assert back.status_code == 303
    target = urlsplit(back.headers["Location"])
    ticket = engine.helpdesk.tickets[0].ref
    assert (target.path, target.query) == ("/panel/-/page", f"from=fake/{ticket}")
    assert [call.url for call in http.made][3] == f"http://zammad:3000/api/v1/tickets/{ticket}"
    opened = desk.client.post("/panel/-/session", json={"token": target.fragment})
    session = {"X-Crossdesk-Session": opened.get_json()["session"]}
    assert desk.client.get(desk.path(), headers=session).get_json()["me"] == {"id": "3", "name": "Mia May", "role": "supervisor"}
    # The same way again, with the cookie that is gone or with one that was kept.
    assert desk.client.get(f"/panel/fake/callback?code=the-code&state={state}").status_code == 403


def test_the_browser_extension_gets_its_link_at_its_own_address(engine: Engine) -> None:
    desk = Desk(engine, http=CannedHttp(answers()))
    state = begun(desk, query="?to=extension")
    back = desk.client.get(f"/panel/fake/callback?code=the-code&state={state}")
    assert back.headers["Location"].startswith(f"https://{EXTENSION}.chromiumapp.org/panel#")


def test_a_way_in_is_used_once_even_by_who_kept_its_cookie(engine: Engine) -> None:
    desk = Desk(engine, http=CannedHttp([*answers(), *answers()]))
    state = begun(desk)
    name = f"crossdesk-panel-{state[:8]}"
    cookie = desk.client.get_cookie(name, path="/panel/fake/callback")
    assert cookie is not None
    assert desk.client.get(f"/panel/fake/callback?code=the-code&state={state}").status_code == 303
    desk.client.set_cookie(name, cookie.value, path="/panel/fake/callback")
    again = desk.client.get(f"/panel/fake/callback?code=the-code&state={state}")
    assert (again.status_code, "used before" in again.get_data(as_text=True)) == (403, True)


@pytest.mark.parametrize("query", ["code=c&state=another", "code=c", "code=c&state=%C3%A9", "state=&code=c", ""])
def test_what_this_browser_did_not_begin_it_does_not_end(query: str, engine: Engine) -> None:
    http = CannedHttp([])
    desk = Desk(engine, http=http)
    begun(desk)
    answer = desk.client.get(f"/panel/fake/callback?{query}")
    assert answer.status_code == 403
    assert http.made == []


def test_nobody_else_gets_in_and_each_is_told_why(engine: Engine) -> None:
    for canned, status, words in (
        (answers(ticket=403), 403, "does not show you this ticket"),
        ([said({"access_token": "t"}), said({**MIA, "roles": None}), said({})], 403, "does not show you this ticket"),
        ([said({"error": "invalid_client"}, 401)], 503, "oauth_client_id"),
        ([OutcomeUnknown("gone")], 503, "did not answer"),
    ):
        desk = Desk(engine, http=CannedHttp(canned))
        answer = desk.client.get(f"/panel/fake/callback?code=the-code&state={begun(desk)}")
        assert (answer.status_code, words in answer.get_data(as_text=True)) == (status, True)
        assert "/panel/-/page" not in answer.headers.get("Location", "")
        assert "script" not in answer.headers["Content-Security-Policy"]
    refused = Desk(engine, http=CannedHttp([]))
    answer = refused.client.get(f"/panel/fake/callback?error=access_denied&state={begun(refused)}")
    assert (answer.status_code, "let nobody in" in answer.get_data(as_text=True)) == (403, True)


def test_a_helpdesk_without_such_sign_in_says_where_the_panel_is(database_url: str) -> None:
    engine = Engine(database_url)
    desk = Desk(engine)
    for path in ("/panel/fake/t1", "/panel/nowhere/1", "/panel/fake/callback?code=c&state=s"):
        answer = desk.client.get(path, headers=PERSON)
        assert answer.status_code in {403, 404}
        assert answer.content_type.startswith("text/html")
    # A relay's request is one, whatever else it accepts.
    assert desk.client.get("/panel/fake/t1").status_code == 401
    engine.close()
