"""The agents' lock against a model: whoever presses in whatever order, at most one agent may answer, and what was written past the lock never leaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from plugin.domain.codec import decode, encode
from plugin.policy import locks
from plugin.policy.locks import Agent, Lock

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LEASE = timedelta(minutes=10)
ADA, BOB, CY = Agent(ref="1", name="Ada Agent"), Agent(ref="2", name="Bob Agent"), Agent(name="Cy")
agents = st.sampled_from([ADA, BOB, CY])


class Desk(RuleBasedStateMachine):
    """One conversation, three agents, and the replies that they wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.lock, self.now = Lock(), START
        self.written: dict[int, Agent] = {}
        self.void: set[int] = set()

    def _becomes(self, lock: Lock) -> None:
        assert lock.fence >= self.lock.fence, "the fence never falls"
        assert lock.spoilt >= self.lock.spoilt, "what was spoilt stays spoilt"
        assert decode(Lock, encode(lock)) == lock, "the lock survives its row"
        before, after = self.lock.holder_at(self.now), lock.holder_at(self.now)
        if after is not None and (before is None or not before.is_same(after)):
            assert lock.fence == self.lock.fence + 1, "another holder has another fence"
        self.lock = lock

    @rule(minutes=st.integers(0, 15))
    def wait(self, minutes: int) -> None:
        """Time passes."""
        self.now += timedelta(minutes=minutes)

    @rule(who=agents)
    def take(self, who: Agent) -> None:
        """Somebody reaches for it."""
        holder = self.lock.holder_at(self.now)
        turned = locks.take(self.lock, who, now=self.now, lease=LEASE)
        assert bool(turned.refused) == (holder is not None and not holder.is_same(who))
        if turned.refused:
            assert turned.lock == self.lock
            assert str(holder) in turned.refused
        self._becomes(turned.lock)

    @rule(who=agents)
    def assign(self, who: Agent) -> None:
        """The ticket is given to somebody: nobody who took the lock loses it by that."""
        holder, was_assigned = self.lock.holder_at(self.now), self.lock.is_assigned
        lock = locks.take(self.lock, who, now=self.now, lease=LEASE, is_assigned=True).lock
        if holder is not None and not was_assigned:
            assert lock.holder_at(self.now) is not None
            assert holder.is_same(lock.holder_at(self.now) or CY)
            assert not lock.is_assigned
        self._becomes(lock)

    @rule(who=agents, reason=st.sampled_from(["", " ", "ill"]), needs_reason=st.booleans())
    def take_over(self, who: Agent, reason: str, needs_reason: bool) -> None:
        """Somebody takes it over."""
        holder, fence = self.lock.holder_at(self.now), self.lock.fence
        turned = locks.take_over(self.lock, who, now=self.now, lease=LEASE, reason=reason, needs_reason=needs_reason)
        is_others = holder is not None and not holder.is_same(who)
        assert bool(turned.refused) == (is_others and needs_reason and not reason.strip())
        if is_others and not turned.refused:
            assert not turned.lock.is_good(fence)
            self.void |= {number for number in self.written if number <= fence}
        self._becomes(turned.lock)

    @rule(who=agents, role=st.sampled_from(["agent", "supervisor"]))
    def give_back(self, who: Agent, role: str) -> None:
        """Somebody gives it back: what was written under it stays good."""
        turned = locks.give_back(self.lock, who, now=self.now, role=role)
        if not turned.refused:
            assert turned.lock.holder_at(self.now) is None
        self._becomes(turned.lock)

    @rule(who=agents)
    def write(self, who: Agent) -> None:
        """Somebody writes a reply."""
        holder, was_assigned = self.lock.holder_at(self.now), self.lock.is_assigned
        lock, fence = locks.write(self.lock, who, now=self.now, lease=LEASE)
        self._becomes(lock)
        assert lock.is_good(fence) == (holder is None or holder.is_same(who) or was_assigned)
        if fence:
            assert self.written.setdefault(fence, who).is_same(who), "one fence is one agent's"
            assert fence not in self.void

    @rule()
    def send(self) -> None:
        """The newest reply reaches the platform."""
        if self.written:
            self._becomes(locks.sent(self.lock, max(self.written)))

    @rule(takes=st.booleans())
    def answer_natively(self, takes: bool) -> None:
        """Somebody answers past it."""
        fence = self.lock.fence
        self._becomes(locks.break_open(self.lock, now=self.now, by=CY if takes else None, lease=LEASE))
        self.void |= {number for number in self.written if number <= fence}

    @invariant()
    def what_was_written_past_the_lock_stays(self) -> None:
        """Nothing that is void becomes good again, and a reply without a fence never is."""
        assert not self.lock.is_good(0)
        assert not any(self.lock.is_good(number) for number in self.void)
        assert all(self.lock.is_good(number) for number in self.written if number not in self.void)


def test_the_lock_keeps_its_promises_in_ten_thousand_steps() -> None:
    run_state_machine_as_test(Desk, settings=settings(max_examples=250, stateful_step_count=40, deadline=None))


@given(st.text(max_size=4), st.text(max_size=4), st.text(max_size=4), st.text(max_size=4))
def test_who_is_who_does_not_depend_on_who_is_asked(a: str, b: str, c: str, d: str) -> None:
    one, other = Agent(ref=a, name=b), Agent(ref=c, name=d)
    assert one.is_same(other) == other.is_same(one)
    assert one.is_same(one) == bool(a or b)
