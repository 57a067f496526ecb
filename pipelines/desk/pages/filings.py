"""Filings (报送任务): the calendar, the list, and one filing with its documents and its ledger."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse

from pipelines.desk.answering import page
from pipelines.desk.downloads import unaltered
from pipelines.desk.filing_view import branch_progress, findings_charts, review_documents, timeline
from pipelines.desk.lights import deadline_of
from pipelines.desk.paging import paged
from pipelines.desk.scope import sees_filing
from pipelines.desk.stage_bar import since, stage_bar
from pipelines.desk.visit import Visited
from pipelines.errors import LANGUAGE, BaosongError, Refused
from pipelines.ledger.filing import FilingState
from pipelines.stages.holders import holders
from pipelines.stages.key_indicators import key_indicators
from pipelines.stages.next_step import next_step
from pipelines.stages.rejection import is_theirs
from pipelines.stages.review import documents_folder

router = APIRouter()


@router.get("/calendar", name="calendar")
def calendar(visit: Visited) -> HTMLResponse:
    """What is due by when, the months in their order, with a traffic light each."""
    months: dict[str, list[object]] = {}
    listed = paged(visit.request, _seen(visit))
    for state in listed.rows:
        entry = (
            state,
            deadline_of(visit.installation, state),
            stage_bar(visit.installation.deployment, state, visit.user),
        )
        months.setdefault(f"{state.deadline:%Y-%m}", []).append(entry)
    return page(visit, "calendar", months=months, listed=listed)


@router.get("/filings", name="filings")
def filings(visit: Visited) -> HTMLResponse:
    """All filings of the person's organisations."""
    listed = paged(visit.request, _seen(visit))
    rows = [(state, deadline_of(visit.installation, state)) for state in listed.rows]
    return page(visit, "filings", rows=rows, listed=listed)


@router.get("/filings/{filing}", name="filing")
def filing(visit: Visited) -> HTMLResponse:
    """One filing: how far it is, who holds what, what was found, who said what, what was sent."""
    return filing_page(visit)


def filing_page(visit: Visited, *, error: BaosongError | None = None) -> HTMLResponse:
    """The page of a filing, with what was wrong about an act on it."""
    state, installation = visit.state, visit.installation
    is_whole = visit.is_of_whole
    rows = visit.desk.reading.register(state)
    held = visit.desk.reading.remembered(
        state,
        ("held", visit.installation.now().date(), LANGUAGE.get()),
        lambda: holders(installation, state, rows=rows),
    )
    return page(
        visit,
        "filing",
        error=error,
        **head_of(visit),
        is_back=is_theirs(installation, state, visit.user),
        is_whole=is_whole,
        held=held if is_whole else [],
        progress=branch_progress(visit),
        charts=findings_charts(visit),
        timeline=timeline(installation, state) if is_whole else [],
        next_step=next_step(state, installation) if is_whole else None,
    )


@router.get("/filings/{filing}/data", name="filing_data")
def filing_data(visit: Visited) -> HTMLResponse:
    """The review documents and the key indicators of the content judged last."""
    indicators, error = [], None
    if visit.state.content is not None:
        try:
            indicators = key_indicators(visit.installation, visit.state)
        except BaosongError as problem:
            error = problem
    documents = review_documents(visit.installation, visit.state)
    return page(
        visit, "filing_data", error=error, **head_of(visit), indicators=indicators, documents=documents
    )


@router.get("/filings/{filing}/documents/{content}/{name}", name="filing_document")
def filing_document(visit: Visited, content: str, name: str) -> FileResponse:
    """A review document as it was recorded. Refused for anything that no event of the filing names.

    Workbooks and lists hold personal data as it is: that somebody took one is recorded first. Raises Tampered when the file is
    not the one recorded.
    """
    for document in review_documents(visit.installation, visit.state):
        if (document.content, document.name) == (content, name) and document.is_there:
            path = unaltered(
                documents_folder(visit.installation, visit.state, content) / name, document.sha256
            )
            if path.suffix != ".html":
                detail = {"filing": visit.state.id, "document": name}
                visit.desk.accounts.record(visit.user.id, "document_taken", detail)
            return FileResponse(path, filename=name, media_type="application/octet-stream")
    raise Refused("desk.out_of_scope")


@router.get("/filings/{filing}/ledger", name="filing_ledger")
def filing_ledger(visit: Visited) -> HTMLResponse:
    """Every event of the filing with its hash, as the ledger has it."""
    events = visit.installation.ledger.events(f"filing/{visit.state.id}")
    return page(visit, "filing_ledger", **head_of(visit), events=events)


def head_of(visit: Visited) -> dict[str, Any]:
    """What stands above every page of a filing."""
    state = visit.state
    standard = visit.installation.standard(state.opened.fact.standard)
    return {
        "state": state,
        "standard": standard,
        "report": visit.installation.report(state),
        "deadline": deadline_of(visit.installation, state),
        "bar": stage_bar(visit.installation.deployment, state, visit.user),
        "since": since(state),
    }


def _seen(visit: Visited) -> list[FilingState]:
    deployment = visit.installation.deployment
    return [state for state in visit.desk.reading.filings() if sees_filing(deployment, visit.user, state)]
