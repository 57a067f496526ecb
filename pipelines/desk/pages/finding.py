"""One finding (问题数据): its rule in words, its cell, what people said; showing what is personal; the branch's answer in the page."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from pipelines.desk.answer_view import HANDLINGS, AnswerForm, answer_form, differing
from pipelines.desk.answering import onward, page, status_of
from pipelines.desk.findings_view import asked_of, chosen, neighbours, place_seen, visible_row
from pipelines.desk.pages.filings import head_of
from pipelines.desk.scope import SEES_ALL, visible_branches
from pipelines.desk.visit import Visited
from pipelines.desk.waivers_view import may_waive
from pipelines.errors import BaosongError, Refused
from pipelines.stages.answer_page import answer_finding
from pipelines.stages.cell_notation import format_cell
from pipelines.stages.decide import accept
from pipelines.stages.finding_history import FindingStory, tell_finding
from pipelines.stages.masking import MASK
from pipelines.stages.related_rows import MOST_ROWS, RelatedRows, related_rows

router = APIRouter()


@router.get("/filings/{filing}/findings/{finding}", name="finding")
def finding(visit: Visited, finding: str) -> HTMLResponse:
    """One finding: its rule in words, its cell, what people said, the contents in which it was found."""
    return _finding_page(visit, finding)


@router.post("/filings/{filing}/findings/{finding}/reveal", name="reveal")
def reveal(visit: Visited, finding: str) -> HTMLResponse:
    """The same with personal data shown, once; that it was looked at is recorded first."""
    _visible_row(visit, finding)
    visit.desk.accounts.record(visit.user.id, "revealed", {"filing": visit.state.id, "finding": finding})
    return _finding_page(visit, finding, is_revealed=True)


@router.post("/filings/{filing}/findings/{finding}/answer", name="answer_finding")
def answer(visit: Visited, finding: str) -> Response:
    """The branch answers one finding; what a line of a workbook would come back for is said at the form."""
    _visible_row(visit, finding)
    handling, new_value, reason = visit.text("handling"), visit.text("new_value"), visit.text("reason")
    try:
        done = answer_finding(
            visit.installation,
            visit.state.id,
            visit.user,
            finding,
            handling=handling,
            new_value=new_value,
            reason=reason,
        )
    except BaosongError as error:
        given = AnswerForm(handling, new_value, reason)
        shown = _finding_page(visit, finding, given=given, refusal=error)
        shown.status_code = status_of(error)
        return shown
    said = "answer_taken" if done.handlings else "answer_unchanged"
    path = {"filing": visit.state.id, "finding": finding}
    return onward(visit, "finding", done=said, path=path, query=asked_of(visit).query())


@router.post("/filings/{filing}/findings/{finding}/choose", name="choose_answer")
def choose(visit: Visited, finding: str) -> Response:
    """The department says whose answer holds where people of a branch answered differently."""
    _visible_row(visit, finding)
    seen = visit.text("seen")
    try:
        answer_of = visit.text("answer_of", is_needed=True)
        selection = chosen(visit, asked_of(visit), (finding,), holder="decide", seen=place_seen(seen))
        accept(visit.installation, visit.state.id, visit.user, selection, answer_of=answer_of)
    except BaosongError as error:
        shown = _finding_page(visit, finding, refusal=error)
        shown.status_code = status_of(error)
        return shown
    path = {"filing": visit.state.id, "finding": finding}
    return onward(visit, "finding", done="answer_chosen", path=path, query=asked_of(visit).query())


def _finding_page(
    visit: Visited,
    finding: str,
    *,
    is_revealed: bool = False,
    given: AnswerForm | None = None,
    refusal: BaosongError | None = None,
) -> HTMLResponse:
    row = _visible_row(visit, finding)
    story = tell_finding(visit.installation, visit.state, finding, rows=row.lazy(), is_masked=not is_revealed)
    names = {each.code: each.name for each in visit.installation.deployment.organisations}
    asked = asked_of(visit)
    return page(
        visit,
        "finding",
        **head_of(visit),
        story=story,
        cell=_cell_of(visit, story),
        form=_form(visit, finding, given),
        refusal=refusal,
        differing=differing(visit, row.row(0, named=True), is_revealed=is_revealed),
        may_waive=may_waive(visit, row.row(0, named=True)),
        beside=neighbours(visit, asked, finding),
        query=asked.query(),
        related=_related(visit, row) if visit.request.query_params.get("rows") == "1" else None,
        most_rows=MOST_ROWS,
        handlings=HANDLINGS,
        names=names,
        is_revealed=is_revealed,
    )


def _form(visit: Visited, finding: str, given: AnswerForm | None) -> AnswerForm | None:
    """The form for the branch's answer, with what was just given in it; none where nothing is waited for."""
    form = answer_form(visit, finding)
    if form is None or given is None:
        return form
    return replace(form, handling=given.handling, new_value=given.new_value, reason=given.reason)


def _related(visit: Visited, found: pl.DataFrame) -> list[RelatedRows]:
    """The rows with the finding's key, as far as their organisations are the person's."""
    deployment, judged = visit.installation.deployment, visit.state.content
    branches = visible_branches(deployment, visit.user)
    if judged is None:
        return []
    row = found.select("rule", "table", "key").row(0, named=True)

    def may_see(code: str) -> bool:
        return branches is None or deployment.answering_branch(code, judged.at.date()) in branches

    is_of_branch = not visit.user.roles & (SEES_ALL | {"business_reviewer"})
    return related_rows(visit.installation, visit.state, **row, may_see=may_see if is_of_branch else None)


def _cell_of(visit: Visited, story: FindingStory) -> str:
    """The cell of a finding as the page of figures takes it; empty where that cannot be opened, or its key is masked."""
    is_due = story.table in visit.installation.report(visit.state).tables
    return format_cell(story.table, story.key.values()) if is_due and MASK not in story.key.values() else ""


def _visible_row(visit: Visited, finding: str) -> pl.DataFrame:
    """The finding's row of the register; Refused for one that does not exist for this person."""
    row = visible_row(visit, finding)
    if row.is_empty():
        raise Refused("desk.out_of_scope")
    return row
