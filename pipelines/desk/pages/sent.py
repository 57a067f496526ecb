"""What was sent (报送与回执): packages, deliveries, receipts; the branch's handover and the bureau's receipt; the evidence to take."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response

from pipelines.desk.answering import onward, page
from pipelines.desk.downloads import unaltered, uploaded
from pipelines.desk.pages.filings import head_of
from pipelines.desk.sent_view import certificate_of, sent_versions
from pipelines.desk.visit import Visited, missing
from pipelines.errors import BaosongError, Refused
from pipelines.stages.acknowledge import record_handover, record_receipt
from pipelines.stages.archive import evidence_path

router = APIRouter()


@router.get("/filings/{filing}/sent", name="filing_sent")
def filing_sent(visit: Visited) -> HTMLResponse:
    """Every version with its packages, deliveries, handovers, receipt and evidence."""
    return _page(visit)


@router.post("/filings/{filing}/handover", name="record_handover")
def handover(visit: Visited) -> Response:
    """The branch states that it handed these files over; they must be the package's own."""
    given = visit.files("handed_over")
    try:
        if not given:
            raise missing("handed_over")
        if visit.text("is_certain") != "1":
            raise missing("is_certain")
        with uploaded(given) as paths:
            record_handover(visit.installation, visit.state.id, visit.user, files=paths)
    except BaosongError as error:
        return _page(visit, error=error)
    return onward(visit, "filing_sent", done="handed_over", path={"filing": visit.state.id})


@router.post("/filings/{filing}/receipt", name="record_receipt")
def receipt(visit: Visited) -> Response:
    """The branch records the bureau's receipt; it must speak of what was handed over."""
    given = visit.files("receipt")
    try:
        if not given:
            raise missing("receipt")
        with uploaded(given[:1]) as (path, *_):
            record_receipt(visit.installation, visit.state.id, visit.user, receipt_file=path)
    except BaosongError as error:
        return _page(visit, error=error)
    return onward(visit, "filing_sent", done="receipt_recorded", path={"filing": visit.state.id})


@router.get("/filings/{filing}/evidence/{version}", name="filing_evidence")
def filing_evidence(visit: Visited, version: int) -> FileResponse:
    """The evidence of a version as it was archived; it holds personal data, so that somebody took it is recorded first."""
    for known in sent_versions(visit.installation, visit.state):
        if known.version == version and known.evidence is not None:
            path = unaltered(
                evidence_path(visit.installation, visit.state, version), known.evidence.fact.evidence
            )
            detail = {"filing": visit.state.id, "document": path.name}
            visit.desk.accounts.record(visit.user.id, "evidence_taken", detail)
            return FileResponse(path, filename=path.name, media_type="application/zip")
    raise Refused("desk.out_of_scope")


def _page(visit: Visited, *, error: BaosongError | None = None) -> HTMLResponse:
    state, channels = visit.state, visit.installation.deployment.channels
    channel = channels.get(state.sent.fact.channel) if state.sent else None
    is_by_hand = channel is not None and channel.kind == "sftp"
    versions = sent_versions(visit.installation, state)
    certificate = None
    if visit.is_of_whole and versions and versions[0].packages and error is None:
        try:
            certificate = certificate_of(visit.installation, state, versions[0].packages[0].round)
        except BaosongError as problem:
            error = problem
    return page(
        visit,
        "filing_sent",
        error=error,
        address=visit.request.url_for("filing_sent", filing=visit.state.id).path,
        **head_of(visit),
        versions=versions,
        certificate=certificate,
        kinds={name: each.kind for name, each in channels.items()},
        takes_handover=is_by_hand and state.handover is None and visit.may_open("record_handover"),
        takes_receipt=bool(state.handover) and state.receipt is None and visit.may_open("record_receipt"),
    )
