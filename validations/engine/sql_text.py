"""Reading the SQL of standards before it runs: parsed, read-only, known tables, columns and parameters.

Predicates (`holds`, `when`, `expected`, macros) and queries are parsed by sqlglot as DuckDB's; `binder` then asks DuckDB what
they mean. Nothing here touches data.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from validations.engine.standard import Macro, Table

PARAMETERS = {
    "date_from": "2000-01-01",
    "date_to": "2000-12-31",
    "year_from": "2000-01-01",
    "period_from": "200001",
    "period_to": "200012",
    "key": "2000",
    "report": "report",
    "previous_from": "1999-01-01",
    "previous_to": "1999-12-31",
}
"""The parameters any text may name as `$name`, with values of their form."""

PREVIOUS = "previous"
"""The namespace of the last accepted filing's tables."""

_DEEPEST = 1000  # macros replaced in one expression; a circle never ends

_SERIES = ("range", "generate_series")  # table functions that read nothing
_OF_THE_MOMENT = (
    "current_timestamp", "current_time", "localtime", "localtimestamp", "current_localtime", "current_localtimestamp",
    "current_user", "session_user", "current_role", "user", "version", "getenv",
)  # fmt: skip
_NOT_READING = (
    exp.Into, exp.Command, exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Summarize, exp.Describe,
)  # fmt: skip
_QUERIES = (exp.Select, exp.SetOperation)
_logger = logging.getLogger("sqlglot")


class SqlMistake(Exception):
    """What is wrong with one SQL text: a code of the catalogue, its values, the line in the text (from 1)."""

    def __init__(self, code: str, values: Mapping[str, object], line: int = 1) -> None:
        super().__init__(code)
        self.code, self.values, self.line = code, values, line


@lru_cache(maxsize=2048)
def _parsed(text: str) -> tuple[exp.Expr, ...]:
    """The statements of a text; kept, since loading, planning and judging read the same texts: copy what you change."""
    level = _logger.level
    _logger.setLevel(logging.ERROR)  # "unsupported syntax, falling back to Command" is refused below
    try:
        return tuple(
            statement for statement in sqlglot.parse(text.rstrip(), dialect="duckdb") if statement is not None
        )
    except SqlglotError as error:
        details: list[dict[str, object]] = getattr(error, "errors", [])
        line = details[0].get("line") if details else 1
        reason = str(details[0].get("description") if details else error).splitlines()[0]
        raise SqlMistake(
            "validations.sql_unparsable", {"reason": reason}, line if isinstance(line, int) else 1
        ) from error
    finally:
        _logger.setLevel(level)


@dataclass(frozen=True)
class Predicate:
    """An expression over one row, macros expanded: its DuckDB text, the columns and the parameters it names."""

    sql: str
    columns: tuple[str, ...]
    parameters: tuple[str, ...]


def read_predicate(
    text: str, table: Table, macros: Mapping[str, Macro] | None = None, parameters: Iterable[str] = ()
) -> Predicate:
    """An expression over one row of `table`. Raises SqlMistake."""
    predicate = read_expression(text, macros, parameters)
    known = {field.name for field in table.stored_fields}
    unknown = [name for name in predicate.columns if name not in known]
    if unknown:
        raise SqlMistake(
            "validations.sql_unknown_column",
            {"column": ", ".join(unknown), "table": table.name, "known": ", ".join(sorted(known))},
        )
    return predicate


def read_expression(
    text: str, macros: Mapping[str, Macro] | None = None, parameters: Iterable[str] = ()
) -> Predicate:
    """An expression over one row of whatever table has its columns. Raises SqlMistake."""
    select = expand(_expression(text), macros or {})
    if select.find(exp.Subquery, exp.Exists) or len(list(select.find_all(exp.Select))) > 1:
        raise SqlMistake("validations.sql_not_an_expression", {"sql": text})
    _refuse_of_the_moment(select)
    columns = list(dict.fromkeys(column.sql() for column in _columns(select)))
    return Predicate(
        select.expressions[0].sql(dialect="duckdb"),
        tuple(name.strip('"') if "." not in name else name for name in columns),
        tuple(sorted(_refuse_parameters(select, (*PARAMETERS, *parameters)))),
    )


