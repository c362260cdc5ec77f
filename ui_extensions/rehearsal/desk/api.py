"""The part of Zammad's REST API that the bridge and the ticket view use, with Zammad's statuses, words and oddities.

Whatever is outside that part is refused loudly (501, logged, counted): a stand-in that guesses proves nothing.
"""

from __future__ import annotations

import functools
import html
import logging
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, g, jsonify, request

from ui_extensions.rehearsal.desk import rules, shapes
from ui_extensions.rehearsal.desk.asking import (
    ARTICLE_KEYS,
    TICKET_KEYS,
    USER_KEYS,
    article_values,
    asked,
    asking_user,
    may_read,
    refuse_unless,
    sent,
    the_ticket,
    ticket_values,
)
from ui_extensions.rehearsal.desk.rows import PRIORITIES, STATES, Article, Group, StoredFile, Ticket, User
from ui_extensions.rehearsal.desk.rules import Refused
from ui_extensions.rehearsal.desk.search import DEFAULT_LIMIT, NotSpoken, containing, matching, page_of, users_like
from ui_extensions.rehearsal.desk.state import Desk
from ui_extensions.rehearsal.desk.webhooks import Change

VERSION = "6.2.0"
_LOG = logging.getLogger(__name__)
_STAFF = "Not authorized (token)!"
Answer = Response | tuple[Response, int]


def make_api(desk: Desk, tokens: Mapping[str, str], notice: Callable[[Change], None], refusals: list[str]) -> Blueprint:
    """The blueprint under `/api/v1`. `tokens` maps access tokens to logins; `refusals` collects what was not understood."""
    api = Blueprint("desk_api", __name__, url_prefix="/api/v1")

    @api.before_request
    def _enter() -> None:
        g.user = asking_user(desk, tokens)

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

    _add_general_routes(api, desk, staff)
    _add_user_routes(api, desk, staff)
    _add_ticket_routes(api, desk, notice)
    _add_side_routes(api, desk, staff, notice)
    _add_article_routes(api, desk, notice)
    return api


def _add_general_routes(api: Blueprint, desk: Desk, staff: Callable[..., Any]) -> None:
    @api.get("/version")
    def version() -> Answer:
        asked()
        return jsonify(version=VERSION)

    @api.get("/monitoring/health_check")
    def health() -> Answer:
        asked()
        refuse_unless(g.user.is_admin, _STAFF)
        return jsonify(healthy=True, message="success", issues=[], actions=[])

    @api.get("/groups")
    def groups() -> Answer:
        asked("expand")
        refuse_unless(g.user.is_admin, _STAFF)
        return jsonify([shapes.group_data(group) for group in desk.all(Group)])

    @api.get("/ticket_states")
    @staff
    def states() -> Answer:
        asked()
        return jsonify([{"id": key, "name": name, "active": key != 6} for key, name in STATES.items()])

    @api.get("/ticket_priorities")
    @staff
    def priorities() -> Answer:
        asked()
        return jsonify([{"id": key, "name": name, "active": True} for key, name in PRIORITIES.items()])


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
            user = rules.create_user(desk, data, g.user)
        return jsonify(_user(desk, user, options)), 201

    @api.get("/users/<int:key>")
    @staff
    def one_user(key: int) -> Answer:
        return jsonify(_user(desk, _the(desk, User, key), asked("expand")))

    @api.put("/users/<int:key>")
    @staff
    def change_user(key: int) -> Answer:
        options, data = asked("expand"), sent(USER_KEYS)
        user = _the(desk, User, key)
        refuse_unless(g.user.is_admin or not user.is_agent)
        with desk.writing():
            rules.change_user(desk, user, data, g.user)
        return jsonify(_user(desk, user, options))


