"""The suites find what they are there to find, and the fakes that the engine is tested with answer them too."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from marshmallow import EXCLUDE, Schema, fields

from plugin.contracts.capabilities import Level, Readback
from plugin.contracts.http import HttpResponse, WebhookRequest
from plugin.contracts.platform import Connection, Polled, Skipped
from plugin.domain.codec import encode_event
from plugin.domain.errors import MalformedPayload, RateLimited, RemoteUnavailable
from plugin.domain.events import MessageReceived, PlatformEvent
from plugin.domain.ids import ChannelKey, Marker, MessageRef
from plugin.domain.model import File, OutboundMessage, Receipt
from plugin.platforms.rehearsal.adapter import Rehearsal, RehearsalAdapter
from plugin.testing import answers_suite, fake_platform, helpdesk_suite, platform_suite, polls_suite, questions, requests_suite, tables
from plugin.testing.fake_helpdesk import FakeHelpdesk
from plugin.testing.fake_platform import FakePlatform
from plugin.testing.fixtures import AnswerFixture, PollFixture, RequestFixture, Subject, load
from plugin.testing.outgoing import new_ticket
from plugin.testing.samples import platform_calls

SETTINGS = {"secret": "a fake's secret"}
PNG = File(filename="a.png", content_type="image/png", content=b"png")
BY_FIXTURES_ONLY = {
    "answers_mean_what_they_say",
    "errors_are_covered",
    "odd_answers_are_endured",
    "spoilt_answers_are_endured",
    "unclear_look_ups_do_not_say_no",
}
"""The fakes make no calls, so that no canned answer reaches them."""


def network_subject(kind: type[FakePlatform] = FakePlatform, **options: Any) -> Subject:
    network = kind(**options)
    said = network.say("lena", "Hello", files=(PNG,))
    told: list[PlatformEvent] = [said, network.change(said.message_ref, "Hello!"), network.take_back(said.message_ref)]
    return Subject(static=network, settings=SETTINGS, requests=[as_fixture(network.webhook(event), event) for event in told])


def desk_subject() -> Subject:
    desk, network = FakeHelpdesk(), FakePlatform()
    opened = desk.open_ticket(new_ticket(network.say("lena", "Help").author), marker=Marker("0" * 26))
    touched = desk.reply(opened.ticket_ref, "Hello")
    (_, added) = desk.list_articles_since(opened.ticket_ref, None)
    return Subject(static=desk, settings=SETTINGS, requests=[as_fixture(desk.webhook(event), event) for event in (touched, added)])


def as_fixture(request: WebhookRequest, event: Any) -> RequestFixture:
    return RequestFixture(name=event.event_key, request=request, events=[encode_event(event)], received_at=None, settings={})


@pytest.mark.parametrize(
    "question", [one for one in platform_suite.QUESTIONS if one.__name__ not in BY_FIXTURES_ONLY], ids=lambda one: one.__name__
)
def test_the_fake_network_answers(question: questions.Question) -> None:
    assert list(question(network_subject())) == []


@pytest.mark.parametrize(
    "question", [one for one in helpdesk_suite.QUESTIONS if one.__name__ not in BY_FIXTURES_ONLY], ids=lambda one: one.__name__
)
def test_the_fake_helpdesk_answers(question: questions.Question) -> None:
    assert list(question(desk_subject())) == []


class Credulous(FakePlatform):
    def verify(self, request: WebhookRequest) -> None:
        return


class Blind(FakePlatform):
    """Does not look at the body."""

    def verify(self, request: WebhookRequest) -> None:
        super().verify(replace(request, body=request.body.rstrip()))


class Brittle(FakePlatform):
    def parse(self, request: WebhookRequest) -> Sequence[Any]:
        request.json()["events"][0]["type"]
        return super().parse(request)


class Forgetful(FakePlatform):
    """Another key each time."""

    def parse(self, request: WebhookRequest) -> Sequence[Any]:
        self.count = getattr(self, "count", 0) + 1
        return [replace(event, event_key=f"{event.event_key}{self.count}") for event in super().parse(request)]


class Chatty(FakePlatform):
    def __repr__(self) -> str:
        return f"<Chatty {SETTINGS['secret']}>"


@pytest.mark.parametrize(
    ("kind", "question", "says"),
    [
        (Credulous, requests_suite.forgeries_are_refused, "is accepted"),
        (Blind, requests_suite.forgeries_are_refused, "with a changed body is accepted"),
        (Brittle, requests_suite.rubbish_is_refused, "Error"),
        (Forgetful, requests_suite.requests_become_their_events, "other events than its file says"),
        (Forgetful, requests_suite.requests_become_their_events, "becomes something else when it is parsed again"),
        (Chatty, questions.secrets_are_hidden, "a secret shows in the adapter"),
    ],
)
def test_a_bad_adapter_is_found(kind: type[FakePlatform], question: questions.Question, says: str) -> None:
    assert says in " ".join(question(network_subject(kind)))


class Lister(FakePlatform):
    """Polls a list of posts over HTTP: names what it cannot read, and reads on."""

    def connect(self, channel: ChannelKey, settings: Any, connection: Connection) -> Any:
        bound = super().connect(channel, settings, connection)
        bound.http = connection.http  # type: ignore[attr-defined]
        return bound

    def poll(self, position: Any) -> Polled:
        listed = self.http.request("GET", "https://fake.example/posts").json()  # type: ignore[attr-defined]
        if not isinstance(listed, list):
            raise RemoteUnavailable("No list.")
        found = [(one, self.read(one)) for one in listed]
        lost = tuple(Skipped(event_key=repr(one), reason=MalformedPayload("Odd."), payload=one) for one, event in found if event is None)
        return Polled(events=tuple(event for _, event in found if event is not None), position={}, skipped=lost)

    def read(self, one: Any) -> Any:
        is_whole = isinstance(one, dict) and isinstance(one.get("who"), str) and isinstance(one.get("words"), str)
        if not is_whole or "\0" in one["who"] + one["words"]:
            return None
        said = FakePlatform().say(one["who"], one["words"])
        return replace(said, event_key=f"post {one.get('id')}", message_ref=MessageRef(f"post {one.get('id')}"))


class Careless(Lister):
    """Takes for granted what stands there."""

    def read(self, one: Any) -> Any:
        return super().read(one) if one["who"] else None


class Stubborn(Lister):
    """Gives the whole poll up for one that it cannot read."""

    def read(self, one: Any) -> Any:
        if (event := super().read(one)) is None:
            raise RemoteUnavailable("Something is odd.")
        return event


class Silent(Lister):
    """Passes over what it cannot read."""

    def poll(self, position: Any) -> Polled:
        return replace(super().poll(position), skipped=())


def listing_subject(kind: type[Lister]) -> Subject:
    posts = [{"id": f"p{number}", "who": "lena", "words": f"Hello {number}"} for number in range(3)]
    answer = HttpResponse(status=200, headers={}, body=json.dumps(posts).encode())
    poll = PollFixture(name="posts", answers=[answer], position=None, events=[], received_at=None, settings={}, stored={})
    return Subject(static=kind(), settings=SETTINGS, polls=[poll])


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Lister, ""),
        (Careless, "Error"),
        (Stubborn, "the poll stands still"),
        (Silent, "is passed over in silence"),
    ],
)
def test_a_poll_that_fails_at_what_it_reads_is_found(kind: type[Lister], says: str) -> None:
    subject = listing_subject(kind)
    found = [*polls_suite.spoilt_polls_are_endured(subject), *polls_suite.polled_entries_are_read_apart(subject)]
    assert says in " ".join(found)
    assert bool(found) == bool(says)


class Loose(Schema):
    class Meta:
        unknown = EXCLUDE

    secret = fields.String(metadata={"help": "", "secret": False})


def test_loose_settings_are_found() -> None:
    network = FakePlatform()
    network.settings_schema = Loose()
    found = " ".join(questions.settings_are_declared(Subject(static=network, settings={"secret": "abcdefgh"})))
    for says in ("a misspelt setting is passed over", "secret has no help", "sounds like a secret", "no frozen dataclass"):
        assert says in found


def test_silence_is_found() -> None:
    network = FakePlatform()
    silent = Subject(static=network, settings=SETTINGS)
    assert len(list(questions.declared_events_are_shown(silent))) == 3
    assert any("is declared" in one or "disagree" in one for one in platform_suite.abilities_agree(silent))
    assert len(list(platform_suite.errors_are_covered(silent))) == 5
    assert len(list(helpdesk_suite.errors_are_covered(Subject(static=FakeHelpdesk(), settings=SETTINGS)))) == 10


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"edits_out": Level.REJECTED}, "edits_out says no, EditsMessages says yes"),
        ({"readback": Readback.NONE}, "readback"),
        ({"edits_in": Level.REJECTED}, "MessageEdited is among the events"),
        ({"reactions_in": Level.FULL}, "ReactionChanged is not among the events"),
        ({"events": frozenset({MessageReceived})}, "in a fixture and not declared"),
        ({"visibilities": ()}, "not among the visibilities"),
        ({"attachments_out": Level.REJECTED}, "files_per_message disagree"),
        ({"choices": Level.REJECTED}, "choices_per_message disagree"),
        ({"limits": replace(fake_platform.CAPABILITIES.limits, ruler=None)}, "needs its ruler"),
    ],
)
def test_capabilities_that_say_too_much_or_too_little_are_found(changes: dict[str, Any], says: str) -> None:
    subject = network_subject(capabilities=replace(fake_platform.CAPABILITIES, **changes))
    asked = (
        platform_suite.abilities_agree,
        questions.events_agree_with_the_levels,
        questions.declared_events_are_shown,
        questions.limits_are_whole,
        platform_suite.choices_are_offered_and_read,
    )
    assert says in " ".join(problem for question in asked for problem in question(subject))


class Mute(Rehearsal):
    """Takes words to press, and says the rest."""

    def connect(self, channel: ChannelKey, settings: Any, connection: Connection) -> Any:
        return _Mute(settings, connection)


class _Mute(RehearsalAdapter):
    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        return super().deliver(replace(message, choices=()), marker=marker)


def test_words_to_press_that_are_not_shown_not_sent_or_not_read_are_found() -> None:
    whole = load(Rehearsal(), tables.folder_of(Rehearsal()))
    others = [fixture for fixture in whole.requests if "choice_pressed" not in fixture.name]
    hello = replace(whole.requests[-1], name="message_received__choice_pressed")
    for subject, says in (
        (replace(whole, requests=others), "show them"),
        (replace(whole, answers=()), "show them"),
        (replace(whole, static=Mute()), "does not offer Yes and No"),
        (replace(whole, requests=[*others, hello]), "none of the words"),
    ):
        assert says in " ".join(platform_suite.choices_are_offered_and_read(subject))
    assert list(platform_suite.choices_are_offered_and_read(whole)) == []


@dataclass
class Caller(FakePlatform):
    """Makes one call for everything; what it makes of the answer is the test's."""

    read: Callable[[HttpResponse], Any]
    http: Any = None

    def __init__(self, read: Callable[[HttpResponse], Any]) -> None:
        super().__init__()
        self.read = read

    def connect(self, channel: Any, settings: Any, connection: Any) -> Any:
        made = Caller(self.read)
        made.http = connection.http
        return made

    def _ask(self) -> Any:
        return self.read(self.http.request("POST", "https://fake.example/"))

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Any:
        return self._ask()

    def find_delivered(self, message: OutboundMessage, *, marker: Marker) -> Any:
        return self._ask()


