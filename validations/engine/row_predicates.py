"""The dictionary's own predicates (`when`, a conditional `mandatory`) as polars expressions.

The same SQL subset and macros as the rules'; parameters are not known here, since a dictionary says what a row must be
whatever the filing.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import sqlglot
from sqlglot import exp

from validations.engine.sql_text import SqlMistake, read_predicate
from validations.engine.standard import Macro, Table
from validations.engine.types import arrow_schema


def row_predicate(text: str, table: Table, macros: Mapping[str, Macro]) -> pl.Expr:
    """The predicate as an expression, null where it is unknown. Raises SqlMistake."""
    predicate = read_predicate(text, table, macros)
    raising = sqlglot.parse_one(f"SELECT {predicate.sql}", dialect="duckdb").find(exp.Cast)
    if raising is not None and not isinstance(raising, exp.TryCast):
        raise SqlMistake("validations.dictionary_cast", {"sql": raising.sql(dialect="duckdb")})
    if predicate.parameters:
        values = {"parameter": ", ".join(predicate.parameters), "known": "–"}
        raise SqlMistake("validations.sql_unknown_parameter", values)
    try:
        return pl.sql_expr(predicate.sql)
    except pl.exceptions.PolarsError as error:
        raise SqlMistake("validations.sql_unbindable", {"reason": str(error).splitlines()[0]}) from error


def check_row_predicate(text: str, table: Table, macros: Mapping[str, Macro]) -> None:
    """Whether the predicate binds and is true or false. Raises SqlMistake."""
    expression = row_predicate(text, table, macros)
    empty = pl.DataFrame(arrow_schema(table).empty_table())
    try:
        dtype = empty.select(expression.alias("when")).schema["when"]
    except pl.exceptions.PolarsError as error:
        raise SqlMistake("validations.sql_unbindable", {"reason": str(error).splitlines()[0]}) from error
    if dtype != pl.Boolean:
        raise SqlMistake("validations.sql_not_boolean", {"sql": text, "type": str(dtype)})
