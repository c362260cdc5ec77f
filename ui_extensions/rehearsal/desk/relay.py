"""The desk's relay to the bridge's panel: what a helpdesk's plugin does, in few lines. Signs for the agent whose ticket view asks.

The practice desk has no sign-in: the view says who is looking, here as everywhere on it. A real relay asks its helpdesk's own session and rights.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from flask import Blueprint, Response, redirect, request, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from plugin.contracts.http import HttpClient
from plugin.domain.errors import CrossdeskError
from ui_extensions import panel
from ui_extensions.panel import signing
from ui_extensions.panel.signing import Agent
from ui_extensions.rehearsal import web
from ui_extensions.rehearsal.desk.asking import may_read
from ui_extensions.rehearsal.desk.rows import Group, Ticket
from ui_extensions.rehearsal.desk.state import Desk

_PANEL = Path(panel.__file__).parent
_CARRIED = ("Content-Type", "Retry-After", "Content-Security-Policy", "Cache-Control", "X-Content-Type-Options")


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Where the bridge is, and what makes it believe this desk. `helpdesk` is this desk's name in crossdesk.toml."""

    url: str
    helpdesk: str
    secret: str = field(repr=False)
    http: HttpClient = field(repr=False)
    supervisors: Collection[str] = ()
    """Logins of those who may do what only supervisors may."""


def make_relay(desk: Desk, relay: Relay, logins: Collection[str]) -> Blueprint:
    """The routes under `/panel/`, for these agents."""
    routes = Blueprint("desk_relay", __name__)

    @routes.get("/panel/cd-panel.js")
    def script() -> Response:
        return send_from_directory(_PANEL, "cd-panel.js")

    @routes.get("/panel/locales/<name>")
    def locale(name: str) -> Response:
        return send_from_directory(_PANEL / "locales", name)

    @routes.get("/panel/-/<path:_rest>")
    def picture(_rest: str) -> Response:
        return _ask(relay, "GET", _from_bridge(), {})

    @routes.get("/panel/as/<login>/<int:ticket>")
    def show(login: str, ticket: int) -> Response:
        path = f"/panel/{relay.helpdesk}/{ticket}{_query()}"
        return _signed(relay, _agent(desk, relay, logins, login, ticket), "GET", path)

    @routes.post("/panel/as/<login>/<int:ticket>/<path:rest>")
    def press(login: str, ticket: int, rest: str) -> Response:
        web.guard_forms()
        agent = _agent(desk, relay, logins, login, ticket)
        return _signed(relay, agent, "POST", f"/panel/{relay.helpdesk}/{ticket}/{quote(rest)}{_query()}", request.get_data())

    @routes.get("/panel/as/<login>/<int:ticket>/page")
    def page(login: str, ticket: int) -> AnyResponse:
        agent = _agent(desk, relay, logins, login, ticket)
        token = signing.mint_link(relay.secret, helpdesk=relay.helpdesk, ticket=str(ticket), agent=agent, now=datetime.now(UTC))
        return redirect(f"{relay.url}/panel/-/page#{token}", code=303)

    return routes


def _agent(desk: Desk, relay: Relay, logins: Collection[str], login: str, ticket: int) -> Agent:
    """Who looks, if they may read the ticket."""
    user = desk.user_called(login) if login in logins else None
    found = desk.get(Ticket, ticket)
    if user is None or found is None or not may_read(found, user):
        raise NotFound("There is no such ticket here.")
    groups = tuple(group.name for group in desk.all(Group) if group.id in user.group_ids)
    role = "supervisor" if login in relay.supervisors else "agent"
    return Agent(id=str(user.id), login=user.login, name=user.name, role=role, groups=groups)


def _query() -> str:
    told = request.query_string.decode("ascii", "replace")
    return f"?{told}" if told else ""


def _from_bridge() -> str:
    return f"/panel/{request.path.partition('/panel/')[2]}{_query()}"


def _signed(relay: Relay, agent: Agent, method: str, path: str, body: bytes = b"") -> Response:
    return _ask(
        relay, method, path, signing.signed_headers(relay.secret, agent, method=method, path=path, now=datetime.now(UTC), body=body), body
    )


def _ask(relay: Relay, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Response:
    try:
        answer = relay.http.request(method, relay.url + path, headers=headers, data=body or None, timeout=8.0)
    except CrossdeskError:
        return Response(b'{"error":{"code":"away","text":"Crossdesk does not answer."}}', status=503, content_type="application/json")
    carried = {name: answer.headers[name.lower()] for name in _CARRIED if name.lower() in answer.headers}
    return Response(answer.body, status=answer.status, headers=carried)
