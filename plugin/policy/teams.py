"""`[policy.team.NAME]` and `[policy.sla.NAME]`: who works when, and what is promised in that time."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from plugin.domain.model import Visibility
from plugin.policy.fields import Number, Pairs, Several, Span, Words, Wrong, read, setting
from plugin.policy.hours import MIDNIGHT, WEEKDAYS, Hours, Shifts
from plugin.policy.verdicts import Due, Targets

_SHIFT = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])\s*-\s*([01][0-9]|2[0-4]):([0-5][0-9])")
_YEARLY = re.compile(r"(0[1-9]|1[0-2])-([0-3][0-9])")
_LEAP_YEAR = 2024


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone by its IANA name."""

    shown: str = "time zone such as `Europe/Berlin`"

    def read(self, value: Any) -> ZoneInfo:
        """The zone."""
        try:
            return ZoneInfo(value)
        except Exception:  # noqa: BLE001 - zoneinfo answers odd names with half a dozen kinds of error; all mean the same here
            raise Wrong('is no time zone; write a name such as "Europe/Berlin".') from None


@dataclass(frozen=True, slots=True)
class Day:
    """A holiday: one date, or the same date every year."""

    shown: str = '`"2026-12-24"`, or `"12-25"` for every year'

    def read(self, value: Any) -> date | tuple[int, int]:
        """The date, or month and day."""
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        try:
            if isinstance(value, str):
                yearly = _YEARLY.fullmatch(value)
                if yearly:
                    found = date(_LEAP_YEAR, int(yearly[1]), int(yearly[2]))
                    return found.month, found.day
                if len(value) == len("2026-12-24"):
                    return date.fromisoformat(value)
        except ValueError:
            pass
        raise Wrong('must be a date such as "2026-12-24", or "12-25" for every year.')


@dataclass(frozen=True, slots=True)
class OneShift:
    """From and until, in minutes of the day."""

    shown: str = '`"09:00-17:30"`'

    def read(self, value: Any) -> tuple[int, int]:
        """Both ends."""
        found = _SHIFT.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is not None:
            begin, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
            if begin < end <= MIDNIGHT:
                return begin, end
        raise Wrong('must be hours such as "09:00-17:30", the second later than the first and at most "24:00".')


