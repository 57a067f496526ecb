"""SQLite by ADBC: one read transaction on one read-only connection, every value's own type looked at.

SQLite types values, not columns, and the driver infers a column's type from its first rows and turns numbers into texts
silently. So a row of the wanted types stands before the query, numbers other than integers end the reading, and one more
column says whether any text of the row is none; what was wrong is then found by asking for the types alone.
"""

# pyarrow has no types:
# pyright: reportUnknownParameterType=false, reportAttributeAccessIssue=false
from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import adbc_driver_sqlite
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import BadInput, BaosongError, Unavailable
from resources.conversion import ColumnPlan, NotExactError
from resources.sources.adbc import DRIVER_ERRORS, AdbcSession
from resources.sources.arrow_batches import convert_batch, read_ahead, slices
from resources.sources.refusals import exact_sum, plan, summed_aliases, value_error, values_error
from resources.sources.snapshot import BATCH_ROWS, Parameters, Snapshot
from resources.sources.statements import (
    bound_values,
    check_select,
    is_list,
    quoted,
    render,
    without_semicolon,
)

_TYPES = {"integer": "int", "real": "float", "text": "str", "blob": "bytes"}


@contextmanager
def open_sqlite(name: str, path: Path, busy_timeout_seconds: float) -> Generator[Snapshot]:
    """Begin a read transaction. Raises Unavailable `source.file_missing`, `source.locked`, BadInput `source.not_a_database`."""
    if not path.is_file():
        raise Unavailable("source.file_missing", source=name, path=path)
    with _errors(name, name):
        session = AdbcSession(adbc_driver_sqlite.connect(f"file:{quote(str(path))}?mode=ro"))
    try:
        with _errors(name, name):
            session.run(f"PRAGMA busy_timeout = {int(busy_timeout_seconds * 1000)}")
            session.run("PRAGMA query_only = ON")
            session.run("BEGIN")
            master = session.rows("SELECT type, name, sql FROM sqlite_master ORDER BY type, name")
        text = "\n".join("\t".join(cell or "" for cell in row.values()) for row in master)
        schema = hashlib.sha256(text.encode()).hexdigest()[:16]
        yield SqliteSnapshot(name, f"sqlite schema {schema}", "one read transaction", session)
    finally:
        session.close()


class SqliteSnapshot(Snapshot):
    """One read transaction."""

    def __init__(self, name: str, identity: str, view: str, session: AdbcSession) -> None:
        super().__init__(name, identity, view)
        self._session = session

    def stream(
        self,
        sql: str,
        parameters: Parameters,
        schema: pa.Schema,
        *,
        batch_rows: int = BATCH_ROWS,
        sql_file: Path | str = "SQL",
    ) -> Iterator[pa.RecordBatch]:
        with _errors(self.name, sql_file):
            inner, values = _bound(sql, parameters, sql_file)
            plans = plan(self._aliases(inner, values), schema, sql_file)
            try:
                yield from self._batches(_typed(inner, plans), values, plans, schema, batch_rows, sql_file)
            except (_MixedTypesError, OSError):
                problems = self._misfits(inner, values, plans, sql_file)
                if not problems:
                    raise
                raise values_error(sql_file, problems) from None

    def totals(
        self,
        sql: str,
        parameters: Parameters,
        sum_columns: Sequence[str],
        *,
        sql_file: Path | str = "SQL",
    ) -> tuple[int, dict[str, Decimal]]:
        with _errors(self.name, sql_file):
            inner, values = _bound(sql, parameters, sql_file)
            chosen = summed_aliases(self._aliases(inner, values), sum_columns, sql_file)
            sums = "".join(f", SUM({quoted(alias)}) AS {quoted(alias)}" for _, alias in chosen)
            (row,) = self._session.rows(f"SELECT COUNT(*) AS rows{sums} FROM (\n{inner}\n)", values)
        return row["rows"], {name: exact_sum(row[alias], alias, sql_file) for name, alias in chosen}

    def _aliases(self, inner: str, values: Sequence[Any]) -> list[str]:
        """The columns of a query; SQLite numbers double ones (`BF:1`) when it is wrapped."""
        with self._session.reading(f"SELECT * FROM (\n{inner}\n) LIMIT 0", values) as reading:
            return [name.split(":")[0] for name in reading.schema.names]

    def _batches(
        self,
        query: str,
        values: Sequence[Any],
        plans: Sequence[ColumnPlan],
        schema: pa.Schema,
        batch_rows: int,
        sql_file: Path | str,
    ) -> Iterator[pa.RecordBatch]:
        first_row = 0  # the row of the wanted types comes before the first
        options = {"adbc.sqlite.query.batch_rows": str(batch_rows + 1)}
        with self._session.reading(query, values, options) as reading:
            wanted = [pa.int64() if _is_integer(each) else pa.string() for each in plans]
            if reading.schema.types[:-1] != wanted:
                raise _MixedTypesError
            in_order = [replace(each, position=position) for position, each in enumerate(plans)]
            with read_ahead(reading.batches, _let_end) as batches:
                for batch in batches:
                    kept = batch if first_row else batch.slice(1)
                    first_row = first_row or 1
                    if pc.any(kept.column(len(plans)).cast(pa.bool_())).as_py():
                        raise _MixedTypesError
                    ready = convert_batch(kept, in_order, schema, first_row, sql_file)
                    first_row += kept.num_rows
                    yield from slices(ready, batch_rows)

    def _misfits(
        self, inner: str, values: Sequence[Any], plans: Sequence[ColumnPlan], sql_file: Path | str
    ) -> list[BadInput]:
        """The first value of every column that is of a type its field cannot take, found by reading types alone."""
        names = [quoted(each.alias) for each in plans]
        types = ", ".join(f"typeof({name})" for name in names)
        found: dict[int, int] = {}
        first_row = 1
        with self._session.reading(f"SELECT {types} FROM (\n{inner}\n)", values) as reading:
            for batch in reading.batches:
                for place, each in enumerate(plans):
                    allowed = pa.array(["null", *_allowed(each)])
                    misfits = pc.invert(pc.is_in(batch.column(place), value_set=allowed))
                    if place not in found and (index := pc.index(misfits, True).as_py()) >= 0:
                        found[place] = first_row + index
                first_row += batch.num_rows
        problems: list[BadInput] = []
        for place, row in sorted(found.items()):
            name = names[place]
            ask = f"SELECT typeof({name}) AS type, length({name}) AS length FROM (\n{inner}\n) LIMIT 1 OFFSET {row - 1}"
            (cell,) = self._session.rows(ask, values)
            shown = f"{_TYPES[cell['type']]}[{cell['length']}]"
            problems.append(value_error(sql_file, plans[place], row, NotExactError(0, shown=shown)))
        return problems


