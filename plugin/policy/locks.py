"""The agents' lock on a conversation: a timed lease with a fence number. Pure; ownership of the ticket is another matter and is not touched.

The fence rises with each taking. A reply carries the fence under which it was written and may leave as long as that fence is good: a lock that
ran out or was given back spoils nothing that was written under it, one that was taken over or broken does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

ACTIONS = ("take_lock", "take_over", "release_lock")
_SUPERVISING = frozenset({"supervisor", "admin"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent, by the helpdesk's own key where it tells it, and by name."""

    ref: str = ""
    name: str = ""

    def is_same(self, other: Agent) -> bool:
        """Whether these are one person: by any key or name that they share. Helpdesks tell keys of several kinds, so unlike ones prove nothing."""
        return bool(({self.ref.casefold(), self.name.casefold()} & {other.ref.casefold(), other.name.casefold()}) - {""})

    def __str__(self) -> str:
        return self.name or self.ref or "an agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The lock of one conversation. Kept as JSON with it; a field that is left out holds its default."""

    holder: Agent | None = None
    fence: int = 0
    until: datetime | None = None
    spoilt: int = 0
    """Replies with this fence or a lower one may not leave any more."""
    is_assigned: bool = False
    """It was taken because the ticket was given to somebody, whom the helpdesk may call otherwise than as an author."""
    is_found: bool = False
    """It is the helpdesk's own short lock, seen there."""
    is_forced: bool = False
    """It was taken over; so is the helpdesk's own."""
    there: str = ""
    """For whom we took the helpdesk's own lock, as the helpdesk calls them."""

    def holder_at(self, now: datetime) -> Agent | None:
        """Who has it now."""
        return self.holder if self.until is not None and now < self.until else None

    def is_good(self, fence: int) -> bool:
        """Whether a reply that was written under `fence` may leave."""
        return fence > self.spoilt


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """What a wish for the lock came to. `refused`: why it was not granted; the lock is as it was then."""

    lock: Lock
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrored:
    """What is to be done to the helpdesk's own lock: given back for one agent, then taken for another; empty: nobody."""

    lets_go: str = ""
    takes: str = ""
    is_forced: bool = False


def mirrored(lock: Lock, *, now: datetime) -> Mirrored | None:
    """What keeps the helpdesk's own lock in step with ours; None when it is. What was found there, or given there, is left to itself."""
    holder = lock.holder_at(now)
    is_ours = holder is not None and not lock.is_assigned and not lock.is_found
    name = (holder.ref or holder.name) if holder is not None and is_ours else ""
    if name.casefold() == lock.there.casefold():
        return None
    return Mirrored(lets_go=lock.there, takes=name, is_forced=lock.is_forced)


def found(lock: Lock, who: Agent, *, now: datetime, lease: timedelta, is_owner: bool = False) -> Lock:
    """The lock after `who` was seen to have the helpdesk's own. `is_owner`: that is the ticket's owner, who may write or not."""
    holder = lock.holder_at(now)
    if holder is not None and holder.is_same(who):
        return replace(lock, until=now + lease) if lock.is_found else lock
    return replace(_given(lock, who, now + lease, is_assigned=is_owner), is_found=not is_owner)


def let_go(lock: Lock) -> Lock:
    """The lock after the helpdesk's own, which it was, has ended there."""
    return replace(lock, holder=None, until=None, is_found=False) if lock.is_found else lock


def take(lock: Lock, who: Agent, *, now: datetime, lease: timedelta, is_assigned: bool = False) -> Turned:
    """The lock for `who`, if nobody else has it; the holder's own is prolonged under the same fence."""
    holder = lock.holder_at(now)
    if holder is not None and not _may_share(lock, holder, who, is_assigned=is_assigned):
        return Turned(lock=lock, refused=f"{holder} has the lock until {until(lock)}. Press `take_over` with a reason if it cannot wait.")
    if holder is not None and holder.is_same(who):
        return Turned(lock=replace(lock, holder=who, until=now + lease, is_assigned=lock.is_assigned and is_assigned, is_found=False))
    return Turned(lock=_given(lock, who, now + lease, is_assigned=is_assigned))


