"""Bulk facts: what people decided about many findings, a row each in a Parquet file under its digest, named by one event.

The file is there before the event that names it. What a column means is said where the rows are made.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from pipelines.errors import Tampered
from pipelines.stages.canonical import file_digest, write_durably
from pipelines.stages.installation import Installation

_NAMES = ("finding", "rule", "rule_digest", "severity", "table", "key", "field", "value", "expected", "difference")  # fmt: skip
CELL: dict[str, type[pl.String]] = dict.fromkeys(_NAMES, pl.String)
"""The columns that say which finding a row speaks of, and which value of it."""

PROBLEMS = {**CELL, "department": pl.String, "organisation": pl.String, "part": pl.Int32, "remark": pl.String}
"""What a dispatch asked: of whom, in which part of the workbooks, and why a line came back."""

REVIEWED = {
    **CELL,
    "decision": pl.String,
    "reason": pl.String,
    "department": pl.String,
    "organisation": pl.String,
}
"""First review: `decision` is confirm, dismiss or assign; `department` and `organisation` say to whom it was assigned, if so."""

ANSWERS = {
    **CELL, "handling": pl.String, "new_value": pl.String, "reason": pl.String, "department": pl.String,
    "organisation": pl.String, "user": pl.String,
}  # fmt: skip
"""Answers: how the finding is handled, by whom."""

DECIDED = {**ANSWERS, "decision": pl.String, "remark": pl.String}
"""A department's decision on an answer: `decision` is accept or send_back."""


def frame(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, Any]) -> pl.DataFrame:
    """Rows as a frame of exactly these columns."""
    return pl.DataFrame([dict(row) for row in rows], schema=dict(columns), orient="row")


def keep(installation: Installation, filing: str, rows: pl.DataFrame) -> str:
    """Keep rows in their order; returns the digest of the file."""
    data = io.BytesIO()
    rows.write_parquet(data, compression="zstd", statistics=False)
    digest = hashlib.sha256(data.getvalue()).hexdigest()
    write_durably(installation.folder("facts", filing) / f"{digest}.parquet", data.getvalue())
    return digest


def kept(installation: Installation, filing: str, digest: str) -> pl.DataFrame:
    """The rows kept under a digest. Raises Tampered when the file is not the one recorded."""
    path = installation.folder("facts", filing) / f"{digest}.parquet"
    if not path.is_file() or file_digest(path) != digest:
        raise Tampered("facts.changed", path=path)
    return pl.read_parquet(path)
