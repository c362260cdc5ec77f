"""The shapes of the crossover contract: where a conversation stands, what can happen to it, and what is to be done then. Pure data.

`plugin.policy.crossover` moves between them; the handlers keep the state, bring the inputs and carry out the orders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from plugin.domain.model import Stage, TicketChange
from plugin.policy.verdicts import Crossover


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """A moment that the conversation waits for. One that was replaced counts for nothing when it comes."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where one conversation stands. Kept as JSON with the conversation; a field that is left out holds its default."""

    stage: Stage = Stage.SOCIAL
    handoffs: int = 0
    """How often it crossed over; the customer is told once for each."""
    rule: str = ""
    reason: str = ""
    offered: str = ""
    """The rule that suggests a handoff until an agent decides."""
    postponed_until: datetime | None = None
    undone: tuple[str, ...] = ()
    """Rules whose handoff a supervisor took back; they do not fire again here."""
    promised_by: datetime | None = None
    """When the customer was told to hear of us."""
    home: str = ""
    """The group it stood in before the handoff."""
    is_light: bool = False
    """The question of stage `confirming` was asked of a quick question; it holds nothing back."""
    outcome: str = ""
    """Of stage `resolved`: confirmed, unconfirmed, supervisor."""
    awaits_score: bool = False
    ended_at: datetime | None = None
    """When it was resolved, or its ticket was closed, last."""
    pointed_at: datetime | None = None
    told_status_at: datetime | None = None
    reclosed: int = 0
    reclosed_since: datetime | None = None
    """How often, and since when, the ticket was closed behind our back and reopened by us."""
    broken: str = ""
    """The rule that could not be judged; the public side waits for a person."""
    told_unsent: bool = False
    """Agents were told that what they make public here in another form than a reply is not sent."""
    wants_approval: bool = False
    """An agent asked that the next reply be seen by a second person."""
    slot: str = ""
    """The command of the ticket's own field that was taken and is being emptied."""
    is_monitored: bool = False
    """The policy says that nobody answers here."""
    waits_to_step_in: bool = False
    """The policy says that we answer here only when asked; until then it is monitored."""
    language: str = ""
    """Of what the customer said last, as far as that can be told."""
    sla: str = ""
    """Whose targets count; empty: the policy's own."""
    waits_since: datetime | None = None
    """Since when the clock of the next answer runs; None while the customer is awaited."""
    awaited_since: datetime | None = None
    """Since when all clocks rest, because the customer is awaited."""
    rested: float = 0.0
    """Seconds of open time in which they rested so far."""
    due: datetime | None = None
    """What the ticket says about when something is due."""
    escalated: tuple[str, ...] = ()
    """Steps of the running clocks that were taken."""
    folded_into: int = 0
    """The same person's conversation whose place in the queue, and clock, this one shares."""
    overtakes: str = ""
    """The rule by which it goes before others."""
    receipted_at: datetime | None = None
    receipted_until: datetime | None = None
    """When the customer was told that nobody is at work, and when somebody is again."""
    timers: tuple[Timer, ...] = ()

    @property
    def is_formal(self) -> bool:
        """Whether a formal ticket is being worked on."""
        return self.stage in FORMAL and not self.is_light

    @property
    def holds_public(self) -> bool:
        """Whether nothing that an agent says leaves in public: once it was formal, also after its end."""
        return self.is_formal or (self.stage is Stage.RESOLVED and self.handoffs > 0)

    def timer(self, name: str) -> datetime | None:
        """When the timer is due, None where none is set."""
        return next((timer.at for timer in self.timers if timer.name == name), None)

    def with_timer(self, name: str, at: datetime | None) -> State:
        """The same with the timer set anew, or without it."""
        others = tuple(timer for timer in self.timers if timer.name != name)
        return replace(self, timers=others if at is None else (*others, Timer(name=name, at=at)))


FORMAL = frozenset({Stage.HANDOFF, Stage.FORMAL, Stage.CONFIRMING})
SILENCE, REMINDER, PROMISE, POSTPONED, OFFER, REVIEW = "silence", "reminder", "promise", "postponed", "offer", "review"
TARGET, ASK = "target", "ask"
"""Timers: the customer says nothing, or is asked once more; we promised to be heard of; a postponement ends; a suggestion is forgotten; rules about
time are asked again; a step of an SLA is due; the customer is asked."""


def takes_score(state: State, contract: Contract, now: datetime) -> bool:
    """Whether a number that stands alone is the score that was asked for."""
    is_over = contract.score_waits is not None and state.ended_at is not None and now > state.ended_at + contract.score_waits
    return state.awaits_score and not is_over


