"""Any database that SQLAlchemy reaches: a server-side cursor, rows converted one by one, exactly or not at all.

One connection, so one table at a time. PostgreSQL and SQLite have rooms of their own, which are several times faster.
"""

# pyarrow has no types:
# pyright: reportUnknownParameterType=false
from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc

from pipelines.errors import BadInput, BaosongError, Unavailable
from resources.conversion import ColumnPlan, NotExactError, convert
from resources.sources.refusals import exact_sum, plan, summed_aliases, value_error, values_error
from resources.sources.snapshot import BATCH_ROWS, Parameters, Snapshot
from resources.sources.statements import bound_values, check_select, is_list, without_semicolon


@contextmanager
def open_database(name: str, url: sa.URL) -> Generator[Snapshot]:
    """Begin a REPEATABLE READ transaction, read-only where the database can. Raises Unavailable, BadInput."""
    try:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
    except exc.ArgumentError:
        raise BadInput("source.url", source=name) from None
    except ModuleNotFoundError as error:
        raise BadInput("source.driver_missing", source=name, driver=error.name or "?") from None
    try:
        try:
            connection = engine.connect()
        except exc.SQLAlchemyError as error:
            raise _explained(error, name, name) from error
        with connection:
            try:
                snapshot = _begin(name, connection)
            except exc.SQLAlchemyError as error:
                raise _explained(error, name, name) from error
            yield snapshot
            connection.rollback()
    finally:
        engine.dispose()


class DatabaseSnapshot(Snapshot):
    """One transaction on one connection."""

    def __init__(self, name: str, identity: str, view: str, connection: sa.Connection) -> None:
        super().__init__(name, identity, view)
        self._connection = connection

    def stream(
        self,
        sql: str,
        parameters: Parameters,
        schema: pa.Schema,
        *,
        batch_rows: int = BATCH_ROWS,
        sql_file: Path | str = "SQL",
    ) -> Iterator[pa.RecordBatch]:
        statement = self._statement(sql, parameters, sql_file)
        first_row = 1
        with self._errors(sql_file):
            options = {"stream_results": True, "yield_per": batch_rows}
            result = self._connection.execute(statement, execution_options=options)
            try:
                plans = plan(list(result.keys()), schema, sql_file)
                for rows in result.partitions(batch_rows):
                    yield _batch(rows, plans, schema, first_row, sql_file)
                    first_row += len(rows)
            finally:
                result.close()

    def totals(
        self,
        sql: str,
        parameters: Parameters,
        sum_columns: Sequence[str],
        *,
        sql_file: Path | str = "SQL",
    ) -> tuple[int, dict[str, Decimal]]:
        self._statement(sql, parameters, sql_file)  # refused before anything is wrapped around it
        inner = without_semicolon(sql, dialect=self._connection.dialect.name)
        with self._errors(sql_file):
            empty = self._statement(
                f"SELECT * FROM (\n{inner}\n) extracted WHERE 1 = 0", parameters, sql_file
            )
            with self._connection.execute(empty) as result:
                chosen = summed_aliases(list(result.keys()), sum_columns, sql_file)
            quoter = self._connection.dialect.identifier_preparer.quote_identifier
            sums = "".join(f", SUM({quoter(alias)})" for _, alias in chosen)
            query = self._statement(
                f"SELECT COUNT(*){sums} FROM (\n{inner}\n) extracted", parameters, sql_file
            )
            count, *values = self._connection.execute(query).one()
        pairs = zip(chosen, values, strict=True)
        return int(count), {name: exact_sum(value, alias, sql_file) for (name, alias), value in pairs}

    def _statement(self, sql: str, parameters: Parameters, sql_file: Path | str) -> sa.TextClause:
        dialect = self._connection.dialect.name
        check_select(sql, sql_file, dialect=dialect)
        values = {
            place.name: value for place, value in bound_values(sql, parameters, sql_file, dialect=dialect)
        }
        clause = sa.text(without_semicolon(sql, dialect=dialect))
        return clause.bindparams(*(_bind(name, value) for name, value in values.items()))

    @contextmanager
    def _errors(self, sql_file: Path | str) -> Generator[None]:
        try:
            yield
        except exc.SQLAlchemyError as error:
            raise _explained(error, self.name, sql_file) from error


def _begin(name: str, connection: sa.Connection) -> DatabaseSnapshot:
    """Begin the read transaction and fix its view by a first read."""
    dialect = connection.dialect.name
    options: dict[str, Any] = {"isolation_level": "REPEATABLE READ"}
    if dialect == "postgresql":
        options["postgresql_readonly"] = True
    connection.execution_options(**options)
    connection.execute(sa.select(sa.literal(1))).scalar_one()
    url = connection.engine.url
    identity = f"{dialect} {url.host or ''}/{url.database or ''}"
    return DatabaseSnapshot(name, identity, "repeatable read", connection)


def _bind(name: str, value: object) -> Any:
    return sa.bindparam(name, value=list(value) if is_list(value) else value, expanding=is_list(value))  # type: ignore[call-overload]


def _batch(
    rows: Sequence[Any], plans: Sequence[ColumnPlan], schema: pa.Schema, first_row: int, sql_file: Path | str
) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True))
    arrays: list[Any] = []
    problems: list[BadInput] = []
    for each in plans:
        try:
            arrays.append(convert(columns[each.position], each))
        except NotExactError as error:
            problems.append(value_error(sql_file, each, first_row, error))
    if problems:
        raise values_error(sql_file, problems)
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _explained(error: exc.SQLAlchemyError, source: str, sql_file: Path | str) -> BaosongError:
    """A driver's error in the words of the catalogue; texts that may quote data are left out."""
    cause = getattr(error, "orig", None)
    if isinstance(error, exc.ProgrammingError):
        reason = (str(cause).splitlines() or [""])[0]
        return BadInput("source.sql", file=sql_file, source=source, reason=reason)
    if isinstance(error, exc.StatementError) and not isinstance(error, exc.DBAPIError):
        return BadInput("source.sql", file=sql_file, source=source, reason=type(error).__name__)
    return Unavailable("source.down", source=source, reason=type(cause or error).__name__)
