"""Puts the console together: one Flask application, served by the receiver below `/console`. Works without JavaScript and has none."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, render_template
from werkzeug.exceptions import HTTPException

from plugin.bootstrap import Bridge
from plugin.domain.errors import ConfigError, CrossdeskError
from plugin.handlers.admission import Admission
from ui_extensions.console.acts import add_acts
from ui_extensions.console.approval_pages import add_approval_pages
from ui_extensions.console.channel_pages import add_channel_pages
from ui_extensions.console.connect_pages import add_connect_pages
from ui_extensions.console.doorkeeper import Doorkeeper
from ui_extensions.console.figure_pages import add_figure_pages
from ui_extensions.console.helpdesk_pages import add_helpdesk_pages
from ui_extensions.console.ledger_pages import add_ledger_pages
from ui_extensions.console.policy_pages import add_policy_pages
from ui_extensions.console.signing_in import add_signing_in
from ui_extensions.console.standing_pages import add_standing_pages

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/console"
_MOST_BYTES = 1_000_000
_ACCENTS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0e31-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)
_TOWER = re.compile(f"([{_ACCENTS}]{{6}})[{_ACCENTS}]+")


def create_console(bridge: Bridge) -> WSGIApplication:
    """The application to mount at `PATH`. Links carry the path of the public address, which a web server before us takes off."""
    app = create_app(bridge)
    prefix = urlsplit(bridge.config.public_url).path.rstrip("/")

    def served(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["SCRIPT_NAME"] = prefix + environ.get("SCRIPT_NAME", "")
        return app(environ, start_response)

    return served


def create_app(bridge: Bridge) -> Flask:
    """The application itself."""
    app = Flask(__name__, static_folder="static", static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = _MOST_BYTES
    app.jinja_options = {**app.jinja_options, "finalize": calm}
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(moment=moment, clock=clock, ago=ago, ahead=ahead, waited=waited)
    admission = Admission(bridge.installation, bridge.database, bridge.passes, bridge.config.console)
    doorkeeper = Doorkeeper(admission, bridge.passes, is_secure=bridge.config.public_url.startswith("https://"))
    doorkeeper.guard(app)
    add_signing_in(app, bridge, admission, doorkeeper)
    add_standing_pages(app, bridge)
    add_figure_pages(app, bridge)
    add_approval_pages(app, bridge)
    add_ledger_pages(app, bridge)
    add_channel_pages(app, bridge)
    add_connect_pages(app, bridge)
    add_policy_pages(app, bridge)
    add_helpdesk_pages(app, bridge)
    add_acts(app, bridge)
    _add_problems(app)
    return app


def _add_problems(app: Flask) -> None:
    @app.errorhandler(HTTPException)
    def refused(problem: HTTPException) -> tuple[str, int]:
        status = problem.code or 500
        return render_template("problem.html", title=problem.name, says=problem.description), status

    @app.errorhandler(ConfigError)
    def misconfigured(problem: ConfigError) -> tuple[str, int]:
        return render_template("problem.html", title="This cannot be done", says=str(problem)), 400

    @app.errorhandler(CrossdeskError)
    def failed(problem: CrossdeskError) -> tuple[str, int]:
        return render_template("problem.html", title="This did not work", says=str(problem)), 503


def calm(value: Any) -> Any:
    """What a page prints: a tower of accents, which would stand over everything above it, stays a letter with accents."""
    return _TOWER.sub(r"\1…", value) if type(value) is str else value


def moment(at: datetime | None) -> str:
    """A time in full."""
    return "-" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def clock(at: str | None) -> str:
    """The time of day, of a time as JSON holds it."""
    return "-" if not at else f"{datetime.fromisoformat(at).astimezone(UTC):%H:%M} UTC"


def ago(at: datetime | None) -> str:
    """How long ago, in the largest fitting unit."""
    return "never" if at is None else f"{_span((datetime.now(UTC) - at).total_seconds())} ago"


def waited(at: datetime) -> str:
    """For how long."""
    return _span((datetime.now(UTC) - at).total_seconds())


def ahead(at: datetime | None) -> str:
    """How far ahead, or by how much it is late."""
    if at is None:
        return "-"
    seconds = (at - datetime.now(UTC)).total_seconds()
    return f"in {_span(seconds)}" if seconds >= 0 else f"{_span(-seconds)} late"


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{math.floor(seconds / size)} {unit}"
    return f"{max(0, math.floor(seconds))} s"
