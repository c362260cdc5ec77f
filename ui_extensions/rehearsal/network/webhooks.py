"""Tells the company's webhook what happened: signed, in order within a conversation, again with doubling delay until it is taken.

Several conversations are told at once. After `ATTEMPTS` an event is given up; the company finds it with `GET /api/v1/events`.
"""

from __future__ import annotations

import hashlib
import heapq
import hmac
import http.client
import json
import threading
import time
import urllib.parse
from collections import deque
from dataclasses import dataclass
from itertools import count

from ui_extensions.rehearsal.faults import Faults
from ui_extensions.rehearsal.network.model import Event
from ui_extensions.rehearsal.network.state import Network

ATTEMPTS = 14
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
ANSWER_SECONDS = 5.0


@dataclass(slots=True)
class _Delivery:
    event: Event
    attempts: int = 0
    is_copy: bool = False


class Pump:
    """The webhook's sender: a lane of deliveries for each conversation, and a few threads that work the lanes that are due."""

    def __init__(self, network: Network, switches: Faults, *, threads: int = 4, first_delay: float = FIRST_DELAY) -> None:
        self._network, self._switches, self._first_delay = network, switches, first_delay
        self._lanes: dict[str, deque[_Delivery]] = {}
        self._due: list[tuple[float, int, str]] = []
        self._tickets = count()
        self._changed = threading.Condition()
        self._stopped = False
        self._pending = self._taken = self._refused = self._given_up = 0
        self._last_status = 0
        network.listen(self._heard)
        self._threads = [threading.Thread(target=self._work, daemon=True, name=f"webhook-{number}") for number in range(threads)]
        for thread in self._threads:
            thread.start()

    def tally(self) -> dict[str, int]:
        """How the deliveries stand."""
        with self._changed:
            return {
                "pending": self._pending,
                "taken": self._taken,
                "refused": self._refused,
                "given_up": self._given_up,
                "last_status": self._last_status,
            }

    def stop(self) -> None:
        """End after the calls that are on their way."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=ANSWER_SECONDS)

    def _heard(self, event: Event) -> None:
        if not self._network.webhook[0]:
            return
        fault = self._switches.strike_webhook(str(event.body["type"]))
        apart = f"{event.lane}#{event.sequence}"
        if fault is not None and fault.kind == "drop_webhooks":
            self._network.told(event.sequence)
        elif fault is not None and fault.kind == "delay_webhooks":
            self._queue(apart, _Delivery(event), after=fault.seconds)
        else:
            self._queue(event.lane, _Delivery(event))
        if fault is not None and fault.kind == "duplicate_webhooks":
            self._queue(apart, _Delivery(event, is_copy=True), after=fault.seconds)

    def _queue(self, lane: str, delivery: _Delivery, *, after: float = 0.0) -> None:
        with self._changed:
            self._pending += 1
            waiting = self._lanes.get(lane)
            if waiting is not None:
                waiting.append(delivery)
                return
            self._lanes[lane] = deque([delivery])
            self._schedule(lane, after)

    def _schedule(self, lane: str, after: float) -> None:
        heapq.heappush(self._due, (time.monotonic() + after, next(self._tickets), lane))
        self._changed.notify()

    def _work(self) -> None:
        caller = _Caller(self._network.company.user_id)
        while (lane := self._next_lane()) is not None:
            delivery = self._lanes[lane][0]
            delivery.attempts += 1
            status = caller.tell(delivery.event, *self._network.webhook)
            is_taken = 200 <= status < 300
            is_over = is_taken or delivery.attempts >= ATTEMPTS
            if is_over and not delivery.is_copy:
                self._network.told(delivery.event.sequence)
            with self._changed:
                self._last_status = status
                self._taken += is_taken
                self._refused += not is_taken
                self._given_up += is_over and not is_taken
                self._after(lane, delivery, is_over=is_over)
        caller.close()

    def _after(self, lane: str, delivery: _Delivery, *, is_over: bool) -> None:
        if not is_over:
            self._schedule(lane, min(LONGEST_DELAY, self._first_delay * 2 ** (delivery.attempts - 1)))
            return
        self._pending -= 1
        self._lanes[lane].popleft()
        if self._lanes[lane]:
            self._schedule(lane, 0.0)
        else:
            del self._lanes[lane]

    def _next_lane(self) -> str | None:
        with self._changed:
            while not self._stopped:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
            return None


class _Caller:
    """One thread's connection to the webhook, kept open between events."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id
        self._connection: http.client.HTTPConnection | None = None
        self._origin = ("", "")

    def tell(self, event: Event, url: str, secret: str) -> int:
        """Make the call. The status; 0 where none came, 200 where there is no webhook any more."""
        if not url:
            return 200
        body = json.dumps({"account": {"id": self._account_id}, "events": [event.body]}, ensure_ascii=False).encode()
        stamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "crossdesk-rehearsal-network",
            "X-Rehearsal-Delivery": str(event.body["id"]),
            "X-Rehearsal-Timestamp": stamp,
            "X-Rehearsal-Signature": sign(body, secret=secret, timestamp=stamp),
        }
        parts = urllib.parse.urlsplit(url)
        path = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection = self._open(parts)
        is_kept = connection.sock is not None
        try:
            status = _post(connection, path, body, headers)
        except (OSError, http.client.HTTPException) as problem:
            self.close()
            # A kept connection may have been closed by the other side meanwhile: that says nothing about now.
            return self.tell(event, url, secret) if is_kept and isinstance(problem, ConnectionError) else 0
        return status

    def _open(self, parts: urllib.parse.SplitResult) -> http.client.HTTPConnection:
        origin = (parts.scheme, parts.netloc)
        if self._connection is None or origin != self._origin:
            self.close()
            kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
            self._connection, self._origin = kind(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS), origin
        return self._connection

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _post(connection: http.client.HTTPConnection, path: str, body: bytes, headers: dict[str, str]) -> int:
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def sign(body: bytes, *, secret: str, timestamp: str) -> str:
    """The signature of a delivery: HMAC-SHA256 over `timestamp.body`, hexadecimal."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
