"""Whether two Parquet files of one table can be compared: the dictionary's columns with its types, no other in one alone.

No row is read here.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import BadInput
from validations.engine import Table, arrow_schema


def require_same_columns(table: Table, earlier: Path, later: Path) -> tuple[int, int]:
    """The rows of both files. Raises BadInput naming every column that is missing, extra, repeated or of another type."""
    before, rows_before = _footer(table, earlier)
    after, rows_after = _footer(table, later)
    mistakes = _mistakes(table, earlier, before, after) + _mistakes(table, later, after, before)
    if mistakes:
        raise BadInput(
            "compare.files_differ", details=mistakes, table=table.name, earlier=earlier, later=later
        )
    return rows_before, rows_after


def _footer(table: Table, path: Path) -> tuple[pa.Schema, int]:
    try:
        return pq.read_schema(path), pq.read_metadata(path).num_rows
    except (OSError, pa.ArrowInvalid) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadInput("compare.file_unreadable", table=table.name, path=path, reason=reason) from error


def _mistakes(table: Table, path: Path, found: pa.Schema, other: pa.Schema) -> list[BadInput]:
    def mistake(code: str, column: str, **values: Any) -> BadInput:
        return BadInput(code, table=table.name, path=path, column=column, **values)

    times = Counter(found.names)
    expected = arrow_schema(table)
    mistakes = [mistake("compare.column_repeated", name) for name in times if times[name] > 1]
    for field in expected:
        if field.name not in times:
            mistakes.append(mistake("compare.column_missing", field.name))
        elif times[field.name] == 1 and (kind := _plain(found.field(field.name).type)) != field.type:
            mistakes.append(mistake("compare.column_type", field.name, found=kind, expected=field.type))
    extra = [name for name in times if name not in expected.names and name not in other.names]
    return [*mistakes, *(mistake("compare.column_extra", name) for name in extra)]


def _plain(kind: pa.DataType) -> pa.DataType:
    """Texts are texts, however Arrow lays them out."""
    return pa.string() if kind in (pa.large_string(), pa.string_view()) else kind
