"""The stand-in's own HTTP server: tokens, proofs, content types, faults, the app's own edges, and the people's side for other processes."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import re
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, jsonify, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from plugin.testing.standins.graph.app import Edges
from plugin.testing.standins.graph.calls import Call, Upload
from plugin.testing.standins.graph.nodes import Nodes
from plugin.testing.standins.graph.people import VERBS, People
from plugin.testing.standins.graph.pump import Pump
from plugin.testing.standins.graph.refusals import Refused, invalid, missing
from plugin.testing.standins.graph.whatsapp import WhatsApp
from plugin.testing.standins.graph.world import APP, Comment, Json, Message, World
from plugin.testing.standins.telegram.faults import Fault, Faults, Kind

TOKEN = "EAABsbCS1iHgBAKq7ZCx0ZB4standin0token0ZAhT2rXw"
SECRET = "5f2c9e0b7a4d41d6a8e3b1c09d7f6e25"
_JSON, _FORM, _MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
_Method = tuple[str, str, Callable[[Call], Json], str, str, str]


class GraphStandIn:
    """One app's Graph. Use it as a context manager. `pace` scales the webhooks' waits, `now` is the clock that dates and shuts windows.

    Besides the people's verbs (`people.VERBS`): `arm`, `revoke_token`, `reset_secret`, `wait_idle`, and looks at `calls`, `deliveries`.
    """

    def __init__(self, *, now: Callable[[], float] = time.time, pace: float = 1.0, port: int = 0) -> None:
        self.token, self.secret = TOKEN, SECRET
        self.calls: list[tuple[str, str, Json]] = []
        """Method, path and body of each call that passed the checks of token and proof."""
        self.faults = Faults()
        self.is_revoked = False
        self.world = World(now=now, publish=self._publish)
        self.people = People(self.world)
        self.nodes, self.whatsapp = Nodes(self.world, self.people), WhatsApp(self.world, self.people)
        self.edges = Edges(self.world, token=lambda: self.token, is_valid=lambda: not self.is_revoked, shake=_shake)
        self.pump = Pump(now=now, secret=lambda: self.secret, address=self.edges.address, pace=pace)
        self._methods: list[_Method] = [*self._pages(), *self._numbers(), *self.edges.methods()]
        self._server: BaseWSGIServer = make_server("127.0.0.1", port, self._app(), threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="graph", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.pump.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.pump.stop()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __getattr__(self, name: str) -> Any:
        if name in VERBS:
            return getattr(self.people, name)
        raise AttributeError(name)

    @property
    def url(self) -> str:
        """The `graph_url` for an adapter's settings."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def comments(self, *, ours: bool | None = None) -> list[Comment]:
        """What stands in public."""
        return [one for one in self.world.comments.values() if ours is None or one.is_ours is ours]

    def messages(self, *, ours: bool | None = None) -> list[Message]:
        """What was said in private."""
        return [one for one in self.world.messages if ours is None or one.is_ours is ours]

    def arm(self, kind: Kind | str, *, method: str = "", value: float = 0.0, times: int = 1) -> None:
        """Let the next calls whose path ends in `method` go wrong."""
        self.faults.arm(Fault(kind=kind, method=method, value=value, times=times))

    def revoke_token(self, *, is_revoked: bool = True) -> None:
        """The token is (no longer) refused."""
        self.is_revoked = is_revoked

    def reset_secret(self, secret: str) -> None:
        """Sign and check with another secret from now on."""
        self.secret = secret

    def _pages(self) -> list[_Method]:
        node, sending = self.nodes, "recipient message messaging_type tag reply_to sender_action"
        return [
            ("POST", r"/(\d+_\d+)/comments", node.comment, "", "message", "source"),
            ("POST", r"/(\d+_\d+|1787\d+)", node.change_comment, "", "message is_hidden hide", ""),
            ("DELETE", r"/(\d+_\d+|1787\d+)", node.delete_comment, "", "", ""),
            ("GET", r"/(\d+_\d+|1787\d+)", node.read_node, "fields", "", ""),
            ("POST", r"/(1787\d+)/replies", node.reply, "", "message", ""),
            ("POST", r"/17841400000000042/mentions", node.mention, "", "media_id comment_id message", ""),
            ("POST", r"/103900011122233/message_attachments", node.attach, "", "message platform", "filedata"),
            ("POST", r"/103900011122233/messages", node.send, "", sending, ""),
            ("GET", r"/103900011122233/conversations", node.conversations, "platform fields limit after", "", ""),
            ("GET", r"/103900011122233/feed", node.feed, "fields limit after", "", ""),
            ("GET", r"/17841400000000042/media", node.media, "fields limit after", "", ""),
        ]

    def _numbers(self) -> list[_Method]:
        known = "messaging_product recipient_type to recipient type context biz_opaque_callback_data status message_id"
        kinds = "text image video audio document template"
        return [
            ("POST", r"/106540352242922/messages", self.whatsapp.send, "", f"{known} {kinds}", ""),
            ("POST", r"/106540352242922/media", self.whatsapp.upload, "", "messaging_product type", "file"),
            ("GET", r"/(4490\d+)", self.whatsapp.describe, "phone_number_id", "", ""),
        ]

    def _publish(self, subject: str, kind: str, value: Json) -> None:
        self.pump.add(subject, kind, value)

    def _app(self) -> Flask:
        app = Flask("graph-stand-in")
        app.add_url_rule("/<version>/<path:path>", view_func=self._graph, methods=["GET", "POST", "DELETE"])
        app.add_url_rule("/cdn/<key>", view_func=self._cdn, methods=["GET"])
        app.add_url_rule("/control/<verb>", view_func=self._control, methods=["POST"])
        app.register_error_handler(Refused, _refuse)
        app.register_error_handler(404, lambda _: _refuse(missing(request.path)))
        return app

    def _graph(self, version: str, path: str) -> Response:
        if re.fullmatch(r"v\d+\.\d", version) is None:
            raise Refused(2500, "Unknown path components")
        if path != "oauth/access_token":
            self._check_credentials()
        found = next(
            ((one, match) for one in self._methods if one[0] == request.method and (match := re.fullmatch(one[1], f"/{path}"))), None
        )
        if found is None:
            raise Refused(100, f"Unsupported {request.method.lower()} request", subcode=33)
        (_, _, do, params, body, files), match = found
        call = Call(
            method=request.method, path=f"/{path}", params=request.args, body=_body(), files=_files(), ids=match.groups(), host=self.url
        )
        self.calls.append((request.method, f"/{path}", call.body))
        call.check(params, body, files)
        fault = self.faults.strike(path.rpartition("/")[2])
        _before(fault)
        with self.world.lock:
            result = do(call)
        _after(fault)
        return jsonify(result)

    def _check_credentials(self) -> None:
        bearer = request.headers.get("Authorization", "")
        token = bearer.removeprefix("Bearer ")
        if not bearer.startswith("Bearer ") or token not in (self.token, f"{APP}|{self.secret}", *self.edges.user_tokens):
            raise Refused(190, "Invalid OAuth access token - Cannot parse access token", status=401)
        if token == self.token and self.is_revoked:
            raise Refused(190, "Error validating access token: The session has been invalidated", subcode=460, status=401)
        proof = hmac.new(self.secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        given = request.args.get("appsecret_proof")
        if given is None:
            raise Refused(100, "API calls from the server require an appsecret_proof argument")
        if given != proof:
            raise Refused(100, "Invalid appsecret_proof provided in the API argument")

    def _cdn(self, key: str) -> Response:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return Response("", status=401)
        content = self.whatsapp.content(key)
        return Response("URL expired", status=404) if content is None else Response(content, mimetype="application/octet-stream")

    def _control(self, verb: str) -> Response:
        given = request.get_json()
        if verb in VERBS:
            return jsonify(getattr(self.people, verb)(**given))
        if verb not in ("arm", "revoke_token", "reset_secret"):
            raise invalid("There is no such verb")
        return jsonify(getattr(self, verb)(**given))


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


def _body() -> Json:
    if request.method != "POST":
        return {}
    if request.mimetype == _JSON:
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            raise invalid("The body is no JSON object")
        return body
    if request.mimetype not in (_FORM, _MULTIPART):
        raise invalid(f"Content type {request.mimetype or 'none'} is not taken")
    return dict(request.form)


def _files() -> dict[str, Upload]:
    return {
        name: Upload(filename=file.filename or "", content_type=file.mimetype, content=file.read()) for name, file in request.files.items()
    }


def _refuse(refusal: Refused) -> Response:
    answer = jsonify(refusal.body)
    answer.status_code = refusal.status
    if refusal.retry_after is not None:
        answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer


def _before(fault: Fault | None) -> None:
    if fault is None:
        return
    if fault.kind is Kind.RATE_LIMIT:
        raise Refused(613, "Calls to this api have exceeded the rate limit.", retry_after=int(fault.value))
    if fault.kind is Kind.ERROR_BEFORE:
        raise Refused(2, "Service temporarily unavailable", status=int(fault.value))
    if fault.kind is Kind.DROP_BEFORE:
        _cut()
    if fault.kind is Kind.STALL_BEFORE:
        time.sleep(fault.value)


def _after(fault: Fault | None) -> None:
    if fault is None:
        return
    if fault.kind is Kind.ERROR_AFTER:
        raise Refused(1, "An unknown error has occurred.", subcode=1357046, status=int(fault.value))
    if fault.kind is Kind.DROP_AFTER:
        _cut()
    if fault.kind is Kind.STALL_AFTER:
        time.sleep(fault.value)


def _cut() -> None:
    """End the caller's connection without an answer."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise Refused(2, "nobody hears this")


def _shake(url: str, verify_token: str) -> bool:
    """Ask a new webhook address for the challenge; whether it gave it back."""
    parts, challenge = urlsplit(url), "1158201444"
    query = urlencode({"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token})
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
    try:
        connection.request("GET", f"{parts.path}?{query}")
        answer = connection.getresponse()
        return answer.status == 200 and answer.read() == challenge.encode()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