def answers(read: Callable[[HttpResponse], Any], *shown: AnswerFixture) -> Subject:
    return replace(network_subject(), static=Caller(read), answers=shown)


def an_answer(status: int, raises: str | None, **headers: str) -> AnswerFixture:
    response = HttpResponse(status=status, headers=headers, body=b"{}")
    return AnswerFixture(
        name="deliver__x",
        call="deliver",
        answers=[response],
        raises=raises,
        brings=(),
        retry_after=None,
        settings={},
        stored={},
        arguments={},
    )


def wait(answer: HttpResponse) -> Any:
    raise RateLimited(f"Wait; {SETTINGS['secret']}", retry_after=1.0)


def test_answers_that_mean_something_else_are_found() -> None:
    said = list(
        answers_suite.answers_mean_what_they_say(answers(wait, an_answer(429, "RateLimited", **{"retry-after": "7"})), platform_calls)
    )
    assert [part for part in ("secret", "no sentence", "Retry-After") if any(part in one for one in said)] == [
        "secret",
        "no sentence",
        "Retry-After",
    ]
    (other,) = answers_suite.answers_mean_what_they_say(
        answers(lambda _: Receipt(message_ref=MessageRef("1")), an_answer(500, "OutcomeUnknown")), platform_calls
    )
    assert "raises None" in other


