"""Personal data and secrets: everything of one corpus is found, nothing of the other, and no text can upset the finders."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iban as stdnum_iban
from stdnum import luhn

from plugin.policy.safety import accounts, addresses, cards, credentials, personal_data, phones
from plugin.policy.safety.findings import Kind, kinds
from plugin.policy.safety.personal_data import Lookout

_CORPUS = Path(__file__).parent / "corpus"
_GERMAN = Lookout(region="DE")


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((_CORPUS / f"{name}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("region", ["", "DE", "US", "GB"])
def test_ordinary_sentences_give_nothing(region: str) -> None:
    lookout = Lookout(region=region)
    quiet = [sentence for of_language in _load("quiet").values() for sentence in of_language]
    assert len(quiet) > 100
    found = {sentence: personal_data.find(sentence, lookout) for sentence in quiet}
    assert {sentence: hits for sentence, hits in found.items() if hits} == {}


@pytest.mark.parametrize("hit", _load("hits")["hit"], ids=lambda hit: hit["text"][:40])
def test_each_hit_is_found_in_its_place(hit: dict[str, Any]) -> None:
    found = personal_data.find(hit["text"], Lookout(region=hit.get("region", "DE")))
    assert [[one.kind.value, hit["text"][one.start : one.end]] for one in found] == hit["found"]


@pytest.mark.parametrize("hit", _load("hits")["hit"], ids=lambda hit: hit["text"][:40])
def test_a_finding_never_holds_what_it_found(hit: dict[str, Any]) -> None:
    for one in personal_data.find(hit["text"], Lookout(region=hit.get("region", "DE"))):
        assert hit["text"][one.start : one.end] not in repr(one)
        assert sum(letter.isalnum() for letter in one.masked) <= 6


_PIECES = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"[0-9 .\-/()+]{1,40}", fullmatch=True),
    st.sampled_from(
        [
            "password is ",
            "PIN: ",
            "IBAN ",
            "DE89",
            "@",
            "Steuer-ID ",
            "tel ",
            "-----BEGIN PRIVATE KEY-----",
            "api key=",
            "eyJ",
            "://",
            "\u202e",
            "\ud800",
        ]
    ),
)


@settings(deadline=None)
@given(text=st.lists(_PIECES, max_size=8).map("".join), region=st.sampled_from(["", "DE", "US", "ZZ"]))
def test_no_text_upsets_it_and_findings_stand_apart(text: str, region: str) -> None:
    found = personal_data.find(text, Lookout(region=region))
    at = 0
    for one in found:
        assert at <= one.start < one.end <= len(text)
        at = one.end


@settings(deadline=None)
@given(
    prefix=st.sampled_from(["4", "51", "55", "2221", "2720"]),
    rest=st.text("0123456789", min_size=15, max_size=15),
    gap=st.sampled_from(["", " ", "-"]),
    wrong=st.integers(1, 9),
)
def test_a_card_is_known_by_its_check_digit_alone(prefix: str, rest: str, gap: str, wrong: int) -> None:
    body = (prefix + rest)[:15]
    number = body + luhn.calc_check_digit(body)
    spoiled = body + str((int(number[-1]) + wrong) % 10)

    def written(digits: str) -> str:
        return gap.join(digits[at : at + 4] for at in range(0, 16, 4))

    assert [one.kind for one in cards.find(f"pay {written(number)} now")] == [Kind.CARD]
    assert list(cards.find(f"pay {written(spoiled)} now")) == []
    assert list(cards.find(f"pay x{written(number)} now")) == []


@settings(deadline=None)
@given(
    account=st.text("0123456789", min_size=18, max_size=18), spaced=st.booleans(), behind=st.sampled_from(["", ".", " bitte", "\nDanke 12"])
)
def test_an_iban_is_found_whatever_stands_behind_it(account: str, spaced: bool, behind: str) -> None:
    check = stdnum_iban.calc_check_digits(f"DE00{account}")
    number = f"DE{check}{account}"
    written = " ".join(number[at : at + 4] for at in range(0, len(number), 4)) if spaced else number
    text = f"An {written}{behind}"
    assert [text[one.start : one.end] for one in accounts.find_ibans(text)] == [written]


@settings(deadline=None)
@given(text=st.text("0123456789", min_size=7, max_size=11))
def test_bare_digits_are_no_identity_and_no_phone_without_a_word(text: str) -> None:
    assert list(accounts.find_national_ids(f"see {text} there")) == []
    if not text.startswith("0"):
        assert list(phones.find(f"see {text} there", region="DE")) == []


@pytest.mark.parametrize("own", ["acme.example"])
def test_the_companys_own_addresses_are_no_secret(own: str) -> None:
    text = "help@acme.example or max@example.com"
    assert [text[one.start : one.end] for one in addresses.find(text, own_domains={own})] == ["max@example.com"]


def test_order_numbers_follow_the_admins_pattern() -> None:
    lookout = Lookout(order_number=regex.compile(r"\bAC-\d{6}\b"))
    found = personal_data.find("Where is AC-123456? Call 030 1234567", lookout)
    assert kinds(found) == ("order_number",)
    assert found[0].masked == "••••56"


def test_a_pattern_that_runs_away_is_stopped() -> None:
    lookout = Lookout(order_number=regex.compile(r"(a+)+$"))
    assert personal_data.find("a" * 5_000 + "!", lookout) == ()


@pytest.mark.parametrize(
    "text",
    ["a" * 200_000, "1" * 200_000, "1 " * 100_000, "@" * 100_000, "a@" * 50_000, "password " * 20_000, "DE89" * 40_000, "pin is " * 20_000],
)
def test_endless_texts_are_looked_at_to_the_cap_only(text: str) -> None:
    assert all(one.end <= personal_data.LONGEST for one in personal_data.find(text, _GERMAN))


def test_random_keys_have_more_entropy_than_words() -> None:
    assert credentials.entropy("wJalrXUtnFEMIK7MDENGbPxRfiCYzEXAMPLEKEY12") > 4.2
    assert credentials.entropy("thisisaverylongwordwithoutspaces") < 4.0
