"""Approval against a model: whoever presses, nothing leaves without a second person's yes, and the customer hears once that it takes longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from plugin.domain.codec import decode, encode
from plugin.policy import approvals
from plugin.policy.approvals import Candidate, Candidates
from plugin.policy.locks import Agent

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ADA, BOB, CY = Agent(ref="1", name="Ada Agent"), Agent(ref="2", name="Bob Agent"), Agent(name="Cy")
agents = st.sampled_from([ADA, BOB, CY])


class Desk(RuleBasedStateMachine):
    """Replies to two messages of a customer's, three agents and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: Candidates = ()
        self.now = START
        self.written = 0
        self.told: list[str] = []

    @rule(author=agents, answers=st.sampled_from("ab"), four_eyes=st.booleans(), further=st.sampled_from(["", "Chiefs"]))
    def write(self, author: Agent, answers: str, four_eyes: bool, further: str) -> None:
        """A reply that a rule fires on."""
        self.written += 1
        candidate = Candidate(
            number=self.written,
            author=author,
            rule="all",
            reason="",
            approvers="Leads",
            within=1800.0,
            deadline=self.now + timedelta(minutes=30),
            next_approvers=further,
            needs_four_eyes=four_eyes,
            answers=answers,
        )
        assert decode(Candidate, encode(candidate)) == candidate
        self.waiting = (*self.waiting, candidate)

    @rule(
        action=st.sampled_from(approvals.ACTIONS),
        who=agents,
        role=st.sampled_from(["agent", "supervisor", "admin", "customer"]),
        groups=st.sampled_from([(), ("Leads",), ("Chiefs",), ("Leads", "Chiefs")]),
        reason=st.sampled_from(["", "because"]),
        number=st.none() | st.integers(0, 8),
    )
    def press(self, action: str, who: Agent, role: str, groups: tuple[str, ...], reason: str, number: int | None) -> None:
        """Somebody decides."""
        ruled = approvals.press(self.waiting, action, who, role=role, groups=groups, reason=reason, number=number)
        candidate = ruled.candidate
        assert (candidate is None) == bool(ruled.refused)
        if candidate is None:
            assert ruled.left == self.waiting
            return
        assert not (candidate.needs_four_eyes and candidate.author.is_same(who)), "nobody decides on their own"
        assert role in {"supervisor", "admin"} or (role == "agent" and candidate.approvers in groups)
        assert action == "approve" or reason
        assert number in {None, candidate.number}
        assert set(ruled.left) == set(self.waiting) - {candidate}, "nothing else was decided"
        self.waiting = ruled.left

    @rule(minutes=st.integers(1, 90))
    def wait(self, minutes: int) -> None:
        """Time passes, and deadlines with it."""
        self.now += timedelta(minutes=minutes)
        due = approvals.deadline(self.waiting)
        if due is None or due > self.now:
            return
        lapsed = approvals.lapse(self.waiting, now=self.now)
        assert [item.number for item in lapsed.left] == [item.number for item in self.waiting], "time alone decides nothing"
        if lapsed.tells is not None:
            assert not any(item.is_told for item in self.waiting if item.answers == lapsed.tells.answers)
            self.told.append(lapsed.tells.answers)
        assert all(item.approvers == "Chiefs" and item.deadline is not None for item in lapsed.asked_on)
        assert all(item.deadline is None for item in lapsed.given_up)
        self.waiting = lapsed.left

    @rule(numbers=st.sets(st.integers(1, 8), max_size=3))
    def withdraw(self, numbers: set[int]) -> None:
        """Some end otherwise."""
        self.waiting = approvals.without(self.waiting, numbers)
        assert all(approvals.find(self.waiting, number) is None for number in numbers)

    @invariant()
    def a_deadline_lies_ahead(self) -> None:
        """No time passes unnoticed, and each reply is told apart."""
        due = approvals.deadline(self.waiting)
        assert due is None or due > self.now
        assert len({item.number for item in self.waiting}) == len(self.waiting)
        for item in self.waiting:
            assert item.approvers in approvals.why_held(item)


def test_approval_keeps_its_promises() -> None:
    run_state_machine_as_test(Desk, settings=settings(max_examples=265, stateful_step_count=40, deadline=None, database=None))
