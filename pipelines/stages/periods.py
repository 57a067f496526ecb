"""The period that a report covers, and its key in the filing id. No deadlines: the calendar has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.errors import BadInput
from validations.engine import MONTHS, Report


@dataclass(frozen=True)
class Period:
    """A closed period; `key` is its name in filing ids, e.g. `2026-04` or `2026-Q1`. Dates inclusive."""

    key: str
    start: date
    end: date


def report_period(report: Report, *, before: date) -> Period:
    """The last complete period of the report before the given day, ending in one of the report's months.

    Raises BadInput for a report on request, which no calendar knows.
    """
    months = MONTHS.get(report.rhythm)
    if months is None:
        raise BadInput("request.no_calendar", rhythm=report.rhythm)
    ends = {month for month in report.months or range(1, 13) if month % months == 0}
    end = before.replace(day=1) - timedelta(days=1)
    while end.month not in ends:
        end = end.replace(day=1) - timedelta(days=1)
    key = {
        1: f"{end:%Y-%m}",
        3: f"{end.year}-Q{end.month // 3}",
        6: f"{end.year}-H{end.month // 6}",
        12: str(end.year),
    }
    return Period(key[months], date(end.year, end.month - months + 1, 1), end)
