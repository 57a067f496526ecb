"""Talks with the regulator (监管沟通): what was asked and answered, with its proof; another deadline proposed, and the opinion on it."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response

from pipelines.desk.answering import onward, page
from pipelines.desk.downloads import unaltered, uploaded
from pipelines.desk.pages.filings import head_of
from pipelines.desk.talks_view import document_of, proposals_of, talks_of
from pipelines.desk.visit import Visited, missing
from pipelines.errors import BadInput, BaosongError, Refused
from pipelines.stages.talk import Talk, decide_extension, propose_extension, record_talk

router = APIRouter()
_LONGEST_NUMBER = 6


@router.get("/filings/{filing}/talks", name="talks")
def talks(visit: Visited) -> HTMLResponse:
    """The log of talks and the deadlines that were proposed."""
    return _page(visit)


@router.get("/filings/{filing}/talks/documents/{name}", name="talk_document")
def talk_document(visit: Visited, name: str) -> FileResponse:
    """A proof as it was handed in, to be kept, never shown within the desk."""
    document = document_of(visit, name)
    if document is None:
        raise Refused("desk.out_of_scope")
    path = unaltered(visit.installation.folder("talks", visit.state.id) / document.file, document.sha256)
    return FileResponse(path, filename=document.name, media_type="application/octet-stream")


@router.post("/filings/{filing}/talks", name="record_talk")
def record(visit: Visited) -> Response:
    """Add a talk to the log."""
    try:
        with uploaded(visit.files("document")) as documents:
            talk = Talk(
                counterpart=visit.text("counterpart", is_needed=True),
                question=visit.text("question", is_needed=True),
                answer=visit.text("answer", is_needed=True),
                held_at=_moment(visit),
                documents=tuple(documents),
            )
            record_talk(visit.installation, visit.state.id, visit.user, talk)
    except BaosongError as error:
        return _page(visit, error=error)
    return onward(visit, "talks", done="talk_recorded", path={"filing": visit.state.id})


@router.post("/filings/{filing}/talks/extension", name="propose_extension")
def propose(visit: Visited) -> Response:
    """Propose another deadline with the regulator's proof."""
    try:
        if not visit.files("proof"):
            raise missing("proof")
        with uploaded(visit.files("proof")) as documents:
            propose_extension(
                visit.installation,
                visit.state.id,
                visit.user,
                deadline=visit.day("deadline"),
                reason=visit.text("reason", is_needed=True),
                documents=documents,
            )
    except BaosongError as error:
        return _page(visit, error=error)
    return onward(visit, "talks", done="extension_proposed", path={"filing": visit.state.id})


@router.post("/filings/{filing}/talks/opinion", name="decide_extension")
def decide(visit: Visited) -> Response:
    """The audit department's opinion on a proposed deadline."""
    try:
        opinion, number = visit.text("opinion"), visit.text("number", is_needed=True)
        if opinion not in ("agree", "disagree"):
            raise missing("opinion")
        if not (number.isascii() and number.isdigit() and len(number) < _LONGEST_NUMBER):
            raise BadInput("talk.no_extension", filing=visit.state.id, number=number)
        decide_extension(
            visit.installation,
            visit.state.id,
            visit.user,
            number=int(number),
            opinion=opinion,
            comment=visit.text("comment", is_needed=True),
        )
    except BaosongError as error:
        return _page(visit, error=error)
    return onward(visit, "talks", done=f"extension_{opinion}", path={"filing": visit.state.id})


def _moment(visit: Visited) -> datetime | None:
    """When the talk was, in the deployment's time, another offset where it is given; None where it was not said."""
    given = visit.text("held_at")
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise BadInput("desk.talks.moment", given=given) from None
    here = visit.installation.now().tzinfo
    return moment.astimezone(here) if moment.tzinfo else moment.replace(tzinfo=here)


def _page(visit: Visited, *, error: BaosongError | None = None) -> HTMLResponse:
    state = visit.state
    is_open = visit.may_open("propose_extension") and not (state.sent or state.evidence)
    return page(
        visit,
        "talks",
        error=error,
        **head_of(visit),
        talks=talks_of(visit),
        proposals=proposals_of(visit),
        may_propose=is_open and state.open_extension is None,
        must_wait=is_open and state.open_extension is not None,
    )
