"""What solved it: the right note comes first, and none where nothing fits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.policy.safety import solutions
from plugin.policy.safety.solutions import SolutionNote

_NOTES = (
    SolutionNote(
        ref="wifi",
        problem="Router drops the wifi since the update",
        text="Go back to firmware 7.1.",
        tags=("router", "wifi"),
        source_url="https://desk.example/12",
    ),
    SolutionNote(ref="invoice", problem="Invoice charged twice", text="Refunded in the finance tool."),
    SolutionNote(ref="login", problem="App crashes on login", text="Clear the cache of the app, then log in again."),
    SolutionNote(ref="rechnung", problem="Doppelte Rechnung bekommen", text="Im Finanzprogramm storniert und erstattet."),
    SolutionNote(
        ref="wlan", problem="WLAN-Router verliert ständig die Verbindung", text="Kanal 1 einstellen.", article_url="https://kb.example/7"
    ),
)


@pytest.mark.parametrize(
    ("message", "ref"),
    [
        ("My router keeps dropping wifi after the update", "wifi"),
        ("I was charged twice, two invoices!", "invoice"),
        ("the app is crashing when I try to login", "login"),
        ("Ich habe schon wieder eine doppelte Rechnung", "rechnung"),
        ("Die Verbindung vom Router geht ständig verloren", "wlan"),
    ],
)
def test_the_note_that_fits_comes_first(message: str, ref: str) -> None:
    found = solutions.rank(message, _NOTES)
    assert found[0].note.ref == ref
    assert 0 < found[0].score <= 1
    assert all(word in message.casefold().replace("ä", "a") for word in found[0].words)


@pytest.mark.parametrize("message", ["", "Hello!", "Bitte helfen", "When do you open on Sunday?", "Danke, hat geklappt", "the and of"])
def test_nothing_is_better_than_a_wrong_note(message: str) -> None:
    assert solutions.rank(message, _NOTES) == ()


def test_rare_words_weigh_more() -> None:
    notes = [SolutionNote(ref=str(at), text=f"printer offline case{at}") for at in range(20)]
    assert solutions.rank("printer offline case7", notes)[0].note.ref == "7"


def test_frequencies_of_all_notes_may_be_given() -> None:
    common = solutions.rank("router update", _NOTES, notes_with={"rout": 900, "updat": 3}, notes_in_all=1000)
    assert common[0].note.ref == "wifi"


@settings(deadline=None)
@given(message=st.text(max_size=80), texts=st.lists(st.text(max_size=40), max_size=5), limit=st.integers(0, 4))
def test_any_text_is_ranked(message: str, texts: list[str], limit: int) -> None:
    notes = [SolutionNote(ref=str(at), text=text) for at, text in enumerate(texts)]
    found = solutions.rank(message, notes, limit=limit)
    assert len(found) <= limit
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(0 <= one.score <= 1 for one in found)
