"""Work spread over processes: each makes its own worker once and then does its share of the items, in their order.

What the work is, is not known here. With one process nothing is started.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

Make = Callable[[Path], Callable[[Any], Any]]

_worker: list[Callable[[Any], Any]] = []
"""This process's worker; filled when the process starts."""


def spread(make: Make, items: Sequence[Any], folder: Path, processes: int) -> Iterator[Any]:
    """What the worker that `make` returns for a folder of its own makes of each item, in the order of the items."""
    folder.mkdir(parents=True, exist_ok=True)
    if processes <= 1:
        work = make(folder)
        yield from (work(item) for item in items)
        return
    # Spawned, not forked: polars and DuckDB hold threads that a fork would lose.
    with ProcessPoolExecutor(processes, get_context("spawn"), _start, (make, folder)) as pool:
        yield from pool.map(_work, items)


def _start(make: Make, folder: Path) -> None:
    _worker.append(make(Path(tempfile.mkdtemp(dir=folder))))


def _work(item: Any) -> Any:
    return _worker[0](item)
