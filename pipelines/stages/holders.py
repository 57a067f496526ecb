"""Who holds which open findings since when (经手人), what is due, what is late; reminders and escalation.

A reminder is recorded once per holder and day, in working time; sending it to people is the notifier's work.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from pipelines.errors import LANGUAGE
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import Holder, HolderReminded
from pipelines.stages.again import asked_again
from pipelines.stages.installation import SYSTEM, Installation
from pipelines.stages.register import register


@dataclass(frozen=True)
class Holding:
    """What one holder has of one department and branch: `since` the oldest of it, `due` the earliest day, None without one."""

    holder: Holder
    department: str
    department_name: str
    branch: str
    branch_name: str
    count: int
    since: datetime
    due: date | None
    is_late: bool


def holders(
    installation: Installation, state: FilingState, *, rows: pl.LazyFrame | None = None
) -> list[Holding]:
    """Everybody who holds something, the latest first; `rows` is the filing's register, where somebody has it already.

    A branch's day is that of its workbook; departments and the first reviewer have until the branch must have answered,
    counted from when it reached them: a working day each.
    """
    if state.content is None:
        return []
    rows = register(installation, state).lazy() if rows is None else rows
    deployment, calendar, today = installation.deployment, installation.calendar, installation.now().date()
    names = {o.code: o.name for o in deployment.organisations}
    departments = {code: getattr(each.title, LANGUAGE.get()) for code, each in deployment.departments.items()}
    counted = (
        rows.filter(pl.col("holder").is_not_null())
        .group_by("holder", "department", "branch")
        .agg(pl.len().alias("count"), pl.col("since").min(), pl.col("due").min())
        .sort("holder", "department", "branch")
        .collect()
    )
    found: list[Holding] = []
    for row in counted.iter_rows(named=True):
        is_branch = row["holder"] == "answer"
        since = row["since"].astimezone(installation.now().tzinfo)
        due = row["due"] if is_branch else calendar.add_workdays(since.date(), 1)
        found.append(
            Holding(
                holder=row["holder"],
                department=row["department"],
                department_name=departments.get(row["department"], row["department"]),
                branch=row["branch"],
                branch_name=names.get(row["branch"]) or row["branch"],
                count=row["count"],
                since=since,
                due=due,
                is_late=due is not None and due < today,
            )
        )
    return sorted(found, key=lambda each: (not each.is_late, each.due or date.max))


@asked_again
def remind(installation: Installation, filing: str) -> list[HolderReminded]:
    """Record what is due today or tomorrow as reminded, what is late as escalated; once per holder and working day."""
    state = installation.state(filing)
    today = installation.now().date()
    if (
        not state.is_listed
        or state.withdrawn
        or state.is_in_sign_off
        or state.packages
        or not installation.calendar.is_workday(today)
    ):
        return []
    said = {
        (r.fact.holder, r.fact.department, r.fact.organisation, r.fact.level)
        for r in state.reminders
        if r.fact.day == today
    }
    soon = installation.calendar.add_workdays(today, 1)
    told: list[HolderReminded] = []
    for each in holders(installation, state):
        if each.due is None or each.due > soon:
            continue
        fact = HolderReminded(
            level="escalation" if each.is_late else "reminder",
            holder=each.holder,
            department=each.department,
            organisation=each.branch,
            count=each.count,
            due=each.due,
            day=today,
        )
        if (fact.holder, fact.department, fact.organisation, fact.level) in said:
            continue
        command = f"remind:{today}:{fact.level}:{fact.holder}:{fact.department}:{fact.organisation}"
        state = installation.record(state, fact, actor=SYSTEM, command=command)
        told.append(fact)
    return told
