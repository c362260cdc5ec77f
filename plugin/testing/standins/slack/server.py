"""The stand-in's HTTP: tokens, content types, scopes, faults, uploads, downloads; and the people's side of the workspace."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any, Self

from flask import Flask, Response, jsonify, request

from plugin.contracts.http import WebhookRequest
from plugin.testing.standins.serving import Json, Server, Struck, unknown_fields
from plugin.testing.standins.slack.methods import Method, Methods
from plugin.testing.standins.slack.world import APP, TEAM, Refused, Room, Stored, Workspace
from plugin.testing.standins.telegram.faults import Kind

TOKEN = "xoxb-1234567890-0987654321-AbCdEfGhIjKlMnOpQrStUvWx"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SCOPES = frozenset({
    "channels:history", "channels:read", "chat:write", "files:read", "files:write", "groups:history", "groups:read", "im:history", "im:read",
    "mpim:history", "mpim:read", "reactions:read", "users:read",
})  # fmt: skip
_FORM = "application/x-www-form-urlencoded"

__all__ = ["APP", "SECRET", "TOKEN", "SlackStandIn"]


class SlackStandIn:
    """One workspace with one app. `events` holds what was told, oldest first, each signed as a request."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self.token, self.secret = TOKEN, SECRET
        self.scopes = set(SCOPES)
        self.is_revoked = False
        self.calls: list[tuple[str, Json]] = []
        self.events: list[WebhookRequest] = []
        self._now = now
        self.world = Workspace(now=now, tell=lambda event: self.events.append(self.signed(self._envelope(event))))
        self._methods = Methods(self.world, has=lambda scope: scope in self.scopes, host=lambda: self._server.url)
        self._server = Server(self._app())
        self.arm = self._server.arm

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    @property
    def url(self) -> str:
        """The `api_url` for an adapter's settings."""
        return f"{self._server.url}/api"

    def opens(self, channel: str, kind: str, **changes: Any) -> Room:
        """There is a room."""
        return self.world.rooms.setdefault(channel, Room(kind=kind, **changes))

    def knows(self, user: str, **profile: Any) -> None:
        """There is a person, as `users.info` shows them."""
        self.world.people[user] = {"id": user, "team_id": TEAM, **profile}

    def says(self, channel: str, user: str, text: str, **fields: Any) -> str:
        """Somebody says something; its time stamp. A room that is not there is opened by the first letter of its id."""
        self.opens(channel, {"D": "im", "G": "group"}.get(channel[0], "channel"))
        with self.world.lock:
            message = {"type": "message", "user": user, "text": text, "ts": self.world.stamp(), "team": TEAM, **fields}
            return str(self.world.add(channel, message)["ts"])

    def sends_file(self, channel: str, user: str, name: str, content: bytes, content_type: str = "image/png") -> str:
        """Somebody sends a file; the message's time stamp."""
        file_id = self.world.file_id()
        about = {"id": file_id, "name": name, "mimetype": content_type, "mode": "hosted", "size": len(content)}
        about["url_private_download"] = f"{self._server.url}/files/{file_id}"
        self.world.files[file_id] = Stored(about=about, content=content, length=len(content), is_complete=True, is_shared=True)
        return self.says(channel, user, "", subtype="file_share", files=[about])

    def edits(self, channel: str, ts: str, text: str) -> None:
        """Its author changes a message."""
        user = self.world.rooms[channel].messages[ts]["user"]
        self.world.change(channel, ts, {"text": text, "edited": {"user": user, "ts": self.world.stamp()}})

    def deletes(self, channel: str, ts: str) -> None:
        """Its author, or an admin, deletes a message."""
        self.world.remove(channel, ts)

    def said_by_bot(self, channel: str) -> list[Json]:
        """What our app said in a room."""
        return [one for one in self.world.rooms[channel].messages.values() if one.get("app_id") == APP]

    def signed(self, body: Any, *, at: float | None = None) -> WebhookRequest:
        """`body` as Slack would send it now, or at another time."""
        raw, stamp = json.dumps(body).encode(), str(int(self._now() if at is None else at))
        signature = hmac.new(self.secret.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/json",
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": f"v0={signature}",
        }
        return WebhookRequest(method="POST", path="", headers=headers, query={}, body=raw)

    def _envelope(self, event: Json) -> Json:
        number = f"{len(self.events):08d}"
        return {
            "type": "event_callback",
            "team_id": TEAM,
            "api_app_id": APP,
            "event": event,
            "event_id": f"Ev{number}",
            "event_time": int(self._now()),
        }

    def _app(self) -> Flask:
        app = Flask("slack-stand-in")
        app.add_url_rule("/api/<method>", view_func=self._call, methods=["GET", "POST"])
        app.add_url_rule("/upload/<file_id>", view_func=self._upload, methods=["POST"])
        app.add_url_rule("/files/<file_id>", view_func=self._download, methods=["GET"])
        app.register_error_handler(Refused, lambda refused: jsonify(refused.body))
        app.register_error_handler(Struck, _struck)
        return app

    def _call(self, method: str) -> Response:
        found = self._methods.by_name.get(method)
        if found is None:
            raise Refused("unknown_method")
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise Refused("invalid_auth")
        if self.is_revoked:
            raise Refused("token_revoked")
        given = self._arguments(found)
        self.calls.append((method, given))
        fault = self._server.before(method)
        with self.world.lock:
            answer = jsonify({"ok": True, **found.do(given)})
        self._server.after(fault)
        answer.headers["X-OAuth-Scopes"] = ",".join(sorted(self.scopes))
        return answer

    def _arguments(self, method: Method) -> Json:
        if method.scope and method.scope not in self.scopes:
            raise Refused("missing_scope", needed=method.scope, provided=",".join(sorted(self.scopes)))
        given: Json = dict(request.args)
        if request.method == "POST":
            if request.mimetype == "application/json" and method.takes_json:
                body = request.get_json(silent=True)
                if not isinstance(body, dict):
                    raise Refused("invalid_json")
                given |= body
            elif request.mimetype == _FORM:
                given |= dict(request.form)
            elif request.mimetype:
                raise Refused("invalid_post_type" if request.mimetype != "application/json" else "invalid_arguments")
        known = [name.rstrip("!") for name in method.arguments.split()]
        missing = [name for name in method.arguments.split() if name.endswith("!") and not given.get(name[:-1])]
        if unknown := unknown_fields(given, known):
            raise Refused("invalid_arg_name", response_metadata={"messages": [f"[ERROR] no such argument: {', '.join(unknown)}"]})
        if missing:
            raise Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] missing required field: {missing[0][:-1]}"]})
        return given

    def _upload(self, file_id: str) -> Response:
        fault = self._server.before("upload")
        stored = self.world.files.get(file_id)
        if stored is None or stored.is_complete:
            return Response("not found", status=404)
        file = request.files.get("filename")
        content = file.read() if file is not None else request.get_data()
        if len(content) != stored.length:
            return Response("wrong length", status=400)
        stored.content = content
        if file is not None:
            stored.about["mimetype"] = file.mimetype
        self._server.after(fault)
        return Response(f"OK - {len(content)}")

    def _download(self, file_id: str) -> Response:
        stored = self.world.files.get(file_id)
        if stored is None:
            return Response("not found", status=404)
        if request.headers.get("Authorization") != f"Bearer {self.token}" or "files:read" not in self.scopes:
            return Response("<!doctype html><title>Sign in</title>", mimetype="text/html")
        return Response(stored.content, mimetype=str(stored.about["mimetype"]))


def _struck(struck: Struck) -> Response:
    if struck.kind is Kind.RATE_LIMIT:
        limited = jsonify({"ok": False, "error": "ratelimited"})
        limited.status_code, limited.headers["Retry-After"] = 429, str(int(struck.value))
        return limited
    return Response("<html>upstream</html>", status=struck.status, mimetype="text/html")
