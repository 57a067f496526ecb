"""Writing the reference core as one SQLite file, all of it or nothing.

The file is loaded beside its place, made durable and renamed; a run that is killed leaves the old core. What the tables
hold is decided elsewhere.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import polars.selectors as cs

_ROWS_AT_ONCE = 50_000
SCHEMA = Path(__file__).parents[2] / "sql" / "reference_core" / "schema" / "core.sql"


@contextmanager
def replacing(path: Path) -> Generator[sqlite3.Connection]:
    """A new database that takes `path`'s place when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    connection = sqlite3.connect(draft)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        yield connection
        connection.commit()
    except BaseException:
        connection.close()
        draft.unlink(missing_ok=True)
        raise
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    sync(draft)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    draft.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Make a file, or a folder's list of names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create_schema(connection: sqlite3.Connection, schema: Path) -> None:
    connection.executescript(schema.read_text(encoding="utf-8"))


@contextmanager
def without_indexes(connection: sqlite3.Connection, schema: Path) -> Generator[None]:
    """The schema's tables to be filled in the block; its indexes are made when all rows are there, which is faster."""
    create_schema(connection, schema)
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _, sql in indexes:
        connection.execute(sql)


def insert(connection: sqlite3.Connection, table: str, frame: pl.DataFrame) -> int:
    """Insert a frame's rows by the table's own columns (the frame may have more); dates become ISO text."""
    columns = [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]
    rows = frame.select(columns).with_columns(cs.date().dt.strftime("%Y-%m-%d"))
    marks = ", ".join("?" * len(columns))
    sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    for some in rows.iter_slices(_ROWS_AT_ONCE):
        connection.executemany(sql, some.rows())
    return frame.height
