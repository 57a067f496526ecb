"""Worlds as tables: what a change makes of rows, and rows as Parquet with the dictionary's types.

Which tables a rule needs and what it finds in them is `trial`'s matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq

from validations.engine.standard import Table
from validations.engine.types import arrow_schema
from validations.kit.cells import as_text
from validations.kit.examples import Change, Place, Row, Rows


class MissingRow(LookupError):
    """A row that an example changes, copies or removes is not in the world."""

    def __init__(self, place: Place, by: Row) -> None:
        self.shown = ", ".join(f"{name}: {as_text(value)}" for name, value in by.items())
        self.place = place
        super().__init__(self.shown)


def applied(rows: Rows, change: Change) -> Rows:
    """The rows after a change; the order of the world's rows stays, additions come last. Raises MissingRow."""
    changed = [dict(row) for row in rows]
    for setting in change.set:
        for row in _matching(changed, setting.by, setting.place):
            row.update(setting.cells)
    added: list[Row] = []
    for addition in change.add:
        origin = _matching(changed, addition.like, addition.place)[0] if addition.like is not None else {}
        added.append({**origin, **addition.cells})
    removed: set[int] = set()
    for removal in change.remove:
        removed |= {id(row) for row in _matching(changed, removal.by, removal.place)}
    return tuple([row for row in changed if id(row) not in removed] + added)


def _matching(rows: Sequence[Row], by: Row, place: Place) -> list[Row]:
    found = [row for row in rows if all(row.get(name) == value for name, value in by.items())]
    if not found:
        raise MissingRow(place, by)
    return found


def write_rows(table: Table, rows: Rows, path: Path) -> Path:
    """Rows as Parquet; fields that a row does not name are NULL."""
    schema = arrow_schema(table)
    columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), path)
    return path


def read_rows(path: Path) -> Rows:
    """The rows of a small Parquet file."""
    return tuple(cast("list[Row]", pq.read_table(path).to_pylist()))
