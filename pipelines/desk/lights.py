"""The traffic light of a deadline (报送日历): how much working time is left, and whether that is much. State is colour and word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

from pipelines.desk.rendering import label
from pipelines.errors import BadInput
from pipelines.ledger.filing import FilingState
from pipelines.stages.installation import Installation

Light = Literal["done", "ok", "soon", "late"]
_SENT = ("delivered", "handed_over", "accepted", "archived")
_SOON_WORKING_SECONDS = 2 * 8 * 3600
"""Two working days before the end, a deadline is near."""


@dataclass(frozen=True)
class Deadline:
    """A day by which something is due; `said` is the working time that is left, or by how much it is over."""

    day: date
    light: Light
    said: str


def deadline_of(installation: Installation, state: FilingState) -> Deadline:
    """The deadline of a filing as it stands now."""
    if state.stage in _SENT or state.withdrawn:
        return Deadline(state.deadline, "done", label("light.done"))
    return due_on(installation, state.deadline)


def due_on(installation: Installation, day: date) -> Deadline:
    """A day until whose end something may be done. Where the calendar lacks a year, it says that the time left is unknown."""
    try:
        return _counted(installation, day)
    except BadInput as unknown:
        if unknown.code != "calendar.year_missing":
            raise
        return Deadline(day, "soon", label("light.unknown", year=unknown.values["year"]))


def _counted(installation: Installation, day: date) -> Deadline:
    now = installation.now()
    end = datetime.combine(day, time(23, 59, 59), tzinfo=now.tzinfo)
    if now > end:
        over = installation.calendar.working_seconds(end, now)
        return Deadline(day, "late", label("light.late", hours=working_hours(over)))
    left = installation.calendar.working_seconds(now, end)
    said = label("light.left", hours=working_hours(left))
    return Deadline(day, "soon" if left <= _SOON_WORKING_SECONDS else "ok", said)


def working_hours(seconds: int) -> str:
    """Seconds of working time in hours with one decimal, rounded down: nobody is promised more than there is."""
    tenths = abs(seconds) // 360
    return f"{tenths // 10}.{tenths % 10}"
