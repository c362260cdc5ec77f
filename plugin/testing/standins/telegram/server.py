"""The stand-in's own HTTP server: tokens, parameters, faults, files, and the verbs of the people's side for other processes."""

from __future__ import annotations

import dataclasses
import re
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, jsonify, request

from plugin.testing.standins.serving import Outage, Refusal, StandIn, reply
from plugin.testing.standins.telegram.files import Upload
from plugin.testing.standins.telegram.methods import Methods
from plugin.testing.standins.telegram.refusals import Refused, bad_request, too_many
from plugin.testing.standins.telegram.updates import Delivery, Updates
from plugin.testing.standins.telegram.world import Json, World

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
_VERBS = frozenset({
    "customer_says", "customer_edits", "customer_deletes", "customer_reacts", "customer_blocks", "open_group", "open_topic",
    "upgrade_group", "connect_business", "messages", "said_by_bot",
})  # fmt: skip


class TelegramStandIn(StandIn):
    """One bot's Telegram. `calls` holds each call that passed the token check: method and parameters.

    `pace` scales the webhook's waiting times, `duplicates` repeats each delivered update, `now` is the clock that dates messages. Besides
    the verbs of `World` it has `arm` and `revoke_token`, and looks at what happened: `calls`, `deliveries`, `wait_idle`.
    """

    def __init__(
        self,
        *,
        token: str = TOKEN,
        username: str = "desk_bot",
        now: Callable[[], float] = time.time,
        pace: float = 1.0,
        duplicates: int = 0,
        may_be_loopback: bool = True,
        port: int = 0,
    ) -> None:
        super().__init__("telegram", now=now, port=port)
        self.token = token
        bot = {"id": int(token.partition(":")[0]), "is_bot": True, "first_name": "Desk", "username": username}
        self.updates = Updates(now=now, call=self._call_from_answer, pace=pace, duplicates=duplicates)
        self.world = World(bot=bot, now=now, publish=self._publish)
        self.methods = Methods(world=self.world, updates=self.updates, may_be_loopback=may_be_loopback)
        self._is_revoked = False
        self.app.add_url_rule("/bot<token>/<method>", view_func=self._bot, methods=["GET", "POST"])
        self.app.add_url_rule("/file/bot<token>/<path:path>", view_func=self._file, methods=["GET"])
        self.app.add_url_rule("/control/<verb>", view_func=self._control, methods=["POST"])

    def start(self) -> None:
        """Listen and deliver."""
        super().start()
        self.updates.start()

    def stop(self) -> None:
        """Stop both; what was said is still there to look at."""
        self.updates.stop()
        super().stop()

    def __getattr__(self, name: str) -> Any:
        # The verbs of the people's side are the stand-in's own to its users.
        if name in _VERBS:
            return getattr(self.world, name)
        raise AttributeError(name)

    @property
    def deliveries(self) -> list[Delivery]:
        """What was POSTed to the webhook."""
        return self.updates.deliveries

    def unknown(self, status: int) -> Refusal:
        """As the Bot API words it."""
        return Refused(status, "Not Found" if status == 404 else "Method Not Allowed")

    def too_many(self, seconds: float) -> Refusal:
        """429, with the seconds among the parameters."""
        return too_many(int(seconds))

    def broken(self, status: int, *, is_done: bool) -> Refusal:
        """A 500 is the Bot API's own; anything else comes from what stands before it."""
        del is_done
        return Refused(500, "Internal Server Error: sent by a fault of the stand-in") if status == 500 else Outage(status)

    def revoke_token(self, *, is_revoked: bool = True) -> None:
        """The token is (no longer) refused."""
        self._is_revoked = is_revoked

    def wait_idle(self, seconds: float = 10.0) -> bool:
        """Wait until no update is left; whether that came to be."""
        until = time.monotonic() + seconds
        while self.updates.pending() and time.monotonic() < until:
            time.sleep(0.01)
        return not self.updates.pending()

    def _publish(self, kind: str, body: Json, queue: str) -> None:
        self.updates.add(kind, body, queue=queue)

    def _call_from_answer(self, method: str, parameters: Mapping[str, Any]) -> None:
        """A webhook's answer named a method: the real one obeys, and tells nobody how it went."""
        self.calls.append((f"answer:{method}", dict(parameters)))
        try:
            self.methods.run(method, parameters, {})
        except Refused as refusal:
            self.calls.append((f"refused:{method}", refusal.body))

    def _bot(self, token: str, method: str) -> Response:
        self._check_token(token)
        given, files = _parameters(), _files()
        self.calls.append((method, given))
        return reply({"ok": True, "result": self.struck(method, lambda: self.methods.run(method, given, files))})

    def _file(self, token: str, path: str) -> Response:
        self._check_token(token)
        content = self.world.files.content(path, self.world.now())
        if content is None:
            raise Refused(404, "Not Found")
        return Response(content, mimetype="application/octet-stream")

    def _control(self, verb: str) -> Response:
        given = request.get_json()
        if verb == "arm":
            self.arm(**given)
        elif verb == "clear":
            self.faults.clear()
        elif verb == "revoke_token":
            self.revoke_token(**given)
        elif verb == "set":
            for name in ("pace", "duplicates", "timeout"):
                setattr(self.updates, name, given.get(name, getattr(self.updates, name)))
        elif verb == "state":
            shown = [dataclasses.asdict(delivery) for delivery in self.deliveries]
            return jsonify({"pending": self.updates.pending(), "deliveries": shown, "calls": self.calls})
        elif verb in _VERBS:
            if isinstance(given.get("upload"), dict):
                upload = given["upload"]
                given["upload"] = Upload(**{**upload, "content": b64decode(upload.get("content", ""))})
            return jsonify(getattr(self.world, verb)(**given))
        else:
            raise Refused(404, "Not Found: no such verb")
        return jsonify(None)

    def _check_token(self, token: str) -> None:
        if not re.fullmatch(r"[1-9][0-9]*:[A-Za-z0-9_-]+", token):
            raise Refused(404, "Not Found")
        if token != self.token or self._is_revoked:
            raise Refused(401, "Unauthorized")


def _parameters() -> Json:
    """Query string, form and JSON body together, as the Bot API reads them."""
    given: Json = {**request.args.to_dict(), **request.form.to_dict()}
    if request.mimetype == "application/json" and request.get_data():
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            raise bad_request("can't parse the request body as a JSON object")
        given |= body
    return given


def _files() -> dict[str, Upload]:
    return {
        name: Upload(content=file.read(), filename=file.filename or "", content_type=file.mimetype) for name, file in request.files.items()
    }
