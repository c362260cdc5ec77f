"""What customers are told: every language has every text with the same places, and what is said fits the platform."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.contracts.capabilities import Limits
from plugin.contracts.rulers import GRAPHEMES, UTF8
from plugin.policy.contract import Word
from plugin.policy.reading import World, read_policy
from plugin.policy.texts import LARGEST, PLACES, QUESTIONS, Saying, Texts, fits
from plugin.policy.words import meaning, score

TEXTS = Texts.shipped()
TIGHT = Limits(text_length=280, ruler=GRAPHEMES)
LANGUAGES = sorted(TEXTS.by_language)


def _places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_english_and_german_are_there() -> None:
    assert LANGUAGES == ["de", "en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_with_the_same_places(language: str) -> None:
    texts, english = TEXTS.by_language[language], TEXTS.by_language["en"]
    choices = {f"{question}_choices" for question in QUESTIONS}
    assert texts.keys() == english.keys() == {key for saying in Saying for key in (saying, f"{saying}_short")} | choices
    for key in texts.keys() - choices:
        assert _places(texts[key]) == _places(english[key]), key
        assert _places(texts[key]) <= PLACES[Saying(key.removesuffix("_short"))], key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_press_is_read_as_the_answer_that_it_shows(language: str) -> None:
    for question in (Saying.CONFIRM, Saying.QUICK):
        assert [meaning(choice) for choice in TEXTS.choices(question, language=language)] == [Word.YES, Word.NO]
    assert [score(choice) for choice in TEXTS.choices(Saying.CSAT, language=language)] == [1, 2, 3, 4, 5]
    assert TEXTS.choices(Saying.HANDOFF, language=language) == ()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("saying", list(Saying))
def test_the_short_variant_fits_a_small_platform_with_the_longest_values(language: str, saying: Saying) -> None:
    said = TEXTS.say(saying, language=language, places=LARGEST, limits=TIGHT)
    assert fits(said, TIGHT)
    assert not _places(said)


def test_the_long_variant_is_said_where_there_is_room() -> None:
    places = {"number": "10042", "step": "we look", "time": "noon", "link": ""}
    said = TEXTS.say(Saying.HANDOFF, language="en", places=places)
    assert "10042" in said
    assert "noon" in said
    assert "private" not in said, "the line of a place without a value is left out"
    assert TEXTS.say(Saying.HANDOFF, language="en", places=places, limits=Limits(text_length=100)).startswith("This is now ticket 10042.")


@pytest.mark.parametrize(("spoken", "found"), [("de-AT", "de"), ("DE", "de"), ("fr", "en"), ("", "en"), ("xx-YY", "en")])
def test_the_language_is_the_customers_or_the_nearest(spoken: str, found: str) -> None:
    assert TEXTS.language(spoken) == found
    assert TEXTS.language("fr", default="de-CH") == "de"


@given(
    st.dictionaries(st.sampled_from(list(LARGEST)), st.text(max_size=500)),
    st.sampled_from(list(Saying)),
    st.sampled_from(["de", "en", "tlh"]),
)
def test_any_values_give_a_text_without_open_places(places: dict[str, str], saying: Saying, language: str) -> None:
    safe = {name: value.replace("{", "(").replace("}", ")") for name, value in places.items()}
    said = TEXTS.say(saying, language=language, places=safe, limits=TIGHT)
    assert not _places(said)
    assert fits(said, TIGHT)


def test_a_value_that_looks_like_a_place_is_left_as_it_is() -> None:
    assert "{time}" in TEXTS.say(Saying.CONFIRM, language="en", places={"number": "{time}", "time": "no"})


class _Noted:
    def __init__(self) -> None:
        self.problems: list[tuple[Any, str]] = []

    def problem(self, path: Any, sentence: str) -> None:
        self.problems.append((".".join(map(str, path)), sentence))

    def warning(self, path: Any, sentence: str) -> None:
        raise AssertionError(sentence)

    def unknown(self, path: Any, known: Any, *, what: str) -> None:
        self.problem(path, what)


def _read(texts: Any, **limits: Limits | None) -> tuple[Any, list[tuple[Any, str]]]:
    notes = _Noted()
    policy = read_policy({"texts": texts}, notes, world=World(channels=limits))
    return policy, notes.problems


def test_a_text_of_the_file_takes_the_place_of_ours() -> None:
    policy, problems = _read({"de": {"confirm": "Alles gut mit {number}?"}})
    assert problems == []
    assert policy.texts.say(Saying.CONFIRM, language="de", places={"number": "7"}) == "Alles gut mit 7?"
    assert policy.texts.by_language["de"]["confirm_short"] == TEXTS.by_language["de"]["confirm_short"]


def test_a_language_of_the_file_needs_every_text() -> None:
    policy, problems = _read({"fr": {"confirm": "Ça va ?"}})
    assert policy is None
    assert ("policy.texts.fr.handoff", "is missing: a language of your own needs every text.") in problems
    assert len(problems) == 2 * len(Saying) - 1


def test_a_text_that_cannot_fit_a_channel_is_refused_with_the_channel() -> None:
    _, problems = _read({"en": {"thanks_short": "Thanks! " * 60}}, net=Limits(text_length=300, ruler=UTF8), other=None)
    assert problems == [
        ("policy.texts.en.thanks_short", "is too long for the channel net, which takes 300, once its places are filled. Make it shorter.")
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [("{number", "brace"), ("a } b", "brace"), ("{nummer}", "has no place {nummer}"), (3, "text in quotes"), ("", "1 to 2000")],
)
def test_a_wrong_text_is_refused(text: Any, said: str) -> None:
    _, problems = _read({"en": {"confirm": text}})
    assert said in problems[0][1]
    assert _read({"en": {"confrm": "x"}})[1]


def test_the_texts_are_data_beside_their_code() -> None:
    folder = Path(__file__).parents[1] / "texts"
    assert sorted(path.stem for path in folder.glob("*.toml")) == LANGUAGES


def test_own_choices_are_shown_if_a_press_on_them_counts() -> None:
    policy, problems = _read({"en": {"confirm_choices": "Yes, solved\n  No  "}})
    assert problems == []
    assert policy is not None
    assert policy.texts.choices(Saying.CONFIRM, language="en") == ("Yes, solved", "No")
    for key, offered, wanted in (("confirm_choices", "Oui\nNon", "yes or no"), ("csat_choices", "1\n6", "a score from 1 to 5")):
        _, problems = _read({"en": {key: offered}})
        assert f"does not read as {wanted}" in str(problems)
    _, problems = _read({"en": {"thanks_choices": "Yes"}})
    assert "thanks_choices" in str(problems)
