"""The questions for platforms, ours and those written elsewhere.

To ask them of your own:

@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
def test_my_platform(question):
assert list(question(load(PLATFORM, folder_of(PLATFORM)))) == []
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from plugin.contracts.capabilities import Capabilities, Level, Readback
from plugin.contracts.platform import (
    DeletesMessages,
    EditsMessages,
    FetchesMedia,
    HidesMessages,
    Listens,
    PlatformAdapter,
    ReadsBack,
    SendsTemplates,
)
from plugin.domain.errors import CredentialsRejected, OutcomeUnknown, RateLimited, RemoteError, RemoteRejected
from plugin.domain.model import Visibility
from plugin.testing import answers_suite, members_suite, polls_suite, questions
from plugin.testing.fakes import CannedHttp
from plugin.testing.fixtures import AnswerFixture, PollFixture, RequestFixture, Subject, load
from plugin.testing.requests_suite import INCOMING
from plugin.testing.samples import platform_calls
from plugin.testing.tables import folder_of

__all__ = ["QUESTIONS", "folder_of", "load"]

_NEEDED: dict[str, frozenset[type[RemoteError]]] = {
    "deliver": frozenset([RateLimited, CredentialsRejected, RemoteRejected, OutcomeUnknown])
}


def abilities_agree(subject: Subject) -> Iterator[str]:
    """What is declared is implemented, and the other way round."""
    capabilities: Capabilities = subject.static.capabilities
    adapter = subject.connect()
    if not isinstance(adapter, PlatformAdapter):
        yield "connect() does not make a PlatformAdapter"
    pairs = (
        ("attachments_in", capabilities.attachments_in >= Level.PARTIAL, FetchesMedia),
        ("edits_out", capabilities.edits_out >= Level.PARTIAL, EditsMessages),
        ("deletes_out", capabilities.deletes_out >= Level.PARTIAL, DeletesMessages),
        ("readback", any(capabilities.readback_of(each) is not Readback.NONE for each in Visibility), ReadsBack),
        ("hides", capabilities.hides >= Level.PARTIAL, HidesMessages),
        ("templates", capabilities.templates >= Level.PARTIAL, SendsTemplates),
        ("listens", capabilities.listens >= Level.PARTIAL, Listens),
    )
    for name, is_declared, protocol in pairs:
        if is_declared != isinstance(adapter, protocol):
            yield f"{name} says {'yes' if is_declared else 'no'}, {protocol.__name__} says {'no' if is_declared else 'yes'}"
    for visibility, level in ((Visibility.PUBLIC, capabilities.replies_public), (Visibility.PRIVATE, capabilities.replies_private)):
        if level >= Level.PARTIAL and visibility not in capabilities.visibilities:
            yield f"{visibility} replies are carried, but {visibility} is not among the visibilities"
    if any(event for event in subject.events if getattr(event, "attachments", ())) != (capabilities.attachments_in >= Level.FALLBACK):
        yield "attachments_in and the fixtures disagree: files are shown exactly where they are carried"


def choices_are_offered_and_read(subject: Subject) -> Iterator[str]:
    """Words to press are declared with their number, sent by `deliver`, and a press on one is a message with that word."""
    capabilities: Capabilities = subject.static.capabilities
    limits = capabilities.limits_of(Visibility.PRIVATE)
    is_declared = capabilities.choices >= Level.PARTIAL
    if is_declared != (limits.choices_per_message > 0):
        yield "choices and choices_per_message disagree"
    if subject.folder is None:
        return
    offers = [(fixture, words) for fixture in subject.answers if (words := fixture.arguments.get("message", {}).get("choices"))]
    told: list[RequestFixture | PollFixture] = [*subject.requests, *subject.polls]
    presses = [fixture for fixture in told if "choice_pressed" in fixture.name]
    if not is_declared and (offers or presses):
        yield "fixtures show words to press, and choices does not say that there are any"
    if is_declared and not (offers and presses):
        yield "choices are declared: show them in a deliver__choices.response.json and a message_received__choice_pressed"
    for fixture, words in offers:
        if capabilities.offered(tuple(words), Visibility.PRIVATE) != tuple(words):
            yield f"{fixture.name} offers more words, or longer ones, than are declared"
        offering, plain = _sent(subject, fixture, words), _sent(subject, fixture, [])
        if offering == plain or not all(repr(word) in offering or json.dumps(word) in offering for word in words):
            yield f"{fixture.name}: what is sent does not offer {' and '.join(words)}"
    offered = {word for _, words in offers for word in words}
    for press in presses:
        said = {event["text"]["plain"] for event in press.events if event["type"] == "MessageReceived"}
        if not said or said - offered:
            yield f"{press.name} becomes {said or 'nothing that was said'}, and none of the words that are offered"


def _sent(subject: Subject, fixture: AnswerFixture, choices: list[str]) -> str:
    """What goes out in the last call, as text."""
    http = CannedHttp(fixture.answers)
    adapter = subject.connect(http, settings=fixture.settings, stored=fixture.stored)
    message = {**fixture.arguments["message"], "choices": choices}
    platform_calls(subject, adapter, {**fixture.arguments, "message": message})["deliver"]()
    return repr(http.made[-1].sent)


def answers_mean_what_they_say(subject: Subject) -> Iterator[str]:
    """See `answers_suite`."""
    return answers_suite.answers_mean_what_they_say(subject, platform_calls)


def errors_are_covered(subject: Subject) -> Iterator[str]:
    """See `answers_suite`."""
    return answers_suite.errors_are_covered(subject, _NEEDED)


def odd_answers_are_endured(subject: Subject) -> Iterator[str]:
    """See `answers_suite`."""
    return answers_suite.odd_answers_are_endured(subject, platform_calls)


def spoilt_answers_are_endured(subject: Subject) -> Iterator[str]:
    """See `answers_suite`."""
    return answers_suite.spoilt_answers_are_endured(subject, platform_calls)


def unclear_look_ups_do_not_say_no(subject: Subject) -> Iterator[str]:
    """See `answers_suite`."""
    return answers_suite.unclear_look_ups_do_not_say_no(subject, platform_calls)


QUESTIONS: tuple[questions.Question, ...] = (
    *questions.BOTH,
    questions.events_agree_with_the_levels,
    abilities_agree,
    choices_are_offered_and_read,
    *INCOMING,
    members_suite.members_are_read_apart,
    members_suite.unreadable_members_are_shown,
    polls_suite.spoilt_polls_are_endured,
    polls_suite.polled_entries_are_read_apart,
    answers_mean_what_they_say,
    errors_are_covered,
    odd_answers_are_endured,
    spoilt_answers_are_endured,
    unclear_look_ups_do_not_say_no,
)
