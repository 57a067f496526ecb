"""The lists behind the numbers: a row per finding, round or change that a metric counts, or leaves out for a reason.

A number is never computed beside its list: k is the sum of `value` over the rows of role num, n over those of role den.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from resources.deployment import Deployment

KEYS: Mapping[str, Any] = {
    "metric": pl.String, "branch": pl.String, "month": pl.String, "filing": pl.String, "key": pl.String, "role": pl.String,
    "value": pl.Int64, "reason": pl.String,
}  # fmt: skip
"""`month` is that of the filing. `role`: num, den or excluded. `value`: what the row adds, rows of a table or seconds of a
duration included. `reason`: why it is left out, or why one of the denominator is no hit; NULL where nothing is to be said."""

UNKNOWN = "unknown_organisation"
"""Why rows are left out that belong to nobody this deployment knows, as another company's do."""


def keys(rows: pl.DataFrame, metric: str, role: str | pl.Expr) -> pl.DataFrame:
    """Rows with `branch` and `key`, and `adds` (the key's value, else 1) and `reason` where they say them, as keys of a metric."""
    said = set(rows.columns)
    return rows.select(
        pl.lit(metric).alias("metric"),
        pl.col("branch"),
        pl.lit(None, dtype=pl.String).alias("month"),
        pl.lit(None, dtype=pl.String).alias("filing"),
        pl.col("key"),
        (pl.lit(role) if isinstance(role, str) else role).alias("role"),
        (pl.col("adds").cast(pl.Int64) if "adds" in said else pl.lit(1, dtype=pl.Int64)).alias("value"),
        (pl.col("reason") if "reason" in said else pl.lit(None, dtype=pl.String)).alias("reason"),
    )


def with_branch(rows: pl.DataFrame, deployment: Deployment, on: date) -> pl.DataFrame:
    """Add the `branch` that answers on that day for each `organisation`; what belongs to none is the head office's."""
    codes = rows["organisation"].unique().drop_nulls().sort()
    mapped = pl.DataFrame(
        {"organisation": codes, "branch": [deployment.answering_branch(code, on) for code in codes]},
        schema={"organisation": pl.String, "branch": pl.String},
    )
    return rows.join(mapped, on="organisation", how="left", maintain_order="left").with_columns(
        pl.col("branch").fill_null(deployment.head_office.code)
    )


def is_unknown(deployment: Deployment) -> pl.Expr:
    """Whether the branch is nobody of this deployment."""
    return ~pl.col("branch").is_in([each.code for each in deployment.organisations])


def assessed_branches(deployment: Deployment) -> dict[str, str]:
    """Code → name of all that are assessed: branches and own account in the file's order, then the head office."""
    return {each.code: each.name for each in (*deployment.level_one(), deployment.head_office)}


def scope(deployment: Deployment, organisations: tuple[str, ...], on: date) -> tuple[str, ...]:
    """The branches that answer for the organisations a filing is for."""
    return tuple(sorted({deployment.answering_branch(code, on) for code in organisations}))


def keys_digest(rows: pl.DataFrame) -> str:
    """SHA-256 over the rows in their order, independent of the file that holds them."""
    sha = hashlib.sha256()
    for row in rows.select(*KEYS).iter_rows():
        sha.update(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode())
        sha.update(b"\n")
    return sha.hexdigest()
