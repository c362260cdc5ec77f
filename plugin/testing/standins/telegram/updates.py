"""Updates on their way to the bot: kept until acknowledged, by `getUpdates` or by a webhook. Knows no chat and no method.

The pump follows the Bot API server's: one queue per chat, an update blocks those behind it in its own queue only, the first repeat comes at
once and later ones with doubling delay up to a minute or two, `Retry-After` is honoured up to an hour, 24 hours are the end of an update,
23 hours of 410 the end of the webhook, and an answer with a `method` is taken for a call.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from plugin.testing.standins.telegram.refusals import Refused, bad_request

DAY = 86400.0
DEFAULT_SILENT = frozenset({"message_reaction", "message_reaction_count", "chat_member"})
"""Kinds that only come when they are named."""


@dataclass(slots=True, kw_only=True)
class Update:
    """One update: `queue` is what it must not overtake."""

    number: int
    kind: str
    body: Mapping[str, Any]
    queue: str
    expires_at: float
    fails: int = 0
    delay: float = 1.0
    due_at: float = 0.0
    in_flight: bool = False

    @property
    def json(self) -> dict[str, Any]:
        """As the bot gets it."""
        return {"update_id": self.number, self.kind: self.body}


@dataclass(slots=True, kw_only=True)
class Webhook:
    """Where updates go; no webhook while `url` is empty."""

    url: str = ""
    secret: str = ""
    max_connections: int = 40
    last_error_at: int = 0
    last_error: str = ""
    gone_since: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One POST to the webhook and what came of it; status 0 means no answer."""

    number: int
    status: int
    seconds: float
    is_duplicate: bool = False


