"""The stand-in's own HTTP server: who may call what and how often, faults, and the verbs of the people's side."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

from flask import Flask, Response, jsonify, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from plugin.testing.standins.telegram.faults import Fault, Faults, Kind
from plugin.testing.standins.x.hooks import PRIVATE, Delivery, Hooks
from plugin.testing.standins.x.limits import Limits
from plugin.testing.standins.x.messages import Messages, Uploads
from plugin.testing.standins.x.misbehaving import after, before
from plugin.testing.standins.x.posts import Posts, check_credit
from plugin.testing.standins.x.reading import check_query, checked, need_type
from plugin.testing.standins.x.refusals import Refused, forbidden, invalid
from plugin.testing.standins.x.shapes import Json, Shapes
from plugin.testing.standins.x.signing_in import Mistake, SigningIn
from plugin.testing.standins.x.world import World

ACCOUNT, CUSTOMER, BYSTANDER = "1111111111111111111", "2222222222222222222", "3333333333333333333"
CLIENT_ID, CLIENT_SECRET = "Y2xpZW50LWlkLW9mLXgtc3RhbmRpbg", "client-secret-of-the-stand-in"
CONSUMER_SECRET, BEARER = "consumer-secret-of-the-stand-in", "AAAAbearer-of-the-stand-in"
CALLBACK = "https://desk.example/oauth/callback"
Do = Callable[..., Json]


class XStandIn:
    """One app's X, with the account, a customer and a bystander in it. A context manager; or `start` and `stop` it.

    `spelling` is how it names things where nobody asked in a spelling of their own. Everything that people do is a verb of `world`.
    """

    def __init__(
        self, *, now: Callable[[], float] = time.time, spelling: str = "tweet", may_be_loopback: bool = True, port: int = 0
    ) -> None:
        self.calls: list[tuple[str, str, Mapping[str, str]]] = []
        """Each call: method, path and query, in order of arrival."""
        self.faults = Faults()
        self.limits = Limits(now=now)
        self.credit: float | None = None
        """What is left to spend in USD; None: enough."""
        self.signing_in = SigningIn(now=now, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, bearer_token=BEARER, callback=CALLBACK)
        self.world = World(now=now, publish=self._publish)
        self.shapes = Shapes(self.world, spelling=spelling)
        self.hooks = Hooks(self.world, self.shapes, CONSUMER_SECRET, may_be_loopback=may_be_loopback)
        self.posts, self.messages = Posts(self.world, self.shapes), Messages(self.world, self.shapes)
        self.uploads = Uploads(self.world)
        self.world.join(ACCOUNT, "ExampleRail", name="Example Rail", followers=5502, is_verified=True)
        self.world.join(CUSTOMER, "lena_marsh", name="Lena Marsh")
        self.world.join(BYSTANDER, "helpful_bot", name="Helpful Bot", followers=3, is_automated=True)
        self._server: BaseWSGIServer = make_server("127.0.0.1", port, self._app(), threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, name="x", daemon=True)
        self.shapes.address = self.url

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen and deliver."""
        self._thread.start()
        self.hooks.start()

    def stop(self) -> None:
        """Stop both; what was said is still there to look at."""
        self.hooks.stop()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The `api_url` for the adapter's settings."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def deliveries(self) -> list[Delivery]:
        """What was POSTed to the webhook."""
        return self.hooks.deliveries

    def arm(self, kind: Kind | str, *, path: str = "", value: float = 0.0, times: int = 1) -> None:
        """Let the next `times` calls whose path ends so (any when empty) go wrong."""
        self.faults.arm(Fault(kind=kind, method=path, value=value, times=times))

    def _publish(self, kind: str, thing: Any) -> None:
        self.hooks.publish(kind, thing)

    def _app(self) -> Flask:
        app = Flask("x-stand-in")
        one, dm = "<one>", "/2/dm_conversations"
        self._as(app, "GET", "/2/users/me", ("users.read", "tweet.read"), self._me)
        self._as(
            app, "POST", "/2/tweets", ("tweet.write", "tweet.read", "users.read"), lambda who: self.posts.create(who, _json()), bills=0.015
        )
        self._as(app, "GET", "/2/tweets", ("tweet.read", "users.read"), lambda who: self.posts.look_up(who, _query()), bills=0.005)
        self._as(app, "DELETE", f"/2/tweets/{one}", ("tweet.write",), self.posts.delete)
        hide = ("tweet.moderate.write", "tweet.read", "users.read")
        self._as(app, "PUT", f"/2/tweets/{one}/hidden", hide, lambda who, one: self.posts.hide(who, one, _json()))
        reads = ("tweet.read", "users.read")
        self._as(app, "GET", f"/2/users/{one}/mentions", reads, lambda _, one: self.posts.mentions(one, _query()), bills=0.001)
        self._as(app, "GET", f"/2/users/{one}/tweets", reads, lambda _, one: self.posts.timeline(one, _query()), bills=0.001)
        self._as(app, "GET", "/2/tweets/search/recent", reads, lambda _: self.posts.search(_query()), bills=0.005)
        private, says = ("dm.read", "tweet.read", "users.read"), ("dm.write", "tweet.read", "users.read")
        self._as(app, "GET", "/2/dm_events", private, lambda who: self.messages.listed(who, _query()), bills=0.01)
        self._as(app, "DELETE", f"/2/dm_events/{one}", ("dm.read", "dm.write"), self.messages.delete)
        by_person, by_name = f"{dm}/with/{one}", f"{dm}/{one}"
        self._as(
            app, "GET", f"{by_person}/dm_events", private, lambda who, one: self.messages.listed(who, _query(), person=one), bills=0.01
        )
        self._as(
            app, "GET", f"{by_name}/dm_events", private, lambda who, one: self.messages.listed(who, _query(), conversation=one), bills=0.01
        )
        self._as(app, "POST", f"{by_person}/messages", says, lambda who, one: self.messages.send_to(who, one, _json()), bills=0.015)
        self._as(app, "POST", f"{by_name}/messages", says, lambda who, one: self.messages.send_in(who, one, _json()), bills=0.015)
        self._as(app, "GET", f"{dm}/media/<message>/{one}/<name>", ("dm.read",), self._private_file)
        up, gives = "/2/media/upload", ("media.write",)
        self._as(app, "POST", up, gives, lambda who: self.uploads.at_once(who, *_form("media_category")))
        self._as(app, "GET", up, gives, lambda who: self.uploads.state(who, _query()))
        self._as(app, "POST", f"{up}/initialize", gives, lambda who: self.uploads.begin(who, _json()))
        self._as(app, "POST", f"{up}/{one}/append", gives, lambda who, one: self.uploads.append(who, one, *_form("segment_index")))
        self._as(app, "POST", f"{up}/{one}/finalize", gives, self.uploads.finish)
        self._as(app, "POST", "/2/media/metadata", gives, lambda who: self.uploads.describe(who, _json()))
        self._as(app, "POST", "/2/activity/subscriptions", (), self._subscribe)
        aaa = f"/2/account_activity/webhooks/{one}/subscriptions/all"
        self._as(app, "POST", aaa, private, self._follow)
        self._as(app, "GET", aaa, private, lambda who, one: {"data": {"subscribed": (one, who) in self.hooks.followed}})
        self._of_app(app, "GET", "/2/webhooks", lambda: _listed([self.hooks.shown(hook) for hook in self.hooks.webhooks.values()]))
        self._of_app(app, "POST", "/2/webhooks", lambda: {"data": self.hooks.create(checked(_json(), {"url!": str})["url"])})
        self._of_app(app, "PUT", f"/2/webhooks/{one}", lambda one: {"data": self.hooks.validate(one)})
        self._of_app(app, "GET", "/2/activity/subscriptions", self._subscriptions)
        app.add_url_rule("/2/oauth2/token", view_func=self._token, methods=["POST"])
        app.add_url_rule("/media/<name>", view_func=self._public_file, methods=["GET"])
        app.register_error_handler(Refused, _refuse)
        app.register_error_handler(404, lambda _: _refuse(Refused(404, "Not Found", "Not Found")))
        app.register_error_handler(405, lambda _: _refuse(Refused(405, "Method Not Allowed", "Method Not Allowed")))
        return app

    def _as(self, app: Flask, method: str, path: str, scopes: tuple[str, ...], do: Callable[..., Any], *, bills: float = 0.0) -> None:
        """A call in an account's name."""

        def view(**found: str) -> Response:
            return self._answered(method, path, lambda: do(self.signing_in.account(_authorization(), *scopes), **found), bills=bills)

        app.add_url_rule(path, f"{method} {path}", view, methods=[method])

    def _of_app(self, app: Flask, method: str, path: str, do: Callable[..., Any]) -> None:
        """A call in the app's name."""

        def act(**found: str) -> Any:
            self.signing_in.app(_authorization())
            return do(**found)

        app.add_url_rule(path, f"{method} {path}", lambda **found: self._answered(method, path, lambda: act(**found)), methods=[method])

    def _answered(self, method: str, path: str, do: Callable[[], Any], *, bills: float = 0.0) -> Response:
        self.calls.append((method, request.path, request.args.to_dict()))
        fault = self.faults.strike(request.path.rpartition("/")[2])
        before(fault)
        headers = self.limits.spend(f"{method} {path}", _authorization())
        check_credit(self.credit if bills else None)
        with self.world.lock:
            told = do()
        if self.credit is not None:
            self.credit -= bills
        after(fault)
        answer = told if isinstance(told, Response) else jsonify(told)
        if method == "POST" and not isinstance(told, Response) and "data" in told and path == "/2/tweets":
            answer.status_code = 201
        answer.headers.update(headers)
        return answer

    def _me(self, account: str) -> Json:
        check_query(_query(), frozenset({"user.fields", "expansions", "tweet.fields", "post.fields"}))
        person = self.world.people[account]
        return {"data": {"id": person.id, "name": person.name, "username": person.handle}}

    def _subscribe(self, account: str) -> Json:
        schema = {"event_type!": str, "filter!": {"user_id": "id", "keyword": str, "direction": str}, "tag": str, "webhook_id!": "id"}
        given = checked(_json(), schema)
        if given["event_type"] in PRIVATE and given["filter"].get("user_id") != account:
            raise forbidden("Private events can only be subscribed to for the authenticated user.")
        return {"data": {"subscription": self.hooks.subscribe(given)}}

    def _subscriptions(self) -> Json:
        check_query(_query(), frozenset({"max_results", "pagination_token"}), most=1000)
        return _listed(list(self.hooks.subscriptions.values()))

    def _follow(self, account: str, one: str) -> Json:
        checked(_json(), {})
        self.hooks.follow(one, account)
        return {"data": {"subscribed": True}}

    def _private_file(self, who: str, message: str, one: str, name: str) -> Response:
        del name
        return Response(self.messages.file(who, message, one), mimetype="application/octet-stream")

    def _public_file(self, name: str) -> Response:
        media = self.world.media.get(name.partition(".")[0])
        if media is None:
            raise Refused(404, "Not Found", "Not Found")
        return Response(media.content, mimetype=media.content_type)

    def _token(self) -> Response:
        self.calls.append(("POST", request.path, {}))
        fault = self.faults.strike("token")
        before(fault)
        need_type(request.mimetype, "application/x-www-form-urlencoded")
        try:
            told = self.signing_in.grant(request.form.to_dict(), _authorization())
        except Mistake as mistake:
            answer = jsonify(mistake.body)
            answer.status_code = mistake.status
            return answer
        after(fault)
        return jsonify(told)


