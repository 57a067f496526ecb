"""Whose filings and requests concern a person, by organisation: for the desk, and for whoever is told that something waits.

Which findings of a filing they see, by department too, is the desk's `scope.py`.
"""

from __future__ import annotations

from pipelines.ledger.change import ChangeState
from pipelines.ledger.filing import FilingState
from pipelines.ledger.request import RequestState
from resources.deployment import Deployment, User

SEES_ALL = frozenset({"data_engineer", "audit_reviewer", "finance", "actuarial", "it", "executive", "president", "auditor"})  # fmt: skip
"""Roles of the head office whose work is the whole filing."""
BRANCH_ROLES = frozenset({"requester", "branch_preparer", "branch_it", "branch_it_manager"})


def sees_organisations(deployment: Deployment, user: User, organisations: tuple[str, ...]) -> bool:
    """Whether the user belongs to one of them, or to one above it."""
    known = {each.code for each in deployment.organisations}
    return any(
        deployment.may_see(user, code) if code in known else user.may_see(code) for code in organisations
    )


def sees_filing(deployment: Deployment, user: User, state: FilingState) -> bool:
    return sees_organisations(deployment, user, state.organisations)


def sees_request(deployment: Deployment, user: User, request: RequestState) -> bool:
    return user.id in request.authors or sees_organisations(
        deployment, user, request.latest.fact.organisations
    )


def sees_change(deployment: Deployment, user: User, change: ChangeState, filing: FilingState) -> bool:
    """A change request speaks of one finding: the head office sees it, of the departments its own and those that approve it, of the
    branches the one whose finding it is."""
    if not sees_filing(deployment, user, filing):
        return False
    branches = visible_branches(deployment, user)
    if branches is not None:
        return change.raised.organisation in branches
    departments = {change.raised.department, *(s.department for s in change.raised.bound_approval.seats)}
    is_of_department = any(user.speaks_for(code) for code in departments if code)
    return is_of_department or bool(user.roles & (SEES_ALL | BRANCH_ROLES))


def visible_branches(deployment: Deployment, user: User) -> frozenset[str] | None:
    """The branches whose findings the user sees as one of the branch; None for all."""
    if "*" in user.organisations:
        return None
    return frozenset(
        each.code
        for each in deployment.organisations
        if each.level <= 1 and deployment.may_see(user, each.code)
    )
