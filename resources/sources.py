"""Source databases, read-only: one read transaction per extraction, streamed as Arrow batches.

What is read stands in SQL files; how values become the dictionary's types is `conversion.py`. Baosong never
writes to a source: SQLite files are opened read-only, other databases in a read-only transaction, and
anything but a single SELECT is refused before it is sent.
"""

# pyarrow has no types:
# pyright: reportUnknownParameterType=false
from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import sqlalchemy as sa
import sqlglot
from sqlalchemy import exc
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from pipelines.errors import BadInput, BaosongError, Refused, Unavailable
from resources.conversion import ColumnPlan, NotExactError, convert, plan_columns, scale_integer, split_alias
from resources.deployment.connections import SourceConfig, SqliteSource
from resources.secrets import resolve

_WRITING = (
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
    exp.Create,
    exp.Drop,
    exp.Alter,
    exp.Into,
    exp.Lock,
    exp.Command,
)


class Snapshot:
    """One consistent view of a source, until it is closed. Made by `open_source`."""

    def __init__(self, name: str, identity: str, connection: sa.Connection) -> None:
        self.name = name
        self.identity = identity
        self._connection = connection

    def stream(
        self,
        sql: str,
        parameters: Mapping[str, object],
        schema: pa.Schema,
        *,
        batch_rows: int = 50_000,
        sql_file: Path | str = "SQL",
    ) -> Iterator[pa.RecordBatch]:
        """The rows as batches of exactly this schema; `sql_file` is named in errors.

        Raises BadInput `source.columns`, `source.value`, `source.sql`…, Refused `source.not_a_select`,
        Unavailable `source.down`.
        """
        statement = self._statement(sql, parameters, sql_file)
        first_row = 1
        with self._errors(sql_file):
            options = {"stream_results": True, "yield_per": batch_rows}
            result = self._connection.execute(statement, execution_options=options)
            try:
                plans = _plan(list(result.keys()), schema, sql_file)
                for rows in result.partitions(batch_rows):
                    yield _batch(rows, plans, schema, first_row, sql_file)
                    first_row += len(rows)
            finally:
                result.close()

    def totals(
        self,
        sql: str,
        parameters: Mapping[str, object],
        sum_columns: Sequence[str],
        *,
        sql_file: Path | str = "SQL",
    ) -> tuple[int, dict[str, Decimal]]:
        """How many rows, and the sums of these fields, computed by the source itself in the same snapshot.

        Raises BadInput `source.columns` for a field the SQL does not select, `source.inexact_sum` where the
        source can only add it up as floats.
        """
        self._statement(sql, parameters, sql_file)  # refused before anything is wrapped around it
        inner = _without_semicolon(sql)
        with self._errors(sql_file):
            empty = self._statement(f"SELECT * FROM (\n{inner}\n) AS extracted LIMIT 0", parameters, sql_file)
            with self._connection.execute(empty) as result:
                aliases = {split_alias(alias)[0].casefold(): alias for alias in result.keys()}  # noqa: SIM118
            unknown = [name for name in sum_columns if name.casefold() not in aliases]
            if unknown:
                raise _columns_error(sql_file, missing=unknown, extra=[], double=[])
            chosen = [aliases[name.casefold()] for name in sum_columns]
            quoter = self._connection.dialect.identifier_preparer.quote_identifier
            sums = "".join(f", SUM({quoter(alias)})" for alias in chosen)
            query = self._statement(
                f"SELECT COUNT(*){sums} FROM (\n{inner}\n) AS extracted", parameters, sql_file
            )
            count, *values = self._connection.execute(query).one()
        totals = {
            name: _exact_sum(value, alias, sql_file)
            for name, alias, value in zip(sum_columns, chosen, values, strict=True)
        }
        return int(count), totals

    def _statement(self, sql: str, parameters: Mapping[str, object], sql_file: Path | str) -> sa.TextClause:
        check_select(sql, sql_file, dialect=self._connection.dialect.name)
        clause = sa.text(_without_semicolon(sql))
        names: list[str] = sorted(clause._bindparams)  # pyright: ignore[reportPrivateUsage]
        missing = [name for name in names if name not in parameters]
        if missing:
            known = ", ".join(sorted(parameters)) or "-"
            raise BadInput("source.parameter", file=sql_file, missing=", ".join(missing), known=known)
        return clause.bindparams(*(_bind(name, parameters[name]) for name in names))

    @contextmanager
    def _errors(self, sql_file: Path | str) -> Generator[None]:
        try:
            yield
        except exc.SQLAlchemyError as error:
            raise _explained(error, self.name, sql_file) from error


