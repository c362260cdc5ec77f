"""The crossover machine against a model: whatever happens in whatever order, what the contract promises holds. And short answers as people write them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from plugin.domain.codec import decode, encode
from plugin.domain.model import Stage
from plugin.policy import words
from plugin.policy.contract import (
    Broke,
    Change,
    Changed,
    Contract,
    Elapsed,
    Fired,
    Free,
    Input,
    Note,
    Pressed,
    Replied,
    Requeue,
    Spoke,
    State,
    Step,
    Tell,
    Word,
)
from plugin.policy.crossover import transition
from plugin.policy.presses import ACTIONS, SUPERVISING
from plugin.policy.verdicts import Crossover, Move

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_ONWARD = {
    (Stage.SOCIAL, Stage.HANDOFF),
    (Stage.SOCIAL, Stage.CONFIRMING),
    (Stage.HANDOFF, Stage.FORMAL),
    (Stage.FORMAL, Stage.CONFIRMING),
    (Stage.CONFIRMING, Stage.RESOLVED),
    (Stage.CONFIRMING, Stage.HANDOFF),
    (Stage.CONFIRMING, Stage.FORMAL),
    (Stage.CONFIRMING, Stage.SOCIAL),
    (Stage.RESOLVED, Stage.FORMAL),
    (Stage.RESOLVED, Stage.SOCIAL),
    (Stage.RESOLVED, Stage.HANDOFF),
}
_BY_SUPERVISORS = {
    (stage, end) for stage in (Stage.SOCIAL, Stage.HANDOFF, Stage.FORMAL, Stage.CONFIRMING) for end in (Stage.SOCIAL, Stage.RESOLVED)
}
_BY_AGENTS_WORD = {(Stage.FORMAL, Stage.RESOLVED)}
contracts = st.builds(
    Contract,
    group=st.sampled_from(["", "Formal"]),
    required_fields=st.sampled_from([(), ("order",)]),
    is_linked=st.booleans(),
    confirms_quick=st.booleans(),
    asks_score=st.booleans(),
    reminder=st.sampled_from([None, timedelta(hours=24)]),
)


class Conversation(RuleBasedStateMachine):
    """One conversation to which anything may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.contract, self.state, self.now = Contract(), State(), START
        self.told = 0
        self.is_gone = False

    def happen(self, happened: Input) -> Step:
        """One step, with all that must hold of any step."""
        before = self.state
        step = transition(before, happened, self.contract, now=self.now)
        assert step == transition(before, happened, self.contract, now=self.now), "the same gives the same"
        assert decode(State, encode(step.state)) == step.state, "the state survives its row"
        handed = [order for order in step.orders if isinstance(order, Tell) and order.notice == "handoff"]
        assert len([order for order in step.orders if isinstance(order, Tell)]) <= 1, "the customer is told one thing at a time"
        names = [f"{type(order).__name__}:{getattr(order, 'name', '')}" for order in step.orders if isinstance(order, (Change, Note))]
        assert len(names) == len(set(names)), "each wish of an event has a name of its own"
        assert (step.state.handoffs - before.handoffs) == len(handed), "told once for each handoff, and never without one"
        if handed:
            assert before.stage in {Stage.SOCIAL, Stage.RESOLVED} or before.is_light
            assert step.state.timer("promise") == step.state.promised_by
        moved = (before.stage, step.state.stage)
        if moved[0] != moved[1]:
            self._may(moved, happened)
            assert step.decided is not None or before.is_light, "no stage changes without an entry in the ledger"
        assert all(timer.at is not None for timer in step.state.timers)
        assert len({timer.name for timer in step.state.timers}) == len(step.state.timers)
        frees = [order for order in step.orders if isinstance(order, Free)]
        if frees:
            assert isinstance(happened, Pressed)
            assert happened.role in SUPERVISING
            assert happened.reason.strip(), "nothing that was held leaves without a supervisor's reason"
        if any(isinstance(order, Change) and order.change.is_closed for order in step.orders):
            assert step.state.stage is Stage.RESOLVED, "we close nothing but what is resolved"
        self.state = step.state
        return step

    def _may(self, moved: tuple[Stage, Stage], happened: Input) -> None:
        if moved in _ONWARD:
            return
        assert isinstance(happened, Pressed), f"{moved} by {happened}"
        if moved in _BY_AGENTS_WORD and happened.action == "confirmed":
            return
        assert moved in _BY_SUPERVISORS
        assert happened.role in SUPERVISING
        assert happened.reason.strip()

    @rule(contract=contracts)
    def agree(self, contract: Contract) -> None:
        """The organisation changes its contract in the middle."""
        self.contract = contract

    @rule(minutes=st.integers(1, 3000))
    def wait(self, minutes: int) -> None:
        """Time passes, and every timer that is due fires, late ones too."""
        self.now += timedelta(minutes=minutes)
        for timer in [timer for timer in self.state.timers if timer.at <= self.now]:
            self.happen(Elapsed(name=timer.name, at=timer.at))

    @rule(name=st.sampled_from(["silence", "promise", "postponed", "reminder", "offer"]), minutes=st.integers(-100, 100))
    def fire_what_was_replaced(self, name: str, minutes: int) -> None:
        """A timer that is not the one that is set changes nothing."""
        at = self.now + timedelta(minutes=minutes, microseconds=1)
        if self.state.timer(name) != at:
            before = self.state
            assert self.happen(Elapsed(name=name, at=at)) == Step(state=before)

    @rule(name=st.sampled_from("abc"), move=st.sampled_from(Move))
    def fire(self, name: str, move: Move) -> None:
        """A rule fires."""
        before = self.state
        verdict = Crossover(rule=name, reason="because", move=move)
        step = self.happen(Fired(verdict=verdict, promised_by=self.now + timedelta(hours=4), group="Social"))
        if before.is_formal or before.stage is Stage.RESOLVED or name in before.undone:
            assert step == Step(state=before)

    @rule(name=st.sampled_from("xy"))
    def break_a_rule(self, name: str) -> None:
        """A rule cannot be judged: told once, and no stage changes."""
        before = self.state
        step = self.happen(Broke(rule=name, problem="division by zero"))
        assert step.state.stage is before.stage
        assert step.state.broken == name

    @rule(
        action=st.sampled_from((*ACTIONS, "dance")),
        role=st.sampled_from(["agent", "supervisor", "admin", "customer"]),
        reason=st.sampled_from(["", " ", "because"]),
        minutes=st.sampled_from(["", "30", "-1", "many", "99999999999"]),
        is_complete=st.booleans(),
    )
    def press(self, action: str, role: str, reason: str, minutes: str, is_complete: bool) -> None:
        """Somebody presses something; what is refused changes nothing and says why."""
        before = self.state
        pressed = Pressed(
            action=action,
            actor="Ada",
            role=role,
            reason=reason,
            arguments={"minutes": minutes},
            promised_by=self.now + timedelta(hours=4),
            group="Social",
            is_complete=is_complete,
        )
        step = self.happen(pressed)
        assert step.decided is not None, "every press stands in the ledger"
        if step.decided.outcome.get("refused"):
            assert step.state == before
            assert [order.name for order in step.orders if isinstance(order, Note)] == ["refused"]

    @rule(
        is_public=st.booleans(),
        word=st.sampled_from([None, *Word]),
        score=st.sampled_from([None, 1, 3, 5]),
        is_reaction=st.booleans(),
    )
    def speak(self, is_public: bool, word: Word | None, score: int | None, is_reaction: bool) -> None:
        """The customer says something."""
        before = self.state
        step = self.happen(Spoke(is_public=is_public, word=word, score=score, is_reaction=is_reaction))
        if before.stage is Stage.CONFIRMING and word is Word.YES:
            assert (step.state.stage, step.state.outcome) == (Stage.RESOLVED, "confirmed")
        if before.stage is Stage.CONFIRMING and word is Word.NO:
            assert any(isinstance(order, Requeue) for order in step.orders), "no keeps the old place in the queue"
            assert step.state.stage is not Stage.RESOLVED

    @rule()
    def reply(self) -> None:
        """An agent replies."""
        self.happen(Replied())

    @rule(closed=st.sampled_from([None, True, False]), is_complete=st.booleans())
    def change(self, closed: bool | None, is_complete: bool) -> None:
        """The ticket changes in the helpdesk."""
        before = self.state
        step = self.happen(Changed(closed=closed, is_complete=is_complete))
        if closed and before.is_formal:
            assert step.state.stage is before.stage, "closing behind our back ends nothing"

    @invariant()
    def public_side_is_held_while_formal(self) -> None:
        """No public reply leaves after the handoff, until a supervisor takes it back."""
        state = self.state
        if state.stage in {Stage.HANDOFF, Stage.FORMAL}:
            assert state.holds_public
        if state.is_formal:
            assert state.handoffs > 0
            assert not state.is_light

    @invariant()
    def nobody_is_forgotten(self) -> None:
        """While the customer is asked there is a moment at which silence ends it; at the end no timer is left."""
        if self.state.stage is Stage.CONFIRMING:
            assert self.state.timer("silence") is not None
        if self.state.stage is Stage.RESOLVED:
            assert self.state.outcome in {"confirmed", "unconfirmed", "supervisor"}
            assert self.state.timers == ()


