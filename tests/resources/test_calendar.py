"""Working days against a second calendar, and deadlines against vectors worked out by hand."""

from __future__ import annotations

import datetime
from datetime import date
from pathlib import Path

import holidays
import pytest

from pipelines.errors import BadInput
from resources.calendar import WorkingCalendar
from resources.deployment import CalendarOverrides

CALENDAR = WorkingCalendar(file=Path("deployment/calendar.yaml"))


@pytest.mark.parametrize("year", range(2013, 2026))
def test_every_day_agrees_with_another_calendar(year: int) -> None:
    oracle = holidays.country_holidays("CN", years=[year - 1, year, year + 1])
    day = date(year, 1, 1)
    while day.year == year:
        assert CALENDAR.is_workday(day) == oracle.is_working_day(day), day
        day += datetime.timedelta(days=1)


def test_make_up_days_are_working_days() -> None:
    assert CALENDAR.is_workday(date(2024, 2, 4))
    assert CALENDAR.is_workday(date(2026, 10, 10))
    assert CALENDAR.is_workday(date(2026, 5, 9))
    assert not CALENDAR.is_workday(date(2026, 5, 10))


@pytest.mark.parametrize(
    ("due", "postponement", "expected"),
    [
        (date(2024, 2, 10), "none", date(2024, 2, 10)),
        (date(2024, 2, 10), "next_workday", date(2024, 2, 18)),
        (date(2013, 2, 10), "next_workday", date(2013, 2, 16)),
        (date(2013, 2, 10), "plus3", date(2013, 2, 13)),  # still holiday: three days, no more
        (date(2026, 5, 10), "plus3", date(2026, 5, 10)),  # an ordinary Sunday is no long holiday
        (date(2026, 5, 10), "next_workday", date(2026, 5, 11)),
        (date(2026, 4, 10), "plus3", date(2026, 4, 10)),
    ],
)
def test_a_deadline_is_postponed_as_permitted_and_no_further(
    due: date, postponement: str, expected: date
) -> None:
    assert CALENDAR.postpone(due, postponement) == expected


def test_april_2026_is_due_on_a_sunday_and_planned_for_the_saturday_before() -> None:
    due = CALENDAR.due_date(date(2026, 4, 30), days=10)
    assert due == date(2026, 5, 10)
    assert CALENDAR.planned_date(due) == date(2026, 5, 9)
    assert CALENDAR.opening_date(due, 3) == date(2026, 5, 6)


def test_working_days_after_the_periods_end_skip_the_holiday() -> None:
    assert CALENDAR.due_date(date(2026, 4, 30), working_days=2) == date(2026, 5, 7)
    assert CALENDAR.due_date(date(2026, 9, 30), working_days=1) == date(2026, 10, 8)


def test_the_nth_working_day_of_a_month() -> None:
    assert CALENDAR.workday_of_month(2026, 5, 1) == date(2026, 5, 6)
    assert CALENDAR.workday_of_month(2026, 10, 3) == date(2026, 10, 10)


def test_working_days_are_counted_back_and_forth() -> None:
    assert CALENDAR.add_workdays(date(2026, 5, 9), -3) == date(2026, 5, 6)
    assert CALENDAR.add_workdays(date(2026, 5, 6), 3) == date(2026, 5, 9)
    assert CALENDAR.next_workday(date(2026, 5, 1)) == date(2026, 5, 6)
    assert CALENDAR.previous_workday(date(2026, 5, 5)) == date(2026, 4, 30)


@pytest.mark.parametrize("year", [2003, 2027])
def test_a_year_nobody_entered_has_no_answer(year: int) -> None:
    with pytest.raises(BadInput) as bad:
        CALENDAR.is_workday(date(year, 3, 3))
    assert bad.value.code == "calendar.year_missing"
    assert bad.value.values == {"year": year, "file": Path("deployment/calendar.yaml")}
    assert "deployment/calendar.yaml" in str(bad.value)


def test_a_deadline_that_runs_into_a_missing_year_fails() -> None:
    with pytest.raises(BadInput, match="2027"):
        CALENDAR.due_date(date(2026, 12, 31), working_days=2)


def test_single_days_are_corrected() -> None:
    calendar = WorkingCalendar(
        CalendarOverrides(holidays=frozenset({date(2026, 5, 8)}), workdays=frozenset({date(2026, 5, 10)}))
    )
    assert not calendar.is_workday(date(2026, 5, 8))
    assert calendar.is_workday(date(2026, 5, 10))
    assert calendar.postpone(date(2026, 5, 8), "plus3") == date(2026, 5, 11)


def test_a_whole_year_is_entered_by_hand() -> None:
    calendar = WorkingCalendar(
        CalendarOverrides(
            years=frozenset({2027}),
            holidays=frozenset({date(2027, 1, 1)}),
            workdays=frozenset({date(2027, 1, 3)}),
        )
    )
    assert calendar.due_date(date(2026, 12, 31), working_days=2) == date(2027, 1, 4)
    assert not calendar.is_workday(date(2027, 1, 2))
    with pytest.raises(BadInput):
        calendar.is_workday(date(2028, 1, 4))


def test_a_due_date_needs_one_rule() -> None:
    with pytest.raises(ValueError, match="either"):
        CALENDAR.due_date(date(2026, 4, 30))
