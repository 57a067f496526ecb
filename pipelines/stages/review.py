"""Problem data goes out: one workbook per organisation, and the problem-data list (问题数据清单) for the audit department.

What already has a handling that still fits, and mere notes, are not sent again. Reading answers is `correct`'s work.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.errors import Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import FindingsDispatched, WorkbookSent
from pipelines.stages.canonical import file_digest
from pipelines.stages.content import sign_off_number
from pipelines.stages.handlings import Handled, current_handlings
from pipelines.stages.installation import SYSTEM, Installation
from pipelines.stages.validate import read_findings
from pipelines.stages.workbooks import Problem, WorkbookIdentity, write_branch_workbook, write_problem_list
from validations.engine import Standard


def review(installation: Installation, filing: str) -> FilingState:
    """Write the workbooks of the content judged last and record that they went out. Done once per content."""
    state = installation.state(filing)
    if state.content is None:
        raise Refused("review.not_validated", filing=filing)
    if state.dispatch and state.dispatch.fact.content == state.content.fact.content:
        return state
    answer_by = answering_day(installation, state)
    folder = workbook_folder(installation, state, state.content.fact.content)
    folder.mkdir(parents=True, exist_ok=True)
    open_problems = problems_by_organisation(installation, state, only_open=True)
    sent: list[WorkbookSent] = []
    for organisation, problems in open_problems.items():
        path = folder / f"{filing}-{state.round}-{organisation}.xlsx"
        identity = workbook_identity(installation, state, organisation, answer_by)
        write_branch_workbook(path, identity, problems)
        sent.append(
            WorkbookSent(
                organisation=organisation, file=path.name, sha256=file_digest(path), problems=len(problems)
            )
        )
    problem_list = folder / f"问题数据清单-{filing}-{state.round}.xlsx"
    everything = problems_by_organisation(installation, state, only_open=False)
    write_problem_list(problem_list, f"{filing} 第 {state.round} 轮问题数据清单", everything)
    fact = FindingsDispatched(
        round=state.round,
        content=state.content.fact.content,
        sign_off=sign_off_number(state),
        answer_by=answer_by,
        problem_list=file_digest(problem_list),
        workbooks=tuple(sent),
    )
    return installation.record(state, fact, actor=SYSTEM, command=f"dispatch:{state.content.seq}")


def workbook_folder(installation: Installation, state: FilingState, content: str) -> Path:
    """One folder per judged content: a second dispatch of a round overwrites nothing that went out."""
    return installation.folder("workbooks", state.id) / content[:12]


def answering_day(installation: Installation, state: FilingState) -> date:
    """Two working days before the planned day, but not before today."""
    calendar, day = installation.calendar, state.planned_on
    return max(calendar.add_workdays(day, -2), installation.now().date())


def workbook_identity(
    installation: Installation, state: FilingState, organisation: str, answer_by: date
) -> WorkbookIdentity:
    assert state.content is not None, "identities are made for a judged content"
    names = {o.code: o.name for o in installation.deployment.organisations}
    return WorkbookIdentity(
        filing=state.id,
        round=state.content.fact.round,
        content=state.content.fact.content,
        organisation=organisation,
        organisation_name=names.get(organisation, organisation),
        sign_off=sign_off_number(state),
        answer_by=answer_by,
    )


def problems_by_organisation(
    installation: Installation,
    state: FilingState,
    *,
    only_open: bool,
    handlings: dict[str, Handled] | None = None,
) -> dict[str, list[Problem]]:
    """The findings of the content judged last as people read them, by organisation in code order.

    What no organisation owns goes to the head office.

    `only_open` leaves out notes and what `handlings` (by default: all that were given) already answer.
    """
    standard = installation.standard(state.opened.fact.standard)
    handlings = current_handlings(installation, state) if handlings is None else handlings
    head_office = installation.deployment.head_office.code
    grouped: dict[str, list[Problem]] = defaultdict(list)
    for row in read_findings(installation, state).iter_rows(named=True):
        if only_open and (row["severity"] == "note" or is_handled(row, handlings)):
            continue
        grouped[row["organisation"] or head_office].append(_problem(standard, row))
    return dict(sorted(grouped.items()))


def is_handled(row: dict[str, Any], handlings: dict[str, Handled]) -> bool:
    """Whether an explanation speaks of exactly this value, as expected then. Fixes and corrections must show: they handle by absence.

    What blocks (阻断) cannot be explained away.
    """
    answer = handlings.get(row["finding"])
    return (
        answer is not None
        and answer.handling == "explanation"
        and (answer.value, answer.expected, answer.difference)
        == (row["value"], row["expected"], row["difference"])
        and row["severity"] != "block"
    )


def _problem(standard: Standard, row: dict[str, Any]) -> Problem:
    rule = next(r for r in standard.rules if r.id == row["rule"])
    table = standard.table(row["table"])
    field = row["field"] or ""
    titles = {f.name: f.title.zh for f in table.fields}
    return Problem(
        finding=row["finding"],
        rule=row["rule"],
        severity=row["severity"],
        message=rule.message.zh,
        table=table.name,
        table_title=table.title.zh,
        key=tuple((name, str(value)) for name, value in json.loads(row["key"]).items()),
        field=field,
        field_title=titles.get(field, field),
        value=row["value"],
        expected=row["expected"],
        difference=row["difference"],
    )
