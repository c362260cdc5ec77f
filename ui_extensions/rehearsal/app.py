"""Serves the rehearsal at one address: `/` shows both sides, `/network/` the practice network and `/desk/` the practice desk alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, render_template
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from ui_extensions.rehearsal import web
from ui_extensions.rehearsal.desk import app as desk_app
from ui_extensions.rehearsal.desk.app import DeskSettings, create_desk
from ui_extensions.rehearsal.desk.pages import add_pages
from ui_extensions.rehearsal.network import app as network_app
from ui_extensions.rehearsal.network.app import NetworkSettings, create_network


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Both sides. Call the object as a WSGI application; call `stop` in the end."""

    application: Any
    network: network_app.Parts
    desk: desk_app.Parts
    desk_side: Flask

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Serve one request."""
        return self.application(environ, start_response)

    def stop(self) -> None:
        """End both sides' webhooks and let go of their files."""
        self.network.stop()
        self.desk.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSignIn:
    """Where the bridge's console is, and what lets somebody in who practises."""

    url: str
    login: str
    password: str = field(repr=False)


def create_rehearsal(network: NetworkSettings, desk: DeskSettings, *, base_url: str, console: ConsoleSignIn | None = None) -> Rehearsal:
    """Both sides under `base_url`. The agents of the desk's staff can answer in its ticket view; there must be one. The front page leads to `console`."""
    network_side = create_network(network, base_url=f"{base_url.rstrip('/')}/network")
    desk_side = create_desk(desk)
    add_pages(desk_side, agents=[person for person in desk.staff if person.role == "agent"], relay=desk.relay)
    return Rehearsal(
        DispatcherMiddleware(_front(console), {"/network": network_side.wsgi_app, "/desk": desk_side.wsgi_app}),
        network_side.extensions[network_app.EXTENSION],
        desk_side.extensions[desk_app.EXTENSION],
        desk_side,
    )


def _front(console: ConsoleSignIn | None) -> Flask:
    front = Flask(__name__)
    web.furnish(front)

    @front.get("/")
    def show() -> str:
        return render_template("rehearsal.html", console=console)

    @front.get("/healthz")
    def healthy() -> Response:
        return Response("ok\n", content_type="text/plain")

    return front
