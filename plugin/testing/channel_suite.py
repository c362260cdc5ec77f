"""The questions for a platform that runs: what comes of a question and its answer at the real thing, or at a strict stand-in, over HTTP.

The suite of canned answers (`platform_suite`) asks what an adapter makes of what a platform says; this one asks whether both agree. To ask it of
your own, write a `Running` around your stand-in, and:

    @pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
    def test_my_platform(question, running):
        assert list(question(running)) == []
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from plugin.contracts.capabilities import Idempotency
from plugin.contracts.platform import PollsEvents, ReadsBack
from plugin.domain.errors import CredentialsRejected, OutcomeUnknown, RateLimited, RemoteError, RemoteRejected, Unsupported
from plugin.domain.events import MessageReceived, PlatformEvent
from plugin.domain.ids import Marker
from plugin.testing.bench import new_marker
from plugin.testing.outgoing import answer_to

_WORDS = "Where is my order? Größe 42 & <b>blue</b> 😀"
_ANSWER = "It left today & comes on “Monday” 😀"
_MARKER = Marker("01jd7q3w9x8v7u6t5s4r3q2p1n")
_PAUSE = 17.0


class Running(Protocol):
    """A platform with an account of ours, and somebody who may be answered."""

    adapter: Any

    def asks(self, words: str) -> MessageReceived:
        """A customer says something to the account: what the adapter makes of it, however it comes."""
        ...

    def came(self) -> Sequence[PlatformEvent]:
        """What else came since it was asked for last; nothing is on its way any more."""
        ...

    def stands(self) -> Sequence[str]:
        """What the account has said, as its readers see it, oldest first."""
        ...

    def slow_down(self, seconds: float) -> None:
        """The next call that says something is one too many."""
        ...

    def break_down(self) -> None:
        """The next call that says something is applied, and its answer is lost to a fault."""
        ...

    def lock_out(self) -> None:
        """The account's credential is good for nothing any more."""
        ...


Question = Callable[[Running], Iterator[str]]
"""Yields sentences on what is wrong."""


def all_is_well_at_first(running: Running) -> Iterator[str]:
    """Every probe is content."""
    yield from (f"the probe {probe.name} says: {probe.answer}" for probe in running.adapter.probe() if not probe.is_ok)


def a_question_is_heard_once_by_every_way(running: Running) -> Iterator[str]:
    """Its words come whole, and webhook and poll name it alike."""
    event = running.asks(_WORDS)
    if _WORDS not in event.text.plain:
        yield f"{_WORDS!r} came as {event.text.plain!r}"
    if event.is_own or not event.author.ref:
        yield "a customer's words are taken for our own, or for nobody's"
    for again in _messages(_polled(running)):
        if again.message_ref == event.message_ref and (again.event_key, again.thread_key) != (event.event_key, event.thread_key):
            yield f"the poll names it {again.event_key} in {again.thread_key}, the webhook {event.event_key} in {event.thread_key}"


def an_answer_stands_there_once_and_comes_back_as_ours(running: Running) -> Iterator[str]:
    """What we said is what is read there, and its echo is known."""
    event = running.asks(_WORDS)
    running.came()
    receipt = running.adapter.deliver(answer_to(event, _ANSWER), marker=_MARKER)
    if [words for words in running.stands() if _ANSWER in words] != list(running.stands())[-1:]:
        yield f"{_ANSWER!r} stands there as {running.stands()}"
    for echo in _messages([*running.came(), *_polled(running)]):
        if echo.message_ref == event.message_ref:
            continue
        if not echo.is_own or echo.thread_key != event.thread_key:
            yield f"the echo {echo.event_key} is taken for a customer's, or belongs to {echo.thread_key}"
        if echo.message_ref not in (receipt.message_ref, *receipt.extra_refs) and echo.marker != _MARKER:
            yield f"the echo {echo.event_key} is not known as what {receipt.message_ref} is"


