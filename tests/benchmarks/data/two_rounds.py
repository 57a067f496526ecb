"""Two rounds of the benchmark's policies: the later one has some rows changed, some gone, some new, and another order.

What changed is known without looking: `answers`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tests.benchmarks.data import policies
from tests.benchmarks.data.columns import Numbers

SEED = 20260531
FIELDS = ("BDZT", "BF", "TBRMC", "ZBRQ")
"""A changed row differs in one of these, in turn."""
MOVED_EVERY = 100_000
"""Of so many rows one is gone from the later round, and one has come."""
_GONE, _NEW = 1, 2


def write(folder: Path, *, rows: int, every: int) -> None:
    """`earlier.parquet` and `later.parquet`: every `every`-th row changes in one field."""
    earlier, later = (policies.Writer(folder / f"{name}.parquet") for name in ("earlier", "later"))
    for first, table in policies.blocks(rows, rows + 1):
        numbers = np.arange(first, first + table.num_rows)
        earlier.write(table.filter(pa.array(numbers % MOVED_EVERY != _NEW)))
        edited = _edited(table, numbers, every).filter(pa.array(numbers % MOVED_EVERY != _GONE))
        order = np.random.default_rng([SEED, first]).permutation(edited.num_rows)
        later.write(edited.take(pa.array(order)))
    earlier.close()
    later.close()


def answers(rows: int, every: int) -> dict[str, int]:
    """How many rows were added, removed, changed, and how often each field."""
    numbers = np.arange(rows)
    field = _changed_field(numbers, every)
    found = Counter({name: int((field == place).sum()) for place, name in enumerate(FIELDS)})
    place = numbers % MOVED_EVERY
    return {
        "added": int((place == _NEW).sum()),
        "removed": int((place == _GONE).sum()),
        "changed": found.total(),
        **found,
    }


def _changed_field(numbers: Numbers, every: int) -> Numbers:
    """The place in FIELDS of what changes in each row, -1 where nothing does."""
    stays = (numbers % every != 0) | np.isin(numbers % MOVED_EVERY, (_GONE, _NEW))
    return np.where(stays, -1, numbers // every % len(FIELDS))


def _edited(table: pa.Table, numbers: Numbers, every: int) -> pa.Table:
    states = pa.array(policies.STATES)
    state = pc.index_in(table["BDZT"], states)
    values = {
        "BDZT": states.take(pc.if_else(pc.equal(state, len(states) - 1), 0, pc.add(state, 1))),
        "BF": pc.add(table["BF"], pa.scalar(1, pa.decimal128(3, 2))).cast(table.schema.field("BF").type),
        "TBRMC": pc.binary_join_element_wise(table["TBRMC"], "甲", ""),
        "ZBRQ": pc.add(table["ZBRQ"].cast(pa.int32()), pa.scalar(1, pa.int32())).cast(pa.date32()),
    }
    field = _changed_field(numbers, every)
    for place, name in enumerate(FIELDS):
        column = pc.if_else(pa.array(field == place), values[name], table[name])
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table
