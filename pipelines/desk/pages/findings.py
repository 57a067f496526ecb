"""Findings (问题数据): the browser, what reviewers decide on many at once, the export. One finding has `finding`."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import polars as pl
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from pipelines.desk.answer_view import HANDLINGS
from pipelines.desk.answering import onward, page
from pipelines.desk.findings_view import (
    GROUPS,
    Asked,
    asked_for,
    asked_of,
    chosen,
    export_rows,
    find,
    grouped,
    place_seen,
    visible_rows,
)
from pipelines.desk.pages.filings import head_of
from pipelines.desk.rendering import said, word
from pipelines.desk.table_view import COLUMNS
from pipelines.desk.visit import Visited, missing
from pipelines.errors import BadInput, BaosongError, Refused, text
from pipelines.stages.answer_page import MOST_AT_ONCE
from pipelines.stages.decide import accept, send_back
from pipelines.stages.first_review import review_findings
from pipelines.stages.issue import issue
from pipelines.stages.selection import Selection

router = APIRouter()
ACTS = {
    "confirm": "first_review",
    "dismiss": "first_review",
    "issue": "issue",
    "accept": "decide",
    "send_back": "decide",
}
"""What may be done from the browser, and whose findings it is done to."""
_EXPORTED = ("finding", "state", "rule", "severity", "table", "key", "field", "value", "expected", "difference", "branch",
             "department", "handling", "new_value", "answer_reason")  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@router.get("/filings/{filing}/findings", name="findings")
def findings(visit: Visited) -> HTMLResponse:
    """A page of the register."""
    return browser(visit, asked_of(visit))


@router.get("/filings/{filing}/findings.csv", name="findings_export")
def findings_export(visit: Visited) -> Response:
    """What the filters show, as CSV, masked as on the page; what a spreadsheet would take for a formula begins with an apostrophe."""
    rows = export_rows(visit, asked_of(visit))

    words = _words_of(visit)

    def lines() -> Any:
        yield "\ufeff" + _line([word(f"findings.column.{name}") for name in _EXPORTED])
        for row in rows:
            yield _line(
                [
                    _csv_cell(words[name](row[name]) if row[name] and name in words else row[name])
                    for name in _EXPORTED
                ]
            )

    name = f"{visit.state.id}-findings.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/filings/{filing}/findings", name="findings_act")
def findings_act(visit: Visited) -> Response:
    """Decide on the ticked findings, or on all that the filters show."""
    asked = asked_for(cast("dict[str, str]", visit.form), visit.form.getlist)
    act, remark = visit.text("act"), visit.text("reason")
    try:
        holder = ACTS.get(act)
        if holder is None:
            raise missing("act")
        _do(visit, act, chosen_by(visit, asked, holder), remark)
    except BaosongError as error:
        now = replace(visit, filing=visit.desk.reading.filing(visit.state.id))  # part of it may be done
        return browser(now, asked, error=error)
    query = asked.query(page=asked.page)
    return onward(visit, "findings", done=f"findings_{act}", path={"filing": visit.state.id}, query=query)


def _do(visit: Visited, act: str, chosen: Selection, remark: str) -> None:
    installation, filing, user = visit.installation, visit.state.id, visit.user
    match act:
        case "confirm" | "dismiss":
            review_findings(installation, filing, user, act, chosen, reason=remark)
        case "issue":
            _issue(visit, _departments(visit, chosen), chosen)
        case "accept":
            accept(installation, filing, user, chosen)
        case _:
            send_back(installation, filing, user, chosen, reason=remark)


def _issue(visit: Visited, departments: list[str], chosen: Selection) -> None:
    """Each department's in turn; where one is refused, the error says which went out before it."""
    titles = {code: said(known.title) for code, known in visit.installation.deployment.departments.items()}
    issued: list[str] = []
    for department in departments:
        try:
            issue(visit.installation, visit.state.id, department, visit.user, chosen)
        except BaosongError as error:
            if not issued:
                raise
            names = text("desk.list_comma").join(issued)
            raise Refused(
                "desk.issued_in_part", issued=names, left=titles[department], details=[error]
            ) from error
        issued.append(titles[department])


def _departments(visit: Visited, chosen: Selection) -> list[str]:
    """The departments of what is to be issued: each issues its own workbooks."""
    rows = visible_rows(visit).filter(
        pl.col("finding").is_in(list(chosen.findings)), pl.col("holder") == "issue"
    )
    owners = rows.select("department").unique().sort("department").collect()["department"]
    found = [code for code in owners if visit.user.speaks_for(code)]
    if not found:
        raise Refused("issue.nothing", filing=visit.state.id, department="—", chosen=chosen)
    return found


def chosen_by(visit: Visited, asked: Asked, holder: str) -> Selection:
    """What was ticked, or everything shown. BadInput where nothing was chosen."""
    is_all, ticked, seen = visit.text("all") == "1", visit.texts("finding"), visit.text("seen")
    if not is_all and not ticked:
        raise BadInput("desk.nothing_chosen")
    found = chosen(visit, asked, () if is_all else ticked, holder=holder, seen=place_seen(seen))
    if not found.findings:
        raise BadInput("desk.nothing_chosen")
    return found


def browser(visit: Visited, asked: Asked, *, error: BaosongError | None = None) -> HTMLResponse:
    shown = find(visit, asked)
    names = {each.code: each.name for each in visit.installation.deployment.organisations}
    return page(
        visit,
        "findings",
        error=error,
        **head_of(visit),
        shown=shown,
        asked=shown.asked,
        handlings=HANDLINGS,
        most_together=MOST_AT_ONCE,
        groups=grouped(visit, asked),
        group_names=GROUPS,
        columns=[(name, word(f"desk.column.{name}")) for name in COLUMNS],
        ticked=visit.texts("finding"),
        address=address_of(visit, shown.asked),
        names=names,
    )


def address_of(visit: Visited, asked: Asked) -> str:
    """Where what is asked for is listed."""
    return f"{visit.request.url_for('findings', filing=visit.state.id).path}?{asked.query(page=asked.page)}"


def _words_of(visit: Visited) -> dict[str, Callable[[str], str]]:
    """How the export says what the register holds as codes."""
    deployment = visit.installation.deployment
    branches = {each.code: each.name for each in deployment.organisations}
    departments = {code: said(known.title) for code, known in deployment.departments.items()}
    return {
        "state": lambda code: word(f"findings.state.{code}"),
        "severity": lambda code: word(f"documents.severity.{code}"),
        "handling": lambda code: word(f"cli.handling.{code}"),
        "branch": lambda code: branches.get(code, code),
        "department": lambda code: departments.get(code, code),
    }


def _csv_cell(value: object) -> str:
    shown = "" if value is None else str(value)
    return f"'{shown}" if shown.startswith(_FORMULA) and not _is_number(shown) else shown


def _is_number(shown: str) -> bool:
    return shown.removeprefix("-").replace(".", "", 1).isdigit()


def _line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
