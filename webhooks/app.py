"""The Flask application: health and metrics, and the door for deliveries in front of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from flask import Flask, Response
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from plugin.bootstrap import Bridge
from plugin.contracts.wakeups import WakeUps
from plugin.domain.errors import ConfigError, CrossdeskError
from plugin.handlers import health
from plugin.store.schema import require_current
from ui_extensions.panel.routes import add_panel
from webhooks import metrics
from webhooks.connect import add_connect
from webhooks.door import Door
from webhooks.page import add_page

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def create_app(bridge: Bridge, wakeups: WakeUps, mounts: Mapping[str, WSGIApplication] | None = None) -> Flask:
    """The application of one receiver process. `mounts` are further applications by the path below which they are served."""
    app = Flask("crossdesk", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = bridge.config.receiver.max_body
    _add_health(app, bridge)
    add_connect(app, bridge.connector(), console=f"{bridge.config.public_url.rstrip('/')}/console" if bridge.config.console.on else "")
    add_panel(app, bridge, wakeups)
    receiver = bridge.receiver(wakeups)
    add_page(app, bridge, receiver)
    if mounts:
        app.wsgi_app = DispatcherMiddleware(app.wsgi_app, dict(mounts))  # type: ignore[method-assign] # Flask's own way to put something in front
    door = Door(receiver, bridge.installation.knows, app.wsgi_app, max_body=bridge.config.receiver.max_body)
    app.wsgi_app = door  # type: ignore[method-assign]
    return app


def _answer(status: int, body: bytes) -> Response:
    return Response(body, status=status, content_type="application/json")


def _add_health(app: Flask, bridge: Bridge) -> None:
    def healthz() -> Response:
        return _answer(200, b'{"status":"alive"}')

    def readyz() -> Response:
        try:
            with bridge.database.begin() as connection:
                require_current(connection)
        except (CrossdeskError, ConfigError):
            if bridge.spool is not None:
                return _answer(200, b'{"status":"spooling"}')
            return _answer(503, b'{"status":"store unavailable"}')
        return _answer(200, b'{"status":"ready"}')

    def standing() -> Response:
        try:
            with bridge.database.begin() as connection:
                found = health.conditions(connection)
        except CrossdeskError:
            return _answer(503, b'{"status":"store unavailable"}')
        body = {item.place: {"ok": item.is_ok, "status": item.status, "says": item.says, "next": item.next_step} for item in found}
        is_ok = all(item.is_ok for item in found)
        return _answer(200 if is_ok else 503, json.dumps({"ok": is_ok, "places": body}, ensure_ascii=False).encode())

    def exposition() -> Response:
        return Response(metrics.render(bridge), content_type=metrics.CONTENT_TYPE)

    views: dict[str, Callable[[], Response]] = {"/healthz": healthz, "/readyz": readyz, "/places": standing, "/metrics": exposition}
    for path, view in views.items():
        app.add_url_rule(path, path, view)
