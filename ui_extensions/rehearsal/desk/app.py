"""Puts a desk together: rows, API, webhooks and faults in one Flask application."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask

from ui_extensions.rehearsal.desk import rules
from ui_extensions.rehearsal.desk.admin_objects import KINDS
from ui_extensions.rehearsal.desk.api import make_api
from ui_extensions.rehearsal.desk.relay import Relay
from ui_extensions.rehearsal.desk.rows import ROLES, AdminObject, Group, User
from ui_extensions.rehearsal.desk.state import Desk, later
from ui_extensions.rehearsal.desk.webhooks import Endpoint, Webhooks, default_triggers
from ui_extensions.rehearsal.faults import Answer, FaultGate, Faults, control

EXTENSION = "desk"
_PROXY = "text/html; charset=utf-8"
_ANSWERS = {
    "unavailable": Answer("503 Service Unavailable", "<html><body><h1>503 Service Unavailable</h1></body></html>", _PROXY),
    "rate_limited": Answer("429 Too Many Requests", "<html><body><h1>429 Too Many Requests</h1></body></html>", _PROXY),
    "token_refused": Answer("401 Unauthorized", '{"error":"Can\'t find User for Token","error_human":"Can\'t find User for Token"}'),
    "error_after": Answer("500 Internal Server Error", '{"error":"Error ID a1b2c3d4: Please contact your administrator."}'),
}
"""Zammad limits no rates itself and is never briefly unavailable: the proxy before it says so, in HTML."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Somebody with an access token: `role` is `agent` or `admin`. Agents have every right in the groups named (empty: in all)."""

    login: str
    token: str = field(repr=False)
    firstname: str = ""
    lastname: str = ""
    role: str = "agent"
    groups: tuple[str, ...] = ()
    password: str = field(default="", repr=False)
    """What they sign in with; empty: they cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSettings:
    """How a desk is set up. `bridge` is the account that the bridge uses; triggers never fire for it."""

    bridge: Staff
    staff: tuple[Staff, ...] = ()
    groups: tuple[str, ...] = ("Users", "Social")
    webhook: Endpoint | None = None
    version: str = "6.2.0"
    """What it says to those who ask; it behaves as 6.2.0 in any case."""
    control_token: str = field(default="", repr=False)
    """Guards `/rehearsal/faults`; empty: there is no such route."""
    file: Path | None = None
    """Where the desk keeps its rows; None: in memory."""
    relay: Relay | None = None
    """The way to the bridge's panel; None: the ticket view has no panel."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What stands behind the application, for pages and tests: `app.extensions["desk"]`."""

    desk: Desk
    faults: Faults
    refusals: list[str]
    """Sentences on what was asked outside the part of the API that the desk speaks. A test that ends with one has failed."""
    webhooks: Webhooks

    def stop(self) -> None:
        """End the worker and let go of the file."""
        self.webhooks.stop()
        self.desk.close()


def create_desk(settings: DeskSettings) -> Flask:
    """The application. `app.extensions["desk"]` holds its `Parts`; call their `stop()` in the end."""
    app = Flask("desk")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    desk, faults = Desk(settings.file), Faults()
    refusals: list[str] = []
    _seed(desk, settings)
    webhooks = Webhooks(desk, settings.webhook, faults, default_triggers(settings.bridge.login) if settings.webhook else ())
    tokens = {person.token: person.login for person in (settings.bridge, *settings.staff)}
    passwords = {person.login.lower(): person.password for person in settings.staff if person.password}
    app.register_blueprint(make_api(desk, tokens, passwords, webhooks, refusals, settings.version))
    if settings.control_token:
        app.register_blueprint(control(faults, settings.control_token))
    app.wsgi_app = FaultGate(app.wsgi_app, faults, _ANSWERS)  # type: ignore[method-assign]
    app.extensions[EXTENSION] = Parts(desk, faults, refusals, webhooks)
    return app


def _seed(desk: Desk, settings: DeskSettings) -> None:
    """Roles, groups and staff that are not there yet."""
    with desk.writing():
        if not desk.admin_objects("roles"):
            for key, name in ROLES.items():
                role = {**KINDS["roles"].keys, **KINDS["roles"].extra, "name": name, "created_at": later(), "updated_at": later()}
                desk.put(AdminObject(id=key, kind="roles", data=role))
        for name in settings.groups:
            rules.add_group(desk, name)
        for person in (settings.bridge, *settings.staff):
            user = desk.user_called(person.login) or _new_staff(desk, person)
            given = {"agent": [2], "admin": [1, 2], "customer": [3]}[person.role]
            user.role_ids = given + [key for key in user.role_ids if key not in ROLES]
            names = (person.groups or settings.groups) if user.is_agent else ()
            user.group_ids |= {group.id: ["full"] for group in desk.all(Group) if group.name in names}
            desk.put(user)


def _new_staff(desk: Desk, person: Staff) -> User:
    email = person.login if "@" in person.login else ""
    now = later()
    user = User(
        id=desk.new_id(User),
        login=person.login.lower(),
        firstname=person.firstname,
        lastname=person.lastname,
        email=email,
        created_at=now,
        updated_at=now,
    )
    desk.put(user)
    return user
