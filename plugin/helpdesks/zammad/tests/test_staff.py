"""Who somebody is by login and password: what each answer of Zammad means, and that the password goes nowhere else."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from plugin.contracts.helpdesk import AuthenticatesStaff, StaffMember
from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection
from plugin.domain.clock import SystemClock
from plugin.domain.errors import CrossdeskError, OutcomeUnknown, RemoteRejected, RemoteUnavailable
from plugin.domain.ids import HelpdeskKey
from plugin.helpdesks.zammad.adapter import HELPDESK, ZammadAdapter
from plugin.testing.fakes import CannedHttp, MemorySecrets

SETTINGS = {"url": "https://desk.example", "token": "bridge-token", "group": "Social", "webhook_token": "webhook-token-0001"}
MIA = {
    "id": 3,
    "login": "mia@acme.example",
    "firstname": "Mia",
    "lastname": "",
    "active": True,
    "roles": ["Admin"],
    "groups": {"Social": ["full"]},
}


def desk(*answers: HttpResponse | CrossdeskError) -> tuple[ZammadAdapter, CannedHttp]:
    http = CannedHttp(answers)
    connection = Connection(http=http, clock=SystemClock(), secrets=MemorySecrets(), webhook_url="https://bridge.example/in/helpdesk/desk")
    return HELPDESK.connect(HelpdeskKey("desk"), HELPDESK.settings_schema.load(SETTINGS), connection), http


def said(status: int, data: Any) -> HttpResponse:
    return HttpResponse(status=status, headers={}, body=json.dumps(data).encode())


def test_a_member_of_staff_is_told_with_roles_and_groups() -> None:
    zammad, http = desk(said(200, MIA))
    assert isinstance(zammad, AuthenticatesStaff)
    assert zammad.sign_in("Mia@acme.example", "pass:wörd") == StaffMember(login="mia@acme.example", name="Mia", groups=("Admin", "Social"))
    (call,) = http.made
    assert call.sent["headers"]["Authorization"] == "Basic " + base64.b64encode("Mia@acme.example:pass:wörd".encode()).decode()
    assert "bridge-token" not in str(call.sent)
    assert "pass" not in call.url


@pytest.mark.parametrize(
    "answer",
    [said(401, {"error": "Invalid BasicAuth credentials"}), said(403, {"error": "Not authorized"}), said(200, MIA | {"active": False})],
)
def test_whom_zammad_refuses_is_nobody(answer: HttpResponse) -> None:
    assert desk(answer)[0].sign_in("mia@acme.example", "wrong") is None


@pytest.mark.parametrize(("login", "password"), [("", "x"), ("mia", ""), ("mia:x", "y")])
def test_what_cannot_be_a_login_is_not_asked(login: str, password: str) -> None:
    zammad, http = desk(said(200, MIA))
    assert zammad.sign_in(login, password) is None
    assert http.made == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (said(401, {"error": "API password access disabled!"}), RemoteRejected),
        (said(502, "<html>"), RemoteUnavailable),
        (said(200, ["not Zammad"]), RemoteUnavailable),
        (said(302, {}), RemoteUnavailable),
        (OutcomeUnknown("no answer"), RemoteUnavailable),
    ],
)
def test_what_lets_nobody_in_is_said(answer: HttpResponse | CrossdeskError, error: type[CrossdeskError]) -> None:
    with pytest.raises(error):
        desk(answer)[0].sign_in("mia@acme.example", "right")


def test_the_groups_of_an_agent_are_those_of_the_very_login() -> None:
    other = MIA | {"login": "mia@acme.example.org", "groups": {"Leads": ["full"]}}
    zammad, http = desk(said(200, [other, MIA]), said(200, []), said(403, {"error": "Not authorized"}))
    assert zammad.groups_of("Mia@acme.example") == ("Admin", "Social")
    assert "query=Mia%40acme.example" in http.made[0].url or http.made[0].sent.get("params", {}).get("query") == "Mia@acme.example"
    assert zammad.groups_of("gone") == ()
    assert zammad.groups_of("hidden") == ()
