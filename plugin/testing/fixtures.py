"""The fixtures of an adapter's folder, read strictly: what is misspelt, unpaired or unreadable is a problem, never passed over.

    settings.json                      a valid settings object with fake secrets
    <event>__<variant>.request.json    {"method", "path", "headers", "query", "json" | "body" | "base64", "received_at"?, "settings"?,
                                       "stored"?: secrets by name}
    <event>__<variant>.poll.json       {"responses": [answers in order], "position"?, "received_at"?, "settings"?, "stored"?: secrets by name}
    <event>__<variant>.events.json     what either of the two becomes: [encode_event(event), ...]
    <call>__<case>.response.json       an answer and "raises": the error's name or null
    <name>.answer.json                 an answer that several of the others share

`<event>` is the first of the events, in snake case (`message_received`), or `nothing`; `<call>` is a method of the contract (`deliver`,
`open_ticket`), never the vendor's.

An answer is `{"status", "headers"?, "json" | "body" | "base64"}`. A response file holds one, which every HTTP call of the adapter's call
gets, or `"responses"`: a list of them in the order of the HTTP calls, of which the last stays. Where a list says `"signed_in"` instead of
an answer, `signed_in.answer.json` is meant. Besides `raises` a response file may say

    "brings"         what a success returns, as `plugin.domain.codec` writes it: null, a list, or the fields that count
    "retry_after"    the seconds that the error must name where no Retry-After header does
    "given"          what the call is made with: {"settings": {...}, "stored": {secrets by name}, "arguments": {argument: as the codec
                     writes it}}; the rest comes from the adapter's own fixtures (`plugin.testing.samples`)

`received_at` sets the clock; where it is missing, the clock shows when the last of the events occurred, and for a response
`plugin.testing.fakes.START`. A request whose signature covers its time must say it: it is then also shown an hour early and an hour late.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from plugin.contracts.http import HttpClient, HttpResponse, WebhookRequest
from plugin.contracts.platform import Connection
from plugin.domain.codec import decode_event
from plugin.domain.events import Event
from plugin.testing.fakes import START, CannedHttp, FixedClock, MemorySecrets, canned, connection

_ANSWER = frozenset(["status", "headers", "json", "body", "base64"])
_REQUEST = frozenset(["method", "path", "headers", "query", "json", "body", "base64", "received_at", "settings", "stored"])
_POLL = frozenset(["responses", "position", "received_at", "settings", "stored"])
_RESPONSE = _ANSWER | frozenset(["responses", "raises", "brings", "retry_after", "given"])
_GIVEN = frozenset(["settings", "stored", "arguments"])
_CAPITAL = re.compile(r"(?<!^)([A-Z])")
_IDLE = {".events.json": "has no .request.json or .poll.json beside it", ".answer.json": "is named by no other file"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFixture:
    """A webhook and what it becomes. `received_at` is None where the file does not say it."""

    name: str
    request: WebhookRequest
    events: Sequence[Mapping[str, Any]]
    received_at: datetime | None
    settings: Mapping[str, Any]
    stored: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollFixture:
    """The answers to a poll and what they become."""

    name: str
    answers: Sequence[HttpResponse]
    position: Mapping[str, Any] | None
    events: Sequence[Mapping[str, Any]]
    received_at: datetime | None
    settings: Mapping[str, Any]
    stored: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFixture:
    """What HTTP says to one call of the contract, and what it must become: an error, or what `brings` holds (empty: anything)."""

    name: str
    call: str
    answers: Sequence[HttpResponse]
    raises: str | None
    brings: Sequence[Any]
    retry_after: float | None
    settings: Mapping[str, Any]
    stored: Mapping[str, str]
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An adapter (`Platform` or `Helpdesk`) and everything its folder says of it. `folder` is None for one that has none (a fake)."""

    static: Any
    settings: Mapping[str, Any]
    requests: Sequence[RequestFixture] = ()
    polls: Sequence[PollFixture] = ()
    answers: Sequence[AnswerFixture] = ()
    folder: Path | None = None
    problems: Sequence[str] = field(default=())

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret values in the settings."""
        fields = self.static.settings_schema.fields
        values = (self.settings.get(name) for name, one in fields.items() if one.metadata.get("secret"))
        return tuple(value for value in values if isinstance(value, str) and value)

    @property
    def events(self) -> list[Event]:
        """Every event of every fixture, in the order of their names."""
        both: list[RequestFixture | PollFixture] = [*self.requests, *self.polls]
        pairs = sorted(both, key=lambda fixture: fixture.name)
        return [decode_event(data) for fixture in pairs for data in fixture.events]

    def connect(
        self,
        http: HttpClient | None = None,
        *,
        at: datetime | None = None,
        settings: Mapping[str, Any] | None = None,
        stored: Mapping[str, str] | None = None,
    ) -> Any:
        """The adapter, bound with the fixture's settings (and `settings` over them)."""
        loaded = self.static.settings_schema.load({**self.settings, **(settings or {})})
        return self.static.connect("fixture", loaded, self.connection(http, at=at, stored=stored))

    def connection(self, http: HttpClient | None, *, at: datetime | None = None, stored: Mapping[str, str] | None = None) -> Connection:
        """What the adapter is handed; without `http` any call fails."""
        silent = CannedHttp([], is_endless=False)
        return connection(http or silent, clock=FixedClock(at or START), secrets=MemorySecrets(**(stored or {})))