def a_pause_is_as_long_as_it_is_told(running: Running) -> Iterator[str]:
    """One call too many does nothing, and says how long to wait."""
    event = running.asks(_WORDS)
    running.slow_down(_PAUSE)
    try:
        running.adapter.deliver(answer_to(event, _ANSWER), marker=_MARKER)
        yield "one call too many is taken for a success"
    except RateLimited as pause:
        if pause.retry_after is None or not 1 <= pause.retry_after <= _PAUSE + 2:
            yield f"a pause of {_PAUSE:g} s is read as {pause.retry_after}"
    except RemoteError as other:
        yield f"one call too many is {type(other).__name__}"
    if running.stands():
        yield f"it was said all the same: {running.stands()}"
    running.adapter.deliver(answer_to(event, _ANSWER), marker=_MARKER)
    if len(running.stands()) != 1:
        yield f"after the pause it stands there {len(running.stands())} times"


def an_answer_that_is_lost_is_neither_a_yes_nor_a_no(running: Running) -> Iterator[str]:
    """What was applied stays unclear, until it is looked up or done again by its key."""
    event = running.asks(_WORDS)
    answer = answer_to(event, _ANSWER, created_at=event.occurred_at)
    running.break_down()
    try:
        running.adapter.deliver(answer, marker=_MARKER)
        yield "a lost answer is taken for a success"
    except OutcomeUnknown:
        pass
    except RemoteError as other:
        yield f"a lost answer is {type(other).__name__}"
    capabilities = running.adapter.capabilities
    if isinstance(running.adapter, ReadsBack):
        found = running.adapter.find_delivered(answer, marker=_MARKER)
        if found is None:
            yield "what was applied is not found"
    elif capabilities.idempotency is not Idempotency.NONE:
        running.adapter.deliver(answer, marker=_MARKER)
    if len(running.stands()) != 1:
        yield f"it stands there {len(running.stands())} times"


def the_longest_text_fits_and_one_letter_more_does_not(running: Running) -> Iterator[str]:
    """The limit that is declared is the platform's own."""
    event = running.asks(_WORDS)
    limits = running.adapter.capabilities.limits_of(event.visibility)
    running.adapter.deliver(answer_to(event, "x" * limits.text_length), marker=new_marker())
    if ["x" * limits.text_length in words for words in running.stands()] != [True]:
        yield f"{limits.text_length} letters do not stand there"
    for more in (1, 100):
        try:
            running.adapter.deliver(answer_to(event, "y" * (limits.text_length + more)), marker=new_marker())
        except (RemoteRejected, Unsupported):
            break
    else:
        yield f"100 letters more than {limits.text_length} are taken: more could be declared"
    if any("y" * (limits.text_length + 100) in words for words in running.stands()):
        yield "what is too long was said"


def a_dead_credential_stops_everything(running: Running) -> Iterator[str]:
    """It is known for what it is by every call, and a probe says so."""
    event = running.asks(_WORDS)
    running.lock_out()
    calls: dict[str, Callable[[], Any]] = {"deliver": lambda: running.adapter.deliver(answer_to(event, _ANSWER), marker=_MARKER)}
    if isinstance(running.adapter, PollsEvents):
        calls["poll"] = lambda: running.adapter.poll(None)
    for name, call in calls.items():
        try:
            call()
            yield f"{name} takes a dead credential for a good one"
        except CredentialsRejected:
            continue
        except RemoteError as other:
            yield f"{name} takes a dead credential for {type(other).__name__}"
    if all(probe.is_ok for probe in running.adapter.probe()):
        yield "every probe is content with a dead credential"
    if running.stands():
        yield "something was said nevertheless"


QUESTIONS: tuple[Question, ...] = (
    all_is_well_at_first,
    a_question_is_heard_once_by_every_way,
    an_answer_stands_there_once_and_comes_back_as_ours,
    a_pause_is_as_long_as_it_is_told,
    an_answer_that_is_lost_is_neither_a_yes_nor_a_no,
    the_longest_text_fits_and_one_letter_more_does_not,
    a_dead_credential_stops_everything,
)


def _messages(events: Sequence[PlatformEvent]) -> Iterator[MessageReceived]:
    return (event for event in events if isinstance(event, MessageReceived))


def _polled(running: Running) -> Sequence[PlatformEvent]:
    if not isinstance(running.adapter, PollsEvents):
        return ()
    events: Sequence[PlatformEvent] = running.adapter.poll(None).events
    return events