def test_what_a_call_brings_and_how_long_it_waits_is_held_to_the_file() -> None:
    right, wrong = ({"message_ref": ref} for ref in ("1", "2"))
    shown = [replace(an_answer(200, None), brings=[wanted]) for wanted in (right, wrong, None)]
    found = list(
        answers_suite.answers_mean_what_they_say(answers(lambda _: Receipt(message_ref=MessageRef("1"), url="u"), *shown), platform_calls)
    )
    assert [one.partition(" and not ")[2] for one in found] == ["{'message_ref': '2'}", "None"]
    patient = replace(an_answer(429, "RateLimited"), retry_after=2.0)
    assert any("names 1.0 seconds" in one for one in answers_suite.answers_mean_what_they_say(answers(wait, patient), platform_calls))


def test_odd_answers_taken_for_good_ones_are_found() -> None:
    empty = answers(lambda _: Receipt(message_ref=MessageRef("")))
    assert any("names no message_ref" in one for one in answers_suite.odd_answers_are_endured(empty, platform_calls))
    careless = answers(lambda answer: answer.json()["id"])
    assert any("ends in KeyError" in one for one in answers_suite.odd_answers_are_endured(careless, platform_calls))
    hasty = answers(lambda _: None)
    assert any("for a no" in one for one in answers_suite.unclear_look_ups_do_not_say_no(hasty, platform_calls))


