"""The branch's side (分公司): its workbooks to download, and their answers, taken line by line."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse

from pipelines.desk.answering import page
from pipelines.desk.branch_view import returned_of, workbooks_of
from pipelines.desk.downloads import unaltered, uploaded
from pipelines.desk.filing_view import branch_progress
from pipelines.desk.pages.filings import head_of
from pipelines.desk.visit import Visit, Visited, missing
from pipelines.errors import BaosongError, Refused
from pipelines.stages.correct import Imported, import_answers

router = APIRouter()
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/filings/{filing}/workbooks", name="workbooks")
def workbooks(visit: Visited) -> HTMLResponse:
    """The workbooks that were sent to the person's branches, and how far the answers are."""
    return _page(visit)


@router.get("/filings/{filing}/workbooks/{dispatch}/{name}", name="workbook")
def workbook(visit: Visited, dispatch: int, name: str) -> FileResponse:
    """One workbook of the person's own branch."""
    for each in workbooks_of(visit):
        if (each.dispatch, each.name) == (dispatch, name):
            path = unaltered(each.path, each.sha256)
            _record_taken(visit, name)
            return FileResponse(path, filename=name, media_type=_XLSX)
    raise Refused("desk.out_of_scope")


def _record_taken(visit: Visit, name: str) -> None:
    """A workbook holds values that the pages mask: taking one is a look at them."""
    detail = {"filing": visit.state.id, "document": name}
    visit.desk.accounts.record(visit.user.id, "document_taken", detail)


@router.get("/filings/{filing}/returned/{seq}", name="returned_workbook")
def returned_workbook(visit: Visited, seq: int) -> FileResponse:
    """The copy of a workbook that says why lines came back."""
    for each in returned_of(visit):
        if each.seq == seq:
            _record_taken(visit, each.path.name)
            return FileResponse(each.path, filename=each.path.name, media_type=_XLSX)
    raise Refused("desk.out_of_scope")


@router.post("/filings/{filing}/answers", name="upload_answers")
def upload_answers(visit: Visited) -> HTMLResponse:
    """Take in filled workbooks one by one; each says what was taken, what came back and why."""
    given = visit.files("workbook")
    results: list[tuple[str, Imported | BaosongError]] = []
    for each in given:
        name = each.filename or ""
        try:
            with uploaded([each]) as (path,):
                results.append((name, import_answers(visit.installation, visit.state.id, path, visit.user)))
        except BaosongError as error:
            results.append((name, error))
    now = replace(visit, filing=visit.desk.reading.filing(visit.state.id))
    return _page(now, error=None if given else missing("workbook"), results=results)


def _page(
    visit: Visited,
    *,
    error: BaosongError | None = None,
    results: list[tuple[str, Imported | BaosongError]] | None = None,
) -> HTMLResponse:
    shown = [
        (name, None, result) if isinstance(result, BaosongError) else (name, result, None)
        for name, result in results or []
    ]
    return page(
        visit,
        "workbooks",
        error=error,
        address=visit.request.url_for("workbooks", filing=visit.state.id).path,
        **head_of(visit),
        books=workbooks_of(visit),
        returned=returned_of(visit),
        results=shown,
        progress=branch_progress(visit),
    )