def test_whatever_happens_the_contract_holds() -> None:
    """280 runs of 40 steps: more than 10,000 in all."""
    run_state_machine_as_test(Conversation, settings=settings(max_examples=280, stateful_step_count=40, deadline=None, database=None))


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("yes", Word.YES),
        ("@acme Yes, thank you!", Word.YES),
        ("Ja, passt", Word.YES),
        ("ja danke, alles gut jetzt", Word.YES),
        ("it works now", Word.YES),
        ("👍🏽", Word.YES),
        ("No", Word.NO),
        ("nein, leider immer noch nicht", Word.NO),
        ("No, the printer is on fire", Word.NO),
        ("it still does not work", Word.NO),
        ("not solved", Word.NO),
        ("👎", Word.NO),
        ("Danke!", Word.THANKS),
        ("thank you very much", Word.THANKS),
        ("Status?", Word.STATUS),
        ("status bitte", Word.STATUS),
        ("Gibt es schon was Neues?", Word.STATUS),
        ("What's the status of my ticket?", Word.STATUS),
        ("Wie ist der aktuelle Stand?", Word.STATUS),
        ("Yes but now the other printer is broken and I cannot print my invoices anywhere", None),
        ("My order number is 4711", None),
        ("yesterday", None),
        ("Nora", None),
        ("", None),
    ],
)
def test_short_answers_mean_what_people_mean(said: str, word: Word | None) -> None:
    assert words.meaning(said) is word


