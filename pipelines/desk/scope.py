"""Whose data a person sees: filings, requests and findings by organisation and department. The one place that decides it.

Filings and requests go by `pipelines/stages/scope.py`, which those who tell people of them share. Which pages a role may open
stands in `rights.yaml`.
"""

from __future__ import annotations

import polars as pl

from pipelines.stages.scope import (
    BRANCH_ROLES,
    SEES_ALL,
    sees_filing,
    sees_organisations,
    sees_request,
    visible_branches,
)
from resources.deployment import Deployment, User

__all__ = [
    "BRANCH_ROLES",
    "SEES_ALL",
    "sees_filing",
    "sees_organisations",
    "sees_request",
    "visible_branches",
    "visible_findings",
]


def visible_findings(deployment: Deployment, user: User) -> pl.Expr:
    """The rows of the register that the user sees: all, those of their departments, those of their branches. Nothing by default.

    Whoever is not of all organisations sees those of their own, whatever the role.
    """
    branches = visible_branches(deployment, user)
    is_theirs = pl.lit(value=True) if branches is None else pl.col("branch").is_in(sorted(branches))
    if user.roles & (SEES_ALL | BRANCH_ROLES):
        return is_theirs
    if "business_reviewer" in user.roles and "*" in user.departments:
        return is_theirs
    if "business_reviewer" in user.roles:
        return is_theirs & pl.col("department").is_in(sorted(user.departments))
    return pl.lit(value=False)


def reads_table(deployment: Deployment, user: User, standard: str, table: str) -> bool:
    """Whether the user may read rows of a table: a department's reviewer those of the department's tables."""
    if user.roles & SEES_ALL:
        return True
    return user.speaks_for(deployment.department_of(standard, rule="", table=table, group=""))
