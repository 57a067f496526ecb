"""What every source answers: rows and totals of one unmoving view. How a database gives them is the other rooms' work."""

# pyarrow has no types:
# pyright: reportUnknownParameterType=false
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

Parameters = Mapping[str, object]
BATCH_ROWS = 65_536


class Snapshot(ABC):
    """One consistent view of a source, until it is closed. Made by `open_source`.

    `identity` says which database, `view` which state of it; `parallel` is how many tables may be streamed at once,
    each from a thread of its own, all from the same view.
    """

    parallel: int = 1

    def __init__(self, name: str, identity: str, view: str) -> None:
        self.name = name
        self.identity = identity
        self.view = view

    @abstractmethod
    def stream(
        self,
        sql: str,
        parameters: Parameters,
        schema: pa.Schema,
        *,
        batch_rows: int = BATCH_ROWS,
        sql_file: Path | str = "SQL",
    ) -> Iterator[pa.RecordBatch]:
        """The rows as batches of exactly this schema, at most `batch_rows` each; `sql_file` is named in errors.

        Raises BadInput `source.columns`, `source.value`, `source.sql`…, Refused `source.not_a_select`,
        Unavailable `source.down`.
        """

    @abstractmethod
    def totals(
        self,
        sql: str,
        parameters: Parameters,
        sum_columns: Sequence[str],
        *,
        sql_file: Path | str = "SQL",
    ) -> tuple[int, dict[str, Decimal]]:
        """How many rows, and the sums of these fields, computed by the source itself in the same view.

        Raises BadInput `source.columns` for a field the SQL does not select, `source.inexact_sum` where the
        source can only add it up as floats.
        """
