"""The desk's routes for tickets, and for what hangs on them: merges, history, links and tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, g, jsonify

from ui_extensions.rehearsal.desk import links as link_shapes
from ui_extensions.rehearsal.desk import rules, shapes, workflows
from ui_extensions.rehearsal.desk.articles import add_article
from ui_extensions.rehearsal.desk.asking import (
    article_values,
    asked,
    may_read,
    refuse_time_unit,
    refuse_unless,
    sent,
    sent_ticket,
    the_ticket,
    ticket_values,
)
from ui_extensions.rehearsal.desk.changes import Change
from ui_extensions.rehearsal.desk.refusals import NotSpoken
from ui_extensions.rehearsal.desk.rows import Ticket
from ui_extensions.rehearsal.desk.search import DEFAULT_LIMIT, containing, matching, page_of
from ui_extensions.rehearsal.desk.state import Desk

Answer = Response | tuple[Response, int]


def add_ticket_routes(api: Blueprint, desk: Desk, notice: Callable[[Change], None]) -> None:
    """Add the tickets' own routes to the blueprint; `notice` is told of each change."""

    @api.post("/tickets")
    def new_ticket() -> Answer:
        options, data = asked("expand"), sent_ticket(desk)
        if not g.user.is_agent:
            raise NotSpoken("a ticket made by a customer")
        with desk.writing():
            values = ticket_values(desk, data, g.user, is_new=True)
            article_data = article_values(desk, data["article"]) if data.get("article") else None
            if article_data is not None:
                refuse_time_unit(article_data)
            ticket = rules.create_ticket(desk, values, g.user)
            article = add_article(desk, ticket, article_data, g.user) if article_data else None
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
        options, data = asked("expand", "all"), sent_ticket(desk)
        with desk.writing():
            ticket = the_ticket(desk, key, g.user)
            values = ticket_values(desk, data, g.user, is_new=False)
            article_data = article_values(desk, data["article"]) if data.get("article") else None
            workflows.check(desk, ticket, values, g.user)
            changed = rules.change_ticket(desk, ticket, values, g.user)
            article = add_article(desk, ticket, article_data, g.user) if article_data else None
            notice(Change(ticket=ticket, by=g.user, article=article, changed=frozenset(changed)))
            if article_data is not None:
                refuse_time_unit(article_data)
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


def add_side_routes(api: Blueprint, desk: Desk, staff: Callable[..., Any], notice: Callable[[Change], None]) -> None:
    """Add merges, history, links and tags; `staff` guards what customers are refused by their token."""

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
            entries = link_shapes.links_data(ticket, desk.links_of(ticket.id))
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
        return jsonify(link_shapes.link_data(link)), 201

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
