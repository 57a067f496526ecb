"""The content's Parquet as rows of text in a fixed order, within bounded memory. No encoding and no files here.

DuckDB sorts and casts: text order is binary, decimals keep their declared scale, dates are ISO.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import BadInput, BaosongError
from validations.engine import Field, PackageProfile, Table
from validations.engine.session import parquet_rows

MEMORY_LIMIT = "1GB"
BATCH_ROWS = 20_000
SHOWN = 100
"""Values that are spelled out in an error; further ones are counted."""


@contextmanager
def opened(parquet: Path, work: Path) -> Generator[duckdb.DuckDBPyConnection]:
    """A connection with the view `content` over one table; it spills into `work`."""
    with tempfile.TemporaryDirectory(dir=work) as spill, duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute(f"SET temp_directory = '{_literal(spill)}'")
        connection.execute("SET threads = 2")
        connection.execute(f"CREATE VIEW content AS SELECT * FROM {parquet_rows(parquet)}")
        yield connection


def check_columns(table: Table, parquet: Path) -> None:
    """Raises BadInput unless the Parquet has every stored field with the dictionary's type and scale."""
    schema = pq.read_schema(parquet)
    mistakes: list[BaosongError] = []
    for field in table.stored_fields:
        index = schema.get_field_index(field.name)
        found = schema.field(index).type if index >= 0 else None
        if found is None or not _fits(found, field):
            wanted = f"decimal({field.precision},{field.scale})" if field.type == "decimal" else field.type
            values = {"expected": wanted, "found": str(found or "—")}
            mistakes.append(
                BadInput("formats.column", details=(), table=table.name, field=field.name, **values)
            )
    if mistakes:
        raise BadInput("formats.columns", table=table.name, file=parquet.name, details=mistakes)


def check_values(table: Table, connection: duckdb.DuckDBPyConnection, delimiter: str) -> None:
    """Raises BadInput naming every value that holds the delimiter, a line break or NUL, or has no organisation."""
    text_fields = [field for field in table.stored_fields if field.type == "text"]
    conditions = [f"regexp_matches({quoted(field.name)}, $banned)" for field in text_fields]
    if table.organisation:
        conditions.append(f"coalesce({quoted(table.organisation)}, '') = ''")
    where = " OR ".join(conditions) or "false"
    banned = f"[\\x{{0}}\\n\\r\\x{{{ord(delimiter):x}}}]"
    parameters = {"banned": banned} if text_fields else {}
    counted = connection.execute(f"SELECT count(*) FROM content WHERE {where}", parameters).fetchone()
    count = counted[0] if counted else 0
    if not count:
        return
    names = list(dict.fromkeys([*table.stored_key, *(f.name for f in text_fields)]))
    columns = ", ".join(f"CAST({quoted(name)} AS VARCHAR)" for name in names)
    order = ", ".join(quoted(name) for name in names)
    query = f"SELECT {columns} FROM content WHERE {where} ORDER BY {order} LIMIT {SHOWN}"
    mistakes: list[BaosongError] = []
    for row in connection.execute(query, parameters).fetchall():
        values = dict(zip(names, row, strict=True))
        key = key_text({name: values[name] for name in table.stored_key})
        if table.organisation and not values[table.organisation]:
            mistakes.append(
                BadInput("formats.no_organisation", table=table.name, key=key, field=table.organisation)
            )
        for field in text_fields:
            found = next((c for c in values[field.name] or "" if c in f"\0\n\r{delimiter}"), None)
            if found is not None:
                place = {"table": table.name, "key": key, "field": f"{field.title.zh} {field.name}"}
                mistakes.append(
                    BadInput("formats.banned", details=(), **place, character=f"U+{ord(found):04X}")
                )
    raise values_refused(table, mistakes, count)


