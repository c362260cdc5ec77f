"""Answers that were spoilt on the way, for the suites: any value anywhere in real JSON. Knows no call and no adapter."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from plugin.contracts.http import HttpResponse
from plugin.domain.errors import MalformedPayload
from plugin.testing.fakes import CannedHttp, Made

MOST_CALLS = 200
RUBBISH: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.just({})
    | st.lists(st.integers(), max_size=2)
)
EXAMPLES = settings(max_examples=30, deadline=None, database=None, report_multiple_bugs=False, suppress_health_check=list(HealthCheck))
Path = tuple[Any, ...]


class Patience(CannedHttp):
    """The answers in order, the last one for ever, but not for ever."""

    def _next(self, made: Made) -> HttpResponse:
        if len(self.made) >= MOST_CALLS:
            raise AssertionError("it asks without end")
        return super()._next(made)


def told(question: Callable[[], object]) -> Iterator[str]:
    """What a property test found, as a sentence."""
    try:
        question()
    except Exception as problem:  # noqa: BLE001 - which one it is, is what is asked
        notes = " ".join(getattr(problem, "__notes__", ()))
        name = getattr(question, "__name__", "a question").replace("_", " ")
        yield f"{name}: {type(problem).__name__}: {problem} {notes}"


def data_of(answer: HttpResponse, *, is_success: bool = True) -> Any:
    """The answer's JSON; None where it is none, and with `is_success` where it is an error's."""
    try:
        found = answer.json() if answer.is_ok or not is_success else None
    except MalformedPayload:
        return None
    return found if isinstance(found, (dict, list)) else None


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """Every place in it, itself first."""
    yield above
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*above, key))


def reached(body: Any, path: Path) -> Any:
    """What stands at a place."""
    for key in path:
        body = body[key]
    return body


def grafted(body: Any, path: Path, value: Any) -> Any:
    """The same with `value` at a place."""
    if not path:
        return value
    whole = copy.deepcopy(body)
    reached(whole, path[:-1])[path[-1]] = value
    return whole


def without(body: Any, path: Path, number: int) -> Any:
    """The same without an entry of the list at a place."""
    changed = copy.deepcopy(body)
    del reached(changed, path)[number]
    return changed
