"""Waivers (豁免): what is accepted under which sign-off until when; proposing one, for a rule or a finding, the second
person's opinion on it, and taking it back."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from pipelines.desk.answering import onward, page
from pipelines.desk.findings_view import place_seen, visible_row
from pipelines.desk.pages.filings import head_of
from pipelines.desk.visit import Visited, missing
from pipelines.desk.waivers_view import (
    may_waive,
    meant_by,
    next_to_expire,
    shown_proposals,
    shown_waivers,
    waivable,
)
from pipelines.errors import BaosongError
from pipelines.stages.masking import masked_finding
from pipelines.stages.waiver_granting import WaiverDraft, decide_waiver, propose_waiver
from pipelines.stages.waivers import revoke_waiver

router = APIRouter()


@router.get("/filings/{filing}/waivers", name="waivers")
def waivers(visit: Visited) -> HTMLResponse:
    """The waivers, and the form for another one; `?finding=` says for which finding."""
    return _page(visit, visit.request.query_params.get("finding", ""))


@router.post("/filings/{filing}/waivers", name="propose_waiver")
def propose(visit: Visited) -> Response:
    """Propose that findings are accepted under a sign-off: a rule's in one table, or one alone."""
    finding = visit.text("finding")
    try:
        meant = meant_by(visit, visit.text("what"), finding, is_one=visit.text("reach") == "finding")
        draft = WaiverDraft(
            rule=meant.rule,
            table=meant.table,
            key=meant.key,
            sign_off=visit.text("sign_off", is_needed=True),
            reason=visit.text("reason", is_needed=True),
            expires=visit.day("expires"),
        )
        seen = place_seen(visit.text("seen"))
        propose_waiver(visit.installation, visit.state.id, draft, visit.user, seen=seen)
    except BaosongError as error:
        return _page(visit, finding, error=error)
    return onward(visit, "waivers", done="waiver_proposed", path={"filing": visit.state.id})


@router.post("/filings/{filing}/waivers/opinion", name="decide_waiver")
def decide(visit: Visited) -> Response:
    """Somebody else's opinion on a proposed waiver."""
    try:
        opinion, number = visit.text("opinion"), visit.text("proposal", is_needed=True)
        if opinion not in ("agree", "disagree"):
            raise missing("opinion")
        comment = visit.text("comment")
        decide_waiver(
            visit.installation, visit.state.id, number, visit.user, opinion=opinion, comment=comment
        )
    except BaosongError as error:
        return _page(visit, "", error=error)
    return onward(visit, "waivers", done=f"waiver_{opinion}", path={"filing": visit.state.id})


@router.post("/filings/{filing}/waivers/revoke", name="revoke_waiver")
def revoke(visit: Visited) -> Response:
    """Take a waiver back, with a reason."""
    try:
        number = visit.text("number", is_needed=True)
        reason = visit.text("why", is_needed=True)
        revoke_waiver(visit.installation, visit.state.id, number, visit.user, reason=reason)
    except BaosongError as error:
        return _page(visit, "", error=error)
    return onward(visit, "waivers", done="waiver_revoked", path={"filing": visit.state.id})


def _page(visit: Visited, finding: str, *, error: BaosongError | None = None) -> HTMLResponse:
    head = head_of(visit)
    row = visible_row(visit, finding) if finding else None
    chosen = None
    if row is not None and not row.is_empty() and may_waive(visit, row.row(0, named=True)):
        chosen = masked_finding(head["standard"], row.row(0, named=True))
    shown = shown_waivers(visit)
    return page(
        visit,
        "waivers",
        error=error,
        **head,
        shown=shown,
        proposals=shown_proposals(visit),
        may_waive=waivable(visit),
        chosen=chosen,
        first_end=next_to_expire(shown),
        earliest=max(visit.state.date_to, visit.installation.now().date()),
    )
