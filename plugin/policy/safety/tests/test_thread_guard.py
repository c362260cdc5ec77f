"""The thread guard: who is taken for what, and for which named reasons."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.domain.ids import ContactRef
from plugin.domain.model import Contact
from plugin.domain.text import Text
from plugin.policy.safety import phrases, thread_guard
from plugin.policy.safety.phrases import Says
from plugin.policy.safety.thread_guard import IMPOSTOR_SCORE, Label, Likeness, OurSide

_NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_OURS = OurSide(
    handles=("@acmebank",), names=("Acme Bank",), agents=("Dana Miller",), domains=("acmebank.example",), helpers=(ContactRef("friend"),)
)


def _contact(handle: str, name: str = "", *, ref: str = "someone", **more: Any) -> Contact:
    return Contact(ref=ContactRef(ref), handle=handle, display_name=name, **more)


def _judge(contact: Contact, words: str) -> Label:
    return thread_guard.judge(contact, Text(words), ours=_OURS, now=_NOW)


@pytest.mark.parametrize(
    ("handle", "name", "words", "reason"),
    [
        ("acmebank_support", "Acme Bank Support", "Hello!", "handle"),
        ("acrnebank", "", "Hello!", "handle"),
        ("асmebank", "", "Hallo!", "handle"),
        ("acme_bank", "", "Hello!", "handle"),
        ("acmebamk", "", "Please DM us", "handle"),
        ("acmebank@other.example", "", "Hello!", "handle"),
        ("xk2231", "Acme Bank Hilfe", "Schreib mir per DM", "name"),
        ("xk2231", "Dana Miller", "I am an agent, please send your card number", "agent_name"),
        ("xk2231", "Tech Help", "Verify your account and pay a fee: https://bit.ly/x", "link"),
        (
            "xk2231",
            "Kundendienst",
            "Wir helfen Ihnen. Senden Sie Ihre Kartennummer, Rückerstattung zu erhalten, WhatsApp +49",
            "asks_for_payment",
        ),
    ],
)
def test_impostors(handle: str, name: str, words: str, reason: str) -> None:
    label = _judge(_contact(handle, name), words)
    assert label.likeness is Likeness.IMPOSTOR
    assert reason in {one.name for one in label.reasons}
    assert thread_guard.sentence(label).startswith("Likely an impostor: ")


@pytest.mark.parametrize(
    ("contact", "words"),
    [
        (_contact("jane", "Jane", created_at=_NOW - timedelta(days=900), followers=210), "Had the same problem, try to restart it."),
        (_contact("tom", "Tom"), "Bei mir hat ein Neustart geholfen: https://www.acmebank.example/hilfe"),
        (_contact("acmebank_help", "Acme Bank Help", ref="friend"), "DM us your account number"),
    ],
    ids=["jane", "tom", "known"],
)
def test_helpers(contact: Contact, words: str) -> None:
    assert _judge(contact, words).likeness is Likeness.HELPER


def test_whom_a_platform_names_by_an_id_alone_is_trusted_by_it_on_that_channel() -> None:
    ours = OurSide(helper_handles=("it:U0IT000001", "@jane"))
    nameless = _contact("", "", ref="U0IT000001")
    assert ours.trusts(nameless, "it")
    assert not ours.trusts(nameless, "elsewhere")
    assert not ours.trusts(_contact("", "", ref="U0ADA00001"), "it")
    assert ours.trusts(_contact("jane", "Jane"), "elsewhere")
    assert not OurSide(helper_handles=("",)).trusts(nameless, "")


@pytest.mark.parametrize(
    ("contact", "words"),
    [
        (_contact("joe", "Joe"), "What a mess."),
        (_contact("new", "New", created_at=_NOW - timedelta(days=1), followers=0), "Same here!"),
        (_contact("acmebankfan", "A fan of Acme"), "Love them."),
        (_contact("bank", "Some Bank"), "You should switch: https://bank.example"),
        (_contact("x1", "Max Miller"), "dm me, I have one to sell"),
        (_contact("", ""), ""),
    ],
    ids=["joe", "new", "fan", "rival", "seller", "nobody"],
)
def test_one_weak_sign_accuses_nobody(contact: Contact, words: str) -> None:
    label = _judge(contact, words)
    assert label.likeness is Likeness.UNKNOWN
    assert thread_guard.sentence(label).startswith("Who they are is not known.")


def test_the_account_itself_counts() -> None:
    young = _judge(_contact("jo", created_at=_NOW - timedelta(days=2), followers=3), "")
    assert {(reason.name, reason.points) for reason in young.reasons} == {("young_account", 2), ("few_followers", 1)}
    old = _judge(_contact("jo", created_at=_NOW - timedelta(days=800), is_verified=True), "")
    assert {(reason.name, reason.points) for reason in old.reasons} == {("old_account", -1), ("verified", -1)}


def test_evidence_is_whole_harmless_and_json() -> None:
    contact = _contact("acmebank_help", "Acme\u202e Bank", url="https://social.example/@acmebank_help", created_at=_NOW, followers=1)
    text = Text("DM us at https://bit.ly/x")
    label = thread_guard.judge(contact, text, ours=_OURS, now=_NOW)
    kept = json.loads(json.dumps(thread_guard.evidence(label, contact, text, seen_at=_NOW)))
    assert kept["likeness"] == "impostor"
    assert kept["contact"]["handle"] == "acmebank_help"
    assert kept["contact"]["followers"] == 1
    assert "https://" not in kept["words"]
    assert "\u202e" not in thread_guard.sentence(label)


@settings(deadline=None)
@given(handle=st.text(max_size=20), name=st.text(max_size=20), words=st.text(max_size=80), days=st.integers(-5, 5000))
def test_no_profile_upsets_it_and_points_add_up(handle: str, name: str, words: str, days: int) -> None:
    label = _judge(_contact(handle, name, created_at=_NOW - timedelta(days=days)), words)
    assert label.score == sum(reason.points for reason in label.reasons)
    assert label.likeness is not Likeness.IMPOSTOR or label.score >= IMPOSTOR_SCORE
    assert thread_guard.sentence(label)


def test_our_own_handle_on_its_own_network_is_no_stranger_elsewhere() -> None:
    ours = OurSide(handles=("acme@social.example", "acme"))
    label = thread_guard.judge(_contact("acme@evil.example"), Text(""), ours=ours, now=_NOW)
    assert [reason.evidence for reason in label.reasons] == ["the handle “acme@evil.example” is ours on another server"]


def test_without_names_of_ours_only_words_count() -> None:
    label = thread_guard.judge(_contact("acmebank_help"), Text("Send your password"), ours=OurSide(), now=_NOW)
    assert [reason.name for reason in label.reasons] == ["asks_for_data"]


@pytest.mark.parametrize("says", list(Says))
@pytest.mark.parametrize("words", ["My router is broken since Monday", "Mein Router ist seit Montag kaputt", "", "Thanks, that is all"])
def test_ordinary_words_are_none_of_the_phrases(says: Says, words: str) -> None:
    assert phrases.first(says, phrases.normal(words)) == ""


@pytest.mark.parametrize("words", ["send your PASSWORD", "your\n password", "yоur раsswоrd", "your\u200b password", "Dein Passwort bitte"])
def test_phrases_are_known_in_disguise(words: str) -> None:
    assert phrases.first(Says.ASKS_FOR_DATA, phrases.normal(words))
