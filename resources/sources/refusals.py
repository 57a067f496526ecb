"""What a source gave that cannot be taken, in the words of the catalogue. Values are never shown, only their kind."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from pipelines.errors import BadInput
from resources.conversion import (
    ColumnPlan,
    NotExactError,
    plan_columns,
    require_convertible,
    scale_integer,
    split_alias,
)


def plan(aliases: Sequence[str], schema: pa.Schema, sql_file: Path | str) -> list[ColumnPlan]:
    """Which column fills which field. Raises BadInput `source.columns` or `source.value` listing all that does not fit."""
    plans, missing, extra, double = plan_columns(aliases, schema)
    if missing or extra or double:
        raise columns_error(sql_file, missing=missing, extra=extra, double=double)
    problems: list[BadInput] = []
    for each in plans:
        try:
            require_convertible(each)
        except TypeError as error:
            problems.append(BadInput("source.type", file=sql_file, column=each.alias, reason=str(error)))
    if problems:
        raise BadInput("source.value", file=sql_file, details=problems)
    return plans


def columns_error(
    sql_file: Path | str, *, missing: Sequence[str], extra: Sequence[str], double: Sequence[str]
) -> BadInput:
    listed = {"missing": missing, "extra": extra, "double": double}
    named = {key: ", ".join(names) or "-" for key, names in listed.items()}
    return BadInput("source.columns", details=(), file=sql_file, **named)


def value_error(sql_file: Path | str, each: ColumnPlan, first_row: int, error: NotExactError) -> BadInput:
    """One value that is not exact; `first_row` is the 1-based number of the batch's first row."""
    row = first_row + error.index
    if error.is_not_utf8:
        return BadInput("source.not_utf8", file=sql_file, column=each.alias, row=row)
    return BadInput(
        "source.value_at",
        file=sql_file,
        column=each.alias,
        row=row,
        expected=each.expected,
        value=error.shown,
    )


def values_error(sql_file: Path | str, problems: Sequence[BadInput]) -> BadInput:
    return BadInput("source.value", file=sql_file, details=problems)


def summed_aliases(
    aliases: Sequence[str], sum_columns: Sequence[str], sql_file: Path | str
) -> list[tuple[str, str]]:
    """(field, alias) of what is to be added up. Raises BadInput `source.columns` for what the SQL does not select."""
    by_field = {split_alias(alias)[0].casefold(): alias for alias in aliases}
    unknown = [name for name in sum_columns if name.casefold() not in by_field]
    if unknown:
        raise columns_error(sql_file, missing=unknown, extra=[], double=[])
    return [(name, by_field[name.casefold()]) for name in sum_columns]


def exact_sum(value: object, alias: str, sql_file: Path | str) -> Decimal:
    """A sum as its source gave it, scaled by the alias. Raises BadInput `source.inexact_sum` for a float."""
    decimals = split_alias(alias)[1]
    if value is None:
        return scale_integer(0, decimals or 0)
    is_exact = isinstance(value, int) or (isinstance(value, Decimal) and value.is_finite())
    if not is_exact:
        raise BadInput("source.inexact_sum", file=sql_file, column=alias)
    if isinstance(value, int):
        return scale_integer(value, decimals or 0)
    assert isinstance(value, Decimal)
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), "it is finite"
    return Decimal((sign, digits, exponent - (decimals or 0)))  # from digits, so no context can round it
