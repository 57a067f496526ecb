"""PostgreSQL by ADBC: COPY streams in binary, and as many connections as wanted read one exported snapshot.

COPY takes no parameters, so each value is bound to `set_config` as a setting of the transaction and read where it is
needed, in the type that the server itself deduced for that place. What the server's errors mean is `postgresql_errors`.
"""

# pyarrow has no types:
# pyright: reportUnknownParameterType=false
from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from pipelines.errors import BadInput
from resources.conversion import ColumnPlan
from resources.sources.adbc import AdbcSession, Reading
from resources.sources.arrow_batches import convert_batch, read_ahead, slices
from resources.sources.postgresql_connections import BEGIN, Pool, connect, connection_words, errors_explained
from resources.sources.refusals import exact_sum, plan, summed_aliases, values_error
from resources.sources.snapshot import BATCH_ROWS, Parameters, Snapshot
from resources.sources.statements import (
    Placeholder,
    bound_values,
    check_select,
    is_list,
    quoted,
    render,
    without_semicolon,
)

_BATCH_BYTES = {"adbc.postgresql.batch_size_hint_bytes": str(2 << 20)}
_TEXT = {"text", "varchar", "bpchar", "name"}
_INTEGER = {"int2", "int4", "int8"}


@contextmanager
def open_postgresql(name: str, url: sa.URL, connections: int) -> Generator[Snapshot]:
    """Export a snapshot that up to `connections` connections read at once. Raises Unavailable `source.down`."""
    uri = connection_words(url)
    first = connect(uri, name)
    pool: Pool | None = None
    try:
        with errors_explained(name, name):
            first.run(BEGIN)
            (row,) = first.rows(
                "SELECT pg_export_snapshot() AS exported, pg_current_snapshot()::text AS view, "
                "current_setting('server_version') AS version"
            )
        pool = Pool(name, uri, row["exported"])
        where = f"postgresql {url.host or url.query.get('host', '')}/{url.database or ''}"
        snapshot = PostgresqlSnapshot(name, f"{where} {row['version']}", row["view"], pool)
        snapshot.parallel = connections
        yield snapshot
    finally:
        if pool is not None:
            pool.close()
        first.close()


class PostgresqlSnapshot(Snapshot):
    """An exported snapshot and the connections that read it."""

    def __init__(self, name: str, identity: str, view: str, pool: Pool) -> None:
        super().__init__(name, identity, view)
        self._pool = pool

    def stream(
        self,
        sql: str,
        parameters: Parameters,
        schema: pa.Schema,
        *,
        batch_rows: int = BATCH_ROWS,
        sql_file: Path | str = "SQL",
    ) -> Iterator[pa.RecordBatch]:
        check_select(sql, sql_file, dialect="postgresql")
        first_row = 1
        with self._pool.session(sql_file) as session:
            statement = _bound(session, sql, parameters, sql_file)
            with session.reading(statement, options=_BATCH_BYTES) as reading:
                plans = plan(reading.schema.names, schema, sql_file)
                is_number = _numbers(reading, plans, sql_file)
                with read_ahead(reading.batches, reading.cancel) as batches:
                    for batch in batches:
                        ready = convert_batch(batch, plans, schema, first_row, sql_file, is_number=is_number)
                        first_row += batch.num_rows
                        yield from slices(ready, batch_rows)

    def totals(
        self,
        sql: str,
        parameters: Parameters,
        sum_columns: Sequence[str],
        *,
        sql_file: Path | str = "SQL",
    ) -> tuple[int, dict[str, Decimal]]:
        check_select(sql, sql_file, dialect="postgresql")
        with self._pool.session(sql_file) as session:
            inner = _bound(session, sql, parameters, sql_file)
            with session.reading(f"SELECT * FROM (\n{inner}\n) AS extracted LIMIT 0") as reading:
                chosen = summed_aliases(reading.schema.names, sum_columns, sql_file)
                types = {field.name: _type(field) for field in reading.schema}
                for _ in reading.batches:
                    pass
            sums = "".join(
                f", SUM({f'CAST({quoted(a)} AS numeric)' if types[a] in _TEXT else quoted(a)})::text AS {quoted(a)}"
                for _, a in chosen
            )
            (row,) = session.rows(f"SELECT COUNT(*) AS rows{sums} FROM (\n{inner}\n) AS extracted")
        inexact = [alias for _, alias in chosen if types[alias] not in {*_TEXT, *_INTEGER, "numeric"}]
        if inexact:
            raise BadInput("source.inexact_sum", file=sql_file, column=", ".join(inexact))
        return row["rows"], {name: exact_sum(_number(row[a]), a, sql_file) for name, a in chosen}