def write(lock: Lock, who: Agent, *, now: datetime, lease: timedelta) -> tuple[Lock, int]:
    """A reply of `who`: it takes the lock if that is free. Returns the reply's fence, 0 where another agent has the lock.

    A lock that came by assignment shows who is meant to answer, and does not stop the author: helpdesks name owners and authors differently.
    """
    holder = lock.holder_at(now)
    if holder is not None and lock.is_assigned and not holder.is_same(who):
        lock = _given(lock, who, now + lease)
        return lock, lock.fence
    turned = take(lock, who, now=now, lease=lease)
    return turned.lock, 0 if turned.refused else turned.lock.fence


def take_over(lock: Lock, who: Agent, *, now: datetime, lease: timedelta, reason: str, needs_reason: bool) -> Turned:
    """The lock for `who`, whoever has it. What the former holder wrote and has not left yet is held."""
    holder = lock.holder_at(now)
    if holder is None or holder.is_same(who):
        return Turned(lock=replace(take(lock, who, now=now, lease=lease).lock, is_forced=True))
    if needs_reason and not reason.strip():
        return Turned(lock=lock, refused="say why, so that the reason stands in the ledger.")
    return Turned(lock=replace(_given(replace(lock, spoilt=lock.fence), who, now + lease), is_forced=True))


def give_back(lock: Lock, who: Agent, *, now: datetime, role: str) -> Turned:
    """The lock given back by its holder or by a supervisor."""
    holder = lock.holder_at(now)
    if holder is None:
        return Turned(lock=lock, refused="nobody has the lock.")
    if not holder.is_same(who) and role not in _SUPERVISING:
        return Turned(lock=lock, refused=f"{holder} has the lock until {until(lock)}. Only they or a supervisor may release it.")
    return Turned(lock=replace(lock, holder=None, until=None))


def sent(lock: Lock, fence: int) -> Lock:
    """The lock after a reply with this fence reached the platform: released, if it is still the one under which that was written."""
    return replace(lock, holder=None, until=None) if lock.holder is not None and lock.fence == fence else lock


def break_open(lock: Lock, *, now: datetime, by: Agent | None, lease: timedelta) -> Lock:
    """The lock after somebody answered past it: nobody's, or `by`'s; what its holder wrote and has not left yet is held."""
    broken = replace(lock, holder=None, until=None, spoilt=lock.fence)
    return broken if by is None else _given(broken, by, now + lease)


def why_held(lock: Lock, *, now: datetime) -> str:
    """What the author of a reply reads whose fence is not good."""
    holder = lock.holder_at(now)
    if holder is None:
        return (
            "Somebody else answered or had the lock meanwhile. Your reply is kept here. Look at what was said, then press `take_lock` and it leaves, or "
            "`recall` to take it back."
        )
    return taken_by(str(holder), lock.until)


def taken_by(holder: str, at: datetime | None) -> str:
    """What somebody reads whose reply meets another agent's lock, which runs out at `at`."""
    return (
        f"{holder} has the lock on this conversation until {_moment(at)}. Your reply is kept here. When they are done, press `take_lock` and it leaves; if it "
        "cannot wait, press `take_over` with a reason; or press `recall` to take it back."
    )


def until(lock: Lock) -> str:
    """When the lock runs out, in words."""
    return _moment(lock.until)


def _moment(at: datetime | None) -> str:
    return "now" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _given(lock: Lock, who: Agent, end: datetime, *, is_assigned: bool = False) -> Lock:
    return replace(lock, holder=who, fence=lock.fence + 1, until=end, is_assigned=is_assigned, is_found=False, is_forced=False)


def _may_share(lock: Lock, holder: Agent, who: Agent, *, is_assigned: bool) -> bool:
    """The holder may; and a new assignment replaces an older one, but never a lock that somebody took."""
    return holder.is_same(who) or (is_assigned and lock.is_assigned)
