"""Parquet files that people give: whole, with the dictionary's columns, and sound to the last value. Nothing is rewritten.

A footer only promises. Truncated pages, text that is no UTF-8 (lone surrogates among it), NUL and decimals beyond their
precision are found by reading every value once, and named with row and column.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import BadInput
from validations.engine.file_input import check_counts, require_file
from validations.engine.standard import Table
from validations.engine.types import require_columns
from validations.engine.values_input import CELL_LIMIT_BYTES, Mistakes, visible

BATCH_ROWS = 65_536


def check_parquet(table: Table, source: Path, *, expect_rows: int | None = None) -> int:
    """The rows of a Parquet file that can be judged. Raises BadInput with all mistakes."""
    require_file(source)
    stated = require_columns(table, source)
    mistakes = Mistakes()
    rows = 0
    try:
        with pq.ParquetFile(source) as file:
            for batch in file.iter_batches(BATCH_ROWS):
                for name, column in zip(batch.schema.names, batch.columns, strict=True):
                    _check_column(table, source, name, column, rows, mistakes)
                rows += batch.num_rows
    except (OSError, pa.ArrowException) as error:
        raise BadInput(
            "input.parquet_damaged",
            path=source,
            table=table.name,
            row=rows + 1,
            reason=(str(error).splitlines() or [type(error).__name__])[0],
        ) from error
    if mistakes.count:
        raise BadInput(
            "input.invalid", details=mistakes.shown, path=source, table=table.name, count=mistakes.count
        )
    check_counts(source, table.name, rows, expect_rows=stated if expect_rows is None else expect_rows)
    return rows


def _check_column(
    table: Table, source: Path, name: str, column: pa.Array, before: int, mistakes: Mistakes
) -> None:
    place = {"path": source, "table": table.name, "field": name}
    is_text = table.field(name).type == "text"
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        if not is_text:
            reason = str(error).splitlines()[0]
            mistakes.add("input.parquet_value", row=before + 1, reason=reason, **place)
            return
        binary = column.cast(pa.string()).cast(pa.binary()) if column.type == pa.string_view() else column
        for index, value in enumerate(binary.cast(pa.large_binary()).to_pylist()):
            try:
                (value or b"").decode("utf-8")
            except UnicodeDecodeError as wrong:
                shown = value[wrong.start : wrong.start + 4].hex(" ")
                mistakes.add("input.parquet_not_utf8", row=before + index + 1, bytes=shown, **place)
        return
    if is_text:
        texts = pl.Series(name, column, dtype=pl.String)
        for index in texts.str.contains("\0", literal=True).arg_true().to_list():
            mistakes.add("input.parquet_nul", row=before + index + 1, value=visible(texts[index]), **place)
        for index in (texts.str.len_bytes() > CELL_LIMIT_BYTES).arg_true().to_list():
            size = f"{len(texts[index].encode()):,}"
            limit = CELL_LIMIT_BYTES >> 20
            mistakes.add("input.parquet_long", row=before + index + 1, size=size, limit=limit, **place)
