"""The stand-in's HTTP: tokens, content types, scopes, faults, uploads, downloads; and the people's side of the workspace."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from plugin.contracts.http import WebhookRequest
from plugin.testing.standins.closed import unknown_fields
from plugin.testing.standins.serving import Json, Refusal, StandIn, reply
from plugin.testing.standins.slack.methods import Method, Methods
from plugin.testing.standins.slack.world import APP, TEAM, Refused, Room, Stored, Workspace

TOKEN = "xoxb-1234567890-0987654321-AbCdEfGhIjKlMnOpQrStUvWx"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SCOPES = frozenset({
    "channels:history", "channels:read", "chat:write", "files:read", "files:write", "groups:history", "groups:read", "im:history", "im:read",
    "mpim:history", "mpim:read", "reactions:read", "users:read",
})  # fmt: skip
_FORM = "application/x-www-form-urlencoded"

__all__ = ["APP", "SECRET", "TOKEN", "SlackStandIn"]


class SlackStandIn(StandIn):
    """One workspace with one app. `events` holds what was told, oldest first, each signed as a request."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        super().__init__("slack", now=now)
        self.token, self.secret = TOKEN, SECRET
        self.scopes = set(SCOPES)
        self.is_revoked = False
        self.events: list[WebhookRequest] = []
        self.world = Workspace(now=now, tell=lambda event: self.events.append(self.signed(self._envelope(event))))
        self._methods = Methods(self.world, has=lambda scope: scope in self.scopes, host=lambda: self.host)
        self.app.add_url_rule("/api/<method>", view_func=self._call, methods=["GET", "POST"])
        self.app.add_url_rule("/upload/<file_id>", view_func=self._upload, methods=["POST"])
        self.app.add_url_rule("/files/<file_id>", view_func=self._download, methods=["GET"])

    @property
    def url(self) -> str:
        """The `api_url` for an adapter's settings."""
        return f"{self.host}/api"

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
        about["url_private_download"] = f"{self.host}/files/{file_id}"
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

    def presses(self, channel: str, user: str, ts: str, words: str) -> WebhookRequest:
        """Somebody presses a button below a message of the bot's; told as a form, and not as an event."""
        message = self.world.rooms[channel].messages[ts]
        button = next(
            {"block_id": block["block_id"], **one}
            for block in message["blocks"]
            if block["type"] == "actions"
            for one in block["elements"]
            if one["text"]["text"] == words
        )
        payload = {
            "type": "block_actions",
            "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": TEAM},
            "api_app_id": APP,
            "token": "a-token-of-the-old-kind",
            "container": {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False},
            "trigger_id": "1.2.3",
            "team": {"id": TEAM, "domain": "example"},
            "channel": {"id": channel, "name": "directmessage"},
            "message": message,
            "response_url": f"{self.host}/actions/1",
            "actions": [{**button, "action_ts": self.world.stamp()}],
        }
        return self._signed(urlencode({"payload": json.dumps(payload)}).encode(), _FORM)

    def signed(self, body: Any, *, at: float | None = None) -> WebhookRequest:
        """`body` as Slack would send it now, or at another time."""
        return self._signed(json.dumps(body).encode(), "application/json", at=at)

    def _signed(self, raw: bytes, content_type: str, *, at: float | None = None) -> WebhookRequest:
        stamp = str(int(self.now() if at is None else at))
        signature = hmac.new(self.secret.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
        headers = {
            "content-type": content_type,
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
            "event_time": int(self.now()),
        }

    def too_many(self, seconds: float) -> Refusal:
        """Slack says so in its own word, and for how long in a header."""
        return Refusal(429, {"ok": False, "error": "ratelimited"}, {"retry-after": str(int(seconds))})

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

        def act() -> Json:
            with self.world.lock:
                return found.do(given)

        return reply({"ok": True, **self.struck(method, act)}, headers={"x-oauth-scopes": ",".join(sorted(self.scopes))})

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
        return self.struck("upload", lambda: self._take(file_id))

    def _take(self, file_id: str) -> Response:
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
        return Response(f"OK - {len(content)}")

    def _download(self, file_id: str) -> Response:
        stored = self.world.files.get(file_id)
        if stored is None:
            return Response("not found", status=404)
        if request.headers.get("Authorization") != f"Bearer {self.token}" or "files:read" not in self.scopes:
            return Response("<!doctype html><title>Sign in</title>", mimetype="text/html")
        return Response(stored.content, mimetype=str(stored.about["mimetype"]))
