"""Administration (管理): people with their accounts, and the audit trail of the desk. Roles are given in the deployment."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from pipelines.desk.answering import page
from pipelines.desk.visit import Visited

router = APIRouter()
_TRAIL_ROWS = 300


@router.get("/users", name="users")
def users(visit: Visited) -> HTMLResponse:
    """Everybody of the deployment, with roles, organisations and the state of the account."""
    accounts = {each.user_id: each for each in visit.desk.accounts.accounts()}
    people = sorted(visit.installation.deployment.users.values(), key=lambda user: user.id)
    return page(visit, "users", people=people, accounts=accounts)


@router.get("/trail", name="trail")
def trail(visit: Visited) -> HTMLResponse:
    """What happened around accounts and revealed data: the newest first."""
    return page(visit, "trail", events=visit.desk.accounts.trail(_TRAIL_ROWS))