def arrival(fixture: RequestFixture | PollFixture) -> datetime:
    """The moment at which a fixture's clock stands."""
    told = [str(data["occurred_at"]) for data in fixture.events if data.get("occurred_at")]
    return fixture.received_at or max(map(datetime.fromisoformat, told), default=START)


def load(static: Any, folder: Path) -> Subject:
    """Everything in `folder`, with a problem for each file that cannot be used."""
    return _Reading(static, folder).subject()


class _Reading:
    def __init__(self, static: Any, folder: Path) -> None:
        self._static = static
        self._folder = folder
        self._problems: list[str] = []
        self._used: set[str] = set()

    def subject(self) -> Subject:
        settings = self._read(self._folder / "fixtures" / "settings.json") or {}
        requests = [made for path in self._files("request") if (made := self._request(path)) is not None]
        polls = [poll for path in self._files("poll") if (poll := self._poll(path)) is not None]
        answers = [answer for path in self._files("response") if (answer := self._answer(path)) is not None]
        self._used |= {"settings.json", *(path.name for kind in ("request", "poll", "response") for path in self._files(kind))}
        for path in sorted((self._folder / "fixtures").glob("*")):
            if path.name not in self._used:
                self._problems.append(f"{path.name} {_IDLE.get(''.join(path.suffixes), 'is no kind of fixture')}")
        return Subject(
            static=self._static,
            settings=settings,
            requests=requests,
            polls=polls,
            answers=answers,
            folder=self._folder,
            problems=self._problems,
        )

    def _files(self, kind: str) -> Iterator[Path]:
        return iter(sorted((self._folder / "fixtures").glob(f"*__*.{kind}.json")))

    def _read(self, path: Path, known: frozenset[str] | None = None) -> Any:
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            self._problems.append(f"{path.name} cannot be read: {problem}")
            return None
        if known is not None and (unknown := set(data) - known):
            self._problems.append(f"{path.name} has unknown keys: {', '.join(sorted(unknown))}")
            return None
        return data

    def _events(self, path: Path, kind: str) -> Sequence[Mapping[str, Any]]:
        beside = path.with_name(path.name.removesuffix(f".{kind}.json") + ".events.json")
        self._used.add(beside.name)
        data = self._read(beside)
        try:
            for event in data or ():
                decode_event(event)
        except (ValueError, TypeError) as problem:
            self._problems.append(f"{beside.name} holds no events: {problem}")
            return ()
        first = _CAPITAL.sub(r"_\1", data[0]["type"]).lower() if data else "nothing"
        if data is not None and not path.name.startswith(f"{first}__"):
            self._problems.append(f"{path.name} begins with {first}: call it {first}__{path.name.partition('__')[2]}")
        return data or ()

    def _request(self, path: Path) -> RequestFixture | None:
        events = self._events(path, "request")
        data = self._read(path, _REQUEST)
        if data is None:
            return None
        request = WebhookRequest(
            method=data.get("method", "POST"),
            path=data.get("path", ""),
            headers={name.lower(): value for name, value in data.get("headers", {}).items()},
            query=data.get("query", {}),
            body=_body(data),
        )
        return RequestFixture(
            name=path.name,
            request=request,
            events=events,
            received_at=_moment(data),
            settings=data.get("settings", {}),
            stored=data.get("stored", {}),
        )

    def _poll(self, path: Path) -> PollFixture | None:
        events = self._events(path, "poll")
        data = self._read(path, _POLL)
        if data is None:
            return None
        return PollFixture(
            name=path.name,
            answers=self._answers(data.get("responses", ())),
            position=data.get("position"),
            events=events,
            received_at=_moment(data),
            settings=data.get("settings", {}),
            stored=data.get("stored", {}),
        )

    def _answer(self, path: Path) -> AnswerFixture | None:
        data = self._read(path, _RESPONSE)
        if data is None:
            return None
        given = data.get("given", {})
        if "raises" not in data or ("status" in data) == ("responses" in data) or set(given) - _GIVEN:
            self._problems.append(f"{path.name} needs raises, either status or responses, and in given only {', '.join(sorted(_GIVEN))}")
            return None
        if data["raises"] is not None and "brings" in data:
            self._problems.append(f"{path.name} cannot both raise and bring something")
        return AnswerFixture(
            name=path.name,
            call=path.name.partition("__")[0],
            answers=self._answers(data.get("responses", [data])),
            raises=data["raises"],
            brings=[data["brings"]] if "brings" in data else (),
            retry_after=data.get("retry_after"),
            settings=given.get("settings", {}),
            stored=given.get("stored", {}),
            arguments=given.get("arguments", {}),
        )

    def _answers(self, listed: Sequence[Any]) -> list[HttpResponse]:
        """The answers of a list, with what stands in files of their own."""
        answers = []
        for one in listed:
            data = one
            if isinstance(one, str):
                path = self._folder / "fixtures" / f"{one}.answer.json"
                self._used.add(path.name)
                data = self._read(path, _ANSWER)
            if data is not None:
                answers.append(canned(data))
        return answers


def _body(data: Mapping[str, Any]) -> bytes:
    if "json" in data:
        return json.dumps(data["json"]).encode()
    return base64.b64decode(data["base64"]) if "base64" in data else str(data.get("body", "")).encode()


def _moment(data: Mapping[str, Any]) -> datetime | None:
    return datetime.fromisoformat(data["received_at"]) if "received_at" in data else None
