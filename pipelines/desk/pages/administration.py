"""Administration (管理): people with their accounts, and the audit trail of the desk. What people are is `people.py`."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from pipelines.desk.answering import page
from pipelines.desk.pages.account import keep_session
from pipelines.desk.proof import proof_of, prove
from pipelines.desk.visit import Visited, missing
from pipelines.errors import BaosongError, Refused
from pipelines.stages.people import pending_people

router = APIRouter()
_TRAIL_ROWS, _TRAIL_OF_ONE, _LONGEST_NUMBER = 100, 50, 16
ACTS = ("invite", "reset", "reset_both", "unlink", "lock", "unlock", "end_sessions")


@router.get("/users", name="users")
def users(visit: Visited) -> HTMLResponse:
    """Everybody of the deployment, with roles, organisations and the state of the account."""
    accounts = {each.user_id: each for each in visit.desk.accounts.accounts()}
    people = sorted(visit.installation.deployment.users.values(), key=lambda user: user.id)
    return page(visit, "users", people=people, accounts=accounts, waiting=pending_people(visit.installation))


@router.get("/users/{user}", name="person")
def person(visit: Visited, user: str) -> HTMLResponse:
    """One person: roles, account, sessions, what happened to the account."""
    return _person_page(visit, user)


@router.post("/users/{user}", name="administer")
def administer(visit: Visited, user: str) -> HTMLResponse:
    """Invite, reset, unlink, lock, unlock or end sessions, once the administrator proved at that moment who they are.

    A one-time code is shown on the page that follows, and nowhere else.
    """
    if user not in visit.installation.deployment.users:  # before anything is done
        raise Refused("desk.out_of_scope")
    act, accounts, token, code = visit.text("act"), visit.desk.accounts, "", ""
    try:
        if act not in ACTS:
            raise missing("act")
        if user == visit.user.id and act != "end_sessions":
            raise Refused("people.oneself")
        token, session = prove(visit)
        visit = replace(visit, session=session)
        match act:
            case "invite":
                code = accounts.invite(user, visit.user.id)
            case "reset":
                code = accounts.reset(user, visit.user.id)
            case "reset_both":
                code = accounts.reset(user, visit.user.id, second_factor_too=True)
            case "unlink":
                accounts.unlink(user, visit.user.id)
            case "lock":
                accounts.lock(user, visit.user.id)
            case "unlock":
                accounts.unlock(user, visit.user.id)
            case _:
                accounts.end_all(user, visit.user.id)
        answer = _person_page(visit, user, code=code, did=act)
    except BaosongError as error:
        answer = _person_page(visit, user, error=error)
    if token:
        keep_session(visit.request, answer, token)
    return answer


@router.get("/trail", name="trail")
def trail(visit: Visited) -> HTMLResponse:
    """What happened around accounts and revealed data: the newest first, of one person or event, in pages (`?before=`)."""
    asked, accounts = visit.request.query_params, visit.desk.accounts
    user, event, before = asked.get("user", "").strip()[:64], asked.get("event", ""), asked.get("before", "")
    is_number = before.isascii() and before.isdigit() and len(before) < _LONGEST_NUMBER
    found = accounts.trail(
        _TRAIL_ROWS + 1,
        user or None,
        event=event or None,
        before=int(before) if is_number else None,
    )
    shown = found[:_TRAIL_ROWS]
    kept = {name: value for name, value in (("user", user), ("event", event)) if value}
    return page(
        visit,
        "trail",
        events=shown,
        names=accounts.trail_events(),
        user=user,
        event=event,
        is_later=is_number,
        first=urlencode(kept),
        older=urlencode({**kept, "before": shown[-1].number}) if len(found) > len(shown) else "",
    )


def _person_page(
    visit: Visited, user: str, *, error: BaosongError | None = None, code: str = "", did: str = ""
) -> HTMLResponse:
    known = visit.installation.deployment.users.get(user)
    if known is None:
        raise Refused("desk.out_of_scope")
    accounts = visit.desk.accounts
    account = next((each for each in accounts.accounts() if each.user_id == user), None)
    hidden = set() if account and account.provider_subject else {"unlink"}
    if not accounts.takes_passwords:
        hidden |= {"reset", "reset_both"}
    return page(
        visit,
        "person",
        error=error,
        known=known,
        account=account,
        sessions=accounts.sessions(user),
        events=accounts.trail(_TRAIL_OF_ONE, user),
        acts=[act for act in ACTS if act not in hidden],
        code=code,
        did=did,
        proof_asked=proof_of(visit),
    )
