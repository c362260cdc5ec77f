"""What `doctor` asks of an osTicket: does our plugin answer, does it fit, is osTicket prepared, has it a known hole."""

from __future__ import annotations

import re
from typing import Any

from plugin.contracts.platform import Probe
from plugin.domain.errors import RemoteError
from plugin.helpdesks.osticket.client import CONTRACT, PluginClient
from plugin.helpdesks.osticket.schema import AboutSchema

_SAFE_SINCE = {(1, 17): 7, (1, 18): 3}
"""CVE-2026-22200: a ticket's HTML could read files of the server; repaired in 1.17.7 and 1.18.3."""


def probe(client: PluginClient) -> list[Probe]:
    """Each question once; a remote fault is an answer."""
    try:
        told = client.read("about", {}, AboutSchema())
    except RemoteError as problem:
        answer = f"{problem} {problem.detail}".strip()
        return [Probe(name="plugin", is_ok=False, answer=answer, next_step="See docs/helpdesks/osticket.md, sections 2 and 3.")]
    return [_plugin(told), _version(told), _prepared(told)]


def _plugin(told: dict[str, Any]) -> Probe:
    answer = f"plugin {told['plugin']} in osTicket {told['osticket']}, PHP {told['php']}; {told['waiting']} news wait there"
    return Probe(
        name="plugin",
        is_ok=told["contract"] == CONTRACT,
        answer=answer,
        next_step="Install the plugin that `crossdesk package osticket` of this version makes.",
    )


def _version(told: dict[str, Any]) -> Probe:
    found = re.match(r"v?([0-9]+)\.([0-9]+)(?:\.([0-9]+))?", told["osticket"])
    branch = (int(found[1]), int(found[2])) if found else (0, 0)
    if branch < (1, 17):
        return Probe(
            name="version", is_ok=False, answer=f"osTicket {told['osticket']} is not supported", next_step="Update to osTicket 1.18."
        )
    if found and found[3] is None:
        return Probe(
            name="version", is_ok=True, answer=f"osTicket {told['osticket']} does not tell its release; see that it is a recent one"
        )
    is_safe = branch not in _SAFE_SINCE or (found is not None and int(found[3]) >= _SAFE_SINCE[branch])
    answer = f"osTicket {told['osticket']}" if is_safe else f"osTicket {told['osticket']} has a known hole (CVE-2026-22200)"
    return Probe(name="version", is_ok=is_safe, answer=answer, next_step="Update osTicket to 1.17.7, 1.18.3 or later.")


def _prepared(told: dict[str, Any]) -> Probe:
    is_ok = bool(told["is_prepared"] and told["has_mbstring"])
    answer = "the form and PHP's mbstring are there" if is_ok else "the form Crossdesk or PHP's mbstring is missing"
    return Probe(
        name="prepared", is_ok=is_ok, answer=answer, next_step="Install php-mbstring; save the plugin instance's settings in osTicket once."
    )
