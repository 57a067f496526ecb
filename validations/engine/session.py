"""A DuckDB connection within the limits of this process: memory, threads, where it spills; tables as views over Parquet.

No SQL of rules here, and nothing of what it means.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb


@contextmanager
def open_session(spill: Path, *, memory_limit: str = "1GB") -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory DuckDB that spills into a folder of its own inside `spill`, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".tmp-duckdb-", dir=spill) as folder:
        connection = duckdb.connect(
            ":memory:", config={"memory_limit": memory_limit, "threads": 2, "temp_directory": folder}
        )
        try:
            connection.execute("SET enable_progress_bar = false")  # it prints to stdout
            yield connection
        finally:
            connection.close()


def quoted(name: str) -> str:
    """An identifier as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it; for names of rules, fields and paths, where parameters are not allowed."""
    return "'" + text.replace("'", "''") + "'"


def create_views(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Path]) -> None:
    """Every table under its own name, and again as `rows of <name>` with `row`, the 0-based place in its file."""
    for name, path in tables.items():
        source = f"read_parquet([{literal(str(path))}], file_row_number = true)"
        connection.execute(f"CREATE VIEW {quoted(name)} AS SELECT * EXCLUDE (file_row_number) FROM {source}")
        connection.execute(
            f"CREATE VIEW {quoted(rows_of(name))} AS SELECT * RENAME (file_row_number AS row) FROM {source}"
        )


def rows_of(table: str) -> str:
    """The name of the view of a table with its row numbers; no standard can name it, since it holds spaces."""
    return f"rows of {table}"
