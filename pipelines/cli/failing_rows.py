"""The rows behind the first findings of a rule, whole, with the fields that matter marked and personal data masked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from pipelines.errors import LANGUAGE
from pipelines.stages.masking import MASK, masked
from validations.engine import Rule, Standard, Table
from validations.engine.scope import fields_named


@dataclass(frozen=True)
class Cell:
    """One field of a failing row: `is_offending` is the finding's own, `is_named` one that the rule speaks of."""

    field: str
    title: str
    value: str | None
    is_offending: bool
    is_named: bool


@dataclass(frozen=True)
class FailingRow:
    """One finding with the row it stands on; no cells where it stands on none (a sum, a table as a whole)."""

    table: str
    key: dict[str, str | None]
    field: str | None
    value: str | None
    expected: str | None
    difference: str | None
    row: int | None
    reason: str | None
    cells: tuple[Cell, ...]


def failing_rows(
    standard: Standard, rule: Rule, findings: Path, tables: Mapping[str, Path], limit: int
) -> tuple[FailingRow, ...]:
    """The first `limit` findings in the order of the file."""
    first = next(pq.ParquetFile(findings).iter_batches(limit), None) if limit else None
    found = first.to_pylist() if first is not None else []
    named = fields_named(standard, rule) if rule.holds is not None else frozenset[str]()
    return tuple(_failing(standard, named, each, tables) for each in found)


def _failing(
    standard: Standard, named: frozenset[str], found: dict[str, Any], tables: Mapping[str, Path]
) -> FailingRow:
    table = standard.table(found["table"])
    personal = {declared.name for declared in table.fields if declared.personal}
    key: dict[str, str | None] = json.loads(found["key"])
    row = _row(table, tables.get(table.name), found["row"], key) or {}
    hides = found["field"] in personal
    says_more = hides or bool(named & personal)
    cells = tuple(
        Cell(
            declared.name,
            getattr(declared.title, LANGUAGE.get()),
            masked(row[declared.name], declared.personal),
            declared.name == found["field"],
            declared.name in named,
        )
        for declared in table.stored_fields
        if row
    )
    return FailingRow(
        table=table.name,
        key={name: masked(value, name in personal) for name, value in key.items()},
        field=found["field"],
        value=masked(found["value"], hides),
        expected=masked(found["expected"], hides),
        difference=masked(found["difference"], hides),
        row=None if found["row"] is None else found["row"] + 1,
        reason=re.sub(r"'[^']*'|\"[^\"]*\"", MASK, found["reason"])
        if says_more and found["reason"]
        else found["reason"],
        cells=cells,
    )


def _row(
    table: Table, path: Path | None, number: int | None, key: Mapping[str, str | None]
) -> dict[str, str | None] | None:
    """The row of that number, else the first one of that key, as texts; None where there is none."""
    if path is None:
        return None
    frame = pl.scan_parquet(path)
    if number is not None:
        frame = frame.slice(number, 1)
    elif key and set(key) == set(table.stored_key):
        for name, value in key.items():
            frame = frame.filter(pl.col(name).cast(pl.String).eq_missing(pl.lit(value, dtype=pl.String)))
        frame = frame.head(1)
    else:
        return None
    rows = frame.select(pl.col(f.name).cast(pl.String) for f in table.stored_fields).collect().to_dicts()
    return rows[0] if rows else None
