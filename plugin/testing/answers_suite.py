"""Questions on what goes out: every canned answer means what its file says, and no odd one breaks a call or is taken for a success."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plugin.contracts.http import HttpResponse
from plugin.domain import errors
from plugin.domain.codec import encode
from plugin.domain.errors import OutcomeUnknown, RateLimited, RemoteError, RemoteUnavailable, Unsupported
from plugin.domain.model import FiledArticle, OpenedTicket, Receipt
from plugin.testing.fakes import CannedHttp
from plugin.testing.fixtures import Subject
from plugin.testing.samples import Calls
from plugin.testing.spoiling import EXAMPLES, RUBBISH, Patience, data_of, grafted, paths, told

Calling = Callable[..., Calls]
"""`platform_calls` or `helpdesk_calls`."""
_DEEP = b"[" * 5_000
_HTML = b"<!doctype html><title>Sign in to the hotel's network</title>"
UNREADABLE = (
    (200, b""),
    (200, _HTML),
    (200, b'{"ok": tru'),
    (200, b"\xff\xfe\x00"),
    (200, _DEEP),
    (500, b"{}"),
    (502, _HTML),
    (503, b""),
    (504, b"null"),
)
ODD = (
    *UNREADABLE,
    *((200, body) for body in (b"null", b"[]", b"{}", b'"x"', b"0", b"[null]", b'{"id": null}', b'{"id": [], "ok": 1}', b'[{"id": {}}]')),
    *((201, body) for body in (b"{}", b"[]")),
    (202, b""),
    (204, b""),
    *((302, body) for body in (b"", b"{}")),
    *((status, body) for status in (400, 401, 403, 404, 409, 410, 413, 418, 422, 429, 451, 520) for body in (b"{}", b"[]", _HTML)),
)


def answers_mean_what_they_say(subject: Subject, calling: Calling) -> Iterator[str]:
    """Each canned answer, given to the call of its name, raises exactly its error or brings what it must; no secret shows in it."""
    for fixture in subject.answers:
        http = CannedHttp(fixture.answers)
        adapter = subject.connect(http, settings=fixture.settings, stored=fixture.stored)
        act = calling(subject, adapter, fixture.arguments).get(fixture.call)
        if act is None:
            yield f"{fixture.name}: the contract has no call {fixture.call}, or the adapter does not implement it"
            continue
        raised: Exception | None = None
        brought: Any = None
        try:
            brought = act()
        except Exception as problem:  # noqa: BLE001 - which one it is, is what is asked
            raised = problem
        name = None if raised is None else _public_name(raised)
        if name != fixture.raises:
            yield f"{fixture.name} raises {name} ({raised}) and not {fixture.raises}"
        if raised is not None:
            yield from _faults_of(raised, fixture.name, subject, fixture.answers[-1])
            if fixture.retry_after is not None and getattr(raised, "retry_after", None) != fixture.retry_after:
                yield f"{fixture.name}: the error names {getattr(raised, 'retry_after', None)} seconds and not {fixture.retry_after}"
        elif any(not _holds(encode(brought), wanted) for wanted in fixture.brings):
            yield f"{fixture.name} brings {encode(brought)} and not {fixture.brings[0]}"
        if http.unserved:
            yield f"{fixture.name}: nobody asked for {http.unserved} of the answers"


def errors_are_covered(subject: Subject, needed: Mapping[str, frozenset[type[RemoteError]]]) -> Iterator[str]:
    """Each needed error class, or a kind of it, is shown for each of the calls that matter, and so is a success."""
    for call, kinds in needed.items():
        shown = {fixture.raises for fixture in subject.answers if fixture.call == call}
        if None not in shown:
            yield f"no {call}__*.response.json shows a success (raises: null)"
        for kind in kinds:
            if not any(name is not None and issubclass(getattr(errors, name, type(None)), kind) for name in shown):
                yield f"no {call}__*.response.json raises {kind.__name__}"


def odd_answers_are_endured(subject: Subject, calling: Calling) -> Iterator[str]:
    """Whatever comes back to all of its HTTP calls, a call brings something whole or raises a RemoteError."""
    given: list[tuple[str, HttpResponse | RemoteError]] = [(f"{status} {body[:20]!r}", _response(status, body)) for status, body in ODD]
    given += [("no answer", OutcomeUnknown("No answer.")), ("no connection", RemoteUnavailable("No connection."))]
    known: set[str] = set()
    for what, answer in given:
        for call in calling(subject, subject.connect()):
            http = Patience([answer])
            try:
                brought = calling(subject, subject.connect(http))[call]()
            except RemoteError as problem:
                faults = list(_faults_of(problem, call, subject, None))
                yield from (f"{one} (with {what})" for one in faults if one not in known)
                known.update(faults)
            except Exception as problem:  # noqa: BLE001 - any other one is what is asked for
                yield f"{call} with {what} ends in {type(problem).__name__}: {problem}"
            else:
                yield from _unearned(call, what, brought, asked=len(http.made))


def spoilt_answers_are_endured(subject: Subject, calling: Calling) -> Iterator[str]:
    """Whatever stands wherever in an answer, a call brings something or raises a RemoteError: after a write nothing else may be taken for a fault."""
    fixtures = [fixture for fixture in subject.answers if any(data_of(answer, is_success=False) is not None for answer in fixture.answers)]
    if not fixtures:
        return

    @EXAMPLES
    @given(st.data(), st.integers(0, len(fixtures) - 1), RUBBISH)
    def any_value_in_its_place(data: st.DataObject, which: int, value: Any) -> None:
        fixture = fixtures[which]
        bodies = [data_of(answer, is_success=False) for answer in fixture.answers]
        number = data.draw(st.sampled_from([at for at, body in enumerate(bodies) if body is not None]))
        path = data.draw(st.sampled_from(list(paths(bodies[number]))))
        answers = list(fixture.answers)
        answers[number] = replace(answers[number], body=json.dumps(grafted(bodies[number], path, value)).encode())
        adapter = subject.connect(Patience(answers), settings=fixture.settings, stored=fixture.stored)
        try:
            calling(subject, adapter, fixture.arguments)[fixture.call]()
        except RemoteError:
            return
        except Exception as problem:
            problem.add_note(f"{fixture.name} with {value!r} at {path} of answer {number + 1}")
            raise

    yield from told(any_value_in_its_place)


def unclear_look_ups_do_not_say_no(subject: Subject, calling: Calling) -> Iterator[str]:
    """A look-up that got no readable answer must not say that there is nothing: what exists would be made again."""
    for status, body in UNREADABLE:
        for call in calling(subject, subject.connect()):
            if not call.startswith("find_") or call == "find_or_create_customer":
                continue
            http = Patience([_response(status, body)])
            try:
                found = calling(subject, subject.connect(http))[call]()
            except RemoteError:
                continue
            except Exception:  # noqa: BLE001, S112 - asked by `odd_answers_are_endured`
                continue
            if found is None and http.made:
                yield f"{call} takes {status} {body[:20]!r} for a no"


def _holds(found: Any, wanted: Any) -> bool:
    """Whether `found` is `wanted`, or an object with more fields than that."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return all(name in found and _holds(found[name], value) for name, value in wanted.items())
    return bool(found == wanted)


