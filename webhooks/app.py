"""The Flask application: the receipt path, health and metrics. Reads requests and words answers; what to do stands in `plugin.handlers`."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from plugin.bootstrap import Bridge
from plugin.contracts.http import WebhookAnswer, WebhookRequest
from plugin.contracts.wakeups import WakeUps
from plugin.domain.errors import ConfigError, CrossdeskError, SignatureInvalid, StoreUnavailable
from plugin.domain.ids import Place
from plugin.handlers.receive import Receiver
from plugin.store.schema import require_current
from webhooks import metrics

_log = structlog.get_logger("crossdesk.webhooks")
_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]
_EMPTY = b"{}"
_RETRY_SECONDS = "5"


def create_app(bridge: Bridge, wakeups: WakeUps) -> Flask:
    """The application of one receiver process."""
    app = Flask("crossdesk", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = bridge.config.receiver.max_body
    app.url_map.merge_slashes = False
    receiver = bridge.receiver(wakeups)
    places = _places(bridge)
    _add_receipt_path(app, receiver, places)
    _add_health(app, bridge)
    return app


def _places(bridge: Bridge) -> dict[tuple[str, str], Place]:
    places: dict[tuple[str, str], Place] = {("channel", item.key): item.place for item in bridge.installation.channels.values()}
    places.update({("helpdesk", item.key): item.place for item in bridge.installation.desks.values()})
    return places


def _add_receipt_path(app: Flask, receiver: Receiver, places: dict[tuple[str, str], Place]) -> None:
    def receive(kind: str, key: str, rest: str = "") -> Response:
        began = time.perf_counter()
        place = places.get((kind, key))
        if place is None:
            return _counted(_answer(404, b'{"error":"There is no such channel or helpdesk here."}'), "", began)
        try:
            answer = receiver.receive(place, _read(rest))
        except RequestEntityTooLarge:
            return _counted(_answer(413, b'{"error":"The body is larger than this receiver takes; nothing of it was kept."}'), place, began)
        except SignatureInvalid as refusal:
            _log.warning("refused", place=place, reason=str(refusal))
            return _counted(_answer(401, b'{"error":"The signature is missing or wrong; nothing was kept."}'), place, began)
        except StoreUnavailable as away:
            _log.error("receipt_not_kept", place=place, detail=away.detail)
            response = _answer(503, b'{"error":"The delivery cannot be kept now. Send it again."}')
            response.headers["Retry-After"] = _RETRY_SECONDS
            return _counted(response, place, began)
        return _counted(_answer(200, _EMPTY) if answer is None else _handshake(answer), place, began)

    app.add_url_rule("/in/<kind>/<key>", "receive", receive, methods=_METHODS)
    app.add_url_rule("/in/<kind>/<key>/<path:rest>", "receive_below", receive, methods=_METHODS)


def _read(rest: str) -> WebhookRequest:
    return WebhookRequest(
        method=request.method,
        path=f"/{rest}" if rest else "",
        headers={name.lower(): value for name, value in request.headers.items()},
        query=request.args.to_dict(),
        body=request.get_data(cache=False, parse_form_data=False),
    )


def _answer(status: int, body: bytes) -> Response:
    return Response(body, status=status, content_type="application/json")


def _handshake(answer: WebhookAnswer) -> Response:
    return Response(answer.body, status=answer.status, content_type=answer.content_type)


def _counted(response: Response, place: str, began: float) -> Response:
    metrics.answered(place, response.status_code, time.perf_counter() - began)
    return response


def _add_health(app: Flask, bridge: Bridge) -> None:
    def healthz() -> Response:
        return _answer(200, b'{"status":"alive"}')

    def readyz() -> Response:
        try:
            with bridge.database.begin() as connection:
                require_current(connection)
        except (CrossdeskError, ConfigError):
            if bridge.spool is not None:
                return _answer(200, b'{"status":"spooling"}')
            return _answer(503, b'{"status":"store unavailable"}')
        return _answer(200, b'{"status":"ready"}')

    def exposition() -> Response:
        return Response(metrics.render(bridge), content_type=metrics.CONTENT_TYPE)

    views: dict[str, Callable[[], Response]] = {"/healthz": healthz, "/readyz": readyz, "/metrics": exposition}
    for path, view in views.items():
        app.add_url_rule(path, path, view)
