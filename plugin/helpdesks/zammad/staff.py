"""Who somebody is, by what they sign in to Zammad with (Zammad documentation, "API: Authentication", HTTP basic authentication).

Zammad limits how often a password may be tried; the password goes nowhere else and is not kept.
"""

from __future__ import annotations

import base64
from dataclasses import replace

from plugin.contracts.helpdesk import StaffMember
from plugin.contracts.http import HttpClient, HttpResponse
from plugin.domain.errors import OutcomeUnknown, RemoteRejected, RemoteUnavailable
from plugin.helpdesks.zammad.schema import ZammadSettings

_OFF = "password access disabled"


def sign_in(settings: ZammadSettings, http: HttpClient, login: str, password: str) -> StaffMember | None:
    """As `AuthenticatesStaff.sign_in`. Roles and groups count alike; whoever is neither agent nor admin has none."""
    credentials = base64.b64encode(f"{login}:{password}".encode()).decode()
    headers = {"Accept": "application/json", "Authorization": f"Basic {credentials}"}
    if ":" in login or not login or not password:
        return None
    try:
        answer = http.request("GET", f"{settings.url}/api/v1/users/me?expand=true", headers=headers, timeout=settings.timeout)
    except OutcomeUnknown as problem:
        raise RemoteUnavailable("Zammad did not answer; nobody was signed in. Try again.", detail=problem.detail) from None
    data = answer.json_object or {}
    if _OFF in str(data.get("error", "")).casefold():
        raise RemoteRejected(
            "Zammad lets nobody sign in to its API by password; nobody was signed in. Allow password access in Zammad (Admin, System, API), "
            "or use a link: `crossdesk console link`."
        )
    found = member(answer)
    return None if found is None else replace(found, login=found.login or login, name=found.name or login)


def member(answer: HttpResponse) -> StaffMember | None:
    """Whom Zammad names when it is asked for `/users/me?expand=true`; None for whom it refuses, and for customers.

    Raises:
        RemoteUnavailable: this is no such answer.
    """
    data = answer.json_object or {}
    if answer.status in {401, 403}:
        return None
    if not answer.is_ok or "id" not in data:
        raise RemoteUnavailable("Zammad could not say who this is; nobody was signed in. Try again.", detail=str(answer.status))
    roles = data.get("roles")
    if not isinstance(roles, list) or not data.get("active", True):
        return None
    groups = data.get("groups") or ()
    login = str(data.get("login") or "")
    name = f"{data.get('firstname') or ''} {data.get('lastname') or ''}".strip()
    return StaffMember(login=login, name=name or login, groups=tuple(str(item) for item in (*roles, *groups)))
