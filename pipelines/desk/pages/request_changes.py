"""A request that changes: the form of an amendment, and the page that says what withdrawing means before it is done."""

from __future__ import annotations

from hashlib import sha256

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from pipelines.desk.answering import onward, page
from pipelines.desk.downloads import uploaded
from pipelines.desk.visit import Visited
from pipelines.errors import BaosongError, Refused
from pipelines.ledger.request_events import RequestDemand
from pipelines.stages.request_amend import (
    RequestChanges,
    amend_request,
    demanded_now,
    filing_of,
    may_change,
    standing,
    withdraw_request,
)
from pipelines.stages.request_draft import stage_word

router = APIRouter()


@router.get("/requests/{key}/amend", name="amend_page")
def amend_page(visit: Visited, key: str) -> HTMLResponse:
    """The form with what is demanded by now."""
    return _amend_page(visit, key)


@router.post("/requests/{key}/amend", name="amend_request")
def amend(visit: Visited, key: str) -> Response:
    """Put the changed demand up for review. Refused when another change came before this one was sent."""
    try:
        request = visit.installation.request(key)
        if visit.text("seen") != _name_of(demanded_now(visit.installation, request)):
            raise Refused("request.moved", number=request.number)
        with uploaded(visit.files("document")) as files:
            changes = RequestChanges(
                deadline=visit.day("deadline"),
                dated=visit.day("dated") if visit.text("dated") else None,
                is_undated=not visit.text("dated"),
                date_from=visit.day("date_from"),
                date_to=visit.day("date_to"),
                organisations=visit.texts("organisation"),
                tables=tables_of(visit),
                documents=tuple(files),
            )
            reason = visit.text("reason", is_needed=True)
            amend_request(visit.installation, key, visit.user, changes=changes, reason=reason)
    except BaosongError as error:
        return _amend_page(visit, key, error=error)
    return onward(visit, "request", done="request_amended", path={"key": key})


@router.get("/requests/{key}/withdraw", name="withdraw_page")
def withdraw_page(visit: Visited, key: str) -> HTMLResponse:
    """What withdrawing means, in words, with the button that does it."""
    return _withdraw_page(visit, key)


@router.post("/requests/{key}/withdraw", name="withdraw_request")
def withdraw(visit: Visited, key: str) -> Response:
    """Close the request and the filing that it opened, as the page showed them."""
    try:
        reason = visit.text("reason", is_needed=True)
        withdraw_request(visit.installation, key, visit.user, reason=reason, seen=visit.text("seen"))
    except BaosongError as error:
        return _withdraw_page(visit, key, error=error)
    return onward(visit, "request", done="request_withdrawn", path={"key": key})


def tables_of(visit: Visited) -> tuple[str, ...]:
    """The tables that were typed, with commas or blanks between; none: all of the report."""
    return tuple(visit.text("tables").replace("，", ",").replace(",", " ").split())


def _amend_page(visit: Visited, key: str, *, error: BaosongError | None = None) -> HTMLResponse:
    request = visit.installation.request(key)
    _require_open(visit, key)
    now = demanded_now(visit.installation, request)
    known = visit.installation.deployment.level_one()
    first = {each.code for each in known}
    below = [
        each
        for each in visit.installation.deployment.organisations
        if each.code in set(now.organisations) - first
    ]
    given = {
        "dated": now.dated or "",
        "date_from": now.date_from,
        "date_to": now.date_to,
        "deadline": now.deadline,
        "tables": ", ".join(now.tables),
        "organisations": now.organisations,
    }
    if visit.form:
        typed = {name: visit.form.get(name, "") for name in given}
        given = {**typed, "organisations": visit.texts("organisation")}
    return page(
        visit,
        "amend_request",
        error=error,
        known=request,
        given=given,
        seen=_name_of(now),
        organisations=[(each.code, each.name) for each in (*known, *below)],
    )


def _withdraw_page(visit: Visited, key: str, *, error: BaosongError | None = None) -> HTMLResponse:
    request = visit.installation.request(key)
    _require_open(visit, key)
    state = filing_of(visit.installation, request)
    return page(
        visit, "withdraw_request", error=error, known=request, state=state, seen=standing(request, state)
    )


def _require_open(visit: Visited, key: str) -> None:
    """Refused for a request that nobody changes any more, or that is not this person's to change."""
    request = visit.installation.request(key)
    if request.is_closed:
        raise Refused("request.closed", number=request.number, stage=stage_word(request))
    if not may_change(visit.installation, request, visit.user):
        raise Refused("request.not_theirs", number=request.number, user=visit.user.id)


def _name_of(demand: RequestDemand) -> str:
    """A demand under a short name: another demand has another one."""
    return sha256(demand.model_dump_json().encode()).hexdigest()[:16]