def _columns(select: exp.Expr) -> Iterable[exp.Column]:
    """The columns of an expression, but not what a lambda binds."""
    for column in select.find_all(exp.Column):
        bound = {name.name for node in _above(column, exp.Lambda) for name in node.expressions}
        if column.name not in bound or column.table:
            yield column


def _above(node: exp.Expr, kind: type[exp.Expr]) -> Iterable[exp.Expr]:
    above = node.find_ancestor(kind)
    while above is not None:
        yield above
        above = above.find_ancestor(kind)


def _expression(text: str) -> exp.Select:
    statements = _parsed(f"SELECT {text}")
    select = statements[0] if statements else None
    if len(statements) != 1 or not isinstance(select, exp.Select) or len(select.expressions) != 1:
        raise SqlMistake("validations.sql_not_an_expression", {"sql": text})
    if any(value for key, value in select.args.items() if key != "expressions") or isinstance(
        select.expressions[0], (exp.Alias, exp.Star)
    ):
        raise SqlMistake("validations.sql_not_an_expression", {"sql": text})
    return select


def read_macro(name: str, macro: Macro, macros: Mapping[str, Macro]) -> None:
    """Whether a macro is an SQL expression, named unlike any function, and free of circles. Raises SqlMistake."""
    select = _expression(macro.sql)
    if not _is_free(f"{name}(1)" if macro.arguments else name):
        raise SqlMistake("validations.macro_name", {"name": name})
    expand(select, macros)


def _is_free(call: str) -> bool:
    """Whether a macro's call reads as nothing that SQL knows already."""
    try:
        return isinstance(_expression(call).expressions[0], exp.Anonymous | exp.Column)
    except SqlMistake:
        return False


def expand(select: exp.Select, macros: Mapping[str, Macro]) -> exp.Select:
    """The expression with its macros replaced by what they stand for, however deep. Raises SqlMistake."""
    if not macros:
        return select
    select = select.copy()
    for _ in range(_DEEPEST):
        call = next((n for n in select.find_all(exp.Column, exp.Anonymous) if _is_call(n, macros)), None)
        if call is None:
            return select
        macro = macros[call.name]
        given = call.expressions if isinstance(call, exp.Anonymous) else []
        if len(given) != len(macro.arguments):
            values = {"name": call.name, "expected": len(macro.arguments), "found": len(given)}
            raise SqlMistake("validations.macro_arguments", values)
        call.replace(exp.Paren(this=_filled(macro, given)))
    raise SqlMistake("validations.macro_circle", {"names": ", ".join(macros)})


def _is_call(node: exp.Expr, macros: Mapping[str, Macro]) -> bool:
    if isinstance(node, exp.Anonymous):
        return node.name in macros
    return node.name in macros and not node.args.get("table") and not macros[node.name].arguments


