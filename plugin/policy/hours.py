"""Business time: a team's hours, holidays and time zone, and arithmetic in them. Pure; moments are aware UTC, spans are of open time only.

Open time is what the team's clock on the wall shows: in the spring night that loses an hour that hour is not worked, in the autumn one it is
worked twice. `add` is additive: adding two spans one after the other is adding their sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MIDNIGHT = 24 * 60
_HORIZON = 800
"""Days without an open minute after which we stop looking: more than two years."""
_CACHED = 4000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Shifts = Sequence[tuple[int, int]]
"""Open from and until, in minutes of the local day; sorted, not overlapping."""


class Hours:
    """When one team works. `week` has the shifts of Monday to Sunday; `yearly` are holidays by month and day."""

    def __init__(
        self,
        zone: ZoneInfo,
        week: Sequence[Shifts],
        *,
        holidays: frozenset[date] = frozenset(),
        yearly: frozenset[tuple[int, int]] = frozenset(),
    ) -> None:
        self.zone = zone
        self._week = tuple(tuple(shifts) for shifts in week)
        self._holidays = holidays
        self._yearly = yearly
        self._days: dict[date, tuple[tuple[datetime, datetime], ...]] = {}

    def __repr__(self) -> str:
        return f"Hours({self.zone.key}, {self._week})"

    def is_open(self, at: datetime) -> bool:
        """Whether the team is at work at `at`."""
        start, _ = next(self._shifts(at), (None, None))
        return start is not None and start <= at

    def next_open(self, at: datetime) -> datetime | None:
        """`at` itself or the next moment at work; None where there is none within two years."""
        start, _ = next(self._shifts(at), (None, None))
        return None if start is None else max(start, at)

    def add(self, start: datetime, span: timedelta) -> datetime | None:
        """The first moment by which `span` of open time has passed since `start`, never before it; None where it never does."""
        if span <= timedelta():
            return start
        left = span
        for opens, closes in self._shifts(start):
            begin = max(opens, start)
            if closes - begin >= left:
                return begin + left
            left -= closes - begin
        return None

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Open time from `start` to `end`; nothing where `end` is not later."""
        total = timedelta()
        for opens, closes in self._shifts(start):
            if opens >= end:
                break
            total += min(closes, end) - max(opens, start)
        return total

    def local(self, at: datetime) -> datetime:
        """`at` on the team's clock."""
        return at.astimezone(self.zone)

    def _shifts(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Every shift that ends after `since`, in order, never overlapping; stops after two years without one."""
        try:
            day = since.astimezone(self.zone).date() - timedelta(days=1)
        except OverflowError:
            return
        last, empty = _EPOCH, 0
        while empty < _HORIZON:
            found = False
            for opens, closes in self._day(day):
                begin = max(opens, last)
                if begin < closes:
                    last = closes
                    found = True
                    if closes > since:
                        yield begin, closes
            empty = 0 if found else empty + 1
            if day >= date.max - timedelta(days=2):
                return
            day += timedelta(days=1)

    def _day(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        if day not in self._days:
            if len(self._days) >= _CACHED:
                self._days.clear()
            is_free = day in self._holidays or (day.month, day.day) in self._yearly
            shifts: Shifts = () if is_free else self._week[day.weekday()]
            self._days[day] = tuple((self._moment(day, begin, is_end=False), self._moment(day, end, is_end=True)) for begin, end in shifts)
        return self._days[day]

    def _moment(self, day: date, minute: int, *, is_end: bool) -> datetime:
        """Local to UTC. An hour shown twice begins with its first and ends with its second; one that is skipped is the moment of the leap."""
        if minute == MIDNIGHT:
            day, minute = day + timedelta(days=1), 0
        wall = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=self.zone)
        first, second = wall.replace(fold=0).astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
        if first > second:
            return self._leap(second, first)
        return second if is_end else first

    def _leap(self, before: datetime, after: datetime) -> datetime:
        """The moment between the two at which the clock on the wall leaps."""
        offset = before.astimezone(self.zone).utcoffset()
        while after - before > timedelta(seconds=1):
            middle = before + (after - before) / 2
            if middle.astimezone(self.zone).utcoffset() == offset:
                before = middle
            else:
                after = middle
        return after.replace(microsecond=0)


def always(zone: ZoneInfo | None = None) -> Hours:
    """A team that never sleeps."""
    return Hours(zone or ZoneInfo("UTC"), [((0, MIDNIGHT),)] * 7)


WEEKDAYS: Mapping[str, int] = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
