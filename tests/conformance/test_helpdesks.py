"""Every helpdesk that there is answers every question of the suite (`plugin.testing.helpdesk_suite`)."""

from __future__ import annotations

from typing import Any

import pytest

from plugin.contracts.registry import walk
from plugin.testing.fixtures import load
from plugin.testing.helpdesk_suite import QUESTIONS
from plugin.testing.questions import Question, told
from plugin.testing.tables import folder_of


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
@pytest.mark.parametrize("helpdesk", walk("plugin.helpdesks", "HELPDESK").values(), ids=lambda helpdesk: helpdesk.name)
def test_a_helpdesk_answers(helpdesk: Any, question: Question) -> None:
    problems = list(question(load(helpdesk, folder_of(helpdesk))))
    assert not problems, told(problems)