@contextmanager
def open_source(config: SourceConfig, home: Path, *, busy_timeout_seconds: float = 30) -> Generator[Snapshot]:
    """Begin one read transaction on the source and end it when the block does.

    Raises Unavailable `source.down` or `source.locked`, BadInput `source.not_a_database` or `source.url`.
    """
    engine = (
        _sqlite_engine(config.name, config.path(home), busy_timeout_seconds)
        if isinstance(config, SqliteSource)
        else _engine(config.name, resolve(config.url, home))
    )
    try:
        try:
            connection = engine.connect()
        except exc.SQLAlchemyError as error:
            raise _explained(error, config.name, config.name) from error
        with connection:
            try:
                identity = _begin(connection)
            except exc.SQLAlchemyError as error:
                raise _explained(error, config.name, config.name) from error
            yield Snapshot(config.name, identity, connection)
            connection.rollback()
    finally:
        engine.dispose()


def check_select(sql: str, sql_file: Path | str, *, dialect: str) -> None:
    """Raises Refused `source.not_a_select` unless it is one single SELECT, BadInput `source.unparsable`."""
    read = {"postgresql": "postgres", "mssql": "tsql"}.get(dialect, dialect)
    try:
        statements = sqlglot.parse(sql, read=read)
    except (ParseError, TokenError) as error:
        details: list[Any] = getattr(error, "errors", [])
        line = details[0].get("line", "?") if details else "?"
        raise BadInput("source.unparsable", file=sql_file, line=line) from None
    parsed = [each for each in statements if each is not None and not isinstance(each, exp.Semicolon)]
    single = parsed[0] if len(parsed) == 1 else None
    if not isinstance(single, exp.Query) or single.find(*_WRITING) is not None:
        raise Refused("source.not_a_select", file=sql_file, count=len(parsed))


def _sqlite_engine(name: str, path: Path, timeout_seconds: float) -> sa.Engine:
    if not path.is_file():
        raise Unavailable("source.file_missing", source=name, path=path)

    def connect() -> sqlite3.Connection:
        uri = f"file:{quote(str(path))}?mode=ro"
        # isolation_level None: the driver begins nothing by itself, so BEGIN means what it says
        return sqlite3.connect(
            uri, uri=True, timeout=timeout_seconds, isolation_level=None, check_same_thread=False
        )

    return sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool)