def _filled(macro: Macro, given: Sequence[exp.Expr]) -> exp.Expr:
    values = dict(zip(macro.arguments, given, strict=True))

    def replaced(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and not node.table and node.name in values:
            return exp.Paren(this=values[node.name].copy())
        return node

    return _expression(macro.sql).expressions[0].transform(replaced)


def _refuse_parameters(statement: exp.Expr, known: Iterable[str]) -> set[str]:
    used = {node.name for node in statement.find_all(exp.Parameter, exp.Placeholder)}
    unknown = sorted(used - set(known))
    if unknown:
        raise SqlMistake(
            "validations.sql_unknown_parameter", {"parameter": ", ".join(unknown), "known": ", ".join(known)}
        )
    return used


@cache
def _of_the_moment() -> re.Pattern[str]:
    """Functions that may answer otherwise for the same data: clocks, chance, the session, the environment."""
    with duckdb.connect(":memory:") as connection:
        changing = connection.execute(
            "SELECT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT' AND function_name <> 'error'"
        ).fetchall()
    names = {*_OF_THE_MOMENT, *(str(name).lower() for (name,) in changing)}
    return re.compile(rf"\b({'|'.join(sorted(names))})\b")


def _refuse_of_the_moment(statement: exp.Expr) -> None:
    if _of_the_moment().search(statement.sql(dialect="duckdb").lower()) is None:
        return  # nearly always; else it may be a column's name, or stand in a text
    for node in statement.find_all(exp.Func):
        name = node.sql(dialect="duckdb").split("(", 1)[0].lower()
        if _of_the_moment().fullmatch(name):
            raise SqlMistake("validations.sql_of_the_moment", {"function": name})


@dataclass(frozen=True)
class Query:
    """A read-only query: its text, the tables it reads, those of other contents (`previous.T`), its parameters."""

    text: str
    tables: tuple[str, ...]
    parameters: tuple[str, ...]
    references: tuple[tuple[str, str], ...] = ()


def read_query(
    text: str,
    tables: Iterable[str],
    *,
    references: Mapping[str, Container[str]] | None,
    parameters: Iterable[str] = (),
) -> Query:
    """A single SELECT over tables of the standard, and of `references` (namespace → tables; None: any).

    Raises SqlMistake.
    """
    statement = _reading(text)
    read, others = _tables_read(statement, set(tables), references)
    used = _refuse_parameters(statement, (*PARAMETERS, *parameters))
    return Query(text.strip().rstrip(";"), tuple(sorted(read)), tuple(sorted(used)), tuple(sorted(others)))


@lru_cache(maxsize=1_024)
def _reading(text: str) -> exp.Expr:
    """The only statement of a text, which reads and does nothing else; shared by all who ask, so that nobody may change it."""
    statements = _parsed(text)
    if len(statements) != 1 or not isinstance(statements[0], _QUERIES):
        raise SqlMistake("validations.sql_not_read_only", {})
    statement = statements[0]
    if statement.find(*_NOT_READING) is not None:
        raise SqlMistake("validations.sql_not_read_only", {})
    _refuse_of_the_moment(statement)
    return statement


def _tables_read(
    statement: exp.Expr, known: set[str], references: Mapping[str, Container[str]] | None
) -> tuple[set[str], set[tuple[str, str]]]:
    """The tables, and those of other contents, that a query names. Whatever else it would read is refused."""
    own = {cte.alias for cte in statement.find_all(exp.CTE) if re.fullmatch(r"\w+", cte.alias)}
    read: set[str] = set()
    others: set[tuple[str, str]] = set()

    def refuse(node: exp.Expr) -> SqlMistake:
        shown = {"table": node.sql(dialect="duckdb"), "known": ", ".join(sorted(known))}
        return SqlMistake("validations.sql_unknown_table", shown)

    for lateral in statement.find_all(exp.Lateral):
        if not isinstance(lateral.this, exp.Subquery | exp.Unnest):
            raise refuse(lateral)
    for table in statement.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            if table.this.sql(dialect="duckdb").split("(")[0].lower() not in _SERIES:
                raise refuse(table)
        elif not table.db and (table.name in own or table.name in known):
            if table.name not in own:
                read.add(table.name)
        elif (
            table.db
            and not table.catalog
            and (references is None or table.name in references.get(table.db, ()))
        ):
            others.add((table.db, table.name))
        else:
            raise refuse(table)
    return read, others


def read_derivation(path: Path, tables: Iterable[str], *, parameters: Iterable[str] = ()) -> Query:
    """How a derived table comes about: a query over `tables`, or the rows of a CSV beside it. Raises SqlMistake."""
    if path.suffix == ".csv":
        file = exp.Literal.string(str(path)).sql(dialect="duckdb")
        return Query(f"SELECT * FROM read_csv({file}, header = true, all_varchar = true)", (), ())
    return read_query(path.read_text(encoding="utf-8"), tables, references={}, parameters=parameters)
