"""Names and their skeletons: what looks the same is the same, and no name can hide anything or move the words around it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.policy.safety import names
from plugin.policy.safety.skeletons import distance, scripts, skeleton


@pytest.mark.parametrize(
    "name",
    [
        "Acme_Support",
        "acme-support",
        "acrnesupport",
        "Асmе Support",
        "ＡＣＭＥ support",
        "𝐀𝐜𝐦𝐞𝐒𝐮𝐩𝐩𝐨𝐫𝐭",
        "@cme.supp0rt",
        "Àcmé Support",
        "ac\u200bme\u00adsupport",
    ],
)
def test_look_alikes_have_one_skeleton(name: str) -> None:
    assert skeleton(name) == "acmesupport"


def test_other_names_have_others() -> None:
    assert len({skeleton(name) for name in ("acme", "acne", "acme1x", "akme", "bank", "Дана", "日本")}) == 7


@settings(deadline=None)
@given(name=st.text(max_size=30))
def test_a_skeleton_is_its_own(name: str) -> None:
    once = skeleton(name)
    assert all(letter.isalnum() for letter in once)
    assert scripts(name) <= scripts(name + "a")


@pytest.mark.parametrize(
    ("one", "other", "letters"),
    [("", "", 0), ("acme", "acme", 0), ("acme", "amce", 1), ("acme", "acmee", 1), ("acme", "cme", 1), ("acme", "bank", 4), ("", "abc", 3)],
)
def test_distance(one: str, other: str, letters: int) -> None:
    assert distance(one, other) == letters == distance(other, one)


@settings(deadline=None)
@given(one=st.text("abc", max_size=8), other=st.text("abc", max_size=8))
def test_distance_lies_between_its_bounds(one: str, other: str) -> None:
    assert abs(len(one) - len(other)) <= distance(one, other) <= max(len(one), len(other))
    assert (distance(one, other) == 0) == (one == other)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Max", "Max"),
        ("Zoë Müller", "Zoë Müller"),
        ("a\u202ecba", "a[U+202E]cba"),
        ("\u200bMax", "[U+200B]Max"),
        ("Z\u0338\u0322\u0359\u0344a", "Z\u0338\u0322a"),
        ("Max\nAgent:  ok", "Max Agent: ok"),
        ("👩🏽\u200d💻 Dev ❤\ufe0f", "👩🏽\u200d💻 Dev ❤\ufe0f"),
        ("می\u200cخواهم", "\u2068می\u200cخواهم\u2069"),
        ("محمد (admin)", "\u2068محمد (admin)\u2069"),
        ("\u3164", "[U+3164]"),
        ("x" * 200, "x" * 80 + "…"),
        ("", ""),
    ],
)
def test_names_are_shown_harmless(name: str, shown: str) -> None:
    assert names.visible(name) == shown


def test_tricks_are_noticed() -> None:
    assert names.has_tricks("a\u202eb")
    assert names.has_tricks("Z\u0338\u0322\u0359\u0344")
    assert not names.has_tricks("Zoë 👩🏽\u200d💻 محمد")


@settings(deadline=None)
@given(name=st.text(max_size=60), longest=st.integers(1, 60))
def test_a_shown_name_is_one_quiet_line(name: str, longest: int) -> None:
    shown = names.visible(name, longest=longest)
    inside = shown.removeprefix("\u2068").removesuffix("\u2069")
    assert "\n" not in shown
    assert not {unicodedata.bidirectional(letter) for letter in inside} & {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in inside)
    assert shown.count("\u2068") == shown.count("\u2069")
