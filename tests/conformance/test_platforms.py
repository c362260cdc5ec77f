"""Every platform that there is answers every question of the suite (`plugin.testing.platform_suite`)."""

from __future__ import annotations

from typing import Any

import pytest

from plugin.contracts.registry import walk
from plugin.testing.fixtures import load
from plugin.testing.platform_suite import QUESTIONS
from plugin.testing.questions import Question, told
from plugin.testing.tables import folder_of


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
@pytest.mark.parametrize("platform", walk("plugin.platforms", "PLATFORM").values(), ids=lambda platform: platform.name)
def test_a_platform_answers(platform: Any, question: Question) -> None:
    problems = list(question(load(platform, folder_of(platform))))
    assert not problems, told(problems)