class _MixedTypesError(Exception):
    """Some value is of a type that its column's field cannot take."""


def _bound(sql: str, parameters: Parameters, sql_file: Path | str) -> tuple[str, list[Any]]:
    """The statement with positional marks, and its values in that order."""
    check_select(sql, sql_file, dialect="sqlite")
    inner = without_semicolon(sql, dialect="sqlite")
    places = bound_values(inner, parameters, sql_file, dialect="sqlite")
    values: list[Any] = []
    marks: list[str] = []
    for place, value in places:
        given: list[Any] = [*value] if is_list(value) else [value]  # pyright: ignore[reportGeneralTypeIssues]
        values += [each.isoformat() if isinstance(each, date) else each for each in given]
        listed = ", ".join("?" * len(given))
        marks.append(f"{'NOT ' * place.is_negated}IN ({listed})" if place.is_list else "?")
    return render(inner, [place for place, _ in places], lambda number, _: marks[number]), values


def _typed(inner: str, plans: Sequence[ColumnPlan]) -> str:
    """The query's columns in the schema's order behind a row of the wanted types, and whether any text of a row is none.

    In SQLite's order of all values numbers come before every text, and blobs after.
    """
    names = [quoted(each.alias) for each in plans]
    sample = ", ".join("0" if _is_integer(each) else "'0'" for each in plans)
    tests = [
        f"typeof({name}) IN ('real', 'blob')"
        if pa.types.is_decimal(each.field.type)
        else f"({name} < '' OR {name} >= x'') IS TRUE"
        for each, name in zip(plans, names, strict=True)
        if not _is_integer(each)
    ]
    return f"SELECT {sample}, 0 UNION ALL SELECT {', '.join(names)}, {' OR '.join(tests) or '0'} FROM (\n{inner}\n)"


def _is_integer(each: ColumnPlan) -> bool:
    return each.decimals is not None or pa.types.is_int64(each.field.type)


def _allowed(each: ColumnPlan) -> tuple[str, ...]:
    if _is_integer(each):
        return ("integer",)
    return ("integer", "text") if pa.types.is_decimal(each.field.type) else ("text",)


def _let_end() -> None:
    """Batches are small and SQLite is at hand: the one being read may end."""


@contextmanager
def _errors(source: str, sql_file: Path | str) -> Generator[None]:
    try:
        yield
    except DRIVER_ERRORS as error:
        raise _explained(error, source, sql_file) from error


def _explained(error: Exception, source: str, sql_file: Path | str) -> BaosongError:
    """SQLite's texts name objects, never values; the driver hands on no codes."""
    first = (str(error).splitlines() or [""])[0]
    reason = first.rpartition("[SQLite] ")[2].rpartition("query: ")[2]
    if "is locked" in reason:
        return Unavailable("source.locked", source=source)
    if "not a database" in reason or "malformed" in reason:
        return BadInput("source.not_a_database", source=source, reason=reason)
    if "unable to open" in reason or "disk I/O" in reason:
        return Unavailable("source.down", source=source, reason=reason)
    return BadInput("source.sql", file=sql_file, source=source, reason=reason)
