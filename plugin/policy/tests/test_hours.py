"""Business time: open hours only, never backwards, and adding up whatever the clock on the wall does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.policy.hours import Hours, always

BERLIN = ZoneInfo("Europe/Berlin")
NINE_TO_FIVE = ((9 * 60, 17 * 60),)
OFFICE = Hours(BERLIN, [*[NINE_TO_FIVE] * 5, (), ()], holidays=frozenset({date(2026, 12, 24)}), yearly=frozenset({(12, 25), (12, 26)}))
NIGHT = Hours(BERLIN, [((0, 6 * 60),)] * 7)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu", "America/Sao_Paulo", "UTC")
MOMENTS = st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is given beside
SPANS = st.timedeltas(timedelta(), timedelta(hours=200))


@st.composite
def _hours(draw: st.DrawFn) -> Hours:
    week = []
    for _ in range(7):
        ends = sorted(draw(st.sets(st.integers(0, 24 * 60), max_size=6)))
        week.append(tuple(zip(ends[::2], ends[1::2], strict=False)))
    if not any(week):
        week[0] = NINE_TO_FIVE
    days = st.dates(date(2005, 1, 1), date(2035, 1, 1))
    return Hours(
        ZoneInfo(draw(st.sampled_from(ZONES))),
        week,
        holidays=frozenset(draw(st.sets(days, max_size=5))),
        yearly=frozenset(draw(st.sets(st.tuples(st.integers(1, 12), st.integers(1, 28)), max_size=5))),
    )


def _local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN).astimezone(UTC)  # type: ignore[misc,arg-type]


def test_a_promise_made_on_friday_evening_is_due_on_monday() -> None:
    assert OFFICE.add(_local(2026, 11, 20, 18), timedelta(hours=2)) == _local(2026, 11, 23, 11)
    assert OFFICE.add(_local(2026, 11, 20, 16), timedelta(hours=2)) == _local(2026, 11, 23, 10)


def test_holidays_are_skipped_once_and_every_year() -> None:
    assert OFFICE.add(_local(2026, 12, 23, 16), timedelta(hours=2)) == _local(2026, 12, 28, 10)
    assert OFFICE.add(_local(2028, 12, 22, 16), timedelta(hours=2)) == _local(2028, 12, 27, 10)


def test_a_team_is_open_from_its_first_minute_to_before_its_last() -> None:
    assert not OFFICE.is_open(_local(2026, 11, 23, 8, 59))
    assert OFFICE.is_open(_local(2026, 11, 23, 9))
    assert OFFICE.is_open(_local(2026, 11, 23, 16, 59))
    assert not OFFICE.is_open(_local(2026, 11, 23, 17))
    assert OFFICE.next_open(_local(2026, 11, 21, 12)) == _local(2026, 11, 23, 9)


def test_the_hour_that_spring_takes_is_not_worked_and_the_one_that_autumn_gives_is() -> None:
    spring, autumn, plain = (_local(2026, 3, 29), _local(2026, 10, 25), _local(2026, 6, 1))
    assert [NIGHT.between(day, day + timedelta(hours=12)) for day in (spring, autumn, plain)] == [
        timedelta(hours=5),
        timedelta(hours=7),
        timedelta(hours=6),
    ]


def test_hours_that_begin_in_the_missing_hour_begin_at_the_leap() -> None:
    hours = Hours(BERLIN, [((2 * 60 + 30, 4 * 60),)] * 7)
    assert hours.next_open(_local(2026, 3, 29, 0)) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert hours.between(_local(2026, 3, 29, 0), _local(2026, 3, 29, 12)) == timedelta(hours=1)


def test_a_team_that_never_works_promises_nothing() -> None:
    never = Hours(BERLIN, [()] * 7)
    assert never.add(_local(2026, 1, 1), timedelta(minutes=1)) is None
    assert never.next_open(_local(2026, 1, 1)) is None
    assert never.between(_local(2026, 1, 1), _local(2026, 6, 1)) == timedelta()


def test_a_team_that_never_sleeps_counts_every_minute() -> None:
    at = datetime(2026, 11, 21, 3, tzinfo=UTC)
    assert always().add(at, timedelta(days=3)) == at + timedelta(days=3)


@settings(max_examples=80, deadline=None)
@given(_hours(), MOMENTS, SPANS, SPANS)
def test_adding_twice_is_adding_the_sum_and_never_goes_back(hours: Hours, start: datetime, first: timedelta, second: timedelta) -> None:
    once = hours.add(start, first)
    if once is None:
        return
    assert once >= start + first
    assert hours.between(start, once) == first
    twice = hours.add(once, second)
    assert twice == hours.add(start, first + second)


@settings(max_examples=50, deadline=None)
@given(_hours(), MOMENTS, st.lists(st.timedeltas(timedelta(), timedelta(days=20)), min_size=1, max_size=4))
def test_time_between_is_the_sum_of_its_parts(hours: Hours, start: datetime, steps: list[timedelta]) -> None:
    moments = [start]
    for step in steps:
        moments.append(moments[-1] + step)
    assert sum((hours.between(*pair) for pair in pairwise(moments)), timedelta()) == hours.between(moments[0], moments[-1])


@settings(max_examples=50, deadline=None)
@given(_hours(), MOMENTS)
def test_the_next_open_moment_is_open_and_nothing_before_it_is(hours: Hours, at: datetime) -> None:
    opens = hours.next_open(at)
    if opens is None:
        return
    assert opens >= at
    assert hours.is_open(opens)
    assert hours.between(at, opens) == timedelta()
