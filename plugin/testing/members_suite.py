"""Questions on deliveries that tell several facts at once: one that cannot be read must cost only itself, and nothing may come twice."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin.contracts.http import WebhookRequest
from plugin.domain.codec import encode_event
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import MemberUnreadable
from plugin.testing.fixtures import Subject

_RUBBISH: tuple[Any, ...] = (17, None, "rubbish", [], {})
_VALUES: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just({}) | st.lists(st.integers(), max_size=2)
)
_EXAMPLES = settings(max_examples=40, deadline=None, database=None, report_multiple_bugs=False, suppress_health_check=list(HealthCheck))
Path = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A list in a delivery whose members become events: for each of them the events that only it brings."""

    name: str
    request: WebhookRequest
    path: Path
    whole: Mapping[str, Any]
    brings: Sequence[frozenset[str]]


def members_are_read_apart(subject: Subject) -> Iterator[str]:
    """A member that cannot be read becomes a `MemberUnreadable`, or is passed over; every other member's events are there, each once."""
    adapter = subject.connect()
    batches = [batch for fixture in subject.requests for batch in _batches(adapter, fixture.name, fixture.request)]
    for batch in batches:
        for rubbish in _RUBBISH:
            body = json.loads(batch.request.body)
            _at(body, batch.path).append(rubbish)
            yield from _missing(adapter, batch, body, list(batch.whole), f"with {rubbish!r} as a further member")
    several = [batch for batch in batches if sum(map(bool, batch.brings)) > 1]
    if not several:
        return

    @_EXAMPLES
    @given(st.data(), st.sampled_from(several), _VALUES)
    def any_member_spoilt(data: st.DataObject, batch: Batch, value: Any) -> None:
        which = data.draw(st.sampled_from([at for at, brought in enumerate(batch.brings) if brought]))
        body = json.loads(batch.request.body)
        members = _at(body, batch.path)
        inside = data.draw(st.sampled_from(list(_paths(members[which]))))
        _graft(members, (which, *inside), value)
        kept = [key for key in batch.whole if key not in batch.brings[which]]
        problems = list(_missing(adapter, batch, body, kept, f"with {value!r} at {inside} of member {which}"))
        assert not problems, problems[0]

    try:
        any_member_spoilt()
    except Exception as problem:  # noqa: BLE001 - which one it is, is what is asked
        yield f"any member spoilt: {type(problem).__name__}: {problem}"


def unreadable_members_are_shown(subject: Subject) -> Iterator[str]:
    """Who has a fixture of a batch has one of a batch with a member that cannot be read."""
    adapter = subject.connect()
    has_batches = any(
        sum(map(bool, batch.brings)) > 1 for fixture in subject.requests for batch in _batches(adapter, fixture.name, fixture.request)
    )
    if has_batches and not any(isinstance(event, MemberUnreadable) for event in subject.events):
        yield "deliveries hold several facts here, and no fixture shows one among them that cannot be read (MemberUnreadable)"


def _batches(adapter: Any, name: str, request: WebhookRequest) -> Iterator[Batch]:
    try:
        body = json.loads(request.body)
    except ValueError:
        return
    whole = _read(adapter, request, body)
    if not whole or any(event["type"] == MemberUnreadable.__name__ for event in whole.values()):
        return
    for path in _paths(body):
        members = _at(body, path)
        if isinstance(members, list) and members and all(isinstance(one, dict) for one in members):
            brings = [frozenset(whole.keys() - _read(adapter, request, _without(body, path, at)).keys()) for at in range(len(members))]
            if any(brings):
                yield Batch(name=name, request=request, path=path, whole=whole, brings=brings)


def _missing(adapter: Any, batch: Batch, body: Any, wanted: Sequence[str], how: str) -> Iterator[str]:
    """What is not there any more."""
    if not wanted:
        return
    try:
        found = _strictly(adapter, batch.request, body)
    except (MalformedPayload, UnsupportedEvent) as problem:
        yield f"{batch.name} {how}: the others are lost to {type(problem).__name__} ({problem})"
        return
    keys = [event["event_key"] for event in found]
    if len(set(keys)) != len(keys):
        yield f"{batch.name} {how}: two events share a key: {keys}"
    if lost := [key for key in wanted if key not in keys]:
        yield f"{batch.name} {how}: lost {lost}"


def _read(adapter: Any, request: WebhookRequest, body: Any) -> dict[str, Any]:
    try:
        return {event["event_key"]: event for event in _strictly(adapter, request, body)}
    except (MalformedPayload, UnsupportedEvent):
        return {}


def _strictly(adapter: Any, request: WebhookRequest, body: Any) -> list[dict[str, Any]]:
    return [encode_event(event) for event in adapter.parse(replace(request, body=json.dumps(body).encode()))]


def _paths(value: Any, at: Path = ()) -> Iterator[Path]:
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _paths(inner, (*at, key))


def _at(body: Any, path: Path) -> Any:
    for key in path:
        body = body[key]
    return body


def _graft(body: Any, path: Path, value: Any) -> None:
    _at(body, path[:-1])[path[-1]] = value


def _without(body: Any, path: Path, at: int) -> Any:
    changed = copy.deepcopy(body)
    del _at(changed, path)[at]
    return changed