def quiet(state: State, *names: str) -> State:
    """The same without these timers."""
    for name in names:
        state = state.with_timer(name, None)
    return state


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What the organisation decided about the crossover. Times without a rule of their own are wall-clock."""

    group: str = ""
    """Where formal tickets are worked on, unless the rule names a group. Empty: they stay where they are."""
    ticket_type: str = ""
    sla: str = ""
    priority: str = ""
    required_fields: tuple[str, ...] = ()
    """The ticket's fields that make it formal when all are filled; none: an agent says when."""
    is_linked: bool = False
    """The formal ticket is a new one, linked to the first."""
    pointer_period: timedelta = timedelta(hours=24)
    status_period: timedelta = timedelta(minutes=10)
    silence: timedelta = timedelta(hours=72)
    confirms_quick: bool = False
    """Whether a quick question is asked too when its ticket is closed."""
    quick_silence: timedelta = timedelta(hours=24)
    asks_score: bool = True
    bad_score: int = 2
    bad_score_group: str = ""
    bad_score_priority: str = ""
    answers_status: bool = True
    reminder: timedelta | None = None
    """The question is asked once more after so long."""
    postponement: timedelta = timedelta(minutes=60)
    longest_postponement: timedelta = timedelta(hours=4)
    offer_waits: timedelta = timedelta(hours=4)
    """A suggestion that nobody takes is forgotten after so long; a rule may make it again."""
    closing_needs_reason: bool = True
    """Whether a formal ticket that is closed without confirmation is opened again."""
    reviews: tuple[timedelta, ...] = (
        timedelta(minutes=15),
        timedelta(hours=1),
        timedelta(hours=4),
        timedelta(hours=24),
        timedelta(hours=72),
    )
    """How long after the opening rules about time are asked again."""
    window_margin: timedelta = timedelta(hours=1)
    """They are asked so long before the platform's reply window shuts, too."""
    ask_after: timedelta = timedelta()
    """From the press or the closing to the question."""
    score_waits: timedelta | None = None
    """A score is taken for so long; None: for ever."""
    reopens_within: timedelta | None = None
    """A message later than this after the end is a new matter with a ticket of its own; None: never."""
    page_open_for: timedelta | None = None
    """How long a link to the private page is good; None: there is no such page."""
    prefers_page: bool = False
    """Whether it is shown even where the platform has private messages."""


class Word(StrEnum):
    """What a customer's words mean while something was asked."""

    YES = "yes"
    NO = "no"
    THANKS = "thanks"
    STATUS = "status"


# What can happen


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """A rule's verdict. `promised_by`: when the customer will hear of us, if it becomes a handoff; `group` is the present one."""

    verdict: Crossover
    promised_by: datetime
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broke:
    """A rule could not be judged."""

    rule: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A person pressed something. `is_complete`: all required fields are filled."""

    action: str
    actor: str
    role: str
    promised_by: datetime
    reason: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    group: str = ""
    is_complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoke:
    """The customer said something. `is_public`: where all can read it; `score` is a number from 1 to 5 that stands alone."""

    is_public: bool
    word: Word | None = None
    score: int | None = None
    is_reaction: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied:
    """An agent wrote a reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The ticket's own data changed in the helpdesk. `closed`: True when it was closed just now, False when it was opened, else None."""

    closed: bool | None = None
    is_complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Elapsed:
    """A timer's moment came."""

    name: str
    at: datetime


Input = Fired | Broke | Pressed | Spoke | Replied | Changed | Elapsed

# What is to be done


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Say something to the customer, in their language, by the named notice."""

    notice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Change the ticket. `name` tells the changes of one event apart."""

    name: str
    change: TicketChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Tell the agents."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLinked:
    """Open the formal ticket, linked to the one that was, in `group`."""

    group: str
    priority: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """Let replies that were held go on. `is_exception`: even in public, for a person took it upon them."""

    is_exception: bool = False
    settles_broken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """What was held back in public is out of date and will never leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requeue:
    """It is open again at the place in the queue that it had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Tell the admin, once until it is settled."""

    code: str
    text: str


Order = Tell | Change | Note | OpenLinked | Free | Discard | Requeue | Alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What the ledger keeps of a step."""

    kind: str
    rule: str
    reason: str = ""
    outcome: Mapping[str, str] = field(default_factory=dict)
    is_broken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next state, what is to be done, and what was decided (None: nothing worth keeping happened)."""

    state: State
    orders: tuple[Order, ...] = ()
    decided: Decided | None = None
