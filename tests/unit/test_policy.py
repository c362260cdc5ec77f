"""The gate and the loop brake, as sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from plugin.contracts.capabilities import Capabilities, Level, Limits
from plugin.domain.model import HeldReason, Stage, Visibility
from plugin.policy import gate
from plugin.policy.gate import OutboundFacts
from plugin.policy.loop_brake import BrakeLimits, SaidBefore, sentence

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FREE = OutboundFacts(
    now=NOW,
    visibility=Visibility.PUBLIC,
    stage=Stage.SOCIAL,
    is_reachable=True,
    last_inbound_at=NOW - timedelta(hours=1),
    hold_reason=None,
    hold_text="",
    capabilities=Capabilities(replies_public=Level.FULL, replies_private=Level.FULL, limits=Limits(reply_window=86_400)),
    file_count=0,
)


def test_a_reply_in_an_open_conversation_may_leave() -> None:
    assert gate.ask(FREE) is None


def test_nothing_public_leaves_once_the_ticket_is_formal_but_private_replies_do() -> None:
    for stage in (Stage.HANDOFF, Stage.FORMAL, Stage.CONFIRMING):
        answer = gate.ask(replace(FREE, stage=stage))
        assert isinstance(answer, gate.Held)
        assert answer.reason is HeldReason.HANDOFF
        assert gate.ask(replace(FREE, stage=stage, visibility=Visibility.PRIVATE)) is None


def test_a_stopped_conversation_holds_what_it_has_to_say() -> None:
    assert gate.ask(replace(FREE, hold_reason="loop", hold_text="stop")) == gate.Held(reason=HeldReason.LOOP, text="stop")


def test_behind_a_closed_window_replies_wait_and_notices_are_refused() -> None:
    late = replace(FREE, last_inbound_at=NOW - timedelta(days=1), withdrawn_at=NOW)
    answer = gate.ask(late)
    assert isinstance(answer, gate.Held)
    assert answer.reason is HeldReason.WINDOW
    assert "when the customer writes again" in answer.text
    assert isinstance(gate.ask(replace(FREE, is_shut=True)), gate.Held)
    assert isinstance(gate.ask(replace(late, is_notice=True)), gate.Refused)
    assert gate.ask(replace(late, is_template=True)) is None


def test_an_unreachable_customer_and_a_mute_platform_refuse_with_the_next_step() -> None:
    for facts in (
        replace(FREE, is_reachable=False),
        replace(FREE, capabilities=Capabilities()),
    ):
        answer = gate.ask(facts)
        assert isinstance(answer, gate.Refused)
        assert "stays in the ticket" in answer.text


def test_a_window_may_count_for_private_conversations_alone() -> None:
    capabilities = replace(FREE.capabilities, limits=Limits(), private_limits=Limits(reply_window=86_400))
    late = replace(FREE, last_inbound_at=NOW - timedelta(days=1), capabilities=capabilities)
    assert gate.ask(late) is None
    assert isinstance(gate.ask(replace(late, visibility=Visibility.PRIVATE)), gate.Held)


def _talk(*turns: tuple[bool, float, str]) -> list[SaidBefore]:
    at, past = NOW, []
    for is_ours, seconds, words in turns:
        at += timedelta(seconds=seconds)
        past.append(SaidBefore(is_ours=is_ours, at=at, digest=words.encode()))
    return past


def test_two_machines_are_stopped_within_six_turns() -> None:
    past = _talk(*((turn % 2 == 1, 0.5, str(turn)) for turn in range(12)))
    assert sentence(past[:11], BrakeLimits()) is None
    assert "two machines" in str(sentence(past, BrakeLimits()))


def test_people_are_never_stopped_however_long_they_talk() -> None:
    assert sentence(_talk(*((turn % 2 == 1, 8.0, str(turn)) for turn in range(50))), BrakeLimits()) is None


def test_our_own_words_coming_back_twice_stop_the_conversation() -> None:
    past = _talk((False, 60, "hi"), (True, 60, "hello"), (False, 60, "hello"), (True, 60, "bye"), (False, 60, "bye"))
    assert "our own words" in str(sentence(past, BrakeLimits()))


@given(st.lists(st.tuples(st.booleans(), st.floats(3.1, 60), st.integers(0, 9999).map(str)), max_size=40, unique_by=lambda turn: turn[2]))
def test_slow_talk_with_words_of_its_own_never_stops(turns: list[tuple[bool, float, str]]) -> None:
    assert sentence(_talk(*turns), BrakeLimits()) is None