class _Quiet(WSGIRequestHandler):
    """Says nothing on standard error."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the overridden name
        """Nothing."""

    def handle(self) -> None:
        """A caller that has gone is no news."""
        try:
            super().handle()
        except OSError:
            self.close_connection = True


def _authorization() -> str:
    return request.headers.get("Authorization", "")


def _query() -> dict[str, str]:
    return request.args.to_dict()


def _json() -> Any:
    need_type(request.mimetype, "application/json")
    body = request.get_json(silent=True)
    if body is None:
        raise invalid("The request body is no JSON.")
    return body


def _form(field: str) -> tuple[str, bytes]:
    """A multipart form's one field and its file."""
    need_type(request.mimetype, "multipart/form-data")
    if set(request.form) - {field, "additional_owners"} or set(request.files) != {"media"}:
        raise invalid(f"The form has other fields than [{field},media].")
    return request.form.get(field, ""), request.files["media"].read()


def _listed(things: list[Json]) -> Json:
    return {"data": things, "meta": {"result_count": len(things)}}


def _refuse(refusal: Refused) -> Response:
    if refusal.status >= 500:
        answer = Response(f"<html><title>{refusal.status}</title>Over capacity</html>", mimetype="text/html")
    else:
        answer = jsonify(refusal.body)
        answer.headers["Content-Type"] = "application/problem+json"
    answer.status_code = refusal.status
    answer.headers.update(refusal.headers)
    return answer
