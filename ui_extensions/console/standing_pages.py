"""How everything stands: health with the one button that helps, the board, the audit, and diagnostics to download."""

from __future__ import annotations

import json
from dataclasses import replace

from flask import Flask, Response, render_template, request

from plugin.bootstrap import Bridge
from plugin.domain.ids import ChannelKey
from plugin.domain.model import Stage
from plugin.handlers import diagnosing, operate
from plugin.handlers.admission import Role
from plugin.store import browsing, overview
from ui_extensions.console.doorkeeper import actor, needs
from ui_extensions.console.standings import remedy_of_alert, standings, summary

_CONVERSATIONS = 200
_ENTRIES = 100


def add_standing_pages(app: Flask, bridge: Bridge) -> None:
    """`/`, `/board`, `/audit` and `/diagnostics`."""

    @app.get("/")
    def health() -> str:
        found, alerts = standings(bridge), operate.list_alerts(bridge.database)
        told = [{**alert, "remedy": remedy_of_alert(bridge, alert)} for alert in alerts]
        return render_template("health.html", standings=found, alerts=told, summary=summary(found, alerts))

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
        config = replace(bridge.config, channels={ChannelKey(key): item for key, item in bridge.channel_configs.items()})
        found = diagnosing.diagnostics(config, bridge.installation, bridge.database, actor=actor())
        body = json.dumps(found, indent=2, default=str, ensure_ascii=False)
        headers = {"Content-Disposition": 'attachment; filename="crossdesk-diagnostics.json"'}
        return Response(body, content_type="application/json", headers=headers)