def _unearned(call: str, what: str, brought: Any, *, asked: int) -> Iterator[str]:
    refs = {
        "deliver": (Receipt, "message_ref"),
        "edit": (Receipt, "message_ref"),
        "open_ticket": (OpenedTicket, "ticket_ref"),
        "add_article": (FiledArticle, "article_ref"),
    }
    if call.partition(" ")[0] not in refs:
        return
    kind, ref = refs[call.partition(" ")[0]]
    if not isinstance(brought, kind) or not isinstance(getattr(brought, ref), str) or not getattr(brought, ref):
        yield f"{call} takes {what} for a success and names no {ref}"
    if not asked:
        yield f"{call} brings something without a call"


def _public_name(raised: Exception) -> str:
    """An adapter may have kinds of its own below ours: what counts is the class that the engine knows."""
    return next((kind.__name__ for kind in type(raised).__mro__ if kind.__module__ == errors.__name__), type(raised).__name__)


def _faults_of(raised: Exception, what: str, subject: Subject, answer: HttpResponse | None) -> Iterator[str]:
    shown = f"{raised!r} {raised} {getattr(raised, 'detail', '')}"
    if any(secret in shown for secret in subject.secrets):
        yield f"{what}: a secret shows in the error"
    if isinstance(raised, Unsupported):
        return
    if not str(raised).rstrip().endswith((".", "!", "?")):
        yield f"{what}: the error is no sentence: {raised}"
    if (
        isinstance(raised, RateLimited)
        and answer is not None
        and answer.retry_after is not None
        and raised.retry_after != answer.retry_after
    ):
        yield f"{what}: Retry-After says {answer.retry_after} and the error {raised.retry_after}"


def _response(status: int, body: bytes) -> HttpResponse:
    headers = {"content-type": "application/json", "retry-after": "soon", "location": "https://elsewhere.example/"}
    return HttpResponse(status=status, headers=headers, body=body, url="https://fixture.example/")