@dataclass(slots=True, kw_only=True)
class Updates:
    """The bot's updates. `now` is the stand-in's clock in seconds; delays are multiplied by `pace`."""

    now: Callable[[], float]
    call: Callable[[str, Mapping[str, Any]], Any]
    pace: float = 1.0
    timeout: float = 10.0
    duplicates: int = 0
    webhook: Webhook = field(default_factory=Webhook)
    allowed: frozenset[str] | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    _pending: list[Update] = field(default_factory=list)
    _number: int = 100_000_000
    _polls: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _pump: threading.Thread | None = None
    _is_stopped: bool = False

    def add(self, kind: str, body: Mapping[str, Any], *, queue: str) -> int | None:
        """Queue an update if the bot wants its kind; its number."""
        with self._changed:
            wanted = kind in self.allowed if self.allowed else kind not in DEFAULT_SILENT
            if not wanted:
                return None
            self._number += 1
            frozen = json.loads(json.dumps(body))
            self._pending.append(Update(number=self._number, kind=kind, body=frozen, queue=queue, expires_at=self.now() + DAY))
            self._changed.notify_all()
            return self._number

    def pending(self) -> int:
        """How many updates wait."""
        with self._changed:
            self._forget_expired()
            return len(self._pending)

    def allow(self, kinds: Sequence[str] | None) -> None:
        """Remember which kinds the bot wants; an empty list means the default, None leaves it."""
        if kinds is not None:
            with self._changed:
                self.allowed = frozenset(kind.lower() for kind in kinds) or None

    def set_webhook(self, webhook: Webhook, *, drop: bool) -> None:
        """Deliver to another address, or to none."""
        with self._changed:
            if drop:
                self._pending.clear()
            self.webhook = webhook
            self._polls += 1
            self._changed.notify_all()

    def get(self, *, offset: int, limit: int, timeout: float) -> list[dict[str, Any]]:
        """Updates from `offset` on; those before it are forgotten.

        Raises:
            Refused: 409 while a webhook is set, or when another `getUpdates` takes over.
        """
        with self._changed:
            if self.webhook.url:
                raise Refused(
                    409,
                    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
                )
            self._polls += 1
            self._changed.notify_all()
            self._forget_expired()
            if offset < 0:
                self._pending = self._pending[offset:]
            elif offset:
                self._pending = [update for update in self._pending if update.number >= offset]
            self._wait_as(self._polls, timeout)
            return [update.json for update in self._pending[:limit]]

    def _wait_as(self, ticket: int, timeout: float) -> None:
        """Wait for an update as the one long poll there may be."""
        self._changed.wait_for(lambda: self._pending or self._polls != ticket or self._is_stopped, timeout)
        if self._polls != ticket:
            other = "other getUpdates request; make sure that only one bot instance is running"
            raise Refused(409, f"Conflict: terminated by {'setWebhook request' if self.webhook.url else other}")

    def start(self) -> None:
        """Begin delivering."""
        self._pump = threading.Thread(target=self._run, name="telegram-pump", daemon=True)
        self._pump.start()

    def stop(self) -> None:
        """Deliver nothing more; calls under way end first."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        if self._pump is not None:
            self._pump.join()

    def _run(self) -> None:
        with ThreadPoolExecutor(max_workers=8, thread_name_prefix="telegram-webhook") as pool:
            while True:
                with self._changed:
                    if self._is_stopped:
                        return
                    ready, wait = self._ready()
                    if not ready:
                        self._changed.wait(wait)
                        continue
                    for update in ready:
                        update.in_flight = True
                    webhook = self.webhook
                for update in ready:
                    pool.submit(self._deliver, webhook, update)

    def _ready(self) -> tuple[list[Update], float | None]:
        """The first update of each queue if it is due and nothing is under way, and how long to wait otherwise."""
        self._forget_expired()
        if not self.webhook.url:
            return [], None
        heads: dict[str, Update] = {}
        for update in self._pending:
            heads.setdefault(update.queue, update)
        now = time.monotonic()
        free = self.webhook.max_connections - sum(update.in_flight for update in heads.values())
        idle = [update for update in heads.values() if not update.in_flight]
        ready = [update for update in idle if update.due_at <= now][: max(free, 0)]
        wait = min((update.due_at - now for update in idle), default=None)
        return ready, None if wait is None or free <= 0 else max(wait, 0.001)

    def _deliver(self, webhook: Webhook, update: Update) -> None:
        status, retry_after, answer = self._post(webhook, update)
        with self._changed:
            update.in_flight = False
            if 200 <= status < 300:
                self._pending = [other for other in self._pending if other is not update]
                webhook.gone_since = 0.0
            else:
                self._postpone(webhook, update, status, retry_after)
            self._changed.notify_all()
        if 200 <= status < 300:
            for _ in range(self.duplicates):
                self._post(webhook, update, is_duplicate=True)
            if isinstance(answer, dict) and isinstance(answer.get("method"), str) and not answer["method"].lower().startswith("get"):
                parameters = {name: value for name, value in answer.items() if name != "method"}
                self.call(answer["method"], parameters)

    def _postpone(self, webhook: Webhook, update: Update, status: int, retry_after: float) -> None:
        webhook.last_error_at = int(self.now())
        webhook.last_error = f"Wrong response from the webhook: {status} {http.client.responses.get(status, '')}".rstrip()
        if not status:
            webhook.last_error = "Connection refused or timed out"
        wait = min(retry_after, 3600.0)
        if not wait and update.fails:
            update.delay = min(update.delay * 2, random.uniform(60, 120))  # noqa: S311 - a spread, no secret
            wait = update.delay
        update.fails += 1
        update.due_at = time.monotonic() + wait * self.pace
        if self.now() + wait > update.expires_at:
            self._pending = [other for other in self._pending if other is not update]
        if status == 410:
            webhook.gone_since = webhook.gone_since or self.now()
            if self.now() - webhook.gone_since > 23 * 3600:
                self.webhook = Webhook()

    def _post(self, webhook: Webhook, update: Update, *, is_duplicate: bool = False) -> tuple[int, float, Any]:
        began = time.monotonic()
        status, retry_after, answer = 0, 0.0, None
        parts = urlsplit(webhook.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self.timeout)
        headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip, deflate"}
        if webhook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = webhook.secret
        try:
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path or "/", json.dumps(update.json, ensure_ascii=False).encode(), headers)
            response = connection.getresponse()
            status = response.status
            stated = response.headers.get("Retry-After", "")
            retry_after = float(stated) if stated.isdecimal() else 0.0
            text = response.read()
            answer = json.loads(text) if text.startswith(b"{") else None
        except (OSError, http.client.HTTPException, ValueError):
            pass  # counted as a failed delivery by its status
        finally:
            connection.close()
        seconds = time.monotonic() - began
        with self._changed:
            self.deliveries.append(Delivery(number=update.number, status=status, seconds=seconds, is_duplicate=is_duplicate))
        return status, retry_after, answer

    def _forget_expired(self) -> None:
        now = self.now()
        self._pending = [update for update in self._pending if update.expires_at > now]


def checked_webhook(url: str, secret: str, max_connections: int, *, may_be_loopback: bool) -> Webhook:
    """The webhook, if Telegram would take it.

    Raises:
        Refused: 400, in the Bot API's words.
    """
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in ("http", "https"):
        raise bad_request("invalid webhook URL specified")
    if len(secret) > 256:
        raise bad_request("secret token is too long")
    if not all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in secret):
        raise bad_request("secret token contains unallowed characters")
    if not (may_be_loopback and host in ("127.0.0.1", "localhost", "::1")):
        if parts.scheme != "https":
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if (port or 443) not in (443, 80, 88, 8443):
            raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
    return Webhook(url=parts.geturl(), secret=secret, max_connections=max(1, min(max_connections, 100)))
