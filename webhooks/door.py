"""The door for deliveries: `/in/channel/<key>` and `/in/helpdesk/<key>`, straight on WSGI. What to do with one stands in `plugin.handlers`.

Every delivery passes here, and nobody else does: without Flask's routing and contexts an answer costs half.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import structlog
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from plugin.contracts.http import WebhookAnswer, WebhookRequest
from plugin.domain.errors import SignatureInvalid, StoreUnavailable
from plugin.domain.ids import Place
from plugin.handlers.receive import Receiver
from webhooks import metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_log = structlog.get_logger("crossdesk.webhooks")
_PREFIX = "/in/"
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH"})
_EMPTY = b"{}"
_RETRY_SECONDS = "5"


class Door:
    """Takes deliveries in; everything else goes on to `behind`. `knows`: whether there is such a place now; `max_body` in bytes."""

    def __init__(self, receiver: Receiver, knows: Callable[[Place], bool], behind: WSGIApplication, *, max_body: int) -> None:
        self._receiver = receiver
        self._knows = knows
        self._behind = behind
        self._max_body = max_body

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """One request (PEP 3333)."""
        if not environ["PATH_INFO"].startswith(_PREFIX):
            return self._behind(environ, start_response)
        return self._receive(environ)(environ, start_response)

    def _receive(self, environ: WSGIEnvironment) -> Response:
        began = time.perf_counter()
        request = Request(environ)
        request.max_content_length = self._max_body
        kind, _, below = request.path.removeprefix(_PREFIX).partition("/")
        key, slash, rest = below.partition("/")
        place = Place(f"{kind}:{key}")
        if not self._knows(place):
            return _counted(_answer(404, b'{"error":"There is no such channel or helpdesk here."}'), "", began)
        if request.method not in _METHODS:
            return _counted(_answer(405, b'{"error":"Deliveries do not come this way."}', Allow=", ".join(sorted(_METHODS))), place, began)
        try:
            answer = self._receiver.receive(place, _read(request, slash + rest if rest else ""))
        except RequestEntityTooLarge:
            refusal = _answer(413, b'{"error":"The body is larger than this receiver takes; nothing of it was kept."}')
            return _counted(refusal, place, began)
        except SignatureInvalid as problem:
            _log.warning("refused", place=place, reason=str(problem))
            return _counted(_answer(401, b'{"error":"The signature is missing or wrong; nothing was kept."}'), place, began)
        except StoreUnavailable as away:
            _log.error("receipt_not_kept", place=place, detail=away.detail)
            refusal = _answer(503, b'{"error":"The delivery cannot be kept now. Send it again."}', **{"Retry-After": _RETRY_SECONDS})
            return _counted(refusal, place, began)
        return _counted(_answer(200, _EMPTY) if answer is None else _handshake(answer), place, began)


def _read(request: Request, path: str) -> WebhookRequest:
    return WebhookRequest(
        method=request.method,
        path=path,
        headers={name.lower(): value for name, value in request.headers.items()},
        query=request.args.to_dict(),
        body=request.get_data(cache=False),
    )


def _answer(status: int, body: bytes, **headers: str) -> Response:
    return Response(body, status=status, headers=headers, content_type="application/json")


def _handshake(answer: WebhookAnswer) -> Response:
    return Response(answer.body, status=answer.status, content_type=answer.content_type)


def _counted(response: Response, place: str, began: float) -> Response:
    metrics.answered(place, response.status_code, time.perf_counter() - began)
    return response
