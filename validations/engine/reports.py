"""The reports of a standard as frozen models: rhythm, due date, tables, and how their files look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from validations.engine.terms import Title

Rhythm = Literal["flash", "monthly", "quarterly", "half_year", "annual", "on_request"]
MONTHS: dict[str, int] = {"flash": 1, "monthly": 1, "quarterly": 3, "half_year": 6, "annual": 12}
"""How many months a period of each rhythm has that the calendar knows."""

Postponement = Literal["none", "plus3", "next_workday"]


@dataclass(frozen=True)
class DueRule:
    """When a report is due: by its request's own deadline, or so many days after the period's end."""

    by: Literal["request", "period_end"]
    days: int | None = None
    working_days: int | None = None
    postponement: Postponement = "none"


@dataclass(frozen=True)
class Report:
    """One kind of report with its rhythm, its tables and the name of its package profile.

    `months`: the months in which its period may end, where another report takes its place in the others; empty: all.
    """

    name: str
    title: Title
    rhythm: Rhythm
    due: DueRule
    tables: tuple[str, ...]
    package: str
    months: tuple[int, ...] = ()


@dataclass(frozen=True)
class PackageProfile:
    """How the files of a package look. `table` … `report_type` describe the statistics XML only."""

    name: str
    format: Literal["delimited", "statistics_xml"]
    encoding: Literal["gb18030", "gb2312", "utf-8"]
    delimiter: str | None = None
    header: bool = False
    file: str | None = None
    serial_field: str | None = None
    table: str | None = None
    organisation: str | None = None
    item: str | None = None
    value: str | None = None
    report_type: str | None = None
