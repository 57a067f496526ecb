"""A department issues problem data to the branches: one workbook per branch and department, in parts where there is much.

Which findings wait to be issued is the register's matter, how a workbook looks that of `workbooks`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.errors import Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import FindingsDispatched, WorkbookSent
from pipelines.stages.bulk_facts import PROBLEMS, keep
from pipelines.stages.canonical import file_digest, sync_folder
from pipelines.stages.content import sign_off_number
from pipelines.stages.held import record_with_held, require_any, require_people_at_work
from pipelines.stages.installation import SYSTEM, Installation
from pipelines.stages.register import register
from pipelines.stages.selection import Selection
from pipelines.stages.workbooks import (
    GivenAnswer,
    Problem,
    WorkbookIdentity,
    split_problems,
    write_branch_workbook,
)
from resources.deployment import User
from validations.engine import Standard


def issue(
    installation: Installation, filing: str, department: str, user: User, chosen: Selection
) -> FilingState:
    """A department's reviewer issues the chosen confirmed findings of his department.

    Raises Refused for another department's, or when nothing chosen waits to be issued.
    """
    if not user.speaks_for(department):
        raise Refused(
            "issue.other_department", user=user.name, department=installation.department_name(department)
        )
    return _issue(installation, filing, department, user.id, chosen)


def issue_all(installation: Installation, state: FilingState) -> FilingState:
    """Issue what waits of every department: where nobody reviews first, what was found goes out at once."""
    for department in sorted({held.department for held in state.held if held.holder == "issue"}):
        state = _issue(installation, state.id, department, SYSTEM, Selection())
    return state


def _issue(
    installation: Installation, filing: str, department: str, actor: str, chosen: Selection
) -> FilingState:
    with installation.alone(
        f"{filing}.workbooks"
    ):  # the folder they are written to is named by the event to come
        state = installation.state(filing)
        require_people_at_work(state, act="issue")
        waiting = register(installation, state).filter(
            pl.col("holder") == "issue", pl.col("department") == department
        )
        rows = require_any(
            chosen.of(waiting),
            Refused(
                "issue.nothing",
                filing=filing,
                department=installation.department_name(department),
                chosen=chosen,
            ),
        )
        asked = problems_asked(installation.standard(state.opened.fact.standard), rows)
        answer_by = answering_day(installation, state)
        workbooks = write_workbooks(installation, state, asked, answer_by)
        assert state.content is not None, "people are at work on a judged content"
        fact = FindingsDispatched(
            round=state.content.fact.round,
            content=state.content.fact.content,
            department=department,
            sign_off=sign_off_number(state),
            answer_by=answer_by,
            problems=keep(installation, filing, asked),
            workbooks=workbooks,
            held=(),
        )
        state = record_with_held(
            installation, state, fact, actor=actor, command=f"issue:{state.content.seq}:{fact.problems}"
        )
        forget_unsent(installation, state)
        return state


def problems_asked(
    standard: Standard, rows: pl.DataFrame, remarks: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """Rows of the register as they are put to their branches: which part of the workbooks each stands in, and why it came
    back."""
    parts: dict[str, int] = {}
    for _, theirs in rows.group_by("department", "branch"):
        problems = [problem(standard, row) for row in theirs.iter_rows(named=True)]
        for number, part in enumerate(split_problems(problems), 1):
            parts.update((each.finding, number) for each in part)
    return (
        rows.sort("department", "branch", "table", "rule", "key", "field", "finding")
        .with_columns(
            organisation=pl.col("branch"),
            part=pl.col("finding").replace_strict(parts, return_dtype=pl.Int32),
            remark=pl.col("finding").replace_strict(remarks or {}, default="", return_dtype=pl.String),
        )
        .select(*PROBLEMS)
    )


def write_workbooks(
    installation: Installation,
    state: FilingState,
    asked: pl.DataFrame,
    answer_by: date,
    given: Mapping[str, GivenAnswer] | None = None,
) -> tuple[WorkbookSent, ...]:
    """Write a workbook for each branch, department and part of `asked`, into the folder of the event to come."""
    standard = installation.standard(state.opened.fact.standard)
    forget_unsent(installation, state)
    folder = dispatch_folder(installation, state.id, state.seq + 1)
    folder.mkdir(parents=True, exist_ok=True)
    sent: list[WorkbookSent] = []
    for (department, organisation), theirs in asked.group_by(
        "department", "organisation", maintain_order=True
    ):
        parts = int(theirs["part"].max())  # pyright: ignore[reportArgumentType]  # of a group that has rows
        for (part,), rows in theirs.group_by("part", maintain_order=True):
            identity = workbook_identity(
                installation,
                state,
                str(department),
                str(organisation),
                answer_by,
                part=int(str(part)),
                parts=parts,
            )
            path = folder / workbook_name(identity)
            problems = [problem(standard, row) for row in rows.iter_rows(named=True)]
            remarks = dict(rows.filter(pl.col("remark") != "").select("finding", "remark").iter_rows())
            write_branch_workbook(
                path, identity, problems, key=installation.workbook_key(), given=given or {}, remarks=remarks
            )
            sent.append(
                WorkbookSent(
                    organisation=identity.organisation,
                    department=identity.department,
                    file=path.name,
                    sha256=file_digest(path),
                    problems=len(problems),
                )
            )
    sync_folder(folder)
    return tuple(sent)


def forget_unsent(installation: Installation, state: FilingState) -> None:
    """Remove workbooks that a killed process wrote and no event sent: nobody may take them for sent ones."""
    sent = {
        act.seq: {w.file for w in act.fact.workbooks} for act in (*state.dispatches, *state.answer_reviews)
    }
    for folder in installation.folder("workbooks", state.id).glob("[0-9]*"):
        if int(folder.name) > state.seq:
            continue  # of the event to come, whoever writes it
        for path in folder.iterdir():
            if path.name not in sent.get(int(folder.name), ()):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if int(folder.name) not in sent:
            folder.rmdir()


def dispatch_folder(installation: Installation, filing: str, dispatch: int) -> Path:
    """Where the workbooks of one dispatch lie: a later one overwrites nothing that went out."""
    return installation.folder("workbooks", filing) / f"{dispatch:05d}"


def workbook_name(identity: WorkbookIdentity) -> str:
    """The name under which a workbook goes out; what it is stands inside, not in its name."""
    part = f"-{identity.part}of{identity.parts}" if identity.parts > 1 else ""
    return f"{identity.filing}-{identity.round}-{identity.organisation}-{identity.department}-{identity.dispatch}{part}.xlsx"


def answering_day(installation: Installation, state: FilingState) -> date:
    """So many working days from today, but two before the planned day; never before today."""
    calendar, today = installation.calendar, installation.now().date()
    days = installation.filing_config(state.opened.fact.standard).answer_working_days
    return max(
        today,
        min(calendar.add_workdays(today, days), calendar.add_workdays(state.planned_on, -2)),
    )


def workbook_identity(
    installation: Installation,
    state: FilingState,
    department: str,
    organisation: str,
    answer_by: date,
    *,
    part: int,
    parts: int,
) -> WorkbookIdentity:
    """What a workbook of the dispatch to come carries."""
    assert state.content is not None, "identities are made for a judged content"
    names = {o.code: o.name for o in installation.deployment.organisations}
    return WorkbookIdentity(
        filing=state.id,
        round=state.content.fact.round,
        content=state.content.fact.content,
        organisation=organisation,
        organisation_name=names.get(organisation, organisation),
        department=department,
        department_name=installation.deployment.departments[department].title.zh,
        dispatch=state.seq + 1,
        part=part,
        parts=parts,
        sign_off=sign_off_number(state),
        answer_by=answer_by,
    )


def problem(standard: Standard, row: Mapping[str, Any]) -> Problem:
    """A row of what was asked, or of the register, as a person reads it."""
    table = standard.table(row["table"])
    titles = {f.name: f.title.zh for f in table.fields}
    message = next((rule.message.zh for rule in standard.rules if rule.id == row["rule"]), row["rule"])
    field = row["field"] or ""
    return Problem(
        finding=row["finding"],
        rule=row["rule"],
        severity=row["severity"],
        message=message,
        table=table.name,
        table_title=table.title.zh,
        key=tuple((name, str(value)) for name, value in json.loads(row["key"]).items()),
        field=field,
        field_title=titles.get(field, field),
        value=row["value"],
        expected=row["expected"],
        difference=row["difference"],
        department=row["department"] or "",
    )
