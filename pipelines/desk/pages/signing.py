"""The sign-off (签报): putting a content on its route, and an opinion on it by who proves at that moment who they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from pipelines.desk.answering import onward, page
from pipelines.desk.filing_view import findings_charts, review_documents
from pipelines.desk.pages.account import keep_session
from pipelines.desk.pages.filings import filing_page, head_of
from pipelines.desk.proof import proof_of, prove, told
from pipelines.desk.visit import Visit, Visited, missing
from pipelines.errors import BaosongError
from pipelines.stages.compliance import compliance
from pipelines.stages.gates import gate_results
from pipelines.stages.key_indicators import key_indicators
from pipelines.stages.rejection import answer_objection, is_theirs
from pipelines.stages.seats import due
from pipelines.stages.sign_off import Shown, give_opinion, open_seats, open_sign_off
from pipelines.stages.unjudged import unjudged

router = APIRouter()
_WRITTEN = ("opinion", "comment", "seat")


@router.post("/filings/{filing}/sign-off", name="open_sign_off")
def open_(visit: Visited) -> Response:
    """The preparer puts the present content on its route; all closed gates are named at once."""
    try:
        open_sign_off(visit.installation, visit.state.id, visit.user, answer=visit.text("answer"))
    except BaosongError as error:
        return gates_page(visit, error=error)
    return onward(visit, "filing", done="sign_off_opened", path={"filing": visit.state.id})


@router.post("/filings/{filing}/objection", name="answer_objection")
def answer(visit: Visited) -> Response:
    """Those to whom a rejection sent the content back say what was done about the objection."""
    try:
        answer_objection(visit.installation, visit.state.id, visit.user, answer=visit.text("answer"))
    except BaosongError as error:
        return filing_page(visit, error=error)
    return onward(visit, "filing", done="objection_answered", path={"filing": visit.state.id})


@router.get("/filings/{filing}/gates", name="gates")
def gates(visit: Visited) -> HTMLResponse:
    """Every gate before the sign-off, open or closed, with what to do."""
    return gates_page(visit)


@router.get("/filings/{filing}/sign", name="sign_page")
def sign_page(visit: Visited) -> HTMLResponse:
    """What is signed, in words and figures, and the form for the opinion."""
    return _page(visit)


@router.post("/filings/{filing}/sign", name="sign")
def sign(visit: Visited) -> Response:
    """Give an opinion. Content, seat and review must still be those that were read, and the person prove now that it is them.

    Who has to go to the provider first finds there again what they wrote.
    """
    opinion, token = visit.text("opinion"), ""
    try:
        if opinion not in ("agree", "disagree"):
            raise missing("opinion")
        comment = visit.text("comment", is_needed=True)
        token, session = prove(visit)
        visit = replace(visit, session=session)
        _keep(visit, {})
        state = give_opinion(
            visit.installation,
            visit.state.id,
            visit.user,
            opinion=opinion,
            comment=comment,
            authentication=told(visit, session),
            shown=Shown(visit.text("content"), visit.text("seat"), visit.text("review")),
        )
        outcome = "approved" if state.is_approved else "rejected" if state.is_rejected else "signed"
        answer: Response = onward(visit, "filing", done=outcome, path={"filing": state.id})
    except BaosongError as error:
        if error.code == "desk.provider_first":
            _keep(visit, {name: visit.text(name) for name in _WRITTEN})
        answer = _page(visit, error=error)
    if token:  # the session goes on under another name, whatever became of the opinion
        keep_session(visit.request, answer, token)
    return answer


def _keep(visit: Visit, written: Mapping[str, str]) -> None:
    """Keep what was written while the person is at the provider; nothing is kept of who signs by password."""
    if visit.session.means == "oidc":
        visit.desk.accounts.keep_draft(visit.session, visit.request.url.path, written)


def _written(visit: Visit) -> dict[str, str]:
    """What stands in the form: what was just sent, or what was kept."""
    kept = visit.desk.accounts.draft(visit.session, visit.request.url.path) if not visit.form else {}
    return {name: visit.text(name) or kept.get(name, "") for name in _WRITTEN}


def gates_page(visit: Visited, *, error: BaosongError | None = None) -> HTMLResponse:
    """The page of the gates, with what was wrong about an act on it."""
    results = gate_results(visit.installation, visit.state) if visit.state.content else ()
    is_back = is_theirs(visit.installation, visit.state, visit.user)
    return page(visit, "gates", error=error, **head_of(visit), results=results, is_back=is_back)


def _page(visit: Visited, *, error: BaosongError | None = None) -> HTMLResponse:
    state, installation = visit.state, visit.installation
    seats = open_seats(installation, state, visit.user)
    review = compliance(installation, state) if state.live_sign_off else None
    steps = [
        (step, due(installation, state, step) if step is state.current_step else None) for step in state.steps
    ]
    indicators = key_indicators(installation, state) if state.content else []
    return page(
        visit,
        "sign",
        error=error,
        **head_of(visit),
        seats=seats,
        steps=steps,
        review=review,
        proof_asked=proof_of(visit),
        written=_written(visit),
        indicators=indicators,
        charts=findings_charts(visit),
        left_out=unjudged(state),
        documents=[d for d in review_documents(installation, state) if d.kind == "sign_off_opened"],
    )
