"""What the SQL of a standard means before there is data: DuckDB binds it on empty tables, and knows every function and type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb

from validations.engine.session import lock
from validations.engine.sql_text import PARAMETERS, PREVIOUS, Predicate, SqlMistake
from validations.engine.standard import Table
from validations.engine.types import duckdb_type


class Binder:
    """DuckDB on empty tables of the standard, and of those it refers to: says what a text means before there is data."""

    def __init__(
        self,
        tables: Mapping[str, Table],
        *,
        references: Mapping[str, Mapping[str, Table]] | None = None,
        parameters: Mapping[str, object] | None = None,
    ) -> None:
        self.parameters: dict[str, object] = {**PARAMETERS, **(parameters or {})}
        self.references = {PREVIOUS: tables, **(references or {})}
        self.is_alone = references is None
        self._connection = duckdb.connect(":memory:", config={"threads": 1})
        lists = (table.derive for table in tables.values() if table.derive is not None)
        lock(self._connection, [path for path in lists if path.suffix == ".csv"])
        for namespace, others in {"main": tables, **self.references}.items():
            self._connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{namespace}"')
            for table in others.values():
                columns = ", ".join(f'"{f.name}" {duckdb_type(f)}' for f in table.stored_fields)
                self._connection.execute(f'CREATE TABLE "{namespace}"."{table.name}" ({columns})')

    def __enter__(self) -> Binder:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def predicate_type(self, predicate: Predicate, table: str) -> str:
        """The DuckDB type of an expression over one row. Raises SqlMistake."""
        # A condition is where neither aggregates nor windows may stand.
        self.columns(f'SELECT 1 FROM "{table}" WHERE ({predicate.sql}) IS NULL', predicate.parameters)
        return self.columns(f'SELECT {predicate.sql} AS value FROM "{table}"', predicate.parameters)["value"]

    def columns(self, query: str, parameters: Iterable[str] = ()) -> dict[str, str]:
        """Names and types of what a query returns; it is not run. Raises SqlMistake."""
        values = {name: self.parameters[name] for name in parameters}
        try:
            found = self._connection.execute(f"DESCRIBE {query}", values or None).fetchall()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise SqlMistake("validations.sql_unbindable", {"reason": reason}) from error
        return {str(name): str(kind) for name, kind, *_ in found}
