"""What an adapter is handed, with behaviour and without a network: a clock that is set, secrets in memory, HTTP answers from a list."""

from __future__ import annotations

import base64
import json as jsonlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from plugin.contracts.http import FormFile, HttpClient, HttpResponse
from plugin.contracts.platform import Connection
from plugin.contracts.settings import Renew
from plugin.domain.errors import CrossdeskError

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WEBHOOK_URL = "https://desk.example/in/channel/fixture"


class FixedClock:
    """Stands still at `at` until it is told to go on."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        """The moment it stands at."""
        return self.at

    def advance(self, seconds: float) -> None:
        """Go on by `seconds`."""
        self.at += timedelta(seconds=seconds)


class MemorySecrets:
    """The secrets of one channel or helpdesk, with the real one's promise: one renewal, however many ask at once. `renewals` counts."""

    def __init__(self, **stored: str) -> None:
        self.stored = dict(stored)
        self.renewals = 0
        self._lock = threading.Lock()

    def get(self, name: str) -> str | None:
        """As `SecretStore.get`."""
        with self._lock:
            return self.stored.get(name)

    def refresh(self, name: str, stale: str | None, renew: Renew) -> str:
        """As `SecretStore.refresh`."""
        with self._lock:
            current = self.stored.get(name)
            if current is None or current == stale:
                current = self.stored[name] = renew(current)
                self.renewals += 1
            return current


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One call that was made. `sent` holds headers, params, json, data, files, timeout and max_bytes as they were given."""

    method: str
    url: str
    sent: Mapping[str, Any] = field(default_factory=dict, repr=False)


class CannedHttp:
    """Answers from a list, in order; the last one stays. An error in the list is raised. `made` says what was asked.

    With `is_endless=False` a call beyond the list is an AssertionError.
    """

    def __init__(self, answers: Sequence[HttpResponse | CrossdeskError], *, is_endless: bool = True) -> None:
        self._answers = list(answers)
        self._is_endless = is_endless
        self._lock = threading.Lock()
        self.made: list[Made] = []

    @property
    def unserved(self) -> int:
        """How many answers nobody asked for."""
        return max(0, len(self._answers) - len(self.made))

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | Sequence[tuple[str, str]] | None = None,
        json: Any = None,
        data: bytes | Mapping[str, str] | None = None,
        files: Sequence[tuple[str, FormFile]] | None = None,
        timeout: float | None = None,
        max_bytes: int | None = None,
    ) -> HttpResponse:
        """As `HttpClient.request`. What could not be sent as JSON fails here too."""
        jsonlib.dumps(json, allow_nan=False)
        given = {
            "headers": headers,
            "params": params,
            "json": json,
            "data": data,
            "files": files,
            "timeout": timeout,
            "max_bytes": max_bytes,
        }
        return self._next(Made(method=method.upper(), url=url, sent={name: value for name, value in given.items() if value is not None}))

    def download(self, url: str, *, max_bytes: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
        """As `HttpClient.download`; `made` calls it DOWNLOAD, so that a test sees that the filter was asked."""
        return self._next(Made(method="DOWNLOAD", url=url, sent={"headers": headers, "max_bytes": max_bytes}))

    def _next(self, made: Made) -> HttpResponse:
        with self._lock:
            at = len(self.made)
            self.made.append(made)
        if at >= len(self._answers) and not (self._is_endless and self._answers):
            raise AssertionError(f"there is no answer for call {at + 1}: {made.method} {made.url}")
        answer = self._answers[min(at, len(self._answers) - 1)]
        if isinstance(answer, HttpResponse):
            return answer
        raise answer


def canned(data: Mapping[str, Any]) -> HttpResponse:
    """A canned answer of a fixture: `{"status", "headers", "json" | "body" | "base64"}` as a response."""
    if "json" in data:
        body = jsonlib.dumps(data["json"], ensure_ascii=False).encode()
    else:
        body = base64.b64decode(data["base64"]) if "base64" in data else str(data.get("body", "")).encode()
    headers = {name.lower(): str(value) for name, value in data.get("headers", {}).items()}
    return HttpResponse(status=int(data["status"]), headers=headers, body=body, url="https://fixture.example/")


def connection(http: HttpClient, *, clock: FixedClock | None = None, secrets: MemorySecrets | None = None) -> Connection:
    """What `connect` takes besides the settings."""
    return Connection(http=http, clock=clock or FixedClock(), secrets=secrets or MemorySecrets(), webhook_url=WEBHOOK_URL)