@pytest.mark.parametrize(
    ("said", "score"),
    [
        ("5", 5),
        ("4/5", 4),
        ("⭐⭐⭐", 3),
        ("2 von 5", 2),
        ("@acme 1!", 1),
        ("6", None),
        ("I called 5 times", None),
        ("15", None),
        ("", None),
    ],
)
def test_a_score_is_a_number_that_stands_alone(said: str, score: int | None) -> None:
    assert words.score(said) == score


@given(st.text(max_size=300))
def test_any_text_is_read_without_a_fault(said: str) -> None:
    assert words.meaning(said) in {None, *Word}
    assert words.score(said) in {None, 1, 2, 3, 4, 5}
    assert words.language(said) in {"", "de", "en"}


def test_the_language_is_known_by_its_little_words() -> None:
    assert words.language("Wo ist meine Bestellung und wann kommt sie?") == "de"
    assert words.language("Where is my order and when will it come?") == "en"
    assert words.language("Zürich") == "de"
    assert words.language("ok 4711") == ""


def test_a_promise_replaced_by_a_later_handoff_is_not_kept_twice() -> None:
    first = State(stage=Stage.FORMAL, handoffs=1).with_timer("promise", START)
    assert replace(first).with_timer("promise", START + timedelta(hours=1)).timer("promise") == START + timedelta(hours=1)
