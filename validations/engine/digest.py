"""The content digest of a table: the same data has the same name on every machine, whatever wrote the file.

Per row the SHA-256 of its length-prefixed fields; row digests sorted, duplicates kept, and streamed through SHA-256
behind the table's name and types. Row order, row groups and compression do not count; any cell does.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from validations.engine.session import open_session, parquet_rows, quoted
from validations.engine.standard import Table
from validations.engine.types import duckdb_type, require_columns

_BATCH_ROWS = 16_384
_HEX = 64


def table_digest(table: Table, parquet: Path, *, memory_limit: str = "1GB") -> str:
    """SHA-256 in hex over the typed rows of a Parquet file. Raises BadInput when its columns are not the dictionary's."""
    return table_digests({parquet: table}, memory_limit=memory_limit)[parquet]


def table_digests(tables: Mapping[Path, Table], *, memory_limit: str = "1GB") -> dict[Path, str]:
    """The digest of each file, one after the other. Raises as `table_digest`."""
    for parquet, table in tables.items():
        require_columns(table, parquet)
    with open_session(Path(tempfile.gettempdir()), read=tables, memory_limit=memory_limit) as connection:
        return {parquet: _digest(connection, table, parquet) for parquet, table in tables.items()}


def _digest(connection: duckdb.DuckDBPyConnection, table: Table, parquet: Path) -> str:
    digest = hashlib.sha256(header(table))
    # NULL "-", else bytes and text: "3:abc". Lengths keep ("a", "bc") and ("ab", "c") apart.
    cells = ", ".join(
        f"coalesce(strlen(CAST({quoted(f.name)} AS VARCHAR)) || ':' || CAST({quoted(f.name)} AS VARCHAR), '-')"
        for f in table.stored_fields
    )
    batches = connection.sql(
        f"SELECT sha256(concat({cells})) AS row FROM {parquet_rows(parquet)} ORDER BY row"
    ).to_arrow_reader(_BATCH_ROWS)
    for batch in batches:
        # Texts of 64 characters without gaps: their bytes stand one behind the other.
        column = batch.column(0).cast(pa.string())
        texts = memoryview(column.buffers()[2])
        digest.update(texts[_HEX * column.offset : _HEX * (column.offset + len(column))])
    return digest.hexdigest()


def header(table: Table) -> bytes:
    """What stands before the rows: canonical JSON of the table's name and its columns with their types."""
    columns = [[field.name, duckdb_type(field)] for field in table.stored_fields]
    return json.dumps([table.name, columns], ensure_ascii=False, separators=(",", ":")).encode()
