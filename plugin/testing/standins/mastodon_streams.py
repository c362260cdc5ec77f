"""Stand-in for the part of Mastodon that streams: the instance and the account that are asked before, and the notifications of one token.

Strict: a wrong path, a missing token or an `Accept` that takes no event stream is refused as Mastodon's streaming server does.
Source: Mastodon documentation, "streaming API methods", "instance API methods" (v2).
"""

from __future__ import annotations

import json
import queue
import secrets
from collections.abc import Iterator
from typing import Any

from flask import Response, request

from plugin.testing.standins.serving import Json, Refusal, StandIn

_OVER: Any = None


class MastodonStreams(StandIn):
    """One account with `token`. `tell` says something on every open stream; `status` other than 200 is what whoever opens one gets."""

    def __init__(self) -> None:
        super().__init__("mastodon-streams")
        self.token = secrets.token_urlsafe(12)
        self.streaming: str | None = None
        """What the instance tells; None: this very address, as `ws`."""
        self.status = 200
        self.opened = 0
        self._streams: list[queue.SimpleQueue[Any]] = []
        self.serve("GET", "/api/v2/instance", self._instance)
        self.serve("GET", "/api/v1/streaming/user/notification", self._stream)

    def tell(self, event: str, data: Any) -> None:
        """An event on every open stream, as Mastodon writes it: JSON on one line."""
        self.say(f"event: {event}\ndata: {data if isinstance(data, str) else json.dumps(data)}\n\n")

    def say(self, raw: str) -> None:
        """These very characters on every open stream."""
        with self.lock:
            for stream in self._streams:
                stream.put(raw)

    def hang_up(self) -> None:
        """End every open stream."""
        with self.lock:
            for stream in self._streams:
                stream.put(_OVER)
            self._streams.clear()

    def stop(self) -> None:
        """End the streams, then listen no more."""
        self.hang_up()
        super().stop()

    def _instance(self) -> Json:
        told = self.host.replace("http", "ws", 1) if self.streaming is None else self.streaming
        return {"domain": "toots.example", "configuration": {"urls": {"streaming": told}}}

    def _stream(self) -> Response:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise Refusal(401, {"error": "Invalid access token"})
        if request.headers.get("Accept") != "text/event-stream":
            raise Refusal(406, {"error": "Not acceptable"})
        if self.status != 200:
            raise Refusal(self.status, {"error": "Refused"}, {"retry-after": "7"} if self.status == 429 else {})
        self.opened += 1
        stream: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._streams.append(stream)
        return Response(_said(stream), mimetype="text/event-stream", headers={"Cache-Control": "private, no-store"})


def _said(stream: queue.SimpleQueue[Any]) -> Iterator[str]:
    yield ":)\n"
    while (said := stream.get()) is not _OVER:
        yield said
