"""The questions for helpdesks, ours and those written elsewhere.

To ask them of your own:

@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
def test_my_helpdesk(question):
assert list(question(load(HELPDESK, folder_of(HELPDESK)))) == []
"""

from __future__ import annotations

from collections.abc import Iterator

from plugin.contracts.capabilities import Readback
from plugin.contracts.helpdesk import HelpdeskAdapter
from plugin.domain.errors import CredentialsRejected, OutcomeUnknown, RateLimited, RemoteError, RemoteRejected
from plugin.domain.events import ArticleAdded, TicketTouched
from plugin.testing import answers_suite, questions
from plugin.testing.fixtures import Subject, load
from plugin.testing.requests_suite import INCOMING
from plugin.testing.samples import helpdesk_calls
from plugin.testing.tables import folder_of

__all__ = ["QUESTIONS", "folder_of", "load"]

_WRITES = frozenset[type[RemoteError]]([RateLimited, CredentialsRejected, RemoteRejected, OutcomeUnknown])
_NEEDED = {"open_ticket": _WRITES, "add_article": _WRITES}


def abilities_agree(subject: Subject) -> Iterator[str]:
    """What is declared is implemented, and the other way round."""
    if not isinstance(subject.connect(), HelpdeskAdapter):
        yield "connect() does not make a HelpdeskAdapter"
    if not subject.static.capabilities.events & {ArticleAdded, TicketTouched}:
        yield "neither ArticleAdded nor TicketTouched is declared: no agent's reply can ever be seen"
    if subject.static.capabilities.readback is Readback.NONE:
        yield "a helpdesk must find what was filed under a marker: find_ticket and find_article are no option"


def answers_mean_what_they_say(subject: Subject) -> Iterator[str]:
    """See `answers_suite`."""
    return answers_suite.answers_mean_what_they_say(subject, helpdesk_calls)


def errors_are_covered(subject: Subject) -> Iterator[str]:
    """See `answers_suite`."""
    return answers_suite.errors_are_covered(subject, _NEEDED)


def odd_answers_are_endured(subject: Subject) -> Iterator[str]:
    """See `answers_suite`."""
    return answers_suite.odd_answers_are_endured(subject, helpdesk_calls)


def unclear_look_ups_do_not_say_no(subject: Subject) -> Iterator[str]:
    """See `answers_suite`."""
    return answers_suite.unclear_look_ups_do_not_say_no(subject, helpdesk_calls)


QUESTIONS: tuple[questions.Question, ...] = (
    *questions.BOTH,
    abilities_agree,
    *INCOMING,
    answers_mean_what_they_say,
    errors_are_covered,
    odd_answers_are_endured,
    unclear_look_ups_do_not_say_no,
)
