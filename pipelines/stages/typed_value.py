"""A value that a person typed, as the dictionary's type of its field."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl

from pipelines.errors import BadInput, text
from validations.engine import Standard, Table
from validations.engine.values_input import expected, read_values, reason, visible


def typed_value(table: Table, field: str, given: str) -> str | int | Decimal | date:
    """`given` as the dictionary's type of the field, read as from a file. Raises BadInput saying why it is none."""
    declared = table.field(field)
    value = pl.select(read_values(pl.lit(given, dtype=pl.String), declared)).item()
    if value is None:
        raise BadInput(
            "content.value",
            table=table.name,
            field=field,
            value=visible(given),
            expected=expected(declared),
            why=text(reason(declared, given)),
        )
    return value


def typed_text(standard: Standard, table: str, field: str, given: str) -> str | None:
    """`given` as findings write the value of a field; None where the standard, as it is now, cannot read it."""
    if table not in standard.tables or field not in {each.name for each in standard.table(table).fields}:
        return None
    try:
        return str(typed_value(standard.table(table), field, given))
    except BadInput:
        return None
