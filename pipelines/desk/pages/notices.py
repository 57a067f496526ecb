"""What the person was told (通知), the newest first, each with the page it is about."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse

from pipelines.desk.answering import onward, page
from pipelines.desk.tasks import place_of
from pipelines.desk.visit import Visited
from pipelines.errors import BadInput

router = APIRouter()
_MOST = 200


@router.get("/notices", name="notices")
def notices(visit: Visited) -> HTMLResponse:
    """One's own notices; where a page is not open to the person's roles there is no link."""
    told = visit.desk.outbox.told(visit.user.id, _MOST)
    placed = [(each, place_of(each.kind, each.stream)) for each in told]
    listed = [(each, place if visit.may_open(place.route) else None) for each, place in placed]
    is_on = visit.installation.deployment.notices is not None
    unread = sum(each.read_at is None for each in told)
    return page(visit, "notices", listed=listed, unread=unread, is_on=is_on)


@router.post("/notices", name="read_notices")
def read_notices(visit: Visited) -> RedirectResponse:
    """Mark as read what the page showed."""
    given = visit.text("up_to", is_needed=True)
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise BadInput("desk.not_understood")
    visit.desk.outbox.mark_read(visit.user.id, int(given), visit.installation.now())
    return onward(visit, "notices", done="notices_read")
