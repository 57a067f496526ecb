"""Comparison of rounds (两轮比较): what changed between the latest two, and the form with which a department says why."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from pipelines.desk.answering import onward, page
from pipelines.desk.comparison_view import KINDS, Wanted, compared
from pipelines.desk.pages.filings import head_of
from pipelines.desk.visit import Visited, missing
from pipelines.errors import BaosongError
from pipelines.stages.drift import explain_drift

router = APIRouter()


@router.get("/filings/{filing}/comparison", name="comparison")
def comparison(visit: Visited) -> HTMLResponse:
    """The latest round against the one before it; the address says which of the changed rows are listed."""
    return _page(visit, lambda name: visit.request.query_params.get(name, ""))


@router.post("/filings/{filing}/comparison", name="explain_drift")
def explain_drift_(visit: Visited) -> Response:
    """Declare why rows of a table of one's department changed."""
    kind = visit.text("kind")
    try:
        if kind not in ("", *KINDS):
            raise missing("kind")
        explain_drift(
            visit.installation,
            visit.state.id,
            visit.user,
            table=visit.text("table", is_needed=True),
            organisation=visit.text("organisation") or None,
            field=visit.text("field") or None,
            kind=kind or None,
            reason=visit.text("reason", is_needed=True),
        )
    except BaosongError as error:
        return _page(visit, visit.text, error=error)
    return onward(visit, "comparison", done="drift_explained", path={"filing": visit.state.id})


def _page(visit: Visited, given: Callable[[str], str], *, error: BaosongError | None = None) -> HTMLResponse:
    wanted = Wanted(
        table=given("table"),
        organisation=given("organisation"),
        field=given("field"),
        kind=given("kind"),
        every=given("every") == "1",
    )
    shown = compared(visit, wanted)
    names = {each.code: each.name for each in visit.installation.deployment.organisations}
    return page(
        visit,
        "comparison",
        error=error,
        **head_of(visit),
        shown=shown,
        names=names,
        reason=given("reason") if error else "",
    )
