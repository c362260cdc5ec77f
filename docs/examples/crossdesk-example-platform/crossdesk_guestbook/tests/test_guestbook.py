"""Everything that Crossdesk asks of a platform, and what only a guestbook knows."""

from __future__ import annotations

from typing import Any

import pytest
from crossdesk_guestbook.adapter import PLATFORM

from plugin.testing.platform_suite import QUESTIONS, folder_of, load


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
def test_the_guestbook_answers(question: Any) -> None:
    assert list(question(load(PLATFORM, folder_of(PLATFORM)))) == []


def test_an_entry_is_a_conversation_of_its_own() -> None:
    first, second = load(PLATFORM, folder_of(PLATFORM)).events
    assert first.thread_key != second.thread_key
