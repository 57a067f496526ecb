"""Where figures come from (数从何来): one cell of the content judged last, opened down to the rows of its round."""

from __future__ import annotations

import re

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from pipelines.desk.answering import page
from pipelines.desk.figure_view import DEPTHS, show_figure
from pipelines.desk.findings_view import sees_finding
from pipelines.desk.pages.filings import head_of
from pipelines.desk.scope import reads_table
from pipelines.desk.visit import LONGEST_TEXT, Visited
from pipelines.errors import BaosongError, Refused
from pipelines.stages.explain import example_cell, explain
from pipelines.stages.key_indicators import key_indicators

router = APIRouter()
_FINDING = re.compile(r"[0-9a-f]{32}")


@router.get("/filings/{filing}/explain", name="explain")
def explain_(visit: Visited) -> Response:
    """The form, and what the cell in the address is made of; a finding's number leads to the finding."""
    query = visit.request.query_params
    cell, field = query.get("cell", "").strip()[:LONGEST_TEXT], query.get("field", "").strip()
    depth = next((each for each in DEPTHS if str(each) == query.get("depth")), 2)
    if _FINDING.fullmatch(cell):
        path = visit.request.url_for("finding", filing=visit.state.id, finding=cell).path
        return RedirectResponse(path, status_code=303)
    return _page(visit, cell, field, depth)


def _page(visit: Visited, cell: str, field: str, depth: int) -> HTMLResponse:
    installation, state = visit.installation, visit.state
    due = installation.report(state).tables
    shown, error, indicators = None, None, []
    try:
        if cell:
            explained = explain(installation, state, cell, field=field or None, depth=depth)
            if not reads_table(
                installation.deployment, visit.user, state.opened.fact.standard, explained.table
            ):
                raise Refused("desk.out_of_scope")
            shown = show_figure(explained, due)
        elif state.content is not None:
            indicators = key_indicators(installation, state)
    except BaosongError as problem:
        error = problem
    standard = installation.standard(state.opened.fact.standard)
    seen = [each for each in shown.explained.findings if sees_finding(visit, each.finding)] if shown else []
    return page(
        visit,
        "explain",
        error=error,
        **head_of(visit),
        shown=shown,
        indicators=indicators,
        findings=seen,
        cell=cell,
        field=field,
        depth=depth,
        depths=DEPTHS,
        example=example_cell(standard, due),
    )
