"""Unexplained drift: rows that changed between two rounds and no accepted source fix explains. A department declares the cause.

What changed is `compare`'s matter; here is who says why, and how much is left.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from pipelines.errors import BadInput, Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import DriftExplained
from pipelines.stages.compare import changes_file
from pipelines.stages.held import require_people_at_work
from pipelines.stages.installation import Installation, require_role
from resources.deployment import User

Kind = Literal["added", "removed", "changed"]


def unexplained_changes(installation: Installation, state: FilingState) -> pl.LazyFrame:
    """The changes of the latest round that neither a source fix nor a declared cause explains."""
    rows = pl.scan_parquet(changes_file(installation, state)).filter(pl.col("explanation").is_null())
    for declared in state.drift_explained:
        if declared.fact.later == state.round:
            rows = rows.filter(~_covered(declared.fact))
    return rows


def explain_drift(
    installation: Installation,
    filing: str,
    user: User,
    *,
    table: str,
    organisation: str | None = None,
    field: str | None = None,
    kind: Kind | None = None,
    reason: str,
) -> FilingState:
    """Declare why rows of a table changed: all of them, or those of one organisation, field or kind.

    Raises Refused for another department's table, or when nothing unexplained is meant.
    """
    require_role(user, "business_reviewer", act="explain_drift")
    state = installation.state(filing)
    require_people_at_work(state, act="explain_drift")
    standard = installation.standard(state.opened.fact.standard)
    if table not in standard.tables:
        raise BadInput("drift.unknown_table", table=table, standard=standard.name)
    department = installation.deployment.department_of(standard.name, rule="", table=table, group="")
    if not user.speaks_for(department):
        raise Refused(
            "drift.other_department",
            user=user.name,
            table=table,
            department=installation.department_name(department),
        )
    if not reason.strip():
        raise BadInput("drift.no_reason")
    draft = DriftExplained(
        later=state.round, table=table, organisation=organisation, field=field, change=kind,
        reason=reason.strip(), explained=0, unexplained=0,
    )  # fmt: skip
    left = unexplained_changes(installation, state)
    counted = left.select(meant=_covered(draft).sum(), all=pl.len()).collect().row(0)
    meant, before = int(counted[0] or 0), int(counted[1])
    if not meant:
        raise Refused("drift.nothing", filing=filing, table=table)
    fact = draft.model_copy(update={"explained": meant, "unexplained": before - meant})
    return installation.record(state, fact, actor=user.id, command=f"drift:{state.seq}:{table}")


def _covered(said: DriftExplained) -> pl.Expr:
    wanted = pl.col("table") == said.table
    for column, value in (("organisation", said.organisation), ("field", said.field), ("kind", said.change)):
        if value is not None:
            wanted = wanted & pl.col(column).eq_missing(pl.lit(value))
    return wanted
