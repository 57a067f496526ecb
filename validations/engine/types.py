"""The dictionary's types in Arrow and in DuckDB. No values are converted here."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import BadInput
from validations.engine.standard import Field, Table

PRECISION = 38
"""Digits of a decimal whose dictionary gives none; what DuckDB and Arrow's decimal128 can hold."""


def arrow_type(field: Field) -> pa.DataType:
    """text → string, integer → int64, decimal(p, s) → decimal128(p, s), date → date32."""
    match field.type:
        case "text":
            return pa.string()
        case "integer":
            return pa.int64()
        case "decimal":
            return pa.decimal128(field.precision or PRECISION, field.scale or 0)
        case "date":
            return pa.date32()


def arrow_schema(table: Table) -> pa.Schema:
    """The columns of a table as rounds store them: dictionary order, no assigned fields, all nullable."""
    return pa.schema([pa.field(field.name, arrow_type(field)) for field in table.stored_fields])


def duckdb_type(field: Field) -> str:
    """The same type in DuckDB's words, as DESCRIBE prints it."""
    match field.type:
        case "text":
            return "VARCHAR"
        case "integer":
            return "BIGINT"
        case "decimal":
            return f"DECIMAL({field.precision or PRECISION},{field.scale or 0})"
        case "date":
            return "DATE"


def require_columns(table: Table, path: Path) -> int:
    """The rows of a Parquet file with the dictionary's columns. Raises BadInput listing every difference."""
    try:
        found = pq.read_schema(path)
        rows = pq.read_metadata(path).num_rows
    except (OSError, pa.ArrowInvalid) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(
            "validations.parquet_unreadable", path=path, table=table.name, reason=reason
        ) from error
    expected = {field.name: field.type for field in arrow_schema(table)}
    types = {field.name: pa.string() if field.type == pa.large_string() else field.type for field in found}
    types = {n: pa.string() if t == pa.string_view() else t for n, t in types.items()}
    wrong = [f"{n}: {types.get(n, '–')} ≠ {t}" for n, t in expected.items() if types.get(n) != t]
    wrong += [f"{n}: {t} ≠ –" for n, t in types.items() if n not in expected]
    if wrong or len(found) != len(types):
        raise BadInput(
            "validations.columns_differ",
            path=path,
            table=table.name,
            differences="; ".join(wrong) or found.names,
        )
    return rows
