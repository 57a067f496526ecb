"""The stream of events that keeps the stage bar of an open page true. A page without script does without."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from pipelines.desk.live import Page, Streams
from pipelines.desk.rendering import filled
from pipelines.desk.rights import rights
from pipelines.desk.scope import sees_filing
from pipelines.desk.stage_bar import since, stage_bar
from pipelines.desk.visit import Visit, Visited, session_token

router = APIRouter()
_LONGEST_PLACE = 12
_HEADERS = {"x-accel-buffering": "no"}
"""nginx holds an answer back until it is complete, unless told not to; `cache-control: no-store` stands on every page."""


@router.get("/filings/{filing}/live", name="filing_live")
async def filing_live(visit: Visited) -> Response:
    """`event: stage` with the bar anew whenever the filing's ledger has moved since `?seen=`, or since the last
    event that a browser had when it asks again; 204 where no more streams are to be had,
    which tells a browser not to ask again."""
    streams: Streams = visit.request.app.state.streams
    if not streams.has_place(visit.session.id, visit.user.id):
        return Response(status_code=204)
    events = streams.follow(_page_of(visit))
    return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)


def _page_of(visit: Visit) -> Page:
    desk, filing = visit.desk, visit.state.id
    token = session_token(visit.request)
    seen = visit.request.headers.get("last-event-id") or visit.request.query_params.get("seen", "")
    is_number = seen.isascii() and seen.isdigit() and len(seen) < _LONGEST_PLACE

    def is_let_in() -> bool:
        user = desk.installation.deployment.users.get(visit.user.id)
        is_session = desk.accounts.session(token, is_use=False) is not None
        return is_session and user is not None and rights().may_open(user, "filing_live")

    def told() -> str | None:
        state, deployment = desk.reading.filing(filing), desk.installation.deployment
        user = deployment.users.get(visit.user.id)  # as of now: a stream may outlive an appointment
        if user is None or not sees_filing(deployment, user, state):
            return None
        bar = stage_bar(deployment, state, user)
        return filled("fragments/stages.html", visit.request, bar=bar, since=since(state))

    since_when = int(seen) if is_number else visit.state.seq
    return Page(visit.session.id, visit.user.id, f"filing/{filing}", since_when, is_let_in, told)
