"""The data dictionary as an executable contract: one pandera schema per table, run over bounded slices.

A data engineer imports `schema("circ_audit", "BDXXB")`; `failures` runs a contract over a Parquet file of any size. What
one row and the dictionary decide is judged here; relations between rows, tables and periods are `rules`' matter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
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

SLICE_ROWS = 250_000
"""Rows judged at a time: 0.5 GB whatever the table's size."""


@dataclass(frozen=True)
class Contract:
    """The pandera schema of a table, and the expressions that its checks run."""

    schema: pa.DataFrameSchema
    constraints: tuple[Constraint, ...]


@dataclass(frozen=True)
class Failures:
    """What breaks a contract in one slice: `cases` (row, field, constraint) and the rows concerned, with `row`.

    `row` counts from 0 in the file.
    """

    cases: pl.DataFrame
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
            # Nulls are decided by the expression: only "mandatory" judges them. Of failing rows pandera need only say
            # that there are some: they are told apart below, all at once.
            pa.Check(_check(each.holds), name=each.name, ignore_na=False, n_failure_cases=1)
            for each in constraints
        ]
        columns[field.name] = pa.Column(_polars_type(field), checks, nullable=True, title=field.title.zh)
        chosen += constraints
    return Contract(pa.DataFrameSchema(columns, name=f"{standard.name}.{table}", strict=True), tuple(chosen))


def failures(contract: Contract, path: Path) -> Iterator[Failures]:
    """Run a contract over a Parquet file, a slice at a time; yields the slices in which something fails.

    Raises BadInput when the columns are not the dictionary's.
    """
    scan = pl.scan_parquet(path, glob=False)
    rows = scan.select(pl.len()).collect().item()
    for start in range(0, rows, SLICE_ROWS):
        frame = scan.slice(start, SLICE_ROWS).collect()
        try:
            contract.schema.validate(frame, lazy=True)
        except SchemaErrors as errors:
            broken = {
                (str(e.schema.name), str(e.check.name))
                for e in errors.schema_errors
                if isinstance(e.check, pa.Check) and e.schema is not None
            }
            if len(broken) < len(
                errors.schema_errors
            ):  # not of a row: a column is missing, or of another type
                shown = "; ".join(str(e)[:200] for e in errors.schema_errors[:20])
                raise BadInput(
                    "validations.columns_differ", path=path, table=contract.schema.name, differences=shown
                ) from None
            yield _told_apart(contract, frame, broken, start)


def _told_apart(
    contract: Contract, frame: pl.DataFrame, broken: set[tuple[str, str]], start: int
) -> Failures:
    """Which rows break which of the constraints that pandera found broken."""
    failing = [c for c in contract.constraints if (c.field, c.name) in broken]
    masks = frame.select(
        (~constraint.holds.fill_null(value=True)).alias(str(number))
        for number, constraint in enumerate(failing)
    )
    cases = pl.concat(
        [
            pl.DataFrame({"row": masks[str(number)].arg_true().cast(pl.Int64) + start}).with_columns(
                field=pl.lit(constraint.field), constraint=pl.lit(constraint.name)
            )
            for number, constraint in enumerate(failing)
        ]
    )
    concerned = frame.with_row_index("row", offset=start).filter(
        masks.select(pl.any_horizontal("*")).to_series()
    )
    return Failures(cases, concerned.with_columns(pl.col("row").cast(pl.Int64)))


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
