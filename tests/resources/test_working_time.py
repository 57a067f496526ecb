"""Working time against vectors worked out by hand, and against counting minutes one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import BadInput
from resources.calendar import WorkingCalendar
from resources.deployment import CalendarOverrides, Session

CALENDAR = WorkingCalendar()
VECTORS = {
    "V01 plain": ("2024-03-06 09:00", "2024-03-06 09:10", 10),
    "V02 over lunch": ("2024-03-06 11:50", "2024-03-06 13:40", 20),
    "V03 begun in the lunch break": ("2024-03-06 12:15", "2024-03-06 13:38", 8),
    "V04 overnight": ("2024-03-06 17:20", "2024-03-07 08:35", 15),
    "V05 over a weekend": ("2024-03-08 17:00", "2024-03-11 09:00", 60),
    "V06 begun on a Saturday night, seconds matter": ("2024-03-09 22:00", "2024-03-11 08:39:30", 9.5),
    "V07 into a make-up Sunday": ("2024-02-03 10:00", "2024-02-04 10:00", 90),
    "V08 over a make-up Sunday": ("2024-02-02 17:00", "2024-02-05 09:00", 510),
    "V09 Spring Festival, whose eve was worked in 2024": ("2024-02-09 16:30", "2024-02-18 09:30", 120),
    "V10 National Day": ("2024-09-30 17:00", "2024-10-08 09:00", 60),
    "V11 a make-up Sunday alone": ("2024-09-27 17:30", "2024-09-30 08:30", 450),
    "V12 over a make-up Saturday": ("2024-10-11 17:00", "2024-10-14 09:00", 510),
    "V13 over the year's end": ("2024-12-31 17:15", "2025-01-02 08:45", 30),
    "V14 a whole holiday": ("2024-10-01 00:00", "2024-10-07 23:59:59", 0),
    "V15 nothing": ("2024-03-06 10:00", "2024-03-06 10:00", 0),
}
DEADLINES = {
    "D1": ("2024-02-02 17:25", 10, "2024-02-04 08:35"),
    "D2": ("2024-09-30 16:00", 240, "2024-10-08 11:00"),
    "D3": ("2024-03-08 14:00", 450, "2024-03-11 14:00"),
    "D4 ends with the day": ("2024-03-06 17:20", 10, "2024-03-06 17:30"),
    "D5 begun on a holiday": ("2024-10-05 03:00", 10, "2024-10-08 08:40"),
    "D6 ends with the session": ("2024-03-06 11:50", 10, "2024-03-06 12:00"),
    "no time at all, even at night": ("2024-03-06 22:00", 0, "2024-03-06 22:00"),
}
MOMENTS = st.datetimes(datetime(2024, 1, 25), datetime(2024, 2, 25))  # noqa: DTZ001 - local, as sessions are
MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(("start", "end", "minutes"), VECTORS.values(), ids=VECTORS)
def test_working_time_is_what_was_worked_out_by_hand(start: str, end: str, minutes: float) -> None:
    assert CALENDAR.working_seconds(at(start), at(end)) == minutes * 60
    assert CALENDAR.working_seconds(at(end), at(start)) == -minutes * 60


@pytest.mark.parametrize(("start", "minutes", "end"), DEADLINES.values(), ids=DEADLINES)
def test_a_limit_ends_where_it_was_worked_out_by_hand(start: str, minutes: int, end: str) -> None:
    assert CALENDAR.add_working_seconds(at(start), minutes * 60).replace(tzinfo=None) == at(end)


def test_pauses_are_taken_off_once_where_they_overlap() -> None:
    gross = CALENDAR.working_seconds(at("2024-03-11 09:00"), at("2024-03-12 09:00")) // 60
    first = CALENDAR.working_seconds(at("2024-03-11 10:00"), at("2024-03-11 15:00")) // 60
    union = CALENDAR.working_seconds(at("2024-03-11 10:00"), at("2024-03-11 16:00")) // 60
    assert (gross, first, union) == (450, 210, 270)
    assert (gross - first, gross - union) == (240, 180)  # P1 and P2


@given(MOMENTS, MOMENTS)
def test_any_span_is_the_minutes_counted_one_by_one(one: datetime, other: datetime) -> None:
    start, end = sorted(moment.replace(second=0, microsecond=0) for moment in (one, other))
    counted = sum(is_at_work(start + number * MINUTE) for number in range((end - start) // MINUTE))
    assert CALENDAR.working_seconds(start, end) == counted * 60


def is_at_work(minute: datetime) -> bool:
    """Whether people work in the minute that begins here; the days off stand here once more, as they were published."""
    days_off = {date(2024, 2, day) for day in range(10, 18)}
    made_up = {date(2024, 2, 4), date(2024, 2, 18)}
    day = minute.date()
    if day in days_off or (day.weekday() > 4 and day not in made_up):
        return False
    return time(8, 30) <= minute.time() < time(12) or time(13, 30) <= minute.time() < time(17, 30)


@given(MOMENTS, st.integers(1, 5 * 450 * 60))
def test_a_limit_is_the_first_moment_by_which_its_time_has_passed(start: datetime, seconds: int) -> None:
    limit = CALENDAR.add_working_seconds(start, seconds).replace(tzinfo=None)
    assert CALENDAR.working_seconds(start, limit) == seconds
    assert CALENDAR.working_seconds(start, limit - timedelta(seconds=1)) == seconds - 1


@given(MOMENTS, MOMENTS, MOMENTS)
def test_a_span_is_the_sum_of_its_parts(first: datetime, second: datetime, third: datetime) -> None:
    parts = CALENDAR.working_seconds(first, second) + CALENDAR.working_seconds(second, third)
    assert parts == CALENDAR.working_seconds(first, third)


def test_moments_are_those_of_the_deployments_clocks() -> None:
    start, end = datetime(2024, 3, 6, 1, tzinfo=UTC), datetime(2024, 3, 6, 1, 10, tzinfo=UTC)
    assert CALENDAR.working_seconds(start, end) == 600  # 09:00 to 09:10 in Shanghai
    limit = CALENDAR.add_working_seconds(start, 600)
    assert limit == end
    assert limit.utcoffset() == timedelta(hours=8)


def test_the_deployments_hours_are_the_hours() -> None:
    hours = (Session.model_validate("09:00-12:00"), Session.model_validate("13:00-18:00"))
    calendar = WorkingCalendar(CalendarOverrides(hours=hours))
    assert calendar.working_seconds(at("2024-03-06 08:00"), at("2024-03-06 19:00")) == 8 * 3600
    assert calendar.add_working_seconds(at("2024-03-06 11:00"), 7200).time() == time(14)


def test_a_year_that_nobody_entered_is_not_guessed() -> None:
    with pytest.raises(BadInput) as bad:
        CALENDAR.working_seconds(at("2026-12-31 17:00"), at("2027-01-01 09:00"))
    assert bad.value.code == "calendar.year_missing"
    assert CALENDAR.working_seconds(at("2026-12-31 17:00"), at("2026-12-31 23:00")) == 1800