def values_refused(table: Table, mistakes: list[BaosongError], count: int) -> BadInput:
    """One error for all values of a table that a format cannot carry."""
    details = mistakes[:SHOWN]
    if count > len(details):
        details.append(BadInput("formats.more", count=count - len(details)))
    return BadInput("formats.values", table=table.name, title=table.title.zh, count=count, details=details)


def owned_rows(
    table: Table, profile: PackageProfile, connection: duckdb.DuckDBPyConnection
) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """Batches of (organisations, texts before the running number, texts after it), ordered by organisation and key.

    The texts hold the fields joined by the delimiter and end or begin with one where the running number stands between.
    Equal keys are ordered by the other fields, so the order never depends on the Parquet's.
    """
    names = [field.name for field in table.stored_fields]
    at = [f.name for f in table.fields if not f.assigned or f.name == profile.serial_field]
    has_serial = profile.serial_field in at
    place = at.index(profile.serial_field) if has_serial and profile.serial_field else len(names)
    before, after = names[:place], names[place:]
    owner = quoted(table.organisation) if table.organisation else "''"
    ordering = [*([table.organisation] if table.organisation else []), *table.stored_key, *names]
    order = [quoted(name) for name in dict.fromkeys(ordering)]
    query = (
        f"SELECT {owner}, {_joined(before, has_serial, False)}, {_joined(after, False, has_serial)} FROM content "
        f"ORDER BY {', '.join(f'{name} NULLS LAST' for name in order)}"
    )
    reader = connection.sql(query, params={"delimiter": profile.delimiter}).to_arrow_reader(BATCH_ROWS)
    assert reader is not None, "a SELECT has a result"
    for batch in reader:
        owners, befores, afters = (batch.column(number).to_pylist() for number in range(3))
        yield owners, befores, afters


OwnedFacts = tuple[int, dict[str, Decimal]]
"""Rows, and the sum of each decimal field."""


def owned_sums(table: Table, connection: duckdb.DuckDBPyConnection) -> dict[str, OwnedFacts]:
    """Rows and the exact sums of all decimal fields, per organisation ('' where the table has none)."""
    decimals = [field for field in table.stored_fields if field.type == "decimal"]
    owner = quoted(table.organisation) if table.organisation else "''"
    sums = "".join(f", CAST(sum({quoted(field.name)}) AS VARCHAR)" for field in decimals)
    facts: dict[str, OwnedFacts] = {}
    for code, rows, *totals in connection.execute(
        f"SELECT {owner} AS owner, count(*){sums} FROM content GROUP BY owner ORDER BY owner"
    ).fetchall():
        zeroes = zero_sums(table)
        facts[code] = (
            rows,
            {
                field.name: Decimal(total) if total is not None else zeroes[field.name]
                for field, total in zip(decimals, totals, strict=True)
            },
        )
    return facts


def zero_sums(table: Table) -> dict[str, Decimal]:
    """Zero at its scale for every decimal field."""
    return {f.name: Decimal(0).scaleb(-(f.scale or 0)) for f in table.stored_fields if f.type == "decimal"}


def key_text(key: dict[str, Any]) -> str:
    """A business key for a message."""
    return "，".join(f"{name}={value}" for name, value in key.items()) or "—"


def quoted(name: str) -> str:
    """An identifier of the dictionary in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _joined(names: list[str], ends: bool, begins: bool) -> str:
    texts = [f"coalesce(CAST({quoted(name)} AS VARCHAR), '')" for name in names]
    joined = f"concat_ws($delimiter, {', '.join(texts)})" if texts else "''"
    if texts and ends:
        return f"{joined} || $delimiter"
    return f"$delimiter || {joined}" if texts and begins else joined


def _fits(found: Any, field: Field) -> bool:
    if field.type == "decimal":
        return pa.types.is_decimal(found) and getattr(found, "scale", None) == field.scale
    if field.type == "date":
        return pa.types.is_date32(found)
    if field.type == "integer":
        return pa.types.is_integer(found)
    return pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_string_view(found)


def _literal(text: str) -> str:
    return text.replace("'", "''")
