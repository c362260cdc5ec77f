"""Signing in by the helpdesk's own pages: what is asked of it, what each answer means, and that no secret gets about."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from marshmallow import ValidationError

from plugin.contracts.helpdesk import OAuth2Application, OffersOAuth2, StaffMember
from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection
from plugin.domain.clock import SystemClock
from plugin.domain.errors import CrossdeskError, OutcomeUnknown, RemoteRejected, RemoteUnavailable
from plugin.domain.ids import HelpdeskKey
from plugin.helpdesks.zammad.adapter import HELPDESK
from plugin.testing.fakes import CannedHttp, MemorySecrets
from ui_extensions.sign_in import OAuth2SignIn, TicketReader, new_verifier

BACK = "https://bridge.example/panel/desk/callback"
APPLICATION = OAuth2Application(url="http://zammad:3000", web_url="https://desk.example", client_id="our-id", client_secret="our-secret")
MIA = {"id": 3, "login": "mia", "firstname": "Mia", "lastname": "May", "active": True, "roles": ["Agent"], "groups": {"Social": ["full"]}}


def said(status: int, data: Any) -> HttpResponse:
    return HttpResponse(status=status, headers={}, body=json.dumps(data).encode())


TOKEN, DONE = said(200, {"access_token": "the-token", "token_type": "Bearer"}), said(200, {})


def signing_in(*answers: HttpResponse | CrossdeskError) -> tuple[OAuth2SignIn, CannedHttp]:
    http = CannedHttp(answers, is_endless=False)
    return OAuth2SignIn.of(APPLICATION, redirect_uri=BACK, http=http), http


def test_the_browser_is_sent_to_the_helpdesks_own_page() -> None:
    verifier = new_verifier()
    address = urlsplit(signing_in()[0].start(state="one-state", verifier=verifier))
    assert address._replace(query="").geturl() == "https://desk.example/oauth/authorize"
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    assert asked == {
        "response_type": "code",
        "client_id": "our-id",
        "redirect_uri": BACK,
        "state": "one-state",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }


def test_a_code_becomes_a_member_of_staff_and_the_token_is_given_back() -> None:
    signed, http = signing_in(TOKEN, said(200, MIA), DONE)
    assert signed.finish("the-code", verifier="v") == StaffMember(login="mia", name="Mia May", groups=("Agent", "Social"))
    token, me, back = http.made
    assert (token.url, me.url, back.url) == (
        "http://zammad:3000/oauth/token",
        "http://zammad:3000/api/v1/users/me?expand=true",
        "http://zammad:3000/oauth/revoke",
    )
    assert token.sent["data"] == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": BACK,
        "code_verifier": "v",
        "client_id": "our-id",
        "client_secret": "our-secret",
    }
    assert me.sent["headers"]["Authorization"] == "Bearer the-token"
    assert back.sent["data"]["token"] == "the-token"
    assert "our-secret" not in f"{signed!r} {APPLICATION!r}"


def test_somebody_is_let_to_the_ticket_that_the_helpdesk_shows_them() -> None:
    signed, http = signing_in(TOKEN, said(200, MIA), said(200, []), said(200, {"id": 42}), DONE)
    reader = signed.finish_at("the-code", "42", verifier="v")
    assert reader == TicketReader(id="3", member=StaffMember(login="mia", name="Mia May", groups=("Agent", "Social")))
    assert http.made[3].url == "http://zammad:3000/api/v1/tickets/42"


@pytest.mark.parametrize(
    "answers",
    [
        (TOKEN, said(200, {**MIA, "roles": None}), DONE),
        (TOKEN, said(200, MIA), said(403, {}), DONE),
        (TOKEN, said(200, MIA), said(200, []), said(403, {}), DONE),
        (TOKEN, said(200, MIA), said(200, []), said(404, {}), DONE),
        (said(400, {"error": "invalid_grant"}),),
    ],
)
def test_customers_and_whoever_may_not_see_it_are_nobody(answers: tuple[HttpResponse, ...]) -> None:
    signed, http = signing_in(*answers)
    assert signed.finish_at("the-code", "42", verifier="v") is None
    assert http.unserved == 0


@pytest.mark.parametrize("code", ["", "x" * 1001])
def test_what_cannot_be_a_code_is_not_asked(code: str) -> None:
    signed, http = signing_in()
    assert signed.finish(code, verifier="v") is None
    assert http.made == []


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ((said(401, {"error": "invalid_client"}),), RemoteRejected),
        ((said(400, {"error": "invalid_request"}),), RemoteRejected),
        ((said(502, "<html>"),), RemoteUnavailable),
        ((said(200, {"no": "token"}),), RemoteUnavailable),
        ((OutcomeUnknown("no answer"),), RemoteUnavailable),
        ((TOKEN, said(500, {}), DONE), RemoteUnavailable),
        ((TOKEN, RemoteUnavailable("gone"), OutcomeUnknown("gone")), RemoteUnavailable),
    ],
)
def test_what_lets_nobody_in_is_said(answers: tuple[HttpResponse | CrossdeskError, ...], error: type[CrossdeskError]) -> None:
    signed, http = signing_in(*answers)
    with pytest.raises(error):
        signed.finish("the-code", verifier="v")
    assert http.unserved == 0


def test_zammads_settings_name_the_application() -> None:
    settings = {"url": "http://zammad:3000", "web_url": "https://desk.example", "token": "t", "group": "g", "webhook_token": "w" * 16}
    connection = Connection(http=CannedHttp([]), clock=SystemClock(), secrets=MemorySecrets(), webhook_url="https://bridge.example/in")
    for given, offered in (({}, None), ({"oauth_client_id": "our-id", "oauth_client_secret": "our-secret"}, APPLICATION)):
        zammad = HELPDESK.connect(HelpdeskKey("desk"), HELPDESK.settings_schema.load({**settings, **given}), connection)
        assert isinstance(zammad, OffersOAuth2)
        assert zammad.oauth2 == offered
    with pytest.raises(ValidationError, match="Give both"):
        HELPDESK.settings_schema.load({**settings, "oauth_client_id": "our-id"})