def _bound(session: AdbcSession, sql: str, parameters: Parameters, sql_file: Path | str) -> str:
    """The statement reading its values from settings of this transaction, which are bound here."""
    inner = (
        without_semicolon(sql, dialect="postgresql") + "\n"
    )  # what is put behind it is no part of a comment
    values = bound_values(inner, parameters, sql_file, dialect="postgresql")
    if not values:
        return inner
    places = [place for place, _ in values]
    session.run(f"PREPARE baosong AS {render(inner, places, _numbered)}")
    types = session.rows(
        "SELECT format('%I.%I', n.nspname, t.typname) AS type FROM pg_prepared_statements AS s, "
        "unnest(s.parameter_types) WITH ORDINALITY AS p (oid, place) JOIN pg_type AS t ON t.oid = p.oid::oid "
        "JOIN pg_namespace AS n ON n.oid = t.typnamespace WHERE s.name = 'baosong' ORDER BY place"
    )
    session.run("DEALLOCATE baosong")
    settings = ", ".join(f"set_config('baosong.p{n}', ${n}, true)" for n in range(1, len(values) + 1))
    session.rows(f"SELECT {settings}", [_setting(value) for _, value in values])

    def written(number: int, place: Placeholder) -> str:
        cast = f"CAST(current_setting('baosong.p{number + 1}') AS {types[number]['type']})"
        # A list is read once; a single value stays visible to the planner, whose estimates depend on it.
        return f"{_comparison(place)}((SELECT {cast})::{types[number]['type']})" if place.is_list else cast

    return render(inner, places, written)


def _numbered(number: int, place: Placeholder) -> str:
    return f"{_comparison(place)}(${number + 1})" if place.is_list else f"${number + 1}"


def _comparison(place: Placeholder) -> str:
    return "<> ALL " if place.is_negated else "= ANY "


def _setting(value: object) -> str:
    """A value as PostgreSQL reads its type from text; a list as its array."""
    if is_list(value):
        elements: Any = value
        escaped = (str(each).replace("\\", "\\\\").replace('"', '\\"') for each in elements)
        return "{" + ",".join(f'"{each}"' for each in escaped) + "}"
    return str(value)


def _type(field: pa.Field) -> str:
    """The server's name of the type; of a domain, of the type below it."""
    return (field.metadata or {}).get(b"POSTGRESQL:type", b"?").decode()


def _numbers(
    reading: Reading, plans: Sequence[ColumnPlan], sql_file: Path | str
) -> Callable[[ColumnPlan], bool]:
    """Which columns hold numerals. Raises BadInput `source.value` for columns of types that fill no such field."""
    types = [_type(field) for field in reading.schema]
    problems: list[BadInput] = []
    for each in plans:
        kind, given = each.field.type, types[each.position]
        accepted = set(_TEXT)  # NULL is text, and so may be a date or an amount
        if pa.types.is_decimal(kind) or pa.types.is_int64(kind):
            accepted |= {*_INTEGER, "numeric"}
        elif pa.types.is_date32(kind):
            accepted |= {"date"}
        if given not in accepted:
            reason = f"{given} → {each.expected}"
            problems.append(BadInput("source.type", file=sql_file, column=each.alias, reason=reason))
    if problems:
        raise values_error(sql_file, problems)
    return lambda each: types[each.position] == "numeric"


def _number(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return None
