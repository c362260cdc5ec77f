"""Channels and helpdesks: the list, and each with its address to paste, its settings without secrets, and its buttons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, g, render_template
from werkzeug.exceptions import NotFound

from plugin import bootstrap
from plugin.bootstrap import Bridge
from plugin.contracts.platform import Connects, PollsEvents, RegistersWebhook
from plugin.contracts.provisioning import Provisionable
from plugin.handlers import operate
from plugin.handlers.admission import Role
from ui_extensions.console.standings import standings

_TO_PASTE = ("verify_token",)
"""Not a secret between us and the platform's servers, but words that an admin must paste there."""
_SHOW_FROM = 12
"""A secret of so many characters may show its last four."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting as the page shows it."""

    name: str
    help: str
    value: str
    is_secret: bool


def add_channel_pages(app: Flask, bridge: Bridge) -> None:
    """`/channels` and `/channels/<place>`."""

    @app.get("/channels")
    def channels() -> str:
        return render_template(
            "channels.html",
            standings=standings(bridge),
            searches=operate.list_searches(bridge.database, bridge.installation),
            drafts=bridge.channels.drafts(),
        )

    @app.get("/channels/<place>")
    def channel(place: str) -> str:
        standing = next((item for item in standings(bridge) if item.condition.place == place), None)
        if standing is None:
            raise NotFound(f"There is no channel or helpdesk {place} at work.")
        kind, _, key = place.partition(":")
        adapter: object = bridge.installation.adapter(standing.condition.place)
        return render_template(
            "channel.html",
            standing=standing,
            kind=kind,
            key=key,
            address=f"{bridge.config.public_url.rstrip('/')}/in/{kind}/{key}",
            settings=_settings(bridge, kind, key),
            searches=[item for item in operate.list_searches(bridge.database, bridge.installation) if item["place"] == place],
            connects=isinstance(adapter, Connects),
            polls=isinstance(adapter, PollsEvents),
            registers=isinstance(adapter, RegistersWebhook),
            is_set_up_here=isinstance(adapter, Provisionable),
            draft=bridge.channels.draft(key) if kind == "channel" and g.person.role.covers(Role.ADMIN) else None,
        )


def _settings(bridge: Bridge, kind: str, key: str) -> list[Setting]:
    configured: Mapping[Any, Any] = bridge.channel_configs if kind == "channel" else bridge.config.helpdesks
    item = configured.get(key)
    if item is None:
        return []  # The private page stands in no section of its own: `[policy.handoff]` says when there is one.
    declared: Any = bootstrap.platforms()[item.platform] if kind == "channel" else bootstrap.helpdesks()[item.kind]
    found = []
    for name, field in declared.settings_schema.fields.items():
        value, is_secret = getattr(item.settings, name, ""), bool(field.metadata.get("secret"))
        if is_secret and not (name in _TO_PASTE and g.person.role.covers(Role.ADMIN)):
            value = _masked(str(value or ""))
        elif isinstance(value, list | tuple | set | frozenset):
            value = ", ".join(map(str, value))
        found.append(
            Setting(name=name, help=field.metadata.get("help", ""), value="" if value is None else str(value), is_secret=is_secret)
        )
    return found


def _masked(value: str) -> str:
    return "" if not value else f"•••• {value[-4:]}" if len(value) >= _SHOW_FROM else "••••"
