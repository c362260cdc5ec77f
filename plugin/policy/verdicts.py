"""What the policy says: verdicts with the rule's name and its reason in words. Plain data between the policy and the handlers, kept in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from plugin.policy.facts import Facts


class Participation(StrEnum):
    """How far the company takes part on a channel or in a topic."""

    MONITOR = "monitor"
    """Filed, never answered."""
    STEP_IN = "step_in"
    """Answered only when asked, when wrong advice is given, or when a rule says so."""
    ANSWER = "answer"


class Move(StrEnum):
    """How a crossover comes about."""

    FORCE = "force"
    OFFER = "offer"
    """The agent is asked, and decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A rule could not be judged: the decision is quarantined, the message goes on to the ticket, the public side is held."""

    rule: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossover:
    """The conversation must (or could) become formal. Empty strings leave a value to the channel's default."""

    rule: str
    reason: str
    move: Move = Move.FORCE
    group: str = ""
    priority: str = ""
    sla: str = ""
    ticket_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Where a ticket goes. `rules` names every rule that had a say, the deciding ones first; empty values are nobody's wish."""

    rules: tuple[str, ...] = ()
    group: str = ""
    owner: str = ""
    owners: tuple[str, ...] = ()
    """Who of them has the fewest open tickets, and fewer than `capacity` where that is not 0, becomes the owner."""
    capacity: int = 0
    priority: str = ""
    tags: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    sla: str = ""
    participation: Participation = Participation.ANSWER
    overtakes: str = ""
    """The rule by which this one goes before others; shown in the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered:
    """Noise: it becomes no ticket. It stays in the ledger and can be promoted."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalNeeded:
    """A second person must say yes. `within` is the longest the customer shall wait for it."""

    rule: str
    reason: str
    approvers: str
    """The helpdesk group whose members may approve."""
    within: timedelta
    needs_four_eyes: bool = True
    holding_line: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A step before or after a target is missed, at its moment. `share` of the target's time has passed then: 1 is the target itself."""

    clock: str
    share: float
    at: datetime
    priority: str = ""
    group: str = ""
    tell: str = ""

    @property
    def name(self) -> str:
        """What the ledger calls it: `first_reply 80 %`."""
        return f"{self.clock} {self.share:.0%}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """An SLA's moments for one conversation, in business time already; None: no such target."""

    name: str
    first_reply_by: datetime | None = None
    next_reply_by: datetime | None = None
    resolve_by: datetime | None = None
    steps: tuple[Due, ...] = ()
    """Of the running clocks, in the order of time; one of them for each target itself."""


class Judge(Protocol):
    """The whole policy, compiled. Pure: the same facts give the same verdicts. A rule that fails is a `Broken`, never an exception."""

    @property
    def digest(self) -> str:
        """Which policy this is, for the ledger: changes when the text does."""
        ...

    def filter(self, facts: Facts) -> Filtered | Broken | None:
        """Whether a message is noise."""
        ...

    def route(self, facts: Facts) -> tuple[Routing, Sequence[Broken]]:
        """Where a ticket goes, what it is called, and how far we take part."""
        ...

    def crossover(self, facts: Facts) -> Crossover | Broken | None:
        """Whether a conversation must become formal now: the first rule that fires."""
        ...

    def approval(self, facts: Facts) -> ApprovalNeeded | Broken | None:
        """Whether the reply in `facts.message` needs a second person."""
        ...

    def targets(
        self, facts: Facts, *, sla: str, opened_at: datetime, unanswered_since: datetime | None, rested: timedelta = timedelta()
    ) -> Targets | None:
        """The moments of an SLA policy, with its team's hours.

        `rested` is the open time since the opening in which the customer was awaited; without `unanswered_since` they are awaited now, and no
        clock runs.
        """
        ...
