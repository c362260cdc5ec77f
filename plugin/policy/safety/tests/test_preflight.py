"""The preflight: what holds a reply, what is only told, and what passes in silence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.contracts import rulers
from plugin.contracts.capabilities import Capabilities, Limits
from plugin.domain.model import Visibility
from plugin.domain.text import Mark, MarkKind, Text
from plugin.policy.safety import preflight
from plugin.policy.safety.personal_data import Lookout
from plugin.policy.safety.preflight import Concern, House, Severity

_CAPABILITIES = Capabilities(limits=Limits(text_length=100, ruler=rulers.UTF16), link_cost="A link makes this post cost 0.20 dollars.")
_HOUSE = House(
    helpdesk_hosts=("desk.acme.example",),
    agents=("Dana Miller", "tom"),
    own_phones=("+49 30 7654321",),
    lookout=Lookout(region="DE", own_domains=("acme.example",)),
)


def _check(words: str | Text, visibility: Visibility = Visibility.PUBLIC) -> tuple[Concern, ...]:
    text = words if isinstance(words, Text) else Text(words)
    return preflight.check(text, visibility=visibility, capabilities=_CAPABILITIES, house=_HOUSE)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("We will call +49 170 1234567 then.", "personal_data:phone"),
        ("Is max@example.com right?", "personal_data:email"),
        ("Your new password is Hunter22!", "personal_data:password"),
        ("We refund to DE89 3704 0044 0532 0130 00", "personal_data:iban"),
        ("see https://desk.acme.example/#ticket/zoom/12", "internal_link"),
        ("@Dana Miller can you look?", "agent_mention"),
        ("@@dana please", "agent_mention"),
        ("[intern] nicht senden, erst prüfen", "internal_words"),
        ("Sure.\n\nVon: Max\nGesendet: Montag", "quoted_mail"),
    ],
)
def test_what_holds_a_public_reply(words: str, code: str) -> None:
    concerns = _check(words)
    assert [concern.code for concern in concerns if concern.severity is Severity.HOLD] == [code]
    assert preflight.is_held(concerns)
    assert "kept in the ticket" in concerns[0].sentence
    assert not preflight.is_held(_check(words, Visibility.PRIVATE))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Have a look: https://example.org/help", "link_cost"),
        ("x" * 150, "length"),
        ("Done.\n\nMit freundlichen Grüßen\nDana Miller\nAcme GmbH\n", "signature"),
        ("Try https://bit.ly/abc", "doubtful_link"),
        (Text("Do it now", (Mark(6, 9, MarkKind.BOLD),)), "looks"),
    ],
)
def test_what_is_only_told(words: str | Text, code: str) -> None:
    concerns = _check(words)
    assert code in {concern.code for concern in concerns}
    assert not preflight.is_held(concerns)


@pytest.mark.parametrize(
    "words",
    [
        "Call us at 030 7654321 or +49 (0)30 7654321, or write to help@acme.example.",
        "Hello Dana, your order 30123456 left today.",
        "@maxmuster we are on it!",
        "Please send us your order number by private message.",
        "Das tut uns leid. Wir melden uns bis 14:30 Uhr.",
        "Thank you, we keep your internal notes feature request.",
    ],
)
def test_ordinary_replies_pass_in_silence(words: str) -> None:
    assert _check(words) == ()


def test_a_secret_in_private_is_told_and_other_data_is_not() -> None:
    assert [concern.severity for concern in _check("Your password is Hunter22!", Visibility.PRIVATE)] == [Severity.WARN]
    assert _check("Is max@example.com right?", Visibility.PRIVATE) == ()


def test_holding_concerns_come_first() -> None:
    concerns = _check("https://example.org/a and +49 170 1234567")
    assert [concern.severity for concern in concerns] == [Severity.HOLD, Severity.WARN]


def test_the_audience_is_said() -> None:
    assert preflight.audience(Visibility.PUBLIC) != preflight.audience(Visibility.PRIVATE)


@settings(deadline=None)
@given(words=st.text(max_size=200), visibility=st.sampled_from(Visibility))
def test_no_reply_upsets_it_and_no_secret_is_repeated(words: str, visibility: Visibility) -> None:
    for concern in _check(f"{words} +49 170 1234567", visibility):
        assert "1234567" not in concern.sentence
        assert concern.sentence
