"""How everything stands: health with the one button that helps, the board, the audit, and diagnostics to download."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, render_template, request

from plugin.bootstrap import Bridge
from plugin.contracts.platform import Connects, RegistersWebhook
from plugin.domain.model import Stage
from plugin.handlers import diagnosing, health, operate
from plugin.handlers.admission import Role
from plugin.store import browsing, overview
from ui_extensions.console.doorkeeper import actor, needs

_CONVERSATIONS = 200
_ENTRIES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One place on the health page. `act` names the one button that helps, if there is one."""

    condition: health.Condition
    row: dict[str, Any]
    act: str
    is_silent_yet: bool
    """Whether it lives by webhooks and none ever came."""

    @property
    def word(self) -> str:
        """`ok`, `warn` or `fail`, also for the style sheet."""
        if not self.condition.is_ok:
            return "fail"
        return "warn" if self.row["status"] == "paused" or self.is_silent_yet or self.row["blocked_reason"] else "ok"


def standings(bridge: Bridge) -> list[Standing]:
    """Every configured place, those that need somebody first."""
    rows = {row["key"]: row for row in operate.list_places(bridge.database)}
    with bridge.database.begin() as connection:
        conditions = health.conditions(connection)
    found = []
    for condition in conditions:
        if condition.place in bridge.installation.adapters:
            row = rows[condition.place]
            is_silent_yet = row["heard_at"] is None
            found.append(Standing(condition=condition, row=row, act=_helping(bridge, condition), is_silent_yet=is_silent_yet))
    return sorted(found, key=lambda item: (["fail", "warn", "ok"].index(item.word), item.condition.place))


def _helping(bridge: Bridge, condition: health.Condition) -> str:
    adapter: object = bridge.installation.adapter(condition.place)
    if condition.status == "reauth":
        return "connect" if isinstance(adapter, Connects) else "resume"
    if condition.status in {"paused", "billing"}:
        return "resume"
    if condition.status in {"silent", "unregistered"} and isinstance(adapter, RegistersWebhook):
        return "register"
    return "test"


def add_standing_pages(app: Flask, bridge: Bridge) -> None:
    """`/`, `/board`, `/audit` and `/diagnostics`."""

    @app.get("/")
    def health() -> str:
        return render_template("health.html", standings=standings(bridge), alerts=operate.list_alerts(bridge.database))

    @app.get("/board")
    def board() -> str:
        stage = request.args.get("stage", "")
        known = [item.value for item in Stage]
        with bridge.database.begin() as connection:
            rows = overview.conversations(
                connection, stage=stage if stage in known else None, limit=_CONVERSATIONS, only_open=stage not in known
            )
        return render_template("board.html", rows=rows, stages=known, stage=stage, most=_CONVERSATIONS)

    @app.get("/audit")
    def audit() -> str:
        words = request.args.get("q", "").replace("\0", "").strip()[:100]
        before = request.args.get("before", "")
        number = int(before) if before.isascii() and before.isdecimal() and len(before) <= 18 else None
        with bridge.database.begin() as connection:
            rows = browsing.audit(connection, words=words, before=number, limit=_ENTRIES)
        return render_template("audit.html", rows=rows, words=words, more=rows[-1].id if len(rows) == _ENTRIES else None)

    @app.get("/diagnostics")
    @needs(Role.ADMIN)
    def diagnostics() -> str:
        return render_template("diagnostics.html")

    @app.post("/diagnostics")
    @needs(Role.ADMIN)
    def download() -> Response:
        found = diagnosing.diagnostics(bridge.config, bridge.installation, bridge.database, actor=actor())
        body = json.dumps(found, indent=2, default=str, ensure_ascii=False)
        headers = {"Content-Disposition": 'attachment; filename="crossdesk-diagnostics.json"'}
        return Response(body, content_type="application/json", headers=headers)
