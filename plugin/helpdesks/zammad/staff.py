"""Who somebody is: by what they sign in to Zammad with (Zammad documentation, "API: Authentication", HTTP basic authentication), or by what they did.

Zammad limits how often a password may be tried; the password goes nowhere else and is not kept.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from plugin.contracts.helpdesk import StaffMember
from plugin.contracts.http import HttpClient, HttpResponse
from plugin.domain.errors import OutcomeUnknown, RemoteRejected, RemoteUnavailable
from plugin.domain.events import Presser
from plugin.domain.ids import TicketRef
from plugin.helpdesks.zammad.client import ZammadClient
from plugin.helpdesks.zammad.schema import ZammadSettings

SUPERVISORS = "Social Supervisor"
"""The role that `crossdesk helpdesk apply` makes for those who may close and release."""
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
    if not isinstance(data.get("roles"), list) or not data.get("active", True):
        return None
    login = str(data.get("login") or "")
    return StaffMember(login=login, name=_name(data) or login, groups=_groups(data))


def presser(client: ZammadClient, ticket_ref: TicketRef, column: str, value: str) -> Presser | None:
    """Who wrote `value` into a column of a ticket last, by the ticket's history; None where it does not tell.

    Raises:
        RemoteError: any of its kinds but `RemoteRejected`; it reads only.
    """
    try:
        entries = client.read_object(f"/ticket_history/{ticket_ref}").get("history") or ()
        wrote = [entry for entry in entries if entry.get("attribute") == column and entry.get("type") == "updated"]
        if not wrote or str(wrote[-1].get("value_to")) != value:
            return None
        data = client.read_row(f"/users/{wrote[-1].get('created_by_id')}", {"expand": "true"})
    except RemoteRejected:
        return None
    groups = _groups(data)
    return Presser(ref=str(data.get("login") or ""), name=_name(data), groups=groups, is_supervisor=SUPERVISORS in groups)


def groups(client: ZammadClient, login: str) -> tuple[str, ...]:
    """As `TellsGroups.groups_of`: the agent with this very login. Zammad searches users by any of their words."""
    try:
        found = client.read_rows("/users/search", {"query": login, "limit": 20, "expand": "true"})
    except RemoteRejected:
        return ()
    return next((_groups(row) for row in found if str(row.get("login") or "").casefold() == login.casefold()), ())


def _name(data: Mapping[str, Any]) -> str:
    return f"{data.get('firstname') or ''} {data.get('lastname') or ''}".strip()


def _groups(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Roles and groups count alike."""
    return tuple(str(item) for item in (*(data.get("roles") or ()), *(data.get("groups") or ())))
