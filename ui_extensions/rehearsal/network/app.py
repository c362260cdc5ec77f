"""Puts a practice network together: state, API, webhooks, switches and pages in one Flask application."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from ui_extensions.rehearsal import faults, web
from ui_extensions.rehearsal.faults import Answer, FaultGate, Faults
from ui_extensions.rehearsal.network import api, model, pages, practice
from ui_extensions.rehearsal.network.journal import Journal
from ui_extensions.rehearsal.network.state import Network
from ui_extensions.rehearsal.network.webhooks import Pump

EXTENSION = "network"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """How a practice network is set up."""

    token: str = field(repr=False)
    """The company's access token."""
    webhook_url: str = ""
    webhook_secret: str = field(default="", repr=False)
    control_token: str = field(default="", repr=False)
    """Guards `/rehearsal/faults` and `/rehearsal/customers`; empty: there are no such routes."""
    folder: Path | None = None
    """Where the practice data is kept; None: in memory."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What stands behind the application, for pages and tests: `app.extensions["network"]`."""

    network: Network
    pump: Pump
    faults: Faults
    journal: Journal | None

    def stop(self) -> None:
        """End the webhooks and let go of the files."""
        self.pump.stop()
        if self.journal is not None:
            self.journal.close()


def create_network(settings: NetworkSettings, *, base_url: str = "") -> Flask:
    """The application, whose pages are at `base_url`. `app.extensions["network"]` holds its `Parts`; call their `stop()` in the end."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = model.FILES_LIMIT * model.FILE_BYTES + 256 * 1024
    journal = Journal(settings.folder) if settings.folder else None
    network = Network(company_token=settings.token, base_url=base_url, journal=journal)
    if settings.webhook_url:
        network.set_webhook(settings.webhook_url, settings.webhook_secret)
    switches = Faults()
    pump = Pump(network, switches)
    web.furnish(app)
    app.register_blueprint(api.build(network, pump))
    app.register_blueprint(pages.build(network))
    if settings.control_token:
        app.register_blueprint(practice.build(network, settings.control_token))
        app.register_blueprint(faults.control(switches, settings.control_token))
    app.register_error_handler(HTTPException, _unrouted)
    app.wsgi_app = FaultGate(app.wsgi_app, switches, _ANSWERS)  # type: ignore[method-assign]
    app.extensions[EXTENSION] = Parts(network, pump, switches, journal)
    return app


def _unrouted(problem: HTTPException) -> Response | HTTPException:
    return api.unrouted(problem) if request.path.startswith("/api/") else problem


def _answer(status: str, code: str, message: str) -> Answer:
    return Answer(status, json.dumps({"error": {"code": code, "message": message}}))


_ANSWERS = {
    "unavailable": _answer("503 Service Unavailable", "not_applied", "The network takes nothing now; this call was not applied."),
    "rate_limited": _answer("429 Too Many Requests", "rate_limited", "Too many calls; this one was not applied."),
    "token_refused": _answer("401 Unauthorized", "token_revoked", "The token was revoked."),
    "error_after": _answer("500 Internal Server Error", "broken", "Something went wrong."),
}
