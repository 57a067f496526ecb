"""One answer of a branch to many findings: what was chosen in the browser is checked as a whole, shown, and given once confirmed."""

from __future__ import annotations

from typing import Any, cast

import polars as pl
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from pipelines.desk.answer_view import HANDLINGS
from pipelines.desk.answering import onward, page
from pipelines.desk.findings_view import Asked, asked_for, visible_rows
from pipelines.desk.pages.filings import head_of
from pipelines.desk.pages.findings import address_of, browser, chosen_by
from pipelines.desk.visit import Visited, missing
from pipelines.errors import BaosongError
from pipelines.stages.answer_page import Taken, answer_findings
from pipelines.stages.masking import masked_finding
from pipelines.stages.selection import Selection

router = APIRouter()
LISTED = 50
_COLUMNS = ("finding", "rule", "severity", "table", "key", "field", "value", "expected", "difference")


@router.post("/filings/{filing}/answers/together", name="answer_findings")
def together(visit: Visited) -> Response:
    """First what would happen to how many, with nothing recorded; with `confirmed` it happens, to all or to none."""
    asked = asked_for(cast("dict[str, str]", visit.form), visit.form.getlist)
    is_confirmed = visit.text("confirmed") == "1"
    try:
        handling = visit.text("handling")
        if handling not in HANDLINGS:
            raise missing("handling")
        chosen = chosen_by(visit, asked, "answer")
        taken = answer_findings(
            visit.installation,
            visit.state.id,
            visit.user,
            chosen.findings,
            handling=handling,
            reason=visit.text("answer_reason"),
            is_trial=not is_confirmed,
        )
    except BaosongError as error:
        return browser(visit, asked, error=error)
    if is_confirmed:
        done = "answers_taken" if taken.handlings else "answer_unchanged"
        return onward(
            visit, "findings", done=done, path={"filing": visit.state.id}, query=asked.query(page=asked.page)
        )
    return _confirm_page(visit, asked, chosen, taken, handling)


def _confirm_page(
    visit: Visited, asked: Asked, chosen: Selection, taken: Taken, handling: str
) -> HTMLResponse:
    head = head_of(visit)
    rows = visible_rows(visit).filter(pl.col("finding").is_in(list(chosen.findings)))
    found = rows.select(_COLUMNS).collect()
    by_rule = found.group_by("rule", "severity").len("count").sort("count", "rule", descending=[True, False])
    listed: list[dict[str, Any]] = [
        masked_finding(head["standard"], row) for row in found.head(LISTED).iter_rows(named=True)
    ]
    return page(
        visit,
        "answers_together",
        **head,
        address=address_of(visit, asked),
        asked=asked,
        chosen=chosen.findings,
        taken=taken,
        handling=handling,
        reason=visit.text("answer_reason"),
        by_rule=by_rule.rows(named=True),
        listed=listed,
    )
