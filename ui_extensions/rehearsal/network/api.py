"""The practice network's API, as strict as a good platform's: bearer tokens, closed schemas, one form of error.

It is described in the README of the adapter that speaks it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from ui_extensions.rehearsal import web
from ui_extensions.rehearsal.network import schema, wire
from ui_extensions.rehearsal.network.model import Kind, Refused, User
from ui_extensions.rehearsal.network.state import Network
from ui_extensions.rehearsal.network.webhooks import Pump

JSON_BYTES = 64 * 1024
View = Callable[..., Any]


def build(network: Network, pump: Pump) -> Blueprint:
    """The routes under `/api/v1`."""
    api = Blueprint("api", __name__, url_prefix="/api/v1")
    api.register_error_handler(Refused, refusal)

    def signed_in(view: View) -> View:
        @wraps(view)
        def run(**arguments: Any) -> Any:
            return view(_account(network), **arguments)

        return run

    def company_only(view: View) -> View:
        @wraps(view)
        def run(**arguments: Any) -> Any:
            me = _account(network)
            if not me.is_company:
                raise Refused(403, "forbidden", "Only the company's account may do this.")
            return view(me, **arguments)

        return run

    @api.get("/account")
    @signed_in
    def account(me: User) -> Any:
        return wire.user(me)

    @api.get("/users/<user_id>")
    @signed_in
    def someone(_me: User, user_id: str) -> Any:
        return wire.user(network.user(user_id))

    @api.post("/posts")
    @signed_in
    def publish(me: User) -> Any:
        return network.wire(network.publish(me, **schema.read(schema.NewPost, json_body()))), 201

    @api.post("/messages")
    @signed_in
    def send(me: User) -> Any:
        return network.wire(network.publish(me, kind=Kind.MESSAGE, **schema.read(schema.NewMessage, json_body()))), 201

    @api.get("/<any(posts, messages):plural>")
    @signed_in
    def find(me: User, plural: str) -> Any:
        query = schema.read(schema.FindQuery, request.args.to_dict())
        return {plural: [network.wire(post) for post in network.find(me, query["client_ref"], kind=_kind(plural))]}

    @api.get("/<any(posts, messages):plural>/<post_id>")
    @signed_in
    def read(me: User, plural: str, post_id: str) -> Any:
        return network.wire(network.post(post_id, kind=_kind(plural), reader=me))

    @api.patch("/<any(posts, messages):plural>/<post_id>")
    @signed_in
    def edit(me: User, plural: str, post_id: str) -> Any:
        change = schema.read(schema.ChangedPost, json_body())
        return network.wire(network.edit(me, post_id, kind=_kind(plural), **change))

    @api.delete("/<any(posts, messages):plural>/<post_id>")
    @signed_in
    def delete(me: User, plural: str, post_id: str) -> Any:
        network.delete(me, post_id, kind=_kind(plural))
        return "", 204

    @api.post("/media")
    @signed_in
    def upload(me: User) -> Any:
        if set(request.files) != {"file"} or set(request.form) - {"description"} or len(request.files.getlist("file")) != 1:
            raise Refused(422, "invalid", "An upload is one multipart part called file, and may have a description.")
        file = request.files["file"]
        media = network.upload(me, file.filename or "", file.mimetype, file.read(), description=request.form.get("description", ""))
        return wire.media(media), 201

    @api.get("/media/<media_id>")
    @signed_in
    def fetch(me: User, media_id: str) -> Any:
        media, content = network.media(media_id, reader=me)
        return web.file_answer(content, content_type=media.content_type, filename=media.filename)

    @api.get("/events")
    @company_only
    def events(me: User) -> Any:
        query = schema.read(schema.EventsQuery, request.args.to_dict())
        found, cursor, has_more = network.events_after(query["after"], query["limit"])
        return {"account": {"id": me.user_id}, "events": [event.body for event in found], "next": cursor, "has_more": has_more}

    @api.get("/webhook")
    @company_only
    def webhook(_me: User) -> Any:
        return {"url": network.webhook[0], **pump.tally()}

    @api.put("/webhook")
    @company_only
    def set_webhook(_me: User) -> Any:
        wanted = schema.read(schema.Webhook, json_body())
        network.set_webhook(wanted["url"], wanted["secret"])
        return {"url": network.webhook[0], **pump.tally()}

    @api.delete("/webhook")
    @company_only
    def remove_webhook(_me: User) -> Any:
        network.set_webhook("", "")
        return "", 204

    return api


def refusal(refused: Refused) -> Response:
    """The one form of error: `{"error": {"code": ..., "message": ...}}`."""
    answer = jsonify(error={"code": refused.code, "message": refused.message})
    answer.status_code = refused.status
    return answer


def unrouted(problem: HTTPException) -> Response:
    """The same form for what Flask itself refuses (no such route, wrong method, too big)."""
    codes = {404: "route_unknown", 405: "method_not_allowed", 413: "too_big"}
    status = problem.code or 500
    return refusal(Refused(status, codes.get(status, "refused"), problem.description or problem.name))


def _account(network: Network) -> User:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    user = network.user_of_token(token.strip()) if scheme.lower() == "bearer" else None
    if user is None:
        raise Refused(401, "token_invalid", "Sign in with Authorization: Bearer and an account's token.")
    return user


def json_body() -> Any:
    """The JSON object that was sent.

    Raises:
        Refused: there is none.
    """
    if request.mimetype != "application/json":
        raise Refused(415, "json_expected", "Send application/json.")
    if (request.content_length or 0) > JSON_BYTES:
        raise Refused(413, "too_big", f"A JSON body has at most {JSON_BYTES // 1024} KB.")
    data = request.get_json(silent=True)
    if not isinstance(data, dict):
        raise Refused(400, "json_invalid", "The body is not a JSON object.")
    return data


def _kind(plural: str) -> Kind:
    return Kind(plural.removesuffix("s"))
