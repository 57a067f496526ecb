"""The data dictionary as an executable contract: one pandera schema per table, run over bounded slices.

A data engineer imports `schema("circ_audit", "BDXXB")`; `failures` runs a contract over a Parquet file of any size. What
one row and the dictionary decide is judged here; relations between rows, tables and periods are `rules`' matter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from pipelines.errors import BadInput
from validations.engine.field_constraints import Constraint, Period, field_constraints
from validations.engine.loader import load_standard
from validations.engine.standard import Field, Standard
from validations.engine.types import PRECISION

SLICE_ROWS = 245_760
"""Rows judged at a time, two of DuckDB's row groups: 0.5 GB whatever the table's size."""


@dataclass(frozen=True)
class Contract:
    """The pandera schema of a table, and the expressions that its checks run."""

    schema: pa.DataFrameSchema
    constraints: tuple[Constraint, ...]


@dataclass(frozen=True)
class Failing:
    """The rows of one slice that break one constraint.

    `rows` holds `row` (from 0 in the file), `value` (the field as text) and `of` (a struct of the columns that name the row).
    """

    field: str
    constraint: str
    rows: pl.DataFrame


def schema(
    standard: str | Standard, table: str, *, report: str | None = None, period: Period | None = None
) -> pa.DataFrameSchema:
    """The pandera schema of one table: column types, and a check per constraint, named as rules name it.

    Byte lengths and encodability are those of the package of `report`, else of the first report that has the table; codes
    are those in force in `period`, else of any time.
    """
    loaded = load_standard(standard) if isinstance(standard, str) else standard
    return contract(loaded, table, report=report, period=period).schema


def contract(
    standard: Standard,
    table: str,
    *,
    report: str | None = None,
    period: Period | None = None,
    wanted: Collection[tuple[str, str]] | None = None,
) -> Contract:
    """The contract of one table, narrowed to the `wanted` pairs of constraint and field where given."""
    declared = standard.table(table)
    columns: dict[str, pa.Column] = {}
    chosen: list[Constraint] = []
    for field in declared.stored_fields:
        constraints = [
            constraint
            for constraint in field_constraints(standard, declared, field, report, period)
            if wanted is None or (constraint.name, field.name) in wanted
        ]
        checks = [
            # Nulls are decided by the expression: only "mandatory" judges them.
            pa.Check(_check(each.holds), name=each.name, ignore_na=False)
            for each in constraints
        ]
        columns[field.name] = pa.Column(_polars_type(field), checks, nullable=True, title=field.title.zh)
        chosen += constraints
    return Contract(pa.DataFrameSchema(columns, name=f"{standard.name}.{table}", strict=True), tuple(chosen))


def failures(contract: Contract, path: Path, named_by: Sequence[str]) -> Iterator[list[Failing]]:
    """Run a contract over a Parquet file, a slice at a time: what fails in each. `named_by` are the columns that name a row.

    pandera judges names and types; its checks' expressions run here, all of a slice in one pass, since pandera would run
    each by itself. Raises BadInput when the columns are not the dictionary's.
    """
    scan = pl.scan_parquet(path, glob=False)
    try:
        contract.schema.validate(scan, lazy=True)  # of a lazy frame pandera sees names and types alone
    except SchemaErrors as errors:
        shown = "; ".join(str(e)[:200] for e in errors.schema_errors[:20])
        raise BadInput(
            "validations.columns_differ", path=path, table=contract.schema.name, differences=shown
        ) from None
    used = (name for c in contract.constraints for name in (c.field, *c.holds.meta.root_names()))
    read = list(dict.fromkeys([*named_by, *used]))
    rows = scan.select(pl.len()).collect().item()
    for start in range(0, rows, SLICE_ROWS):
        frame = scan.select(read).slice(start, SLICE_ROWS).collect()
        try:
            breaks = frame.select(
                (~constraint.holds.fill_null(value=True)).alias(str(number))
                for number, constraint in enumerate(contract.constraints)
            )
        except pl.exceptions.PolarsError as error:  # loading refuses what may raise; this is the last guard
            reason = str(error).splitlines()[0]
            raise BadInput(
                "validations.contract_raised", table=contract.schema.name, reason=reason
            ) from error
        yield [
            Failing(each.field, each.name, _named(frame, mask, each.field, named_by, start))
            for each, mask in zip(contract.constraints, breaks, strict=True)
            if mask.any()
        ]


def _named(
    frame: pl.DataFrame, mask: pl.Series, field: str, named_by: Sequence[str], start: int
) -> pl.DataFrame:
    failing = frame.select(pl.col(field).alias("value"), pl.struct(named_by).alias("of")).filter(mask)
    row = mask.arg_true().cast(pl.Int64) + start
    return failing.select(row.alias("row"), pl.col("value").cast(pl.String), "of")


def _check(holds: pl.Expr) -> Callable[[pa.PolarsData], pl.LazyFrame]:
    def judged(data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(holds.fill_null(value=True).alias("holds"))

    return judged


def _polars_type(field: Field) -> pl.DataType:
    match field.type:
        case "text":
            return pl.String()
        case "integer":
            return pl.Int64()
        case "decimal":
            return pl.Decimal(field.precision or PRECISION, field.scale or 0)
        case "date":
            return pl.Date()
