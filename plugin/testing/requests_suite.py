"""Questions on what comes in: webhooks, polls, forgeries and rubbish."""

from __future__ import annotations

import contextlib
import copy
import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin.contracts.http import WebhookAnswer, WebhookRequest
from plugin.contracts.platform import AnswersChallenge, PollsEvents
from plugin.domain.codec import encode_event
from plugin.domain.errors import MalformedPayload, SignatureInvalid, UnsupportedEvent
from plugin.testing.fakes import CannedHttp
from plugin.testing.fixtures import RequestFixture, Subject, arrival

_STALE = timedelta(hours=1)
_SECRET_ENOUGH = 16
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_EXAMPLES = settings(max_examples=60, deadline=None, database=None, report_multiple_bugs=False, suppress_health_check=list(HealthCheck))


def requests_become_their_events(subject: Subject) -> Iterator[str]:
    """Each request verifies and becomes exactly its events, twice the same, under keys of their own."""
    for fixture in subject.requests:
        adapter = subject.connect(at=arrival(fixture), settings=fixture.settings, stored=fixture.stored)
        try:
            adapter.verify(fixture.request)
        except SignatureInvalid as problem:
            yield f"{fixture.name} does not verify with settings.json: {problem}"
        first, again, elsewhere = (_parsed(one, fixture) for one in (adapter, adapter, subject.connect(settings=fixture.settings)))
        yield from _differences(fixture.name, fixture.events, first)
        if not first == again == elsewhere:
            yield f"{fixture.name} becomes something else when it is parsed again, by another adapter, at another time"
        yield from _shared_keys(fixture.name, first)


def polls_become_their_events(subject: Subject) -> Iterator[str]:
    """Each poll makes exactly its events of its answers; the next position can be stored."""
    is_polling = isinstance(subject.connect(), PollsEvents)
    if not subject.requests and not is_polling:
        yield "there are no webhooks and no polls: nothing can ever come in"
    for fixture in subject.polls:
        http = CannedHttp(fixture.answers, is_endless=False)
        adapter = subject.connect(http, at=arrival(fixture), settings=fixture.settings, stored=fixture.stored)
        if not isinstance(adapter, PollsEvents):
            yield f"{fixture.name} is there, but with its settings nothing polls"
            continue
        polled = adapter.poll(fixture.position)
        events = [encode_event(event) for event in polled.events]
        yield from _differences(fixture.name, fixture.events, events)
        yield from _shared_keys(fixture.name, events)
        if http.unserved:
            yield f"{fixture.name}: nobody asked for {http.unserved} of the answers"
        if json.loads(json.dumps(polled.position)) != polled.position:
            yield f"{fixture.name}: the next position changes when it is stored as JSON"


def forgeries_are_refused(subject: Subject) -> Iterator[str]:
    """Unsigned, signed with another secret, changed and stale requests are refused, by SignatureInvalid and nothing else."""
    if not subject.requests:
        yield from _verdict(subject.connect(), WebhookRequest(method="POST", path="", headers={}, query={}, body=b"{}"), "any request")
    other = {
        name: _turned(value)
        for name, field in subject.static.settings_schema.fields.items()
        if field.metadata.get("secret") and isinstance(value := subject.settings.get(name), str)
    }
    for fixture in subject.requests:
        at, request = arrival(fixture), fixture.request
        adapter = subject.connect(at=at, settings=fixture.settings, stored=fixture.stored)
        bare = {name: value for name, value in request.headers.items() if name in ("content-type", "user-agent")}
        yield from _verdict(adapter, replace(request, headers=bare, query={}), f"{fixture.name} unsigned")
        empty = {name: "" if name not in bare else value for name, value in request.headers.items()}
        yield from _verdict(
            adapter, replace(request, headers=empty, query=dict.fromkeys(request.query, "")), f"{fixture.name} with empty headers"
        )
        odd = {name: "\xff\xe9" if name not in bare else value for name, value in request.headers.items()}
        yield from _verdict(adapter, replace(request, headers=odd, query={}), f"{fixture.name} with odd headers")
        stranger = subject.connect(at=at, settings={**fixture.settings, **other})
        yield from _verdict(stranger, request, f"{fixture.name} for a channel with other secrets")
        if not _holds_a_secret(subject, request):
            # What shows the secret itself cannot prove the body; everything else must.
            yield from _verdict(adapter, replace(request, body=request.body + b" "), f"{fixture.name} with a changed body")
        if fixture.received_at is not None:
            for late in (_STALE, -_STALE):
                yield from _verdict(subject.connect(at=at + late, settings=fixture.settings), request, f"{fixture.name} an hour off")


