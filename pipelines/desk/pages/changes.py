"""Change requests (改库签报): what production is to be corrected for, raising them for a filing, approving, recording the execution."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from pipelines.desk.answering import onward, page
from pipelines.desk.pages.signing import gates_page
from pipelines.desk.visit import Visit, Visited, missing
from pipelines.errors import BaosongError, Refused
from pipelines.ledger.change import ChangeState
from pipelines.ledger.filing import FilingState
from pipelines.stages.change_request import execute_change, raise_changes, review_change
from pipelines.stages.change_seats import approval_seats, due_by, executor_for
from pipelines.stages.masking import masked, masked_key, personal_fields
from pipelines.stages.scope import sees_change

router = APIRouter()


@router.get("/changes", name="changes")
def changes(visit: Visited) -> HTMLResponse:
    """All change requests that concern the person, the newest first."""
    filings = {state.id: state for state in visit.desk.reading.filings()}
    rows = [
        (change, _shown(visit, change), due_by(visit.installation, change))
        for change in visit.desk.reading.changes()
        if (filing := filings.get(change.raised.filing))
        and sees_change(visit.installation.deployment, visit.user, change, filing)
    ]
    return page(visit, "changes", rows=rows)


@router.get("/changes/{number}", name="change")
def change(visit: Visited, number: str) -> HTMLResponse:
    """One change request: the value, why, its route with who said what, and the form of whoever is next."""
    return _page(visit, number)


@router.post("/filings/{filing}/changes", name="raise_changes")
def raise_(visit: Visited) -> Response:
    """Raise a request for every accepted correction of the filing that has none."""
    try:
        raise_changes(visit.installation, visit.state.id, visit.user)
    except BaosongError as error:
        return gates_page(visit, error=error)
    return onward(visit, "gates", done="changes_raised", path={"filing": visit.state.id})


@router.post("/changes/{number}/review", name="review_change")
def review(visit: Visited, number: str) -> Response:
    """A seat of the approval, the one that was chosen or shown, approves or refuses."""
    _known(visit, number)
    opinion = visit.text("opinion")
    try:
        if opinion not in ("approve", "refuse"):
            raise missing("opinion")
        role, department, absent = _seat(visit)
        review_change(
            visit.installation,
            number,
            visit.user,
            opinion=opinion,
            comment=visit.text("comment"),
            role=role,
            department=department,
            on_behalf_of=absent,
        )
    except BaosongError as error:
        return _page(visit, number, error=error)
    return onward(visit, "change", done=f"change_{opinion}", path={"number": number})


@router.post("/changes/{number}/execution", name="execute_change")
def execute(visit: Visited, number: str) -> Response:
    """Record that production was corrected outside Baosong."""
    _known(visit, number)
    try:
        day = visit.day("day")
        execute_change(visit.installation, number, visit.user, day=day, reference=visit.text("reference"))
    except BaosongError as error:
        return _page(visit, number, error=error)
    return onward(visit, "change", done="change_executed", path={"number": number})


def _page(visit: Visit, number: str, *, error: BaosongError | None = None) -> HTMLResponse:
    known = _known(visit, number)
    filing = _filing(visit, known)
    return page(
        visit,
        "change",
        error=error,
        known=known,
        standard=visit.installation.standard(known.raised.standard),
        shown=_shown(visit, known),
        due=due_by(visit.installation, known),
        seats=approval_seats(visit.installation, known, filing, visit.user),
        executes=executor_for(visit.installation, known, filing, visit.user),
        today=visit.installation.now().date(),
    )


def _seat(visit: Visit) -> tuple[str, str, str]:
    """Role, department and absent person of the seat as the form names it. BadInput without one."""
    match visit.text("seat").split("/"):
        case [role, department, absent]:
            return role, department, absent
        case _:
            raise missing("seat")


def _known(visit: Visit, number: str) -> ChangeState:
    """The request, where it is the person's to see; one that is not does not exist for them."""
    for each in visit.desk.reading.changes():
        if each.number == number and sees_change(
            visit.installation.deployment, visit.user, each, _filing(visit, each)
        ):
            return each
    raise Refused("desk.out_of_scope")


def _filing(visit: Visit, change: ChangeState) -> FilingState:
    return visit.desk.reading.filing(change.raised.filing)


def _shown(visit: Visit, change: ChangeState) -> dict[str, str]:
    """The cell with personal values masked: whoever needs them opens the finding, where a look is recorded."""
    raised = change.raised
    personal = personal_fields(visit.installation.standard(raised.standard), raised.table)
    hides = raised.field in personal
    return {
        "key": masked_key(raised.key, personal),
        "old": masked(raised.old, hides) or "—",
        "new": masked(raised.new, hides) or "—",
        "reason": masked(raised.reason, hides) or "—",
    }
