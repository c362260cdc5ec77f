"""Serves the rehearsal at one address: `/` shows both sides, `/network/` the practice network and `/desk/` the practice desk alone."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, Response, render_template
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from ui_extensions.rehearsal import serving, web
from ui_extensions.rehearsal.desk import app as desk_app
from ui_extensions.rehearsal.desk.app import DeskSettings, Staff, create_desk
from ui_extensions.rehearsal.desk.pages import add_pages
from ui_extensions.rehearsal.desk.webhooks import Endpoint
from ui_extensions.rehearsal.network import app as network_app
from ui_extensions.rehearsal.network.app import NetworkSettings, create_network

BRIDGE = "crossdesk@rehearsal.invalid"
"""The bridge's own account on the desk."""
AGENTS = (("nora@rehearsal.invalid", "Nora", "Lindqvist"), ("sam@rehearsal.invalid", "Sam", "Okafor"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """What the bridge and the rehearsal must agree on. Addresses are the bridge's, whole: `.../in/channel/plaza`."""

    network_token: str = field(repr=False)
    network_secret: str = field(repr=False)
    network_webhook: str
    desk_token: str = field(repr=False)
    desk_secret: str = field(repr=False)
    desk_webhook: str
    control_token: str = field(default="", repr=False)
    folder: Path | None = None
    """Where the practice data is kept; None: in memory."""
    webhook_delay: float = 0.0
    """Seconds that the desk takes before it tells of something; a real Zammad takes about two."""


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


def create_rehearsal(network: NetworkSettings, desk: DeskSettings, *, base_url: str) -> Rehearsal:
    """Both sides under `base_url`. The agents of the desk's staff can answer in its ticket view; there must be one."""
    network_side = create_network(network, base_url=f"{base_url.rstrip('/')}/network")
    desk_side = create_desk(desk)
    add_pages(desk_side, agents=[person for person in desk.staff if person.role == "agent"])
    return Rehearsal(
        DispatcherMiddleware(_front(), {"/network": network_side.wsgi_app, "/desk": desk_side.wsgi_app}),
        network_side.extensions[network_app.EXTENSION],
        desk_side.extensions[desk_app.EXTENSION],
        desk_side,
    )


def usual_settings(practice: Practice, *, base_url: str) -> tuple[NetworkSettings, DeskSettings]:
    """Both sides as `crossdesk run --rehearsal` has them: two agents, a group for what is social and one for what is formal."""
    network = NetworkSettings(
        token=practice.network_token,
        webhook_url=practice.network_webhook,
        webhook_secret=practice.network_secret,
        control_token=practice.control_token,
        folder=practice.folder / "network" if practice.folder else None,
    )
    if practice.folder:
        practice.folder.mkdir(parents=True, exist_ok=True)
    desk = DeskSettings(
        bridge=Staff(login=BRIDGE, token=practice.desk_token, firstname="Crossdesk"),
        staff=tuple(Staff(login=login, token=secrets.token_urlsafe(24), firstname=first, lastname=last) for login, first, last in AGENTS),
        groups=("Users", "Social", "Service"),
        webhook=Endpoint(
            url=practice.desk_webhook,
            token=practice.desk_secret,
            base_url=f"{base_url.rstrip('/')}/desk",
            delay=practice.webhook_delay,
        ),
        control_token=practice.control_token,
        file=practice.folder / "desk.sqlite" if practice.folder else None,
    )
    return network, desk


def serve(practice: Practice, *, host: str = "127.0.0.1", port: int, on_ready: Callable[[], None] = lambda: None) -> None:
    """Serve the rehearsal in this process until it is told to stop."""
    made: list[Rehearsal] = []

    def build(url: str) -> Rehearsal:
        network, desk = usual_settings(practice, base_url=url)
        made.append(create_rehearsal(network, desk, base_url=url))
        return made[0]

    server = serving.bind(build, host=host, port=port)
    on_ready()
    try:
        serving.until_told(server)
    finally:
        made[0].stop()


def _front() -> Flask:
    front = Flask(__name__)
    web.furnish(front)

    @front.get("/")
    def show() -> str:
        return render_template("rehearsal.html")

    @front.get("/healthz")
    def healthy() -> Response:
        return Response("ok\n", content_type="text/plain")

    return front
