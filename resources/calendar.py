"""Working days, working time and deadlines: published holidays, make-up working days, overrides, due dates.

The published calendar (`chinesecalendar`, 2004-2026) is primary; days and whole years of the deployment's
calendar.yaml add to it or correct it. A day of a year nobody has entered has no answer: an error, never a
guess. What time it is now is `clock.py`; how sessions are counted is `working_time.py`; which report is due by
which rule stands in the standard.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import chinese_calendar

from pipelines.errors import BadInput
from resources.clock import SHANGHAI
from resources.deployment.models import CalendarOverrides, Deployment
from resources.working_time import add_seconds, seconds_between

Postponement = Literal["none", "plus3", "next_workday"]

_DAY = timedelta(days=1)
_SATURDAY = 5


class WorkingCalendar:
    """Working days of China. `file` is where a person adds a missing year; it is named in errors.

    Sessions are those of the deployment's `timezone`.
    """

    def __init__(
        self,
        overrides: CalendarOverrides | None = None,
        file: Path = Path("calendar.yaml"),
        timezone: str = SHANGHAI,
    ) -> None:
        self._overrides = overrides or CalendarOverrides()
        self._file = file
        self._zone = ZoneInfo(timezone)

    def is_workday(self, day: date) -> bool:
        """Whether people work that day. Raises BadInput `calendar.year_missing`."""
        if day in self._overrides.workdays:
            return True
        if day in self._overrides.holidays:
            return False
        if day.year in self._overrides.years:
            return day.weekday() < _SATURDAY
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:  # what chinese_calendar says of a year it does not have
            raise BadInput("calendar.year_missing", year=day.year, file=self._file) from None

    def knows(self, day: date) -> bool:
        """Whether the holidays of the day's year are known."""
        try:
            self.is_workday(day)
        except BadInput:
            return False
        return True

    def is_statutory_holiday(self, day: date) -> bool:
        """Whether the day is off by the published arrangement and not merely a weekend."""
        if self.is_workday(day):
            return False
        if day in self._overrides.holidays:
            return True
        if day.year in self._overrides.years:
            return False
        return chinese_calendar.get_holiday_detail(day)[1] is not None

    def next_workday(self, day: date) -> date:
        """The first working day on or after the day."""
        while not self.is_workday(day):
            day += _DAY
        return day

    def previous_workday(self, day: date) -> date:
        """The last working day on or before the day."""
        while not self.is_workday(day):
            day -= _DAY
        return day

    def add_workdays(self, day: date, count: int) -> date:
        """The working day `count` working days later (earlier, when negative); 0 gives the day itself."""
        step = _DAY if count >= 0 else -_DAY
        for _ in range(abs(count)):
            day += step
            while not self.is_workday(day):
                day += step
        return day

    def workday_of_month(self, year: int, month: int, number: int) -> date:
        """The month's first, second, … working day (1-based)."""
        return self.add_workdays(date(year, month, 1) - _DAY, number)

    def working_seconds(self, start: datetime, end: datetime) -> int:
        """Seconds of working time between two moments; negative when the second lies before the first."""
        hours = self._overrides.hours
        return seconds_between(self.is_workday, hours, self._local(start), self._local(end))

    def add_working_seconds(self, start: datetime, seconds: int) -> datetime:
        """The first moment by which so much working time has passed since `start`, in the deployment's zone."""
        passed = add_seconds(self.is_workday, self._overrides.hours, self._local(start), seconds)
        return passed.replace(tzinfo=self._zone)

    def _local(self, moment: datetime) -> datetime:
        """The moment on the clocks of the deployment, without an offset."""
        return moment.astimezone(self._zone).replace(tzinfo=None) if moment.tzinfo else moment

    def due_date(
        self,
        period_end: date,
        *,
        days: int | None = None,
        working_days: int | None = None,
        postponement: Postponement = "none",
    ) -> date:
        """The legal deadline: `days` calendar days, or `working_days` working days, after the period's end.

        `postponement` only moves a deadline in calendar days, see `postpone`.
        """
        if (days is None) == (working_days is None):
            raise ValueError("due_date takes either days= or working_days=")
        if working_days is not None:
            return self.add_workdays(period_end, working_days)
        return self.postpone(period_end + timedelta(days=days or 0), postponement)

    def postpone(self, due: date, postponement: Postponement) -> date:
        """`plus3`: 3 days later when due on a statutory holiday; `next_workday`: the first working day.

        Three days may still end in the holiday: the permission is for three days, not until people are back.
        """
        if postponement == "plus3" and self.is_statutory_holiday(due):
            return due + 3 * _DAY
        return self.next_workday(due) if postponement == "next_workday" else due

    def planned_date(self, due: date) -> date:
        """The day to plan for: the last working day on or before the deadline."""
        return self.previous_workday(due)

    def opening_date(self, due: date, lead_working_days: int) -> date:
        """When the calendar opens the filing: so many working days before the planned date."""
        return self.add_workdays(self.planned_date(due), -lead_working_days)


def open_calendar(deployment: Deployment) -> WorkingCalendar:
    """The working calendar with the deployment's overrides."""
    return WorkingCalendar(deployment.calendar, deployment.calendar_file, deployment.timezone)
