"""The dictionary's types in Arrow and in DuckDB. No values are converted here."""

from __future__ import annotations

import pyarrow as pa

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
    """The columns of a table as rounds store them: dictionary order, without assigned fields, all nullable."""
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
