"""The rows that a finding speaks of, as the judged round holds them: its own, and those with its key in the tables its rule compares.

For people who look at one finding; personal data is masked, rows are capped and counted truly. What the rule demands is the
standard's matter, whose findings a person sees that of the caller, who says whose rows may be shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.ledger.filing import FilingState
from pipelines.stages.installation import Installation
from pipelines.stages.masking import masked
from validations.engine import Standard, Table
from validations.engine.plan import tables_read

MOST_ROWS = 10


@dataclass(frozen=True)
class RelatedRows:
    """Rows of one table that have the key, the first `MOST_ROWS` of `count`; `values` in the order of `fields`, as text."""

    table: str
    is_own: bool
    fields: tuple[str, ...]
    values: tuple[tuple[str | None, ...], ...]
    count: int


def related_rows(
    installation: Installation,
    state: FilingState,
    *,
    rule: str,
    table: str,
    key: str,
    may_see: Callable[[str], bool] | None = None,
) -> list[RelatedRows]:
    """Rows of the round with a finding's key (canonical JSON), its own table first; those of derived tables are not in a round.

    `may_see` says of an organisation's code whether its rows may be shown; None: all. With it, of other tables only those that
    have an organisation are read.
    """
    standard = installation.standard(state.opened.fact.standard)
    if state.content is None or table not in standard.tables:
        return []
    folder = installation.rounds.path(state.id, state.content.fact.round)
    values: Mapping[str, str | None] = json.loads(key)
    names = [table, *sorted(_compared_with(standard, rule) - {table})]
    found: list[RelatedRows] = []
    for name in names:
        path = folder / f"{name}.parquet"
        if name not in standard.tables or not path.is_file():
            continue
        other = standard.table(name)
        has_key = set(values) <= {field.name for field in other.stored_fields}
        is_known = may_see is None or name == table or other.organisation is not None
        if has_key and is_known:
            rows = _rows(other, path, values, may_see)
            found += [RelatedRows(name, name == table, *rows)] if rows[2] or name == table else []
    return found


def _compared_with(standard: Standard, rule: str) -> set[str]:
    """The tables that a rule compares; none for one that judges each table by itself."""
    judge = next((each for each in standard.rules if each.id == rule), None)
    read = tables_read(standard, judge) if judge is not None else set[str]()
    return read if len(read) < len(standard.tables) else set()


def _rows(
    table: Table, path: Path, key: Mapping[str, str | None], may_see: Callable[[str], bool] | None
) -> tuple[tuple[str, ...], tuple[tuple[str | None, ...], ...], int]:
    fields = table.stored_fields
    rows = pl.scan_parquet(path)
    kinds = rows.collect_schema()
    for name, value in key.items():
        column = pl.col(name) if kinds[name] == pl.String else pl.col(name).cast(pl.String)
        rows = rows.filter(column.eq_missing(pl.lit(value, dtype=pl.String)))
    rows = rows.select(field.name for field in fields).cast(pl.String)
    if may_see is not None and table.organisation is not None:
        codes = rows.select(table.organisation).unique().collect()[table.organisation]
        rows = rows.filter(pl.col(table.organisation).is_in([c for c in codes if c and may_see(c)]))
    first, count = pl.collect_all([rows.head(MOST_ROWS), rows.select(pl.len())])
    return (
        tuple(field.name for field in fields),
        tuple(
            tuple(masked(value, field.personal) for field, value in zip(fields, row, strict=True))
            for row in first.iter_rows()
        ),
        count.item(),
    )
