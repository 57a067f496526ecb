"""Periods of reports: what the statistics' calendar demands in each month of a year, and nothing beside."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from pipelines.errors import BadInput
from pipelines.stages.periods import Period, report_period
from resources.calendar import WorkingCalendar
from validations.engine import load_standard

STATISTICS = load_standard("circ_statistics")
DUE = {
    1: "monthly", 2: "monthly", 3: "quarterly", 4: "monthly", 5: "monthly", 6: "half_year",
    7: "monthly", 8: "monthly", 9: "quarterly", 10: "monthly", 11: "monthly", 12: "annual",
}  # fmt: skip
"""Besides the flash report of every month: facts, "in March/September only the quarterly set is due"."""


@pytest.mark.parametrize(("month", "report"), DUE.items())
def test_one_report_and_the_flash_are_due_for_each_month(month: int, report: str) -> None:
    after = date(2025 + month // 12, month % 12 + 1, 1)
    ending = {
        r.name for r in STATISTICS.reports if report_period(r, before=after).end == after - timedelta(days=1)
    }
    assert ending == {"flash", report}


@pytest.mark.parametrize(
    ("report", "before", "expected"),
    [
        ("flash", date(2026, 4, 1), Period("2026-03", date(2026, 3, 1), date(2026, 3, 31))),
        ("monthly", date(2026, 4, 30), Period("2026-02", date(2026, 2, 1), date(2026, 2, 28))),
        ("monthly", date(2026, 5, 1), Period("2026-04", date(2026, 4, 1), date(2026, 4, 30))),
        ("quarterly", date(2026, 3, 31), Period("2025-Q3", date(2025, 7, 1), date(2025, 9, 30))),
        ("quarterly", date(2026, 4, 1), Period("2026-Q1", date(2026, 1, 1), date(2026, 3, 31))),
        ("half_year", date(2026, 1, 5), Period("2025-H1", date(2025, 1, 1), date(2025, 6, 30))),
        ("annual", date(2026, 12, 31), Period("2025", date(2025, 1, 1), date(2025, 12, 31))),
    ],
)
def test_the_last_complete_period(report: str, before: date, expected: Period) -> None:
    assert report_period(STATISTICS.report(report), before=before) == expected


@pytest.mark.parametrize(
    ("report", "before", "deadline"),
    [
        (
            "flash",
            date(2026, 5, 1),
            date(2026, 5, 7),
        ),  # 1–5 May are a holiday: the 6th and 7th are the first two
        ("monthly", date(2026, 5, 1), date(2026, 5, 10)),
        ("quarterly", date(2026, 4, 1), date(2026, 4, 12)),
        ("half_year", date(2026, 7, 1), date(2026, 7, 12)),
        ("annual", date(2026, 1, 1), date(2026, 1, 12)),
    ],
)
def test_the_deadline_of_each_report(report: str, before: date, deadline: date) -> None:
    said = STATISTICS.report(report)
    due, end = said.due, report_period(said, before=before).end
    calendar = WorkingCalendar()
    assert (
        calendar.due_date(end, days=due.days, working_days=due.working_days, postponement=due.postponement)
        == deadline
    )


def test_april_is_due_on_sunday_the_tenth_and_planned_for_saturday_a_workday() -> None:
    assert WorkingCalendar().planned_date(date(2026, 5, 10)) == date(2026, 5, 9)


def test_a_report_on_request_has_no_period() -> None:
    with pytest.raises(BadInput) as caught:
        report_period(load_standard("circ_audit").report("detail"), before=date(2026, 5, 1))
    assert caught.value.code == "request.no_calendar"
