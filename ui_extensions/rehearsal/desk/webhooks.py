"""Triggers and webhook delivery as measured on Zammad 6.2: built when the job runs, one delivery per trigger, one at a time, five attempts.

Waits between attempts are 10, 20, 30 and 40 s (times `time_scale`), then the webhook is dropped without a trace in the ticket. A 3xx
answer is followed with GET and the whole payload in the query string. A slow endpoint blocks all others.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urljoin, urlsplit

from ui_extensions.rehearsal.desk import triggers as made_triggers
from ui_extensions.rehearsal.desk.changes import Change
from ui_extensions.rehearsal.desk.rows import AGENT, AdminObject, Article, Job, Ticket, stamp
from ui_extensions.rehearsal.desk.shapes import webhook_payload
from ui_extensions.rehearsal.desk.state import Desk
from ui_extensions.rehearsal.faults import Faults

WAITS = (10.0, 20.0, 30.0, 40.0)
ANSWER_SECONDS = 30.0
_HOPS = 10
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Sends a webhook for each change that fits."""

    name: str
    fits: Callable[[Change], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One line of the HTTP log. `status` is 0 where no answer came."""

    key: str
    trigger: str
    ticket_id: int
    article_id: int | None
    number: int
    status: int
    is_dropped: bool = False
    url: str = ""
    content: str = field(default="", repr=False)
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where webhooks go. `delay` is the time in seconds between an event and its first delivery."""

    url: str
    token: str
    base_url: str = ""
    delay: float = 0.0
    time_scale: float = 1.0


def default_triggers(bridge_login: str) -> tuple[Trigger, ...]:
    """What an admin sets up for the bridge: public articles of agents, and changed tickets; never what the bridge did itself."""

    def is_reply(change: Change) -> bool:
        article = change.article
        return article is not None and article.sender_id == AGENT and not article.internal and change.by.login != bridge_login

    def is_moved(change: Change) -> bool:
        return not change.is_new and bool(change.changed & {"state_id", "owner_id", "group_id"}) and change.by.login != bridge_login

    return Trigger(name="Crossdesk 10 reply", fits=is_reply), Trigger(name="Crossdesk 40 ticket", fits=is_moved)


class Webhooks:
    """The queue and its one worker."""

    def __init__(self, desk: Desk, endpoint: Endpoint | None, faults: Faults, triggers: Iterable[Trigger]) -> None:
        self.log: deque[Attempt] = deque(maxlen=1000)
        self._desk = desk
        self._endpoint = endpoint or Endpoint(url="", token="")
        self._faults = faults
        self._triggers = tuple(sorted(triggers, key=lambda trigger: trigger.name))
        self._changed = threading.Condition()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._work, name="desk-webhooks", daemon=True)
        desk.listeners.append(self._wake)
        self._thread.start()

    def notice(self, change: Change) -> None:
        """Queue a delivery for each trigger that fits. Inside `desk.writing()`: kept or lost together with the change."""
        made = ((row.data["name"], made_triggers.webhook_of(row, change)) for row in self._desk.admin_objects(made_triggers.KIND))
        told: list[tuple[str, int | None]] = [(name, webhook) for name, webhook in made if webhook is not None]
        told += [(trigger.name, None) for trigger in self._triggers if trigger.fits(change)]
        for name, webhook in sorted(told, key=lambda pair: pair[0]):
            job = Job(
                id=self._desk.new_id(Job),
                key=str(uuid.uuid4()),
                trigger=name,
                ticket_id=change.ticket.id,
                article_id=change.article.id if change.article else None,
                due=time.time() + self._endpoint.delay,
                webhook_id=webhook,
            )
            self._desk.put(job)

    def stop(self) -> None:
        """End the worker; what waits stays in the queue."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        self._thread.join(timeout=ANSWER_SECONDS)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                if self._is_stopping:
                    return
                job = min(self._desk.jobs(), key=lambda job: (job.due, job.id), default=None)
                wait = None if job is None else job.due - time.time()
                if job is None or (wait is not None and wait > 0):
                    self._changed.wait(wait)
                    continue
            self._run(job)

    def _run(self, job: Job) -> None:
        ticket = self._desk.get(Ticket, job.ticket_id)
        fault = self._faults.strike_webhook(job.trigger)
        endpoint = self._endpoint_of(job)
        if ticket is None or endpoint is None or (fault is not None and fault.kind == "drop_webhooks"):
            self._finish(job, status=0, is_dropped=True)
            return
        if fault is not None:
            self._put_off(job, fault.seconds, is_twin=fault.kind == "duplicate_webhooks")
            if fault.kind == "delay_webhooks":
                return
        with self._desk.lock:
            payload = webhook_payload(self._desk, ticket, self._desk.get(Article, job.article_id), self._endpoint.base_url)
            body = json.dumps(payload, ensure_ascii=False).encode()
        status = self._post(job, body, endpoint)
        self._finish(
            job, status=status, url=endpoint.url, content=body.decode(), is_dropped=not 200 <= status < 300 and job.attempts >= len(WAITS)
        )

    def _endpoint_of(self, job: Job) -> Endpoint | None:
        """The webhook as it is now. One that an administrator deleted, or that never was, gets nothing."""
        if job.webhook_id is None:
            return self._endpoint
        row = self._desk.get(AdminObject, job.webhook_id)
        if row is None or row.kind != "webhooks" or not row.data["active"]:
            return None
        return replace(self._endpoint, url=row.data["endpoint"], token=row.data["signature_token"] or "")

    def _put_off(self, job: Job, seconds: float, *, is_twin: bool) -> None:
        """Deliver the job, or a twin of it with the same key, later."""
        with self._desk.writing():
            later = replace(job, id=self._desk.new_id(Job)) if is_twin else job
            later.due = time.time() + seconds
            self._desk.put(later)

    def _finish(self, job: Job, *, status: int, is_dropped: bool, url: str = "", content: str = "") -> None:
        self.log.append(
            Attempt(
                key=job.key,
                trigger=job.trigger,
                ticket_id=job.ticket_id,
                article_id=job.article_id,
                number=job.attempts + 1,
                status=status,
                is_dropped=is_dropped,
                url=url,
                content=content,
                at=stamp(),
            )
        )
        with self._desk.writing():
            if is_dropped or 200 <= status < 300:
                self._desk.remove(job)
            else:
                job.due = time.time() + WAITS[job.attempts] * self._endpoint.time_scale
                job.attempts += 1
                self._desk.put(job)

    def _post(self, job: Job, body: bytes, endpoint: Endpoint) -> int:
        """The status of the last answer, 0 where none came."""
        headers = {
            "User-Agent": "Zammad User Agent",
            "Accept": "*/*",
            "Content-Type": "application/json; charset=utf-8",
            "X-Zammad-Trigger": job.trigger,
            "X-Zammad-Delivery": job.key,
            "Connection": "close",
        }
        if endpoint.token:
            digest = hmac.new(endpoint.token.encode(), body, hashlib.sha1).hexdigest()
            headers["X-Hub-Signature"] = f"sha1={digest}"
        try:
            status, location = _call("POST", endpoint.url, headers, body)
            hops, url = 0, endpoint.url
            while 300 <= status < 400 and location and hops < _HOPS:
                hops, url = hops + 1, urljoin(url, location)
                status, location = _call("GET", f"{url}?{quote(body)}", headers, b"")
        except (OSError, http.client.HTTPException) as problem:
            _LOG.info("webhook %s for ticket %s got no answer: %s", job.key, job.ticket_id, type(problem).__name__)
            return 0
        return status


def _call(method: str, url: str, headers: dict[str, str], body: bytes) -> tuple[int, str]:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body or None, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("Location", "")
    finally:
        connection.close()
