"""The data dictionary as an executable contract: one pandera schema per table, run over bounded slices.

A data engineer imports `schema("circ_audit", "BDXXB")`; `failing_rows` runs it over a Parquet file of any size. What one
row and the dictionary decide is judged here; relations between rows, tables and periods are `rules`' matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from pipelines.errors import BadInput
from validations.engine.calculators import CHECKS
from validations.engine.encodings import is_longer, may_stand
from validations.engine.loader import load_standard
from validations.engine.standard import Field, PackageProfile, Standard, Table
from validations.engine.types import PRECISION

SLICE_ROWS = 250_000
"""Rows judged at a time: 0.5 GB whatever the table's size."""

FIRST_DATE, LAST_DATE, LIFELONG = date(1900, 1, 1), date(2100, 12, 31), date(9999, 12, 31)

Expression = Callable[[pl.Expr], pl.Expr]


@dataclass(frozen=True)
class Constraint:
    """One demand of the dictionary on one field; `holds` is null where it has nothing to say."""

    name: str
    field: str
    holds: pl.Expr


def schema(
    standard: str | Standard,
    table: str,
    *,
    report: str | None = None,
    constraints: frozenset[str] | None = None,
) -> pa.DataFrameSchema:
    """The pandera schema of one table: column types, and a check per constraint, named as rules name it.

    Byte lengths and encodability are those of the package of `report`, else of the first report that has the table.
    `constraints` narrows the checks to `name` or `name@field`, as the judge does for the rules at hand.
    """
    loaded = load_standard(standard) if isinstance(standard, str) else standard
    declared = loaded.table(table)
    columns: dict[str, pa.Column] = {}
    for field in declared.stored_fields:
        checks = [
            # Nulls are decided by the expression: only "mandatory" judges them.
            pa.Check(_check(constraint.holds), name=constraint.name, ignore_na=False)
            for constraint in field_constraints(loaded, declared, field, report)
            if constraints is None
            or constraint.name in constraints
            or f"{constraint.name}@{field.name}" in constraints
        ]
        columns[field.name] = pa.Column(_polars_type(field), checks, nullable=True, title=field.title.zh)
    return pa.DataFrameSchema(columns, name=f"{loaded.name}.{table}", strict=True)


def field_constraints(standard: Standard, table: Table, field: Field, report: str | None) -> list[Constraint]:
    """All that the dictionary demands of a field, in the order in which people read findings."""
    value = pl.col(field.name)
    found: list[tuple[str, pl.Expr]] = []
    if field.mandatory:
        is_given = value.is_not_null()
        if field.type == "text":
            is_given = is_given & (value.str.strip_chars().str.len_bytes() > 0).fill_null(value=True)
        found.append(("mandatory", is_given))
    if field.type == "text":
        profile = standard.profile(table.name, report)
        if field.length is not None:
            found.append(("length", _fits(value, field.length, profile)))
        found.append(("encoding", may_stand(value, profile)))
    if field.type == "date":
        in_range = value.is_between(pl.lit(FIRST_DATE), pl.lit(LAST_DATE)) | (value == pl.lit(LIFELONG))
        found.append(("date_range", in_range))
    if field.codes is not None:
        found.append(("codes", value.is_in(list(standard.codes[field.codes].values))))
    if field.check is not None:
        found.append((f"check:{field.check}", _when(field, CHECKS[field.check].expression(value))))
    if field.pattern is not None:
        found.append(("pattern", _when(field, value.str.contains(rf"\A(?:{field.pattern})\z"))))
    return [Constraint(name, field.name, holds) for name, holds in found]


def failing_rows(schema: pa.DataFrameSchema, path: Path) -> Iterator[pl.DataFrame]:
    """Run `schema` over a Parquet file, a slice at a time; yields frames `row` (0-based), `field`, `constraint`.

    Raises BadInput when the columns are not the dictionary's.
    """
    scan = pl.scan_parquet(path, glob=False)
    rows = scan.select(pl.len()).collect().item()
    for start in range(0, rows, SLICE_ROWS):
        frame = scan.slice(start, SLICE_ROWS).collect()
        try:
            schema.validate(frame, lazy=True)
        except SchemaErrors as errors:
            cases = pl.DataFrame(errors.failure_cases)  # never str(errors), which can be 40 MB
            broken = cases.filter(
                pl.col("index").is_null()
            )  # not of a row: a column is missing, or of another type
            if len(broken):
                shown = "; ".join(f"{c['column']}: {c['failure_case']}" for c in broken.head(20).to_dicts())
                raise BadInput(
                    "validations.columns_differ", path=path, table=schema.name, differences=shown
                ) from None
            yield cases.select(
                row=pl.col("index").cast(pl.Int64) + start, field=pl.col("column"), constraint=pl.col("check")
            )


def _check(holds: pl.Expr) -> Callable[[pa.PolarsData], pl.LazyFrame]:
    def judged(data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(holds.fill_null(value=True).alias("holds"))

    return judged


def _when(field: Field, holds: pl.Expr) -> pl.Expr:
    # Null when the condition is not true, and null is not judged.
    return holds if field.when is None else pl.when(pl.sql_expr(field.when)).then(holds)


def _fits(value: pl.Expr, length: int, profile: PackageProfile) -> pl.Expr:
    def judged(values: pl.Series) -> pl.Series:
        return ~is_longer(values, length, profile.encoding)

    return value.map_batches(judged, return_dtype=pl.Boolean)


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
