"""A DuckDB connection within limits of memory, threads and spilling; tables as views, results as Parquet.

No SQL of rules here, and nothing of what it means.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

_BATCH_ROWS = 100_000
_REFUSED = (
    "enable_external_access",
    "autoload_known_extensions",
    "autoinstall_known_extensions",
    "allow_community_extensions",
    "python_enable_replacements",
)


def lock(connection: duckdb.DuckDBPyConnection, read: Iterable[Path] = ()) -> None:
    """From here on SQL that somebody wrote reaches no file but `read`, loads no program, sees no variable of Python's."""
    paths = ", ".join(literal(str(path)) for path in read)
    connection.execute(f"SET allowed_paths = [{paths}]")
    for name in _REFUSED:
        connection.execute(f"SET {name} = false")
    connection.execute("SET lock_configuration = true")


@contextmanager
def open_session(
    spill: Path, *, read: Iterable[Path] = (), memory_limit: str = "1GB"
) -> Generator[duckdb.DuckDBPyConnection]:
    """An in-memory DuckDB that reads the files `read` and spills into a folder of its own inside `spill`, gone afterwards.

    No other file can be reached, whatever a query says.
    """
    with tempfile.TemporaryDirectory(prefix=f".tmp-{os.getpid()}-duckdb-", dir=spill) as folder:
        connection = duckdb.connect(
            ":memory:", config={"memory_limit": memory_limit, "threads": 2, "temp_directory": folder}
        )
        try:
            connection.execute("SET enable_progress_bar = false")  # it prints to stdout
            # Division by zero raises: NaN and infinity would compare as very large.
            connection.execute("SET ieee_floating_point_ops = false")
            lock(connection, read)
            yield connection
        finally:
            connection.close()


def parquet_rows(path: Path, *more: str) -> str:
    """SQL of the rows of one Parquet file: its own columns, whatever its folders are called."""
    return f"read_parquet([{literal(str(path))}], {', '.join(('hive_partitioning = false', *more))})"


def quoted(name: str) -> str:
    """An identifier as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it; for names of rules, fields and paths, where parameters are not allowed."""
    return "'" + text.replace("'", "''") + "'"


def create_views(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Path], *, namespace: str | None = None
) -> None:
    """Every table under its own name, and again as `rows of <name>` with `row`, the 0-based place in its file.

    With `namespace` under `<namespace>.<name>`, and only that.
    """
    if namespace:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(namespace)}")
    for name, path in tables.items():
        source = parquet_rows(path, "file_row_number = true")
        view = f"{quoted(namespace)}.{quoted(name)}" if namespace else quoted(name)
        connection.execute(f"CREATE VIEW {view} AS SELECT * EXCLUDE (file_row_number) FROM {source}")
        if not namespace:
            rows = quoted(rows_of(name))
            connection.execute(
                f"CREATE VIEW {rows} AS SELECT * RENAME (file_row_number AS row) FROM {source}"
            )


def write_parquet(
    connection: duckdb.DuckDBPyConnection,
    select: str,
    schema: pa.Schema,
    path: Path,
    *,
    repeating: Sequence[str] | bool = True,
) -> None:
    """Write what a SELECT returns with exactly these columns and types, whole or not at all.

    `repeating` are the columns worth a dictionary of their values; all, unless given.
    """
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    try:
        with pq.ParquetWriter(
            temporary,
            schema,
            compression="zstd",
            use_dictionary=repeating,  # pyright: ignore[reportArgumentType]  # columns too, by pyarrow's manual
        ) as writer:
            for batch in connection.sql(select).to_arrow_reader(_BATCH_ROWS):
                writer.write_table(pa.Table.from_batches([batch]).cast(schema))
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def rows_of(table: str) -> str:
    """The name of the view of a table with its row numbers; no standard can name it, since it holds spaces."""
    return f"rows of {table}"