@dataclass(frozen=True, slots=True)
class Week:
    """A table of days and shifts: `{ mon-fri = ["09:00-12:00", "13:00-17:00"], sat = "10:00-14:00" }`."""

    shown: str = 'table such as `{ mon-fri = "09:00-17:00", sat = ["10:00-12:00", "13:00-15:00"] }`'

    def read(self, value: Any) -> tuple[Shifts, ...]:
        """Monday to Sunday; days that are not named are closed."""
        if not isinstance(value, Mapping) or not value:
            raise Wrong('must be a table such as { mon-fri = "09:00-17:00" }.')
        week: list[Shifts | None] = [None] * 7
        for name, shifts in value.items():
            read_shifts = self._shifts(shifts, str(name))
            for day in self._days(str(name)):
                if week[day] is not None:
                    raise Wrong("names a day that another line here names, too.", (str(name),))
                week[day] = read_shifts
        if not any(week):
            raise Wrong("leaves no day on which anybody works.")
        return tuple(shifts or () for shifts in week)

    def _days(self, name: str) -> range:
        first, mark, last = name.partition("-")
        if first in WEEKDAYS and (not mark or last in WEEKDAYS):
            begin, end = WEEKDAYS[first], WEEKDAYS[last if mark else first]
            if begin <= end:
                return range(begin, end + 1)
        raise Wrong('is no day; write mon, tue, wed, thu, fri, sat, sun, or two of them such as "mon-fri".', (name,))

    def _shifts(self, value: Any, name: str) -> Shifts:
        try:
            found = sorted(Several(OneShift(), most=12).read([value] if isinstance(value, str) else value))
        except Wrong as wrong:
            raise Wrong(wrong.sentence, (name,) if isinstance(value, str) else (name, *wrong.at)) from None
        if any(after[0] < before[1] for before, after in itertools.pairwise(found)):
            raise Wrong("has hours that overlap.", (name,))
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamTable:
    """One `[policy.team.NAME]`."""

    time_zone: ZoneInfo = setting(Zone(), "Where the team works.")
    hours: tuple[Shifts, ...] = setting(Week(), "When it works; days that are not named are free.")
    holidays: tuple[date | tuple[int, int], ...] = setting(Several(Day()), "Days on which nobody works.", default=())
    groups: tuple[str, ...] = setting(Several(Words(200)), "The helpdesk's groups that this team answers for.", default=(), names="group")
    channels: tuple[str, ...] = setting(Several(Words(63)), "Channels that this team answers on.", default=(), names="channel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who answers for some groups, and when."""

    name: str
    hours: Hours
    groups: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


class Clock(StrEnum):
    """One of an SLA's three clocks."""

    FIRST_REPLY = "first_reply"
    NEXT_REPLY = "next_reply"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def shown(self) -> str:
        """All of them."""
        return " or ".join(f'`"{word}"`' for word in self.words)

    def read(self, value: Any) -> str:
        """As it is."""
        if value not in self.words:
            raise Wrong(f"must be one of {', '.join(self.words)}.")
        return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """What happens before (or after) a target is missed."""

    clock: str = setting(Choice(tuple(Clock)), "Which target.", default="first_reply")
    share: float = setting(Number(0.01, 10), "When so much of its time has passed: 0.8 is before, 1.2 after.", default=0.8)
    priority: str = setting(Words(100), "The priority it gets.", default="")
    group: str = setting(Words(200), "The group it moves to.", default="", names="group")
    tell: str = setting(Words(200), "The group whose members are told by a note.", default="", names="group")


@dataclass(frozen=True, slots=True)
class Escalations:
    """A list of steps, each a table."""

    shown: str = 'list of tables such as `{ clock = "first_reply", share = 0.8, tell = "Supervisors" }`'

    def read(self, value: Any) -> tuple[Escalation, ...]:
        """In the file's order."""
        if not isinstance(value, list) or len(value) > 20:
            raise Wrong("must be a list of tables.")
        found = []
        for index, table in enumerate(value):
            notes = _First()
            step = read(Escalation, table, (), notes)
            if step is None:
                raise Wrong(notes.sentence, (index, *notes.path))
            found.append(step)
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaTable:
    """One `[policy.sla.NAME]`: targets in the team's hours, and where private ones differ from public ones."""

    team: str = setting(
        Words(63), "Whose hours count; without one, the team that answers for the ticket's group.", default="", names="team"
    )
    first_reply: timedelta | None = setting(Span(60, is_business=True), "Until somebody answers.", default=None)
    next_reply: timedelta | None = setting(Span(60, is_business=True), "Until each later message is answered.", default=None)
    resolve: timedelta | None = setting(Span(60, is_business=True), "Until it is solved.", default=None)
    public: tuple[tuple[str, timedelta], ...] = setting(Pairs(Span(60, is_business=True)), "Other targets while it is public.", default=())
    private: tuple[tuple[str, timedelta], ...] = setting(Pairs(Span(60, is_business=True)), "Other targets in private.", default=())
    escalate: tuple[Escalation, ...] = setting(Escalations(), "Steps before and after a target is missed.", default=())

    def __post_init__(self) -> None:
        for key, pairs in (("public", self.public), ("private", self.private)):
            for name, _ in pairs:
                if name not in set(Clock):
                    raise Wrong("is no target; the three are first_reply, next_reply and resolve.", (key, name))
        if not (self.first_reply or self.next_reply or self.resolve or self.public or self.private):
            raise Wrong("promises nothing: set first_reply, next_reply or resolve.")

    def span(self, clock: Clock, visibility: Visibility) -> timedelta | None:
        """The promise for one clock."""
        special = dict(self.public if visibility is Visibility.PUBLIC else self.private)
        plain = {Clock.FIRST_REPLY: self.first_reply, Clock.NEXT_REPLY: self.next_reply, Clock.RESOLVE: self.resolve}
        return special.get(clock, plain[clock])


def targets(
    name: str,
    sla: SlaTable,
    hours: Hours,
    *,
    visibility: Visibility,
    is_answered: bool,
    opened_at: datetime,
    unanswered_since: datetime | None,
    rested: timedelta = timedelta(),
) -> Targets:
    """The moments of `sla`. Clocks run only while the customer waits.

    That of an answer began with `unanswered_since`, that of the solution with the opening, less the open time in which it `rested`.
    """
    if unanswered_since is None:
        return Targets(name=name)
    reply = Clock.NEXT_REPLY if is_answered else Clock.FIRST_REPLY
    began = {reply: (unanswered_since, timedelta()), Clock.RESOLVE: (opened_at, rested)}
    running = {clock: (*since, span) for clock, since in began.items() if (span := sla.span(clock, visibility)) is not None}
    due = {clock: hours.add(since, rest + span) for clock, (since, rest, span) in running.items()}
    steps = []
    for clock, (since, rest, span) in running.items():
        wanted = [step for step in sla.escalate if step.clock == clock]
        if not any(step.share == 1 for step in wanted):
            wanted.append(Escalation(clock=clock, share=1.0))
        for step in wanted:
            at = hours.add(since, rest + span * step.share)
            if at is not None:
                steps.append(Due(clock=clock, share=step.share, at=at, priority=step.priority, group=step.group, tell=step.tell))
    return Targets(
        name=name,
        first_reply_by=due.get(Clock.FIRST_REPLY),
        next_reply_by=due.get(Clock.NEXT_REPLY),
        resolve_by=due.get(Clock.RESOLVE),
        steps=tuple(sorted(steps, key=lambda step: step.at)),
    )


def team(name: str, table: TeamTable) -> Team:
    """The team that a table describes."""
    return Team(
        name=name,
        hours=Hours(
            table.time_zone,
            table.hours,
            holidays=frozenset(day for day in table.holidays if isinstance(day, date)),
            yearly=frozenset(day for day in table.holidays if isinstance(day, tuple)),
        ),
        groups=table.groups,
        channels=table.channels,
    )


class _First:
    """Keeps the first finding of a table inside a list."""

    def __init__(self) -> None:
        self.path: tuple[str | int, ...] = ()
        self.sentence = ""

    def problem(self, path: tuple[str | int, ...], sentence: str) -> None:
        """Keep it, if it is the first."""
        if not self.sentence:
            self.path, self.sentence = path, sentence

    def warning(self, path: tuple[str | int, ...], sentence: str) -> None:
        """Nothing is wrong."""

    def unknown(self, path: tuple[str | int, ...], known: Any, *, what: str) -> None:
        """A key that is no setting."""
        self.problem(path, f"is not {what}; possible here: {', '.join(sorted(known))}.")
