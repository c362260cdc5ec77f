"""Live checks for `doctor`: who we are, which version answers, whether the group is ours to write in, what Zammad says of its health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin.contracts.platform import Probe
from plugin.domain.errors import CrossdeskError
from plugin.helpdesks.zammad import advisories
from plugin.helpdesks.zammad.client import ZammadClient
from plugin.helpdesks.zammad.provision.catalogue import version_of
from plugin.helpdesks.zammad.provision.planning import OLDEST
from plugin.helpdesks.zammad.schema import ZammadSettings

PRACTICE = "-practice"
"""What the rehearsal's desk says behind the version that it plays."""
_NEEDED = frozenset(("read", "create", "change"))


def probe(client: ZammadClient, settings: ZammadSettings, *, webhook_url: str) -> list[Probe]:
    """What was asked, what came back, what to do next. Never raises for a remote fault."""
    me, first = _ask(client, "account", "/users/me", "Put a token of the bridge's own agent account into the settings.")
    if me is None:
        return [first]
    return [_account(me), *_version(client), _group(me, settings.group), _health(client), _webhook(settings, webhook_url)]


def _account(me: Mapping[str, Any]) -> Probe:
    login = str(me.get("login"))
    if not me.get("active", True):
        return Probe(name="account", is_ok=False, answer=f"{login} is not active", next_step="Activate the account in Zammad.")
    return Probe(name="account", is_ok=True, answer=f"signed in as {login}")


def _version(client: ZammadClient) -> list[Probe]:
    data, problem = _ask(client, "version", "/version", "")
    if data is None:
        return [problem]
    text = str(data.get("version", ""))
    version = version_of(text)
    if version[:2] < OLDEST:
        return [Probe(name="version", is_ok=False, answer=f"Zammad {text}", next_step="Update Zammad to 5.2 or newer; 6.2 was tried most.")]
    return [Probe(name="version", is_ok=True, answer=f"Zammad {text}"), _weaknesses(text, version)]


def _weaknesses(text: str, version: tuple[int, ...]) -> Probe:
    """Strangers' words go through this server: a known hole in it is the admin's business, and ours to name."""
    if text.endswith(PRACTICE):
        return Probe(name="known weaknesses", is_ok=True, answer="the practice desk is for this machine alone")
    found = advisories.known_for(version)
    if not found:
        return Probe(name="known weaknesses", is_ok=True, answer=f"none known for {text}, as of {advisories.CHECKED}")
    named = "; ".join(f"{entry['id']} ({entry['severity']}): {entry['summary']} {entry['source']}" for entry in found)
    step = "Update Zammad to the newest release of its line, then look at https://zammad.com/en/advisories."
    return Probe(name="known weaknesses", is_ok=False, answer=f"{len(found)} in {text}: {named}", next_step=step)


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
