"""Questions on what polls make of answers that were spoilt on the way: one entry that cannot be read must cost only itself, and never the poll.

A poll that fails at what it reads stands still for ever: it is asked again from the same place, and gets the same answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plugin.contracts.http import parse_json
from plugin.contracts.platform import Polled
from plugin.domain.codec import encode_event
from plugin.domain.errors import RemoteError
from plugin.domain.events import MessageReceived, PlatformEvent
from plugin.testing.fixtures import PollFixture, Subject, arrival
from plugin.testing.spoiling import EXAMPLES, RUBBISH, Path, Patience, data_of, grafted, paths, reached, told, without


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """A list in the `number`-th answer of a poll, whose entries are told: for each of them the events that only it brings."""

    fixture: PollFixture
    number: int
    path: Path
    whole: Mapping[str, PlatformEvent]
    left: frozenset[str]
    """What the poll names as not carried, when nothing is spoilt."""
    asked: Sequence[str]
    """What was asked for, in order."""
    brings: Sequence[frozenset[str]]


def spoilt_polls_are_endured(subject: Subject) -> Iterator[str]:
    """Whatever stands wherever in an answer, a poll brings what can be stored or raises a RemoteError."""
    fixtures = {fixture.name: fixture for fixture in subject.polls}
    places = [(one.name, number) for one in subject.polls for number, answer in enumerate(one.answers) if data_of(answer) is not None]
    if not places:
        return

    @EXAMPLES
    @given(st.data(), st.sampled_from(places), RUBBISH)
    def any_value_in_its_place(data: st.DataObject, place: tuple[str, int], value: Any) -> None:
        fixture, number = fixtures[place[0]], place[1]
        body = data_of(fixture.answers[number])
        path = data.draw(st.sampled_from(list(paths(body))))
        _polled(subject, fixture, number, grafted(body, path, value))

    yield from told(any_value_in_its_place)


def polled_entries_are_read_apart(subject: Subject) -> Iterator[str]:
    """An entry of a list that cannot be read is named, and all others' events are there."""
    lists = [entries for fixture in subject.polls for entries in _lists(subject, fixture)]
    if not lists:
        return

    @EXAMPLES
    @given(st.data(), st.integers(0, len(lists) - 1), RUBBISH)
    def any_entry_spoilt(data: st.DataObject, place: int, value: Any) -> None:
        entries = lists[place]
        body = data_of(entries.fixture.answers[entries.number])
        members = reached(body, entries.path)
        which = data.draw(st.sampled_from([number for number, brought in enumerate(entries.brings) if brought]))
        inside = data.draw(st.sampled_from(list(paths(members[which]))))
        how = f"with {value!r} at {inside} of entry {which} of {entries.path} in answer {entries.number + 1}"
        spoilt = grafted(body, (*entries.path, which, *inside), value)
        polled, asked = _polled(subject, entries.fixture, entries.number, spoilt)
        if asked != entries.asked[: len(asked)]:
            return  # It asked for something else after that, which no fixture answers.
        assert not isinstance(polled, RemoteError), f"{entries.fixture.name} {how}: the poll stands still ({polled})"
        if asked != entries.asked:
            return
        keys = {event.event_key for event in polled.events}
        lost = [key for key in entries.whole if key not in keys and key not in entries.brings[which]]
        assert not lost, f"{entries.fixture.name} {how}: lost {lost}"

    yield from told(any_entry_spoilt)
    for entries in lists:
        yield from _unnamed(subject, entries)


def _unnamed(subject: Subject, entries: Entries) -> Iterator[str]:
    """Entries of which nothing can be read, so that nobody knows what they were; where they are the messages themselves."""
    body = data_of(entries.fixture.answers[entries.number])
    members = reached(body, entries.path)
    refs = [[one.message_ref for key in keys if isinstance(one := entries.whole[key], MessageReceived)] for keys in entries.brings]
    which = next((at for at, member in enumerate(members) if any(word in ref for word in _words(member) for ref in refs[at])), None)
    if which is None:
        return
    spoilt = grafted(body, (*entries.path, which), {"rubbish": 17})
    try:
        polled, asked = _polled(subject, entries.fixture, entries.number, spoilt)
    except Exception:  # noqa: BLE001 - asked by `spoilt_polls_are_endured`
        return
    if isinstance(polled, RemoteError):
        return  # Asked by `any_entry_spoilt`.
    if asked == entries.asked and not {one.event_key for one in polled.skipped} - entries.left:
        yield f"{entries.fixture.name}: an entry of {entries.path} in answer {entries.number + 1} that is rubbish is passed over in silence"


def _lists(subject: Subject, fixture: PollFixture) -> Iterator[Entries]:
    for number, answer in enumerate(fixture.answers):
        body = data_of(answer)
        if body is None:
            continue
        polled, asked = _polled(subject, fixture, number, body)
        if isinstance(polled, RemoteError):
            continue
        whole = {event.event_key: event for event in polled.events}
        left = frozenset(one.event_key for one in polled.skipped)
        for path in paths(body):
            members = reached(body, path)
            if not (whole and isinstance(members, list) and members and all(isinstance(one, dict) for one in members)):
                continue
            brings = [_only(subject, fixture, number, without(body, path, at), whole, asked) for at in range(len(members))]
            if any(brings):
                yield Entries(fixture=fixture, number=number, path=path, whole=whole, left=left, asked=asked, brings=brings)


def _only(subject: Subject, fixture: PollFixture, number: int, body: Any, whole: Mapping[str, Any], asked: Sequence[str]) -> frozenset[str]:
    """The events that are gone with an entry; none where its going changed what is asked for."""
    polled, then = _polled(subject, fixture, number, body)
    if isinstance(polled, RemoteError) or then != asked:
        return frozenset()
    return frozenset(whole.keys() - {event.event_key for event in polled.events})


def _polled(subject: Subject, fixture: PollFixture, number: int, body: Any) -> tuple[Polled | RemoteError, list[str]]:
    """What the poll brings with another `number`-th answer, and what it asked for. That it can be stored is asserted."""
    answers = list(fixture.answers)
    answers[number] = replace(answers[number], body=json.dumps(body).encode())
    http = Patience(answers)
    adapter = subject.connect(http, at=arrival(fixture), settings=fixture.settings, stored=fixture.stored)
    try:
        polled: Polled = adapter.poll(fixture.position)
    except RemoteError as problem:
        return problem, [one.url for one in http.made]
    for event in polled.events:
        shown = json.dumps(encode_event(event), ensure_ascii=False, allow_nan=False)
        assert "\\u0000" not in shown, f"NUL in {shown[:200]}"
        shown.encode()
    parse_json(json.dumps(polled.position).encode())
    keys = [one.event_key for one in (*polled.events, *polled.skipped)]
    assert all(isinstance(key, str) and key for key in keys), f"something has no key: {keys}"
    assert all(isinstance(one.payload, (dict, list, str, int, float, type(None))) for one in polled.skipped), "a payload is not JSON"
    return polled, [one.url for one in http.made]


def _words(value: Any) -> Iterator[str]:
    """Every text of two letters or more in it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from _words(one)
    if isinstance(value, str) and len(value) > 1:
        yield value
