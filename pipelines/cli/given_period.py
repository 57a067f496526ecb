"""`--period` as people write it, and the parameters of rules that follow from it. No calendar of deadlines here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.errors import BadInput

_YEAR = re.compile(r"([0-9]{4})")
_MONTH = re.compile(r"([0-9]{4})-?(0[1-9]|1[0-2])")
_QUARTER = re.compile(r"([0-9]{4})-?[Qq]([1-4])")
_HALF = re.compile(r"([0-9]{4})-?[Hh]([12])")
_MONTHS = {12: "", 6: "-H", 3: "-Q", 1: "-"}


@dataclass(frozen=True)
class GivenPeriod:
    """Closed; dates inclusive."""

    start: date
    end: date

    @property
    def months(self) -> int | None:
        """How many whole months it covers; None where it begins or ends within one."""
        if self.start.day != 1 or (self.end + timedelta(days=1)).day != 1:
            return None
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month + 1

    @property
    def key(self) -> str:
        """As filings call it: 2026, 2026-H1, 2026-Q1, 2026-03; else its dates."""
        months = self.months
        if months not in _MONTHS or (self.start.month - 1) % months:
            return f"{self.start}..{self.end}"
        number = (self.start.month - 1) // months + 1
        return f"{self.start.year}" + {12: "", 1: f"-{number:02d}"}.get(months, f"{_MONTHS[months]}{number}")

    @property
    def previous(self) -> GivenPeriod:
        """The period of the same length that ends the day before."""
        end = self.start - timedelta(days=1)
        if self.months is None:
            return GivenPeriod(end - (self.end - self.start), end)
        return GivenPeriod(_month(self.start, -self.months), end)

    def parameters(self) -> dict[str, str]:
        """Dates as ISO text, periods as YYYYMM: what the rules of every standard may name."""
        return {
            "date_from": self.start.isoformat(),
            "date_to": self.end.isoformat(),
            "year_from": self.end.replace(month=1, day=1).isoformat(),
            "period_from": self.start.strftime("%Y%m"),
            "period_to": self.end.strftime("%Y%m"),
            "key": self.key,
            "previous_from": self.previous.start.isoformat(),
            "previous_to": self.previous.end.isoformat(),
        }


def read_period(text: str) -> GivenPeriod:
    """`2026`, `2026H1`, `2026Q1`, `2026-03`, `202603` or `2026-01-01..2026-03-31`. Raises BadInput for anything else."""
    first, dots, last = text.strip().partition("..")
    try:
        if dots:
            period = GivenPeriod(date.fromisoformat(first), date.fromisoformat(last))
            if period.start > period.end or f"{period.start}..{period.end}" != text.strip():
                raise BadInput("validations.period", given=text)
            return period
        for form, months in ((_YEAR, 12), (_HALF, 6), (_QUARTER, 3), (_MONTH, 1)):
            if match := form.fullmatch(first):
                number = int(match.group(2)) if form is not _YEAR else 1
                start = date(int(match.group(1)), (number - 1) * months + 1, 1)
                return GivenPeriod(start, _month(start, months) - timedelta(days=1))
    except ValueError as error:
        raise BadInput("validations.period", given=text) from error
    raise BadInput("validations.period", given=text)


def _month(day: date, months: int) -> date:
    """The first of the month so many months later."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)
