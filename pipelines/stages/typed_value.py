"""A value that a person typed, as the dictionary's type of its field."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl

from pipelines.errors import BadInput, text
from validations.engine import Table
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
