"""Requests (报送需求): what was registered, registering the regulator's document, and its review."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.datastructures import UploadFile

from pipelines.desk.answering import onward, page
from pipelines.desk.downloads import unaltered, uploaded
from pipelines.desk.findings_view import place_seen
from pipelines.desk.lights import due_on
from pipelines.desk.pages.request_changes import tables_of
from pipelines.desk.paging import paged
from pipelines.desk.scope import sees_request
from pipelines.desk.visit import Visited, missing
from pipelines.errors import BaosongError, Refused
from pipelines.stages.request import RequestDraft, raise_request, review_request
from pipelines.stages.request_amend import may_change
from pipelines.stages.request_draft import request_folder

router = APIRouter()


@router.get("/requests", name="requests")
def requests(visit: Visited) -> HTMLResponse:
    """All requests that concern the person's organisations."""
    deployment = visit.installation.deployment
    seen = [each for each in visit.desk.reading.requests() if sees_request(deployment, visit.user, each)]
    listed = paged(visit.request, seen)
    rows = [(each, due_on(visit.installation, each.latest.fact.deadline)) for each in listed.rows]
    return page(visit, "requests", rows=rows, listed=listed)


@router.get("/requests/new", name="new_request")
def new_request(visit: Visited) -> HTMLResponse:
    """The form to register a document."""
    return _form(visit)


@router.post("/requests/new", name="raise_request")
def raise_(visit: Visited) -> Response:
    """Register a document with its scans."""
    try:
        with uploaded(_documents(visit)) as files:
            standard, _, report = visit.text("report", is_needed=True).partition(".")
            draft = RequestDraft(
                number=visit.text("number", is_needed=True),
                standard=standard,
                report=report,
                authority=visit.text("authority", is_needed=True),
                dated=visit.day("dated") if visit.text("dated") else None,
                date_from=visit.day("date_from"),
                date_to=visit.day("date_to"),
                organisations=visit.texts("organisation"),
                deadline=visit.day("deadline"),
                document=files[0],
                annexes=tuple(files[1:]),
                key=visit.text("key") or None,
                tables=tables_of(visit),
            )
            raise_request(visit.installation, draft, visit.user)
    except BaosongError as error:
        return _form(visit, error=error)
    key = visit.installation.request(draft.number).key
    return onward(visit, "request", done="request_raised", path={"key": key})


@router.get("/requests/{key}", name="request")
def request(visit: Visited, key: str) -> HTMLResponse:
    """One request: what is demanded, its documents, its reviews."""
    return _request_page(visit, key)


@router.get("/requests/{key}/documents/{name}", name="request_document")
def request_document(visit: Visited, key: str, name: str) -> FileResponse:
    """A scan as it was handed in, to be kept, never shown within the desk."""
    request_state = visit.installation.request(key)
    for demand in request_state.demands:
        for document in demand.fact.documents:
            if document.file == name:
                folder = request_folder(visit.installation, request_state.number)
                path = unaltered(folder / document.file, document.sha256)
                return FileResponse(path, filename=document.name, media_type="application/octet-stream")
    raise Refused("desk.out_of_scope")


@router.post("/requests/{key}/review", name="review_request")
def review(visit: Visited, key: str) -> Response:
    """The audit department's review of the demand that the page showed."""
    opinion = visit.text("opinion")
    try:
        if opinion not in ("accept", "return", "refuse"):
            raise missing("opinion")
        review_request(
            visit.installation,
            key,
            visit.user,
            opinion=opinion,
            comment=visit.text("comment"),
            seen=place_seen(visit.text("seen")),
        )
    except BaosongError as error:
        return _request_page(visit, key, error=error)
    return onward(visit, "request", done=f"request_{opinion}", path={"key": key})


def _request_page(visit: Visited, key: str, *, error: BaosongError | None = None) -> HTMLResponse:
    request_state = visit.installation.request(key)
    waits = request_state.stage in ("waiting", "amendment_waiting")
    may_review = waits and visit.may_open("review_request") and visit.user.id not in request_state.authors
    due = due_on(visit.installation, request_state.latest.fact.deadline)
    return page(
        visit,
        "request",
        error=error,
        known=request_state,
        may_review=may_review,
        may_change=may_change(visit.installation, request_state, visit.user),
        due=due,
    )


def _form(visit: Visited, *, error: BaosongError | None = None) -> HTMLResponse:
    deployment = visit.installation.deployment
    reports = [
        (f"{name}.{report.name}", standard.title, report.title)
        for name in deployment.filings
        for standard in [visit.installation.standard(name)]
        for report in standard.reports
        if report.rhythm in ("on_request", "annual")
    ]
    given = {name: visit.form.get(name, "") for name in ("date_from", "date_to", "deadline", "tables")}
    return page(
        visit,
        "new_request",
        error=error,
        reports=reports,
        given={**given, "organisations": visit.texts("organisation")},
        organisations=[(each.code, each.name) for each in deployment.level_one()],
    )


def _documents(visit: Visited) -> list[UploadFile]:
    """The scans. BadInput where there is none."""
    given = visit.files("document")
    if not given:
        raise missing("document")
    return given
