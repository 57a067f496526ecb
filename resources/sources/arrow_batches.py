"""Batches as a driver gives them turned into batches of the dictionary, read ahead so that reading and writing overlap.

Bounded: at most `AHEAD` batches wait, whatever the table's size. What the connection's errors mean is not known here.
"""

# pyarrow has no types:
# pyright: reportUnknownParameterType=false
from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from typing import Any

import pyarrow as pa

from pipelines.errors import BadInput
from resources.conversion import ColumnPlan, NotExactError, convert_column
from resources.sources.adbc import DRIVER_ERRORS
from resources.sources.refusals import value_error, values_error

AHEAD = 2
_END = object()


def convert_batch(
    batch: pa.RecordBatch,
    plans: Sequence[ColumnPlan],
    schema: pa.Schema,
    first_row: int,
    sql_file: Path | str,
    *,
    is_number: Callable[[ColumnPlan], bool] = lambda _: False,
) -> pa.RecordBatch:
    """Raises BadInput `source.value` with the first misfit of every column; `first_row` is 1-based."""
    arrays: list[Any] = []
    problems: list[BadInput] = []
    for plan in plans:
        column = batch.column(plan.position)
        if isinstance(column, pa.ExtensionArray):
            column = column.storage
        try:
            arrays.append(convert_column(column, plan, is_number=is_number(plan)))
        except NotExactError as error:
            problems.append(value_error(sql_file, plan, first_row, error))
    if problems:
        raise values_error(sql_file, problems)
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def slices(batch: pa.RecordBatch, rows: int) -> Iterator[pa.RecordBatch]:
    """The batch in pieces of at most so many rows."""
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


@contextmanager
def read_ahead(
    batches: Iterable[pa.RecordBatch], cancel: Callable[[], None]
) -> Generator[Iterator[pa.RecordBatch]]:
    """Read `batches` in a thread of its own; `cancel` stops the reading when the block is left before the end."""
    waiting: Queue[Any] = Queue(AHEAD)
    left = Event()

    def read() -> None:
        try:
            for batch in batches:
                if left.is_set():
                    break
                waiting.put(batch)
        except DRIVER_ERRORS as error:  # raised again where the batches are taken
            waiting.put(error)
        finally:
            waiting.put(_END)

    def taken() -> Iterator[pa.RecordBatch]:
        while (item := waiting.get()) is not _END:
            if isinstance(item, Exception):
                raise item
            yield item
        ended.set()

    ended = Event()
    reader = Thread(target=read, name="read ahead", daemon=True)
    reader.start()
    try:
        yield taken()
    finally:
        left.set()
        if not ended.is_set():
            cancel()
            for _ in iter(waiting.get, _END):
                pass
        reader.join()