def _add_ticket_routes(api: Blueprint, desk: Desk, notice: Callable[[Change], None]) -> None:
    @api.post("/tickets")
    def new_ticket() -> Answer:
        options, data = asked("expand"), sent(TICKET_KEYS)
        refuse_unless(g.user.is_agent)
        with desk.writing():
            values = ticket_values(desk, data, g.user, is_new=True)
            article_data = article_values(desk, data["article"]) if data.get("article") else None
            if article_data is not None:
                _refuse_time_unit(article_data)
            ticket = rules.create_ticket(desk, values, g.user)
            article = rules.add_article(desk, ticket, article_data, g.user) if article_data else None
            notice(Change(ticket=ticket, by=g.user, article=article, is_new=True))
            return jsonify(_ticket(desk, ticket, options)), 201

    @api.get("/tickets/<int:key>")
    def one_ticket(key: int) -> Answer:
        options = asked("expand", "all")
        ticket = the_ticket(desk, key, g.user)
        with desk.lock:
            if "expand" in options or "all" in options:
                return jsonify(_ticket(desk, ticket, options))
            return jsonify(shapes.ticket_data(desk, ticket))

    @api.put("/tickets/<int:key>")
    def change_ticket(key: int) -> Answer:
        options, data = asked("expand", "all"), sent(TICKET_KEYS)
        with desk.writing():
            ticket = the_ticket(desk, key, g.user)
            values = ticket_values(desk, data, g.user, is_new=False)
            article_data = article_values(desk, data["article"]) if data.get("article") else None
            changed = rules.change_ticket(desk, ticket, values, g.user)
            article = rules.add_article(desk, ticket, article_data, g.user) if article_data else None
            notice(Change(ticket=ticket, by=g.user, article=article, changed=frozenset(changed)))
            if article_data is not None:
                _refuse_time_unit(article_data)
            return jsonify(_ticket(desk, ticket, options))

    @api.delete("/tickets/<int:key>")
    def delete_ticket(key: int) -> Answer:
        asked()
        refuse_unless(g.user.is_admin, "Not authorized (admin permission required)!")
        with desk.writing():
            rules.delete_ticket(desk, the_ticket(desk, key, g.user))
        return jsonify({})

    @api.route("/tickets/search", methods=["GET", "POST"])
    def search_tickets() -> Answer:
        options: dict[str, Any] = asked("query", "limit", "page", "per_page", "sort_by", "order_by", "expand")
        options |= sent(frozenset(("query", "condition", "limit", "page", "per_page", "sort_by", "order_by")))
        if options.get("expand") != "true":
            raise NotSpoken("a search without expand=true, whose form differs between versions")
        if not options.get("condition") and not options.get("query"):
            return jsonify([])
        refuse_unless(g.user.is_agent)
        with desk.lock:
            found = matching(desk, options["condition"]) if options.get("condition") else containing(desk, options["query"])
            rows = (desk.get(Ticket, key) for key in found)
            page = page_of(
                (ticket for ticket in rows if ticket and may_read(ticket, g.user)),
                sort_by=options.get("sort_by") or "updated_at",
                order_by=options.get("order_by") or "desc",
                limit=int(options.get("per_page") or options.get("limit") or DEFAULT_LIMIT),
                page=int(options.get("page") or 1),
            )
            return jsonify([shapes.expanded_ticket(desk, ticket) for ticket in page])


def _add_side_routes(api: Blueprint, desk: Desk, staff: Callable[..., Any], notice: Callable[[Change], None]) -> None:
    @api.put("/ticket_merge/<int:key>/<number>")
    def merge(key: int, number: str) -> Answer:
        asked()
        with desk.writing():
            source, target = the_ticket(desk, key, g.user), desk.ticket_numbered(number)
            if target is None:
                return jsonify(result="failed", message="The target ticket number could not be found.")
            rules.merge(desk, source, target, g.user)
            notice(Change(ticket=source, by=g.user, changed=frozenset(("state_id",))))
            return jsonify(result="success", target_ticket=shapes.ticket_data(desk, target), source_ticket=shapes.ticket_data(desk, source))

    @api.get("/ticket_history/<int:key>")
    @staff
    def history(key: int) -> Answer:
        asked()
        ticket = the_ticket(desk, key, g.user)
        entries = [{"id": entry.id, **entry.facts} for entry in desk.history_of(key)]
        return jsonify(history=entries, assets=shapes.assets(desk, [ticket]))

    @api.get("/links")
    def links() -> Answer:
        options = asked("link_object", "link_object_value")
        ticket = the_ticket(desk, int(options["link_object_value"]), g.user)
        with desk.lock:
            entries = shapes.links_data(ticket, desk.links_of(ticket.id))
            others = [desk.get(Ticket, entry["link_object_value"]) for entry in entries]
            return jsonify(links=entries, assets=shapes.assets(desk, [other for other in others if other]))

    @api.post("/links/add")
    def add_link() -> Answer:
        names = ("link_type", "link_object_target", "link_object_target_value", "link_object_source", "link_object_source_number")
        asked()
        data = sent(frozenset(names))
        with desk.writing():
            source = desk.ticket_numbered(str(data.get("link_object_source_number")))
            refuse_unless(source, "The given object could not be found.", 422)
            assert source is not None
            target = the_ticket(desk, int(data["link_object_target_value"]), g.user)
            link = rules.add_link(desk, data["link_type"], source=source, target=target)
        return jsonify(id=link.id, link_object_source_value=source.id, link_object_target_value=target.id, created_at=link.created_at), 201

    @api.get("/tags")
    def tags() -> Answer:
        options = asked("object", "o_id")
        return jsonify(tags=the_ticket(desk, int(options["o_id"]), g.user).tags)

    @api.post("/tags/add")
    def add_tag() -> Answer:
        return _tag(desk, present=True), 201

    @api.delete("/tags/remove")
    def remove_tag() -> Answer:
        return _tag(desk, present=False)


