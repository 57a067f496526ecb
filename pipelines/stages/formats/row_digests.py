"""A digest over rows of text whatever their order, and the Parquet's rows as such text – by Arrow, not by DuckDB.

Writing goes through DuckDB, so comparing through Arrow notices what either would do wrong. Empty text and NULL are the
same in a file, and so they are here.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from validations.engine import Table

BATCH_ROWS = 20_000
_MODULUS = 1 << 256


class RowDigest:
    """SHA-256 of each row, added up: equal for the same rows in any order, repetitions counted."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, row: str) -> None:
        self.rows += 1
        digest = hashlib.sha256(row.encode("utf-8")).digest()
        self._sum = (self._sum + int.from_bytes(digest)) % _MODULUS

    def hexdigest(self) -> str:
        return f"{self._sum:064x}"


def content_digests(table: Table, parquet: Path, delimiter: str) -> dict[str, RowDigest]:
    """The digest of the content's rows per organisation ('' where the table has none)."""
    names = [field.name for field in table.stored_fields]
    digests: dict[str, RowDigest] = {}
    with pq.ParquetFile(parquet) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=names):
            columns = [_texts(batch.column(name)) for name in names]
            owners = columns[names.index(table.organisation)] if table.organisation else [""] * batch.num_rows
            for owner, *values in zip(owners, *columns, strict=True):
                if owner not in digests:
                    digests[owner] = RowDigest()
                digests[owner].add(delimiter.join(values))
    return digests


def _texts(column: Any) -> list[str]:
    if pa.types.is_decimal(column.type):
        return ["" if value is None else format(value, "f") for value in column.to_pylist()]
    return pc.fill_null(pc.cast(column, pa.string()), "").to_pylist()
