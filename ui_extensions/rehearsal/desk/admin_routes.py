"""The desk's routes for administrators: what is listed, made, changed and deleted while a helpdesk is set up."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, g, jsonify

from ui_extensions.rehearsal.desk import attributes, shapes
from ui_extensions.rehearsal.desk.admin_objects import KINDS, Kind, refuse_deletion
from ui_extensions.rehearsal.desk.asking import asked, refuse_unless, sent, the_row
from ui_extensions.rehearsal.desk.refusals import NotSpoken, Refused
from ui_extensions.rehearsal.desk.rows import STATES, AdminObject, Group, Ticket
from ui_extensions.rehearsal.desk.rules import add_group
from ui_extensions.rehearsal.desk.state import Desk, later
from ui_extensions.rehearsal.desk.webhooks import Webhooks

Answer = Response | tuple[Response, int]
_STAFF = "Not authorized (token)!"
_ATTRIBUTE_KEYS = frozenset(("name", "object", "display", "active", "position", "data_type", "data_option", "screens"))
_GROUP_KEYS = frozenset(("name", "active", "note", "follow_up_possible", "email_address_id"))
_PER_PAGE = 500


def add_admin_routes(api: Blueprint, desk: Desk, webhooks: Webhooks) -> None:
    """Add them to the blueprint."""
    for route, kind in KINDS.items():
        _add_kind(api, desk, route, kind)
    _add_attributes(api, desk)
    _add_groups(api, desk)

    @api.get("/ticket_states")
    def states() -> Answer:
        _enter()
        return jsonify([{"id": key, "name": name, "active": True} for key, name in STATES.items()])

    @api.get("/http_logs/webhook")
    def log() -> Answer:
        options = asked("limit")
        refuse_unless(g.user.is_admin, _STAFF)
        attempts = list(webhooks.log)[::-1][: int(options.get("limit", 50))]
        rows = [
            {
                "id": len(attempts) - at,
                "direction": "out",
                "facility": "webhook",
                "method": "POST",
                "url": attempt.url,
                "status": str(attempt.status or ""),
                "ip": None,
                "request": {
                    "content": f"x-zammad-trigger: {attempt.trigger}\n\n{attempt.content}",
                    "content_type": "application/json; charset=utf-8",
                },
                "response": {"code": attempt.status, "content": ""},
                "created_at": attempt.at,
            }
            for at, attempt in enumerate(attempts)
        ]
        return jsonify(rows)


def _enter(*allowed: str) -> dict[str, str]:
    options = asked(*allowed)
    refuse_unless(g.user.is_admin, _STAFF)
    return options


def _add_kind(api: Blueprint, desk: Desk, route: str, kind: Kind) -> None:
    def show(row: AdminObject) -> dict[str, Any]:
        link = {"link": re.sub(r"[^a-z0-9]+", "_", row.data["name"].lower()).strip("_")} if route == "overviews" else {}
        count = {"count": sum(row.data["name"] in ticket.tags for ticket in desk.all(Ticket))} if route == "tag_list" else {}
        return {"id": row.id, **link, **count, **row.data}

    def listed() -> Answer:
        options = _enter("page", "per_page")
        start = (int(options.get("page", 1)) - 1) * _PER_PAGE
        return jsonify([show(row) for row in desk.admin_objects(route)[start : start + _PER_PAGE]])

    def made() -> Answer:
        _enter()
        data = sent(frozenset(kind.keys))
        with desk.writing():
            whole = {**kind.keys, **data}
            kind.refuse(desk, whole)
            _refuse_twins(desk.admin_objects(route), whole)
            now, by = later(), {"updated_by_id": g.user.id, "created_by_id": g.user.id}
            row = AdminObject(
                id=desk.new_id(AdminObject), kind=route, data={**whole, **kind.extra, **by, "created_at": now, "updated_at": now}
            )
            desk.put(row)
        return jsonify({} if route == "tag_list" else show(row)), kind.made

    def changed(key: int) -> Answer:
        _enter()
        data = sent(frozenset(kind.keys))
        with desk.writing():
            row = _the_object(desk, route, key)
            kind.refuse(desk, {**row.data, **data})
            row.data = {**row.data, **data, "updated_by_id": g.user.id, "updated_at": later(row.data["updated_at"])}
            desk.put(row)
        return jsonify(show(row))

    def deleted(key: int) -> Answer:
        _enter()
        sent(frozenset())
        with desk.writing():
            row = _the_object(desk, route, key)
            refuse_deletion(desk, row)
            desk.remove(row)
        return jsonify({})

    views: Mapping[str, tuple[str, Callable[..., Answer]]] = {
        "list": ("GET", listed),
        "make": ("POST", made),
        "change": ("PUT", changed),
        "delete": ("DELETE", deleted),
    }
    for name, (method, view) in views.items():
        path = f"/{route}/<int:key>" if name in ("change", "delete") else f"/{route}"
        api.add_url_rule(path, f"{name}_{route}", view, methods=[method])


def _add_attributes(api: Blueprint, desk: Desk) -> None:
    path = "/object_manager_attributes"

    @api.get(path)
    def attribute_list() -> Answer:
        _enter("page", "per_page")
        return jsonify([attributes.shown(row, in_list=True) for row in desk.admin_objects(attributes.KIND)])

    @api.post(path)
    def new_attribute() -> Answer:
        _enter()
        data = sent(_ATTRIBUTE_KEYS)
        with desk.writing():
            return jsonify(attributes.shown(attributes.add(desk, data, g.user.id), in_list=False)), 201

    @api.put(f"{path}/<int:key>")
    def change_attribute(key: int) -> Answer:
        _enter()
        data = sent(_ATTRIBUTE_KEYS)
        with desk.writing():
            row = _the_object(desk, attributes.KIND, key)
            if data.keys() != _ATTRIBUTE_KEYS:
                raise NotSpoken("a change of an attribute that does not name it whole")
            attributes.change(desk, row, data)
            return jsonify(attributes.shown(row, in_list=False))

    @api.delete(f"{path}/<int:key>")
    def delete_attribute(key: int) -> Answer:
        _enter()
        row = desk.get(AdminObject, key)
        if row is None or row.kind != attributes.KIND:
            raise Refused(422, f"Couldn't find ObjectManager::Attribute with 'id'={key}")
        name = f"{row.data['owner'].lower()}.{row.data['name']}"
        used = [
            other
            for other in desk.all(AdminObject)
            if other.kind in ("triggers", "overviews", "jobs", "slas") and name in other.data["condition"]
        ]
        if used:
            raise Refused(
                422,
                f"{row.data['owner']}.{row.data['name']} is referenced by {used[0].kind}: {used[0].data['name']} and thus cannot be deleted!",
            )
        with desk.writing():
            attributes.delete(desk, row)
        return jsonify({})

    @api.post(f"{path}_execute_migrations")
    def execute_migrations() -> Answer:
        _enter()
        with desk.writing():
            attributes.migrate(desk)
        return jsonify({})


def _add_groups(api: Blueprint, desk: Desk) -> None:
    @api.get("/groups")
    def group_list() -> Answer:
        _enter("page", "per_page")
        return jsonify([shapes.group_data(group) for group in desk.all(Group)])

    @api.post("/groups")
    def new_group() -> Answer:
        _enter()
        data = sent(_GROUP_KEYS)
        if data.get("email_address_id"):
            raise NotSpoken("a group with an e-mail address")
        with desk.writing():
            if desk.group_called(data["name"]) is not None:
                raise NotSpoken("a second group of this name")
            group = add_group(desk, data["name"])
            group.note, group.follow_up_possible = data.get("note"), data.get("follow_up_possible", "yes")
            desk.put(group)
        return jsonify(shapes.group_data(group)), 201

    @api.put("/groups/<int:key>")
    def change_group(key: int) -> Answer:
        _enter()
        data = sent(_GROUP_KEYS)
        with desk.writing():
            group = the_row(desk, Group, key)
            group.active, group.note = data.get("active", group.active), data.get("note", group.note)
            desk.put(group)
        return jsonify(shapes.group_data(group))

    @api.delete("/groups/<int:key>")
    def delete_group(key: int) -> Answer:
        _enter()
        group = the_row(desk, Group, key)
        if any(ticket.group_id == key for ticket in desk.all(Ticket)):
            raise Refused(422, "Can't delete, object has references.")
        with desk.writing():
            desk.remove(group)
        return jsonify({})


def _the_object(desk: Desk, route: str, key: int) -> AdminObject:
    row = desk.get(AdminObject, key)
    if row is None or row.kind != route:
        raise Refused(404, f"Couldn't find {route} with 'id'={key}")
    return row


def _refuse_twins(rows: list[AdminObject], data: Mapping[str, Any]) -> None:
    """Zammad keeps two of one name for most kinds; whoever asks for that here made a mistake."""
    if any(row.data["name"] == data["name"] for row in rows):
        raise NotSpoken(f"a second object called {data['name']}")