def rubbish_is_refused(subject: Subject) -> Iterator[str]:
    """Whatever a body holds, parse brings events or raises MalformedPayload or UnsupportedEvent; verify and answer only SignatureInvalid."""
    adapter = subject.connect()
    samples = [fixture.request for fixture in subject.requests] or [
        WebhookRequest(method="POST", path="", headers={"content-type": "application/json"}, query={}, body=b"{}")
    ]

    @_EXAMPLES
    @given(st.sampled_from(samples), st.binary(max_size=200) | _JSON.map(_dumped))
    def any_body(request: WebhookRequest, body: bytes) -> None:
        _endure(adapter, replace(request, body=body))

    @_EXAMPLES
    @given(st.sampled_from(samples), st.data(), _JSON)
    def any_value_in_its_place(request: WebhookRequest, data: st.DataObject, value: Any) -> None:
        try:
            body = json.loads(request.body)
        except ValueError:
            return
        _endure(adapter, replace(request, body=_dumped(_grafted(body, data.draw(st.sampled_from(list(_paths(body)))), value))))

    @_EXAMPLES
    @given(
        st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
        st.text(max_size=30),
        st.dictionaries(st.sampled_from(sorted({name for one in samples for name in one.headers})), st.text(max_size=40)),
        st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=3),
        st.binary(max_size=50),
    )
    def any_request(method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> None:
        _endure(adapter, WebhookRequest(method=method, path=path, headers=headers, query=query, body=body))

    for question in (any_body, any_value_in_its_place, any_request):
        try:
            question()
        except Exception as problem:  # noqa: BLE001 - which one it is, is what is asked
            notes = " ".join(getattr(problem, "__notes__", ()))
            yield f"{question.__name__.replace('_', ' ')}: {type(problem).__name__}: {problem} {notes}"


INCOMING = (requests_become_their_events, polls_become_their_events, forgeries_are_refused, rubbish_is_refused)


def _parsed(adapter: Any, fixture: RequestFixture) -> list[dict[str, Any]]:
    try:
        return [encode_event(event) for event in adapter.parse(fixture.request)]
    except UnsupportedEvent:
        return []


def _differences(name: str, wanted: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if list(wanted) != list(found):
        left, right = (json.dumps(list(one), indent=1, sort_keys=True).splitlines() for one in (wanted, found))
        lines = "\n".join(line for line in difflib.unified_diff(left, right, "the file", "the adapter", lineterm="", n=1))
        yield f"{name} becomes other events than its file says:\n{lines}"


def _shared_keys(name: str, events: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    keys = [event["event_key"] for event in events]
    if len(set(keys)) != len(keys) or not all(keys):
        yield f"{name}: two events share a key, or one has none: {keys}"


def _verdict(adapter: Any, request: WebhookRequest, what: str) -> Iterator[str]:
    try:
        adapter.verify(request)
    except SignatureInvalid as problem:
        if not str(problem).strip():
            yield f"{what} is refused without a sentence"
    except Exception as problem:  # noqa: BLE001 - any other one is what is asked for
        yield f"{what} ends in {type(problem).__name__}: {problem}"
    else:
        yield f"{what} is accepted"


def _endure(adapter: Any, request: WebhookRequest) -> None:
    try:
        events = list(adapter.parse(request))
    except (MalformedPayload, UnsupportedEvent):
        events = []
    for event in events:
        json.dumps(encode_event(event)).encode("ascii")
        _check_storable(encode_event(event))
    with contextlib.suppress(SignatureInvalid):
        adapter.verify(request)
    if isinstance(adapter, AnswersChallenge):
        try:
            answer = adapter.answer(request)
        except SignatureInvalid:
            return
        assert answer is None or isinstance(answer, WebhookAnswer)


def _check_storable(data: Any) -> None:
    """PostgreSQL keeps neither NUL nor lone surrogates."""
    assert "\\u0000" not in json.dumps(data)
    json.dumps(data, ensure_ascii=False).encode("utf-8")


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def _paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _paths(inner, (*at, key))


def _grafted(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    whole = copy.deepcopy(body)
    place = whole
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return whole


def _turned(secret: str) -> str:
    """Another secret of the same make. What stands before an underscore (`whsec_`) is the make, if enough stands behind it."""
    make, underscore, rest = secret.partition("_")
    if len(rest) < _SECRET_ENOUGH:
        make, underscore, rest = "", "", secret
    letters = {ord("z"): "a", ord("Z"): "A", ord("9"): "0"}
    turned = "".join(letters.get(ord(one), chr(ord(one) + 1)) if one.isascii() and one.isalnum() else one for one in rest)
    return make + underscore + turned


def _holds_a_secret(subject: Subject, request: WebhookRequest) -> bool:
    shown = " ".join([*request.headers.values(), *request.query.values(), request.path])
    return any(secret in shown for secret in subject.secrets)
