"""One ADBC connection: run a statement, ask for a few rows, read many as a stream. What is asked is the callers' matter."""

# pyarrow has no types:
# pyright: reportUnknownParameterType=false
from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcDatabase, AdbcStatement, Error
from adbc_driver_manager._reader import AdbcRecordBatchReader

DRIVER_ERRORS = (Error, OSError, pa.ArrowException)
"""What reading a stream raises; the private reader is used because only its errors carry the SQLSTATE."""


class Reading:
    """A statement that runs: its columns, its batches, and stopping it from another thread."""

    def __init__(self, statement: AdbcStatement, reader: AdbcRecordBatchReader) -> None:
        self._statement = statement
        self.batches = reader
        self.schema: pa.Schema = reader.schema

    def cancel(self) -> None:
        self._statement.cancel()


class AdbcSession:
    """A connection and its database handle, closed together."""

    def __init__(self, database: AdbcDatabase) -> None:
        self._database = database
        self._connection = AdbcConnection(database)

    @contextmanager
    def reading(
        self, sql: str, values: Sequence[Any] = (), options: Mapping[str, str] | None = None
    ) -> Generator[Reading]:
        """Run a query with positional values and read its result while the block lasts."""
        statement = AdbcStatement(self._connection)
        try:
            if options:
                statement.set_options(**options)
            statement.set_sql_query(sql)
            if values:
                statement.prepare()
                names = [str(number) for number in range(len(values))]
                statement.bind(pa.record_batch([pa.array([value]) for value in values], names=names))
            handle, _ = statement.execute_query()
            reader = AdbcRecordBatchReader._import_from_c(handle.address)  # pyright: ignore[reportPrivateUsage]
            try:
                yield Reading(statement, reader)
            finally:
                reader.close()
        finally:
            statement.close()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows of a small result, numerals as texts."""
        with self.reading(sql, values) as reading:
            table = pa.Table.from_batches(list(reading.batches), reading.schema)
        columns = [
            pa.chunked_array([chunk.storage for chunk in column.chunks])
            if column.num_chunks and isinstance(column.type, pa.BaseExtensionType)
            else column
            for column in table.columns
        ]
        return pa.Table.from_arrays(columns, names=table.schema.names).to_pylist()

    def run(self, sql: str) -> None:
        """A statement without a result."""
        statement = AdbcStatement(self._connection)
        try:
            statement.set_sql_query(sql)
            statement.execute_update()
        finally:
            statement.close()

    def ingest(self, table: str, batches: pa.RecordBatchReader) -> int:
        """Append rows to a table of exactly these columns; how many."""
        statement = AdbcStatement(self._connection)
        try:
            statement.set_options(
                **{"adbc.ingest.target_table": table, "adbc.ingest.mode": "adbc.ingest.mode.append"}
            )
            statement.bind_stream(batches)
            return int(statement.execute_update())
        finally:
            statement.close()

    def close(self) -> None:
        self._connection.close()
        self._database.close()
