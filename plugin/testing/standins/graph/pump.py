"""Webhooks on their way: signed over the very bytes, repeated when they are not taken, doubled, batched. Knows no comment and no message.

Meta escapes what is not ASCII, and slashes; a batch holds several changes of one entry. A delivery that is refused comes again, each time later.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from plugin.testing.standins.graph.people import whatsapp_metadata
from plugin.testing.standins.graph.world import OBJECTS, Json

_MOST_TRIES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One POST and its answer; 0 means none."""

    subject: str
    status: int


@dataclass(slots=True, kw_only=True)
class Pump:
    """The webhooks of one app. `address` says where a subject's go, "" for nowhere."""

    now: Callable[[], float]
    secret: Callable[[], str]
    address: Callable[[str], str]
    pace: float = 1.0
    duplicates: int = 0
    is_held: bool = False
    """While held, nothing leaves; then everything of one subject leaves as one batch."""
    deliveries: list[Delivery] = field(default_factory=list)
    _waiting: list[tuple[str, str, Json]] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None
    _is_busy: bool = False
    _is_stopped: bool = False

    def add(self, subject: str, kind: str, value: Json) -> None:
        """Queue a fact."""
        with self._changed:
            self._waiting.append((subject, kind, json.loads(json.dumps(value))))
            self._changed.notify_all()

    def hold(self, *, is_held: bool) -> None:
        """Keep everything back, or let it go as a batch."""
        with self._changed:
            self.is_held = is_held
            self._changed.notify_all()

    def start(self) -> None:
        """Deliver from now on."""
        self._thread = threading.Thread(target=self._run, name="graph-pump", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Deliver no more."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def wait_idle(self, seconds: float = 30.0) -> bool:
        """Wait until nothing is left; whether that came to be."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._is_busy, seconds)

    def body(self, subject: str, facts: list[tuple[str, str, Json]]) -> bytes:
        """A delivery as Meta writes it."""
        entry: Json = {"id": OBJECTS[subject], "time": int(self.now())}
        for _, kind, value in facts:
            if kind in ("messaging", "standby"):
                entry.setdefault(kind, []).append(value)
            else:
                more = whatsapp_metadata() if subject.startswith("whatsapp") else {}
                entry.setdefault("changes", []).append({"field": kind, "value": {**more, **value}})
        text = json.dumps({"object": subject, "entry": [entry]}, separators=(",", ":"), ensure_ascii=True)
        return text.replace("/", "\\/").encode("ascii")

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_stopped or (self._waiting and not self.is_held))
                if self._is_stopped:
                    return
                subject = self._waiting[0][0]
                facts = [fact for fact in self._waiting if fact[0] == subject]
                self._waiting = [fact for fact in self._waiting if fact[0] != subject]
                self._is_busy = True
            self._deliver(subject, self.body(subject, facts))
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()

    def _deliver(self, subject: str, body: bytes) -> None:
        url, wait = self.address(subject), self.pace
        if not url:
            return
        for _ in range(1 + self.duplicates):
            for _ in range(_MOST_TRIES):
                status = self._post(url, body)
                self.deliveries.append(Delivery(subject=subject, status=status))
                if status == 200 or self._is_stopped:
                    break
                time.sleep(wait)
                wait *= 2

    def _post(self, url: str, body: bytes) -> int:
        parts = urlsplit(url)
        signature = hmac.new(self.secret().encode(), body, hashlib.sha256).hexdigest()
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
        try:
            headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
            connection.request("POST", parts.path, body=body, headers=headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return 0
        else:
            return answer.status
        finally:
            connection.close()
