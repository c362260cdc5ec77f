"""The stand-in's own HTTP server: tokens, proofs, content types, faults, the app's own edges, and the people's side for other processes."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Response, jsonify, request

from plugin.testing.standins.graph.app import Edges
from plugin.testing.standins.graph.calls import Call, Upload
from plugin.testing.standins.graph.nodes import Nodes
from plugin.testing.standins.graph.people import VERBS, People
from plugin.testing.standins.graph.pump import Pump
from plugin.testing.standins.graph.refusals import Refused, invalid, missing
from plugin.testing.standins.graph.whatsapp import WhatsApp
from plugin.testing.standins.graph.world import APP, Comment, Json, Message, World
from plugin.testing.standins.serving import Refusal, StandIn

TOKEN = "EAABsbCS1iHgBAKq7ZCx0ZB4standin0token0ZAhT2rXw"
SECRET = "5f2c9e0b7a4d41d6a8e3b1c09d7f6e25"
_JSON, _FORM, _MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
_Method = tuple[str, str, Callable[[Call], Json], str, str, str]


class GraphStandIn(StandIn):
    """One app's Graph. `pace` scales the webhooks' waits, `now` is the clock that dates and shuts windows.

    `calls` holds method, path and body of each call that passed the checks of token and proof.
    Besides the people's verbs (`people.VERBS`): `arm`, `revoke_token`, `reset_secret`, `wait_idle`, and looks at `calls`, `deliveries`.
    """

    def __init__(self, *, now: Callable[[], float] = time.time, pace: float = 1.0, port: int = 0) -> None:
        super().__init__("graph", now=now, port=port)
        self.token, self.secret = TOKEN, SECRET
        self.is_revoked = False
        self.world = World(now=now, publish=self._publish)
        self.people = People(self.world)
        self.nodes, self.whatsapp = Nodes(self.world, self.people), WhatsApp(self.world, self.people)
        self.edges = Edges(self.world, token=lambda: self.token, is_valid=lambda: not self.is_revoked, shake=_shake)
        self.pump = Pump(now=now, secret=lambda: self.secret, address=self.edges.address, pace=pace)
        self._methods: list[_Method] = [*self._pages(), *self._numbers(), *self.edges.methods()]
        self.app.add_url_rule("/<version>/<path:path>", view_func=self._graph, methods=["GET", "POST", "DELETE"])
        self.app.add_url_rule("/cdn/<key>", view_func=self._cdn, methods=["GET"])
        self.app.add_url_rule("/control/<verb>", view_func=self._control, methods=["POST"])

    def start(self) -> None:
        """Listen and deliver."""
        super().start()
        self.pump.start()

    def stop(self) -> None:
        """Stop both; what was said is still there to look at."""
        self.pump.stop()
        super().stop()

    def __getattr__(self, name: str) -> Any:
        if name in VERBS:
            return getattr(self.people, name)
        raise AttributeError(name)

    def comments(self, *, ours: bool | None = None) -> list[Comment]:
        """What stands in public."""
        return [one for one in self.world.comments.values() if ours is None or one.is_ours is ours]

    def messages(self, *, ours: bool | None = None) -> list[Message]:
        """What was said in private."""
        return [one for one in self.world.messages if ours is None or one.is_ours is ours]

    def unknown(self, status: int) -> Refusal:
        """Graph has objects, and no pages."""
        del status
        return missing(request.path)

    def too_many(self, seconds: float) -> Refusal:
        """613, and for how long in a header."""
        return Refused(613, "Calls to this api have exceeded the rate limit.", retry_after=int(seconds))

    def broken(self, status: int, *, is_done: bool) -> Refusal:
        """1 and 2: neither says whether it was applied."""
        if is_done:
            return Refused(1, "An unknown error has occurred.", subcode=1357046, status=status)
        return Refused(2, "Service temporarily unavailable", status=status)

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
            ("GET", r"/(55\d+)", node.person, "fields", "", ""),
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
        kinds = "text image video audio document interactive template"
        return [
            ("POST", r"/106540352242922/messages", self.whatsapp.send, "", f"{known} {kinds}", ""),
            ("POST", r"/106540352242922/media", self.whatsapp.upload, "", "messaging_product type", "file"),
            ("GET", r"/(4490\d+)", self.whatsapp.describe, "phone_number_id", "", ""),
        ]

    def _publish(self, subject: str, kind: str, value: Json) -> None:
        self.pump.add(subject, kind, value)

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

        def act() -> Json:
            with self.world.lock:
                return do(call)

        return jsonify(self.struck(path.rpartition("/")[2], act))

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
