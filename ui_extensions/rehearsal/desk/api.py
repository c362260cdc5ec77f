"""The part of Zammad's REST API that the bridge and the ticket view use, with Zammad's statuses, words and oddities.

Whatever is outside that part is refused loudly (501, logged, counted): a stand-in that guesses proves nothing.
"""

from __future__ import annotations

import functools
import html
import logging
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from ui_extensions.rehearsal.desk import people, shapes
from ui_extensions.rehearsal.desk.admin_routes import add_admin_routes
from ui_extensions.rehearsal.desk.article_routes import add_article_routes
from ui_extensions.rehearsal.desk.asking import USER_KEYS, asked, asking_user, refuse_unless, sent, the_row
from ui_extensions.rehearsal.desk.refusals import NotSpoken, Refused
from ui_extensions.rehearsal.desk.rows import User
from ui_extensions.rehearsal.desk.search import DEFAULT_LIMIT, users_like
from ui_extensions.rehearsal.desk.state import Desk
from ui_extensions.rehearsal.desk.ticket_routes import add_side_routes, add_ticket_routes
from ui_extensions.rehearsal.desk.webhooks import Webhooks

_LOG = logging.getLogger(__name__)
_STAFF = "Not authorized (token)!"
Answer = Response | tuple[Response, int]


def make_api(
    desk: Desk, tokens: Mapping[str, str], passwords: Mapping[str, str], webhooks: Webhooks, refusals: list[str], version_text: str
) -> Blueprint:
    """The blueprint under `/api/v1`. `tokens` maps access tokens to logins, `passwords` logins to passwords; `refusals` collects what was not understood."""
    api = Blueprint("desk_api", __name__, url_prefix="/api/v1")

    @api.before_request
    def _enter() -> None:
        g.user = asking_user(desk, tokens, passwords)

    @api.errorhandler(Refused)
    def _refused(refused: Refused) -> Answer:
        return _error(refused.status, {"error": refused.error} | ({} if refused.opaque else {"error_human": refused.error}))

    @api.errorhandler(NotSpoken)
    def _not_spoken(problem: NotSpoken) -> Answer:
        return _not_understood(refusals, str(problem))

    @api.route("/<path:_rest>", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
    def _unknown(_rest: str) -> Answer:
        raise NotSpoken("this route")

    def staff(view: Callable[..., Answer]) -> Callable[..., Answer]:
        @functools.wraps(view)
        def guarded(**arguments: Any) -> Answer:
            refuse_unless(g.user.is_agent, _STAFF)
            return view(**arguments)

        return guarded

    _add_general_routes(api, version_text)
    _add_user_routes(api, desk, staff)
    add_ticket_routes(api, desk, webhooks.notice)
    add_side_routes(api, desk, staff, webhooks.notice)
    add_article_routes(api, desk, webhooks.notice)
    add_admin_routes(api, desk, webhooks)
    return api


def _add_general_routes(api: Blueprint, version_text: str) -> None:
    @api.get("/version")
    def version() -> Answer:
        asked()
        return jsonify(version=version_text)

    @api.get("/monitoring/health_check")
    def health() -> Answer:
        asked()
        refuse_unless(g.user.is_admin, _STAFF)
        return jsonify(healthy=True, message="success", issues=[], actions=[])


def _add_user_routes(api: Blueprint, desk: Desk, staff: Callable[..., Any]) -> None:
    @api.get("/users/me")
    def me() -> Answer:
        return jsonify(_user(desk, g.user, asked("expand")))

    @api.get("/users/search")
    @staff
    def search_users() -> Answer:
        options = asked("query", "limit", "expand")
        found = users_like(desk, options.get("query", ""))
        return jsonify([_user(desk, user, options) for user in found[: int(options.get("limit", DEFAULT_LIMIT))]])

    @api.post("/users")
    @staff
    def new_user() -> Answer:
        options, data = asked("expand"), sent(USER_KEYS)
        with desk.writing():
            user = people.create_user(desk, data, g.user)
        return jsonify(_user(desk, user, options)), 201

    @api.get("/users/<int:key>")
    @staff
    def one_user(key: int) -> Answer:
        return jsonify(_user(desk, the_row(desk, User, key), asked("expand")))

    @api.put("/users/<int:key>")
    @staff
    def change_user(key: int) -> Answer:
        options, data = asked("expand"), sent(USER_KEYS)
        user = the_row(desk, User, key)
        refuse_unless(g.user.is_admin or not user.is_agent)
        with desk.writing():
            people.change_user(desk, user, data, g.user)
        return jsonify(_user(desk, user, options))


def _user(desk: Desk, user: User, options: Mapping[str, str]) -> dict[str, Any]:
    return shapes.expanded_user(desk, user) if options.get("expand") == "true" else shapes.user_data(user)


def _error(status: int, data: Mapping[str, Any]) -> Answer:
    """An error: JSON only for those who accept it, an HTML page for the others."""
    if request.headers.get("Accept", "").split(";")[0].strip() in ("", "text/html"):
        page = f"<!DOCTYPE html><html><head><title>{status}</title></head><body><h1>{html.escape(str(data['error']))}</h1></body></html>"
        return Response(page, status, content_type="text/html; charset=utf-8"), status
    return jsonify(data), status


def _not_understood(refusals: list[str], what: str) -> Answer:
    sentence = f"The desk does not speak this: {request.method} {request.path}: {what}."
    refusals.append(sentence)
    _LOG.error(sentence)
    return jsonify(error=sentence, error_human=sentence), 501
