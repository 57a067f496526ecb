"""Appointments (任命) and substitutes (代理): what a person shall be, who confirmed it, who stands in while they are away.

Whoever does it proves at that moment who they are. What may be is decided in `pipelines/stages/people.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from pipelines.desk.answering import onward, page
from pipelines.desk.pages.account import account_page, could_stand_in, keep_session
from pipelines.desk.proof import proof_of, prove
from pipelines.desk.visit import Visited, missing
from pipelines.errors import BadInput, BaosongError, Refused
from pipelines.stages.people import (
    PersonDraft,
    decide,
    leave,
    may_decide,
    name_substitutes,
    person_state,
    propose,
)
from resources.deployment import ROLES, Substitute, User

router = APIRouter()


@router.get("/users/new", name="new_person")
def new_person(visit: Visited) -> HTMLResponse:
    """The form for somebody who does not work here yet."""
    return _form(visit, "")


@router.post("/users/new", name="propose_new")
def propose_new(visit: Visited) -> Response:
    """Propose somebody new; an id that is taken is refused."""
    person = visit.text("user")
    try:
        if not person:
            raise missing("user")
        known = {id.casefold() for id in visit.installation.deployment.users}
        if person.casefold() in known or person_state(visit.installation, person).history:
            raise Refused("people.taken", user=person)
        return _appointed(visit, lambda: _propose(visit, person), person, "proposed")
    except BaosongError as error:
        return _form(visit, "", error=error)


@router.get("/users/{user}/appointment", name="appointment")
def appointment(visit: Visited, user: str) -> HTMLResponse:
    """What the person is, what is proposed, what was recorded, and the form to change it."""
    return _form(visit, user)


@router.post("/users/{user}/appointment", name="propose_person")
def propose_person(visit: Visited, user: str) -> Response:
    """Propose what the person shall be, or record that they left."""
    try:
        if visit.text("act") == "leave":
            return _appointed(visit, lambda: _leave(visit, user), user, "left")
        return _appointed(visit, lambda: _propose(visit, user), user, "proposed")
    except BaosongError as error:
        return _form(visit, user, error=error)


@router.post("/users/{user}/decision", name="decide_person")
def decide_person(visit: Visited, user: str) -> Response:
    """A second person confirms or refuses what they were shown."""
    act, shown = visit.text("opinion"), visit.text("proposal")
    try:
        if act not in ("confirm", "refuse"):
            raise missing("opinion")
        if not shown.isdecimal():
            raise missing("proposal")
        return _appointed(visit, lambda: _decide(visit, user, int(shown), act == "confirm"), user, act)
    except BaosongError as error:
        return _form(visit, user, error=error)


@router.post("/users/{user}/substitutes", name="name_substitutes")
def substitutes(visit: Visited, user: str) -> Response:
    """Who stands in: what is kept of the list, and one more. For oneself at once; for somebody else it is proposed."""
    is_own = user == visit.user.id
    if not is_own and not visit.may_open("propose_person"):
        raise Refused("desk.no_right", user=visit.user.id)
    try:
        known = visit.installation.deployment.user(user)
        kept = [each for index, each in enumerate(known.substitutes) if str(index) in visit.texts("keep")]
        if visit.text("substitute"):
            kept.append(_substitute(visit, user))
        reason = visit.text("reason")
        if is_own:
            return _acted(
                visit,
                lambda: name_substitutes(visit.installation, visit.user, kept, reason=reason),
                lambda: onward(visit, "account", done="substitutes_named"),
                lambda error: account_page(visit, error=error),
            )
        draft = _draft_of(known)
        return _appointed(
            visit,
            lambda: propose(visit.installation, user, draft, visit.user, reason=reason, substitutes=kept),
            user,
            "proposed",
        )
    except BaosongError as error:
        return account_page(visit, error=error) if is_own else _form(visit, user, error=error)


def _appointed(visit: Visited, act: Callable[[], object], person: str, done: str) -> Response:
    """Do it once the person proved anew who they are, and show the appointment."""
    is_new = visit.request.scope["route"].name == "propose_new"
    return _acted(
        visit,
        act,
        lambda: onward(visit, "appointment", done=f"person_{done}", path={"user": person}),
        lambda error: _form(visit, "" if is_new else person, error=error),
    )


def _acted(
    visit: Visited,
    act: Callable[[], object],
    done: Callable[[], Response],
    failed: Callable[[BaosongError], Response],
) -> Response:
    """Do it once the person proved anew who they are; the session goes on under its new token, whatever became of the act."""
    token, _ = prove(visit)
    try:
        act()
        answer = done()
    except BaosongError as error:
        answer = failed(error)
    if token:
        keep_session(visit.request, answer, token)
    return answer


def _propose(visit: Visited, person: str) -> None:
    draft = PersonDraft(
        name=visit.text("name"),
        roles=visit.texts("role"),
        organisations=(*visit.texts("organisation"), *visit.text("organisations").split()),
        departments=visit.texts("department"),
        os_user=visit.text("os_user") or None,
        mail=visit.text("mail") or None,
    )
    propose(visit.installation, person, draft, visit.user, reason=visit.text("reason"))


def _leave(visit: Visited, person: str) -> None:
    """The account is locked too, so that its sessions end and nobody comes in with it should the id ever work here again."""
    leave(visit.installation, person, visit.user, reason=visit.text("reason"))
    if visit.desk.accounts.has_account(person):
        visit.desk.accounts.lock(person, visit.user.id)


def _draft_of(known: User) -> PersonDraft:
    return PersonDraft(
        known.name,
        tuple(known.roles),
        tuple(known.organisations),
        tuple(known.departments),
        known.os_user,
        known.mail,
    )


def _decide(visit: Visited, person: str, proposal: int, is_confirmed: bool) -> None:
    decide(
        visit.installation,
        person,
        visit.user,
        proposal=proposal,
        is_confirmed=is_confirmed,
        comment=visit.text("comment"),
    )


def _substitute(visit: Visited, person: str) -> Substitute:
    """The one more that the form names. BadInput for somebody who does not work here."""
    named = visit.text("substitute")
    if named not in visit.installation.deployment.users:
        raise BadInput("people.unknown_substitute", person=person, user=named)
    dates = {"from": visit.day("date_from"), "until": visit.day("date_to")}
    return Substitute.model_validate({"user": named, **dates})


def _form(visit: Visited, person: str, *, error: BaosongError | None = None) -> HTMLResponse:
    deployment = visit.installation.deployment
    state = person_state(visit.installation, person) if person else None
    known = deployment.users.get(person)
    if person and known is None and (state is None or not state.history):
        raise Refused("desk.out_of_scope")
    return page(
        visit,
        "appointment",
        error=error,
        id=person,
        known=known,
        state=state,
        may_decide=state is not None and may_decide(state, visit.user),
        roles=tuple(ROLES),
        level_one=deployment.level_one(),
        people=could_stand_in(visit, known) if known else (),
        proof_asked=proof_of(visit),
    )
