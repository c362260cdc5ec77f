"""Who somebody is, by what they sign in to RT with (RT documentation, "RT::REST2": basic authentication takes a user's own name and password).

The password goes to RT alone and is not kept; no session is left there. Groups are read in the bridge's name: agents rarely may see them.
"""

from __future__ import annotations

import base64
from typing import Any

from plugin.contracts.helpdesk import StaffMember
from plugin.contracts.http import HttpClient
from plugin.domain.errors import OutcomeUnknown, RemoteError, RemoteUnavailable
from plugin.helpdesks.rt.client import RtClient, segment
from plugin.helpdesks.rt.schema import RtSettings

_SECONDS = 15.0


def sign_in(settings: RtSettings, http: HttpClient, client: RtClient, login: str, password: str) -> StaffMember | None:
    """As `AuthenticatesStaff.sign_in`. Only privileged users are staff; groups count by name."""
    if not login or not password or ":" in login or not login.isprintable():
        return None
    credentials = base64.b64encode(f"{login}:{password}".encode()).decode()
    headers = {"Accept": "application/json", "Authorization": f"Basic {credentials}"}
    try:
        answer = http.request("GET", f"{settings.url}/REST/2.0/rt", headers=headers, timeout=_SECONDS)
    except OutcomeUnknown as problem:
        raise RemoteUnavailable("RT did not answer; nobody was signed in. Try again.", detail=problem.detail) from None
    if answer.status in {401, 403} or 300 <= answer.status < 400:
        return None
    if not answer.is_ok or "Version" not in (answer.json_object or {}):
        raise RemoteUnavailable("RT could not say who this is; nobody was signed in. Try again.", detail=str(answer.status))
    user = client.find(f"/user/{segment(login)}")
    if user is None or not _is_staff(user):
        return None
    name = str(user.get("Name") or login)
    return StaffMember(login=name, name=str(user.get("RealName") or name), groups=_groups(client, user))


def _is_staff(user: dict[str, Any]) -> bool:
    return str(user.get("Privileged", "0")) == "1" and str(user.get("Disabled", "0")) != "1"


def _groups(client: RtClient, user: dict[str, Any]) -> tuple[str, ...]:
    """By name; RT tells them by number, and which of them the bridge may not see count for nothing."""
    found = []
    for item in user.get("Memberships") or ():
        number = str(item.get("id") or "") if isinstance(item, dict) else ""
        try:
            name = str((client.find(f"/group/{segment(number)}") or {}).get("Name") or "") if number.isdecimal() else number
        except RemoteUnavailable:
            raise
        except RemoteError:
            name = ""
        found.append(name)
    return tuple(name for name in found if name)