def _add_article_routes(api: Blueprint, desk: Desk, notice: Callable[[Change], None]) -> None:
    @api.post("/ticket_articles")
    def new_article() -> Answer:
        asked("expand")
        data = sent(ARTICLE_KEYS)
        with desk.writing():
            ticket = the_ticket(desk, int(data.get("ticket_id") or 0), g.user)
            values = article_values(desk, data)
            article = rules.add_article(desk, ticket, values, g.user)
            notice(Change(ticket=ticket, by=g.user, article=article))
            _refuse_time_unit(values)
            return jsonify(shapes.article_data(desk, article)), 201

    @api.get("/ticket_articles/by_ticket/<int:key>")
    def by_ticket(key: int) -> Answer:
        asked("expand")
        the_ticket(desk, key, g.user)
        with desk.lock:
            return jsonify([shapes.article_data(desk, article) for article in desk.articles_of(key)])

    @api.get("/ticket_articles/<int:key>")
    def one_article(key: int) -> Answer:
        asked("expand")
        article = _the(desk, Article, key)
        the_ticket(desk, article.ticket_id, g.user)
        return jsonify(shapes.article_data(desk, article))

    @api.put("/ticket_articles/<int:key>")
    def change_article(key: int) -> Answer:
        asked("expand")
        data = sent(ARTICLE_KEYS)
        with desk.writing():
            article = _the(desk, Article, key)
            the_ticket(desk, article.ticket_id, g.user)
            rules.set_internal(desk, article, data, g.user)
            return jsonify(shapes.article_data(desk, article))

    @api.get("/ticket_attachment/<int:ticket_id>/<int:article_id>/<int:key>")
    def attachment(ticket_id: int, article_id: int, key: int) -> Answer:
        asked("view", "disposition")
        article, file = desk.get(Article, article_id), desk.get(StoredFile, key)
        if desk.get(Ticket, ticket_id) is None or article is None or file is None:
            raise rules.contact_administrator(500)
        the_ticket(desk, ticket_id, g.user)
        refuse_unless(article.ticket_id == ticket_id and file.article_id == article_id)
        disposition = f"attachment; filename*=UTF-8''{quote(file.filename)}"
        kind = file.preferences.get("Mime-Type", "application/octet-stream")
        return Response(desk.file_content(key), content_type=kind, headers={"Content-Disposition": disposition})


def _tag(desk: Desk, *, present: bool) -> Response:
    asked()
    data = sent(frozenset(("object", "o_id", "item")))
    with desk.writing():
        rules.set_tag(desk, the_ticket(desk, int(data["o_id"]), g.user), str(data["item"]), g.user, present=present)
    return jsonify(True)


def _ticket(desk: Desk, ticket: Ticket, options: Mapping[str, str]) -> dict[str, Any]:
    if options.get("all") == "true":
        return shapes.zoomed_ticket(desk, ticket)
    return shapes.expanded_ticket(desk, ticket) if options.get("expand") == "true" else shapes.created_ticket(desk, ticket)


def _user(desk: Desk, user: User, options: Mapping[str, str]) -> dict[str, Any]:
    return shapes.expanded_user(desk, user) if options.get("expand") == "true" else shapes.user_data(user)


def _the(desk: Desk, kind: type[Any], key: int) -> Any:
    row = desk.get(kind, key)
    if row is None:
        name = "Ticket::Article" if kind is Article else kind.__name__
        raise Refused(404, f"Couldn't find {name} with 'id'={key}")
    return row


def _refuse_time_unit(values: Mapping[str, Any]) -> None:
    """A refused `time_unit` comes after the article was stored: an error answer does not prove that nothing happened."""
    refuse_unless(not values.get("time_unit"), "Not authorized (Time Accounting is not enabled)!")


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
