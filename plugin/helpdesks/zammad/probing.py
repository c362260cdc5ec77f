"""Live checks for `doctor`: who we are, which version answers, whether the group is ours to write in, what Zammad says of its health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin.contracts.platform import Probe
from plugin.domain.errors import CrossdeskError
from plugin.helpdesks.zammad.client import ZammadClient
from plugin.helpdesks.zammad.schema import ZammadSettings

_NEEDED = frozenset(("read", "create", "change"))
_OLDEST = (6, 2)


def probe(client: ZammadClient, settings: ZammadSettings, *, webhook_url: str) -> list[Probe]:
    """What was asked, what came back, what to do next. Never raises for a remote fault."""
    me, first = _ask(client, "account", "/users/me", "Put a token of the bridge's own agent account into the settings.")
    if me is None:
        return [first]
    return [_account(me), _version(client), _group(me, settings.group), _health(client), _webhook(settings, webhook_url)]


def _account(me: Mapping[str, Any]) -> Probe:
    login = str(me.get("login"))
    if not me.get("active", True):
        return Probe(name="account", is_ok=False, answer=f"{login} is not active", next_step="Activate the account in Zammad.")
    return Probe(name="account", is_ok=True, answer=f"signed in as {login}")


def _version(client: ZammadClient) -> Probe:
    data, problem = _ask(client, "version", "/version", "")
    if data is None:
        return problem
    version = str(data.get("version", ""))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < _OLDEST:
        return Probe(name="version", is_ok=False, answer=f"Zammad {version}", next_step="Update Zammad to 6.2 or newer.")
    return Probe(name="version", is_ok=True, answer=f"Zammad {version}")


def _group(me: Mapping[str, Any], group: str) -> Probe:
    groups = me.get("groups") or {}
    rights = set(groups.get(group) or ())
    if "full" in rights or rights >= _NEEDED:
        return Probe(name="group", is_ok=True, answer=f"{group}: {', '.join(sorted(rights))}")
    answer = f"{group}: {', '.join(sorted(rights)) or 'no rights'}; rights in {', '.join(sorted(groups)) or 'no group'}"
    return Probe(name="group", is_ok=False, answer=answer, next_step=f"Give the bridge's account full rights in the group {group}.")


def _health(client: ZammadClient) -> Probe:
    """Needs an admin's token, which the bridge should not have: a refusal is no fault."""
    try:
        data = client.read_object("/monitoring/health_check")
    except CrossdeskError:
        return Probe(name="health", is_ok=True, answer="not shown to this account (needs an admin's token)")
    message = str(data.get("message", ""))
    if data.get("healthy"):
        return Probe(name="health", is_ok=True, answer=message or "healthy")
    return Probe(name="health", is_ok=False, answer=message, next_step="Read Admin, System, Monitoring in Zammad.")


def _webhook(settings: ZammadSettings, webhook_url: str) -> Probe:
    """Webhooks are listed to admins only, so this names what must stand there."""
    if webhook_url.startswith("http://") and settings.url.startswith("https://"):
        step = "Give the bridge a public address with https; Zammad does not follow redirects safely."
        return Probe(name="webhook", is_ok=False, answer=f"{webhook_url} is not https", next_step=step)
    return Probe(name="webhook", is_ok=True, answer=f"the webhook in Zammad must point to {webhook_url} exactly, without redirect")


def _ask(client: ZammadClient, name: str, path: str, next_step: str) -> tuple[Mapping[str, Any] | None, Probe]:
    try:
        data = client.read_object(path, {"expand": "true"} if path == "/users/me" else None)
    except CrossdeskError as problem:
        answer = f"{problem} {problem.detail}".strip()
        return None, Probe(name=name, is_ok=False, answer=answer, next_step=next_step or "Read the answer and try again.")
    return data, Probe(name=name, is_ok=True, answer="")
