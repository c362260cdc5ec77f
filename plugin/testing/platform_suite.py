"""The questions for platforms, ours and those written elsewhere.

To ask them of your own:

@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
def test_my_platform(question):
assert list(question(load(PLATFORM, folder_of(PLATFORM)))) == []
"""

from __future__ import annotations

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
from plugin.testing import answers_suite, members_suite, questions
from plugin.testing.fixtures import Subject, load
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


def answers_mean_what_they_say(subject: Subject) -> Iterator[str]:
    """See `answers_suite`."""
    return answers_suite.answers_mean_what_they_say(subject, platform_calls)


def errors_are_covered(subject: Subject) -> Iterator[str]:
    """See `answers_suite`."""
    return answers_suite.errors_are_covered(subject, _NEEDED)


def odd_answers_are_endured(subject: Subject) -> Iterator[str]:
    """See `answers_suite`."""
    return answers_suite.odd_answers_are_endured(subject, platform_calls)


def unclear_look_ups_do_not_say_no(subject: Subject) -> Iterator[str]:
    """See `answers_suite`."""
    return answers_suite.unclear_look_ups_do_not_say_no(subject, platform_calls)


QUESTIONS: tuple[questions.Question, ...] = (
    *questions.BOTH,
    questions.events_agree_with_the_levels,
    abilities_agree,
    *INCOMING,
    members_suite.members_are_read_apart,
    members_suite.unreadable_members_are_shown,
    answers_mean_what_they_say,
    errors_are_covered,
    odd_answers_are_endured,
    unclear_look_ups_do_not_say_no,
)
