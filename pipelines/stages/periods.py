"""The period that a report of some rhythm covers, and its key in the filing id. No deadlines: the calendar has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.errors import BadInput


@dataclass(frozen=True)
class Period:
    """A closed period; `key` is its name in filing ids, e.g. `2026-04` or `2026-Q1`. Dates inclusive."""

    key: str
    start: date
    end: date


def report_period(rhythm: str, *, before: date) -> Period:
    """The last complete period of `rhythm` before the given day.

    Months of a quarter's end have no monthly report: the quarterly set, a superset, is due instead. Raises BadInput for
    `on_request`, which no calendar knows.
    """
    end = before.replace(day=1) - timedelta(days=1)
    if rhythm in ("flash", "monthly"):
        while rhythm == "monthly" and end.month % 3 == 0:
            end = end.replace(day=1) - timedelta(days=1)
        return Period(end.strftime("%Y-%m"), end.replace(day=1), end)
    months = {"quarterly": 3, "half_year": 6, "annual": 12}.get(rhythm)
    if months is None:
        raise BadInput("request.no_calendar", rhythm=rhythm)
    while end.month % months:
        end = end.replace(day=1) - timedelta(days=1)
    start = date(end.year, end.month - months + 1, 1)
    key = {3: f"{end.year}-Q{end.month // 3}", 6: f"{end.year}-H{end.month // 6}", 12: str(end.year)}[months]
    return Period(key, start, end)