def test_a_folder_is_read_strictly(tmp_path: Path) -> None:
    shelf = tmp_path / "fixtures"
    shelf.mkdir()

    def put(name: str, data: Any) -> None:
        (shelf / name).write_text(json.dumps(data))

    put("settings.json", SETTINGS)
    put("said__one.request.json", {"method": "POST", "bdoy": ""})
    put("said__one.events.json", [{"type": "MessageRecieved"}])
    put("said__four.request.json", {"body": "x"})
    put("said__four.events.json", [])
    put("said__two.events.json", [])
    put("said__three.request.json", {"json": {}})
    put("deliver__x.response.json", {"status": 200})
    put("find_delivered__x.response.json", {"responses": ["signed_in", "nowhere"], "raises": "TargetGone", "brings": None})
    put("signed_in.answer.json", {"status": 200, "json": {}})
    put("spare.answer.json", {"status": 200})
    put("notes.json", {})
    found = "\n".join(load(FakePlatform(), tmp_path).problems)
    for says in (
        "unknown keys: bdoy",
        "holds no events",
        "two.events.json has no",
        "call it nothing__four.request.json",
        "three.events.json cannot be read",
        "needs raises",
        "cannot both raise and bring",
        "nowhere.answer.json cannot be read",
        "spare.answer.json is named by no other file",
        "notes.json is no kind",
    ):
        assert says in found


def test_tables_are_put_where_they_belong() -> None:
    capabilities = fake_platform.CAPABILITIES
    first = tables.rewritten("# Fake\n\nWords.\n", capabilities)
    assert tables.shown(first) == tables.table(capabilities)
    assert tables.rewritten(first, capabilities) == first
    stale = first.replace("| 500 characters |", "| 9 characters |") + "\nMore words.\n"
    assert tables.rewritten(stale, capabilities) == first + "\nMore words.\n"
    assert "| longest text | 500 characters |" in first
