"""Reading the SQL of standards before it runs: parsed, read-only, known tables, columns and parameters.

Predicates (`holds`, `when`, `expected`, macros) and queries are parsed by sqlglot as DuckDB's, then bound by
DuckDB on empty tables, which knows every function and type. Nothing here touches data.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from validations.engine.standard import Table
from validations.engine.types import duckdb_type

PARAMETERS = {
    "date_from": "2000-01-01",
    "date_to": "2000-12-31",
    "year_from": "2000-01-01",
    "period_from": "200001",
    "period_to": "200012",
    "key": "2000",
    "report": "report",
}
"""The parameters a query may name as `$name`, with values of their form."""

_SERIES = ("range", "generate_series")  # table functions that read nothing
_QUERIES = (exp.Select, exp.SetOperation)
_logger = logging.getLogger("sqlglot")


class SqlMistake(Exception):
    """What is wrong with one SQL text: a code of the catalogue, its values, the line in the text (from 1)."""

    def __init__(self, code: str, values: dict[str, object], line: int = 1) -> None:
        super().__init__(code)
        self.code, self.values, self.line = code, values, line


def _parsed(text: str) -> list[exp.Expr]:
    level = _logger.level
    _logger.setLevel(logging.ERROR)  # "unsupported syntax, falling back to Command" is refused below
    try:
        return [
            statement for statement in sqlglot.parse(text.rstrip(), dialect="duckdb") if statement is not None
        ]
    except SqlglotError as error:
        details: list[dict[str, object]] = getattr(error, "errors", [])
        line = details[0].get("line") if details else 1
        reason = str(details[0].get("description") if details else error).splitlines()[0]
        raise SqlMistake(
            "validations.sql_unparsable", {"reason": reason}, line if isinstance(line, int) else 1
        ) from error
    finally:
        _logger.setLevel(level)


def read_predicate(text: str, table: Table, macros: Mapping[str, str] | None = None) -> str:
    """A predicate over one row of `table`, macros expanded, as DuckDB text. Raises SqlMistake."""
    statements = _parsed(f"SELECT {text}")
    select = statements[0] if statements else None
    if len(statements) != 1 or not isinstance(select, exp.Select) or len(select.expressions) != 1:
        raise SqlMistake("validations.sql_not_an_expression", {"sql": text})
    if any(value for key, value in select.args.items() if key != "expressions") or isinstance(
        select.expressions[0], (exp.Alias, exp.Star)
    ):
        raise SqlMistake("validations.sql_not_an_expression", {"sql": text})
    if select.find(exp.Subquery, exp.Exists) or len(list(select.find_all(exp.Select))) > 1:
        raise SqlMistake("validations.sql_not_an_expression", {"sql": text})
    _refuse_parameters(select, ())
    expanded = _expand(select, macros or {})
    known = {field.name for field in table.stored_fields}
    for column in expanded.find_all(exp.Column):
        if column.name not in known or column.table:
            raise SqlMistake(
                "validations.sql_unknown_column",
                {"column": column.sql(), "table": table.name, "known": ", ".join(sorted(known))},
            )
    return expanded.expressions[0].sql(dialect="duckdb")


def read_macro(text: str) -> None:
    """Whether a macro is an SQL expression at all; its columns are known where it is used. Raises SqlMistake."""
    statements = _parsed(f"SELECT {text}")
    select = statements[0] if len(statements) == 1 else None
    if not isinstance(select, exp.Select) or len(select.expressions) != 1 or select.find(exp.From, exp.Alias):
        raise SqlMistake("validations.sql_not_an_expression", {"sql": text})


def _expand(select: exp.Expr, macros: Mapping[str, str]) -> exp.Expr:
    def replaced(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and not node.table and node.name in macros:
            inner = _parsed(f"SELECT {macros[node.name]}")[0]
            return exp.Paren(this=inner.expressions[0])
        return node

    return select.transform(replaced)


def _refuse_parameters(statement: exp.Expr, known: Iterable[str]) -> set[str]:
    used = {node.name for node in statement.find_all(exp.Parameter, exp.Placeholder)}
    unknown = sorted(used - set(known))
    if unknown:
        raise SqlMistake(
            "validations.sql_unknown_parameter", {"parameter": ", ".join(unknown), "known": ", ".join(known)}
        )
    return used


@dataclass(frozen=True)
class Query:
    """A read-only query: its text, the standard's tables it reads, the parameters it names."""

    text: str
    tables: tuple[str, ...]
    parameters: tuple[str, ...]


def read_query(text: str, tables: Iterable[str]) -> Query:
    """A single SELECT over tables of the standard. Raises SqlMistake."""
    statements = _parsed(text)
    if len(statements) != 1 or not isinstance(statements[0], _QUERIES):
        raise SqlMistake("validations.sql_not_read_only", {})
    statement = statements[0]
    if (
        statement.find(exp.Into, exp.Command, exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create)
        is not None
    ):
        raise SqlMistake("validations.sql_not_read_only", {})
    own = {cte.alias for cte in statement.find_all(exp.CTE)}
    known = set(tables)
    read: set[str] = set()
    for table in statement.find_all(exp.Table):
        is_function = not isinstance(table.this, exp.Identifier)
        if table.name in own and not table.db:
            continue
        if is_function and table.this.sql(dialect="duckdb").split("(")[0].lower() in _SERIES:
            continue
        if is_function or table.name not in known or table.db:
            raise SqlMistake(
                "validations.sql_unknown_table",
                {"table": table.sql(dialect="duckdb"), "known": ", ".join(sorted(known))},
            )
        read.add(table.name)
    used = _refuse_parameters(statement, PARAMETERS)
    return Query(text.strip().rstrip(";"), tuple(sorted(read)), tuple(sorted(used)))


def read_derivation(path: Path, tables: Iterable[str]) -> Query:
    """How a derived table comes about: a query over `tables`, or the rows of a CSV beside its dictionary.

    Raises SqlMistake.
    """
    if path.suffix == ".csv":
        quoted = "'" + str(path).replace("'", "''") + "'"
        return Query(f"SELECT * FROM read_csv({quoted}, header = true, all_varchar = true)", (), ())
    return read_query(path.read_text(encoding="utf-8"), tables)


class Binder:
    """DuckDB on empty tables of the standard: says what a text means before there is data."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._connection = duckdb.connect(":memory:", config={"threads": 1})
        for table in tables:
            fields = {field.name.lower(): field for field in table.stored_fields}  # twice is noted elsewhere
            columns = ", ".join(f'"{field.name}" {duckdb_type(field)}' for field in fields.values())
            self._connection.execute(f'CREATE TABLE "{table.name}" ({columns})')

    def __enter__(self) -> Binder:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def predicate_type(self, predicate: str, table: str) -> str:
        """The DuckDB type of an expression over one row. Raises SqlMistake."""
        return self.columns(f'SELECT {predicate} AS value FROM "{table}"')["value"]

    def columns(self, query: str, parameters: Iterable[str] = ()) -> dict[str, str]:
        """Names and types of what a query returns. Raises SqlMistake."""
        values = {name: PARAMETERS[name] for name in parameters}
        try:
            cursor = self._connection.execute(query, values) if values else self._connection.execute(query)
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise SqlMistake("validations.sql_unbindable", {"reason": reason}) from error
        return {str(column[0]): str(column[1]) for column in cursor.description or ()}