def _engine(name: str, url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() == "sqlite":
            raise BadInput("source.sqlite_by_url", source=name)
        return sa.create_engine(parsed, poolclass=sa.NullPool)
    except exc.ArgumentError:
        raise BadInput("source.url", source=name) from None
    except ModuleNotFoundError as error:
        raise BadInput("source.driver_missing", source=name, driver=error.name or "?") from None


def _begin(connection: sa.Connection) -> str:
    """Begin the read transaction and fix its view by a first read; returns the source's identity."""
    dialect = connection.dialect.name
    if dialect == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("BEGIN")
        rows = connection.exec_driver_sql(
            "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
        ).all()
        text = "\n".join("\t".join("" if cell is None else str(cell) for cell in row) for row in rows)
        return f"sqlite schema {hashlib.sha256(text.encode()).hexdigest()[:16]}"
    options: dict[str, Any] = {"isolation_level": "REPEATABLE READ"}
    if dialect == "postgresql":
        options["postgresql_readonly"] = True
    connection.execution_options(**options)
    connection.execute(sa.select(sa.literal(1))).scalar_one()
    url = connection.engine.url
    return f"{dialect} {url.host or ''}/{url.database or ''}"


def _bind(name: str, value: object) -> Any:
    expanding = isinstance(value, list | tuple | set | frozenset)
    return sa.bindparam(name, value=list(value) if expanding else value, expanding=expanding)


def _without_semicolon(sql: str) -> str:
    """The statement without its end mark and what comments follow it, so that it can be wrapped."""
    tokens = sqlglot.tokenize(sql)
    last = tokens[-1] if tokens else None
    return sql[: last.start] if last is not None and last.token_type == sqlglot.TokenType.SEMICOLON else sql


def _plan(aliases: Sequence[str], schema: pa.Schema, sql_file: Path | str) -> list[ColumnPlan]:
    plans, missing, extra, double = plan_columns(aliases, schema)
    if missing or extra or double:
        raise _columns_error(sql_file, missing=missing, extra=extra, double=double)
    return plans


def _columns_error(
    sql_file: Path | str, *, missing: Sequence[str], extra: Sequence[str], double: Sequence[str]
) -> BadInput:
    listed = {"missing": missing, "extra": extra, "double": double}
    named = {key: ", ".join(names) or "-" for key, names in listed.items()}
    return BadInput("source.columns", details=(), file=sql_file, **named)


def _batch(
    rows: Sequence[Any], plans: Sequence[ColumnPlan], schema: pa.Schema, first_row: int, sql_file: Path | str
) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True))
    arrays: list[Any] = []
    problems: list[BaosongError] = []
    for plan in plans:
        try:
            arrays.append(convert(columns[plan.position], plan))
        except NotExactError as error:
            problems.append(
                BadInput(
                    "source.value_at",
                    file=sql_file,
                    column=plan.alias,
                    row=first_row + error.index,
                    expected=plan.expected,
                    value=error.shown,
                )
            )
        except TypeError as error:
            problems.append(BadInput("source.type", file=sql_file, column=plan.alias, reason=str(error)))
    if problems:
        raise BadInput("source.value", file=sql_file, details=problems)
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _exact_sum(value: object, alias: str, sql_file: Path | str) -> Decimal:
    decimals = split_alias(alias)[1]
    if value is None:
        return scale_integer(0, decimals or 0)
    if isinstance(value, float) or not isinstance(value, int | Decimal):
        raise BadInput("source.inexact_sum", file=sql_file, column=alias)
    if isinstance(value, int):
        return scale_integer(value, decimals or 0)
    return value.scaleb(-decimals) if decimals else value


def _explained(error: exc.SQLAlchemyError, source: str, sql_file: Path | str) -> BaosongError:
    """A driver's error in the words of the catalogue; texts that may quote data are left out."""
    cause = getattr(error, "orig", None)
    if isinstance(cause, sqlite3.Error):
        return _explained_sqlite(cause, source, sql_file)
    if isinstance(error, exc.ProgrammingError):
        reason = (str(cause).splitlines() or [""])[0]
        return BadInput("source.sql", file=sql_file, source=source, reason=reason)
    if isinstance(error, exc.StatementError) and not isinstance(error, exc.DBAPIError):
        return BadInput("source.sql", file=sql_file, source=source, reason=type(error).__name__)
    return Unavailable("source.down", source=source, reason=type(cause or error).__name__)


def _explained_sqlite(cause: sqlite3.Error, source: str, sql_file: Path | str) -> BaosongError:
    reason = (str(cause).splitlines() or [""])[0]
    name = getattr(cause, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Unavailable("source.locked", source=source)
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return BadInput("source.not_a_database", source=source, reason=reason)
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_IOERR")):
        return Unavailable("source.down", source=source, reason=reason)
    if "decode to UTF-8" in reason:  # the text goes on with the data itself
        return BadInput("source.not_utf8", file=sql_file, column=reason.split("'")[1])
    return BadInput("source.sql", file=sql_file, source=source, reason=reason)
