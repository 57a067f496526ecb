"""Typed rows into Parquet as the judge reads it best. What a value is has been decided before."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from validations.engine.standard import Table
from validations.engine.types import arrow_schema

ROW_GROUP_ROWS = 100_000


class RowWriter:
    """Gathers frames of any size into row groups of a size that is good to judge."""

    def __init__(self, table: Table, path: Path) -> None:
        self._schema = arrow_schema(table)
        # Values differ from row to row in what people send; dictionaries of them cost more time than they save space.
        self._file = pq.ParquetWriter(path, self._schema, compression="zstd", use_dictionary=False)
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        self._file.close()

    def write(self, frame: pl.DataFrame) -> None:
        """Append rows that have the dictionary's types and order."""
        self._waiting.append(frame.to_arrow().cast(self._schema))
        self._rows += len(frame)
        if self._rows >= ROW_GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._file.write_table(pa.concat_tables(self._waiting), row_group_size=2 * ROW_GROUP_ROWS)
        self._waiting, self._rows = [], 0
