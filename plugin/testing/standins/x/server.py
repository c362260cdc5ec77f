"""The stand-in's own HTTP server: who may call what and how often, faults, and the verbs of the people's side."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, request

from plugin.testing.standins.serving import Refusal, StandIn, reply
from plugin.testing.standins.x.hooks import PRIVATE, Delivery, Hooks
from plugin.testing.standins.x.limits import Limits
from plugin.testing.standins.x.messages import Messages, Uploads
from plugin.testing.standins.x.posts import Posts, check_credit
from plugin.testing.standins.x.reading import check_query, checked, need_type
from plugin.testing.standins.x.refusals import Refused, broken, forbidden, invalid
from plugin.testing.standins.x.shapes import Json, Shapes
from plugin.testing.standins.x.signing_in import Mistake, SigningIn
from plugin.testing.standins.x.world import World

ACCOUNT, CUSTOMER, BYSTANDER = "1111111111111111111", "2222222222222222222", "3333333333333333333"
CLIENT_ID, CLIENT_SECRET = "Y2xpZW50LWlkLW9mLXgtc3RhbmRpbg", "client-secret-of-the-stand-in"
CONSUMER_SECRET, BEARER = "consumer-secret-of-the-stand-in", "AAAAbearer-of-the-stand-in"
CALLBACK = "https://desk.example/oauth/callback"
Do = Callable[..., Json]


class XStandIn(StandIn):
    """One app's X, with the account, a customer and a bystander in it. `calls` holds method, path and query of each call.

    `spelling` is how it names things where nobody asked in a spelling of their own. Everything that people do is a verb of `world`.
    """

    def __init__(
        self, *, now: Callable[[], float] = time.time, spelling: str = "tweet", may_be_loopback: bool = True, port: int = 0
    ) -> None:
        super().__init__("x", now=now, port=port)
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
        self.shapes.address = self.url
        self._answer_calls()

    def start(self) -> None:
        """Listen and deliver."""
        super().start()
        self.hooks.start()

    def stop(self) -> None:
        """Stop both; what was said is still there to look at."""
        self.hooks.stop()
        super().stop()

    @property
    def deliveries(self) -> list[Delivery]:
        """What was POSTed to the webhook."""
        return self.hooks.deliveries

    def unknown(self, status: int) -> Refusal:
        """As a problem."""
        title = "Not Found" if status == 404 else "Method Not Allowed"
        return Refused(status, title, title)

    def too_many(self, seconds: float) -> Refusal:
        """X says when it goes on: a moment, in a header."""
        return Refused(429, "Too Many Requests", "Too Many Requests", headers={"x-rate-limit-reset": str(int(seconds))})

    def broken(self, status: int, *, is_done: bool) -> Refusal:
        """See `refusals.broken`."""
        del is_done
        return broken(status)

    def _publish(self, kind: str, thing: Any) -> None:
        self.hooks.publish(kind, thing)

    def _answer_calls(self) -> None:
        one, dm = "<one>", "/2/dm_conversations"
        self._as("GET", "/2/users/me", ("users.read", "tweet.read"), self._me)
        self._as("POST", "/2/tweets", ("tweet.write", "tweet.read", "users.read"), lambda who: self.posts.create(who, _json()), bills=0.015)
        self._as("GET", "/2/tweets", ("tweet.read", "users.read"), lambda who: self.posts.look_up(who, _query()), bills=0.005)
        self._as("DELETE", f"/2/tweets/{one}", ("tweet.write",), self.posts.delete)
        hide = ("tweet.moderate.write", "tweet.read", "users.read")
        self._as("PUT", f"/2/tweets/{one}/hidden", hide, lambda who, one: self.posts.hide(who, one, _json()))
        reads = ("tweet.read", "users.read")
        self._as("GET", f"/2/users/{one}/mentions", reads, lambda _, one: self.posts.mentions(one, _query()), bills=0.001)
        self._as("GET", f"/2/users/{one}/tweets", reads, lambda _, one: self.posts.timeline(one, _query()), bills=0.001)
        self._as("GET", "/2/tweets/search/recent", reads, lambda _: self.posts.search(_query()), bills=0.005)
        private, says = ("dm.read", "tweet.read", "users.read"), ("dm.write", "tweet.read", "users.read")
        self._as("GET", "/2/dm_events", private, lambda who: self.messages.listed(who, _query()), bills=0.01)
        self._as("DELETE", f"/2/dm_events/{one}", ("dm.read", "dm.write"), self.messages.delete)
        by_person, by_name = f"{dm}/with/{one}", f"{dm}/{one}"
        self._as("GET", f"{by_person}/dm_events", private, lambda who, one: self.messages.listed(who, _query(), person=one), bills=0.01)
        self._as("GET", f"{by_name}/dm_events", private, lambda who, one: self.messages.listed(who, _query(), conversation=one), bills=0.01)
        self._as("POST", f"{by_person}/messages", says, lambda who, one: self.messages.send_to(who, one, _json()), bills=0.015)
        self._as("POST", f"{by_name}/messages", says, lambda who, one: self.messages.send_in(who, one, _json()), bills=0.015)
        self._as("GET", f"{dm}/media/<message>/{one}/<name>", ("dm.read",), self._private_file)
        up, gives = "/2/media/upload", ("media.write",)
        self._as("POST", up, gives, lambda who: self.uploads.at_once(who, *_form("media_category")))
        self._as("GET", up, gives, lambda who: self.uploads.state(who, _query()))
        self._as("POST", f"{up}/initialize", gives, lambda who: self.uploads.begin(who, _json()))
        self._as("POST", f"{up}/{one}/append", gives, lambda who, one: self.uploads.append(who, one, *_form("segment_index")))
        self._as("POST", f"{up}/{one}/finalize", gives, self.uploads.finish)
        self._as("POST", "/2/media/metadata", gives, lambda who: self.uploads.describe(who, _json()))
        self._as("POST", "/2/activity/subscriptions", (), self._subscribe)
        aaa = f"/2/account_activity/webhooks/{one}/subscriptions/all"
        self._as("POST", aaa, private, self._follow)
        self._as("GET", aaa, private, lambda who, one: {"data": {"subscribed": (one, who) in self.hooks.followed}})
        self._of_app("GET", "/2/webhooks", lambda: _listed([self.hooks.shown(hook) for hook in self.hooks.webhooks.values()]))
        self._of_app("POST", "/2/webhooks", lambda: {"data": self.hooks.create(checked(_json(), {"url!": str})["url"])})
        self._of_app("PUT", f"/2/webhooks/{one}", lambda one: {"data": self.hooks.validate(one)})
        again = {"webhook_id!": str, "from_date!": str, "to_date!": str}
        self._of_app("POST", "/2/webhooks/replay", lambda: {"data": self.hooks.replay(checked(_json(), again))})
        self._of_app("GET", "/2/activity/subscriptions", self._subscriptions)
        self.app.add_url_rule("/2/oauth2/token", view_func=self._token, methods=["POST"])
        self.app.add_url_rule("/media/<name>", view_func=self._public_file, methods=["GET"])

    def _as(self, method: str, path: str, scopes: tuple[str, ...], do: Callable[..., Any], *, bills: float = 0.0) -> None:
        """A call in an account's name."""

        def view(**found: str) -> Response:
            return self._answered(method, path, lambda: do(self.signing_in.account(_authorization(), *scopes), **found), bills=bills)

        self.app.add_url_rule(path, f"{method} {path}", view, methods=[method])

    def _of_app(self, method: str, path: str, do: Callable[..., Any]) -> None:
        """A call in the app's name."""

        def act(**found: str) -> Any:
            self.signing_in.app(_authorization())
            return do(**found)

        self.app.add_url_rule(
            path, f"{method} {path}", lambda **found: self._answered(method, path, lambda: act(**found)), methods=[method]
        )

    def _answered(self, method: str, path: str, do: Callable[[], Any], *, bills: float = 0.0) -> Response:
        self.calls.append((method, request.path, request.args.to_dict()))
        told, headers = self.struck(request.path.rpartition("/")[2], lambda: self._billed(f"{method} {path}", do, bills))
        is_new_post = method == "POST" and path == "/2/tweets" and not isinstance(told, Response) and "data" in told
        return reply(told, 201 if is_new_post else 200, headers)

    def _billed(self, call: str, do: Callable[[], Any], bills: float) -> tuple[Any, Mapping[str, str]]:
        """What a call that may be made and is paid for brings, and what its limits say now."""
        headers = self.limits.spend(call, _authorization())
        check_credit(self.credit if bills else None)
        with self.world.lock:
            told = do()
        if self.credit is not None:
            self.credit -= bills
        return told, headers

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
        need_type(request.mimetype, "application/x-www-form-urlencoded")
        try:
            return reply(self.struck("token", lambda: self.signing_in.grant(request.form.to_dict(), _authorization())))
        except Mistake as mistake:
            return reply(mistake.body, mistake.status)


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
