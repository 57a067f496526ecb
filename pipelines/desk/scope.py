"""Whose data a person sees: filings, requests and findings by organisation and department. The one place that decides it.

Which pages a role may open stands in `rights.yaml`.
"""

from __future__ import annotations

import polars as pl

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


def visible_branches(deployment: Deployment, user: User) -> frozenset[str] | None:
    """The branches whose findings the user sees as one of the branch; None for all."""
    if "*" in user.organisations:
        return None
    return frozenset(
        each.code
        for each in deployment.organisations
        if each.level <= 1 and deployment.may_see(user, each.code)
    )


def visible_findings(deployment: Deployment, user: User) -> pl.Expr:
    """The rows of the register that the user sees: all, those of their departments, those of their branches. Nothing by default."""
    seen: pl.Expr = pl.lit(value=False)
    if user.roles & SEES_ALL:
        return pl.lit(value=True)
    if "business_reviewer" in user.roles:
        everything = "*" in user.departments
        seen = seen | (
            pl.lit(value=True) if everything else pl.col("department").is_in(sorted(user.departments))
        )
    if user.roles & BRANCH_ROLES:
        branches = visible_branches(deployment, user)
        seen = seen | (pl.lit(value=True) if branches is None else pl.col("branch").is_in(sorted(branches)))
    return seen
