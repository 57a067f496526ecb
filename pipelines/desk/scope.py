"""Whose data a person sees: filings, requests and findings by organisation and department. The one place that decides it.

Filings and requests go by `pipelines/stages/scope.py`, which those who tell people of them share. Which pages a role may open
stands in `rights.yaml`.
"""

from __future__ import annotations

import polars as pl

from pipelines.stages.scope import sees_filing, sees_organisations, sees_request, visible_branches
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

SEES_ALL = frozenset({"data_engineer", "audit_reviewer", "finance", "actuarial", "it", "executive", "president", "auditor"})  # fmt: skip
"""Roles of the head office whose work is the whole filing."""
BRANCH_ROLES = frozenset({"requester", "branch_preparer", "branch_it", "branch_it_manager"})


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
