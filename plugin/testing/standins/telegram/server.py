"""The stand-in's own HTTP server: tokens, parameters, faults, files, and the verbs of the people's side for other processes."""

from __future__ import annotations

import dataclasses
import re
import socket
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, Self

from flask import Flask, Response, jsonify, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from plugin.testing.standins.telegram.faults import Fault, Faults, Kind
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


class TelegramStandIn:
    """One bot's Telegram. Use it as a context manager, or `start` and `stop` it.

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
        self.token = token
        self.faults = Faults()
        self.calls: list[tuple[str, Json]] = []
        """Each call that passed the token check: method and parameters, in order of arrival."""
        bot = {"id": int(token.partition(":")[0]), "is_bot": True, "first_name": "Desk", "username": username}
        self.updates = Updates(now=now, call=self._call_from_answer, pace=pace, duplicates=duplicates)
        self.world = World(bot=bot, now=now, publish=self._publish)
        self.methods = Methods(world=self.world, updates=self.updates, may_be_loopback=may_be_loopback)
        self._is_revoked = False
        self._server: BaseWSGIServer = make_server("127.0.0.1", port, self._app(), threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="telegram", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen and deliver."""
        self._thread.start()
        self.updates.start()

    def stop(self) -> None:
        """Stop both; what was said is still there to look at."""
        self.updates.stop()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __getattr__(self, name: str) -> Any:
        # The verbs of the people's side are the stand-in's own to its users.
        if name in _VERBS:
            return getattr(self.world, name)
        raise AttributeError(name)

    @property
    def url(self) -> str:
        """The `api_url` for the adapter's settings."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def deliveries(self) -> list[Delivery]:
        """What was POSTed to the webhook."""
        return self.updates.deliveries

    def arm(self, kind: Kind | str, *, method: str = "", value: float = 0.0, times: int = 1) -> None:
        """Let the next `times` calls of `method` (any when empty) go wrong."""
        self.faults.arm(Fault(kind=kind, method=method, value=value, times=times))

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

    def _app(self) -> Flask:
        app = Flask("telegram-stand-in")
        app.add_url_rule("/bot<token>/<method>", view_func=self._bot, methods=["GET", "POST"])
        app.add_url_rule("/file/bot<token>/<path:path>", view_func=self._file, methods=["GET"])
        app.add_url_rule("/control/<verb>", view_func=self._control, methods=["POST"])
        app.register_error_handler(404, lambda _: _answer({"ok": False, "error_code": 404, "description": "Not Found"}, 404))
        app.register_error_handler(Refused, _refuse)
        return app

    def _bot(self, token: str, method: str) -> Response:
        self._check_token(token)
        given, files = _parameters(), _files()
        self.calls.append((method, given))
        fault = self.faults.strike(method)
        if fault is not None:
            self._before(fault)
        result = self.methods.run(method, given, files)
        if fault is not None:
            self._after(fault)
        return _answer({"ok": True, "result": result}, 200)

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

    def _before(self, fault: Fault) -> None:
        if fault.kind is Kind.RATE_LIMIT:
            raise too_many(int(fault.value))
        if fault.kind is Kind.ERROR_BEFORE:
            raise _Broken(int(fault.value))
        if fault.kind is Kind.DROP_BEFORE:
            _cut()
        if fault.kind is Kind.STALL_BEFORE:
            time.sleep(fault.value)

    def _after(self, fault: Fault) -> None:
        if fault.kind is Kind.ERROR_AFTER:
            raise _Broken(int(fault.value))
        if fault.kind is Kind.DROP_AFTER:
            _cut()
        if fault.kind is Kind.STALL_AFTER:
            time.sleep(fault.value)


class _Broken(Refused):
    """Telegram itself, or what stands before it, failed."""

    def __init__(self, status: int) -> None:
        super().__init__(status, "Internal Server Error: sent by a fault of the stand-in")


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


def _refuse(refusal: Refused) -> Response:
    if isinstance(refusal, _Broken) and refusal.code != 500:
        page = f"<html><head><title>{refusal.code}</title></head><body><center><h1>{refusal.code}</h1></center><hr>nginx</body></html>"
        return Response(page, status=refusal.code, mimetype="text/html")
    answer = _answer(refusal.body, refusal.code)
    if "retry_after" in refusal.parameters:
        answer.headers["Retry-After"] = str(refusal.parameters["retry_after"])
    return answer


def _answer(body: Json, status: int) -> Response:
    response = jsonify(body)
    response.status_code = status
    return response


def _cut() -> None:
    """End the caller's connection without an answer."""
    connection = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    raise Refused(500, "Internal Server Error: nobody hears this")
