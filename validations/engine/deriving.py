"""Derived tables: computed from the other tables of a content by the standard's SQL, or its own CSV; written as Parquet.

Amounts must fit their declared scale exactly: rounding is the SQL's decision, never a cast's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import duckdb

from pipelines.errors import BadInput
from validations.engine.parameters import bound, complete
from validations.engine.session import create_views, open_session, quoted, write_parquet
from validations.engine.sql_text import Query, read_derivation
from validations.engine.standard import Standard, Table
from validations.engine.types import arrow_schema, duckdb_type


def derive(
    standard: Standard, tables: Mapping[str, Path], *, parameters: Mapping[str, str], out: Path
) -> dict[str, Path]:
    """Compute every derived table whose inputs are among `tables` (or derived before it) into `out/<TABLE>.parquet`.

    Rows are ordered by key. Raises BadInput for a parameter that lacks, SQL that fails, an amount it would round.
    """
    queries = {
        name: read_derivation(table.derive, standard.tables, parameters=standard.parameters)
        for name, table in standard.tables.items()
        if table.derive is not None
    }
    parameters = complete(standard, parameters)
    derived: dict[str, Path] = {}
    out.mkdir(parents=True, exist_ok=True)
    lists = [t.derive for t in standard.tables.values() if t.derive is not None and t.derive.suffix == ".csv"]
    read = [*tables.values(), *(out / f"{name}.parquet" for name in queries), *lists]
    with open_session(out, read=read) as connection:
        create_views(connection, {name: path for name, path in tables.items() if name not in queries})
        known = {name for name in tables if name not in queries}
        while ready := [n for n, q in queries.items() if n not in derived and set(q.tables) <= known]:
            for name in ready:
                path = out / f"{name}.parquet"
                _derive_one(
                    connection, standard.table(name), queries[name], bound(standard, parameters), path
                )
                create_views(connection, {name: path})
                derived[name] = path
                known.add(name)
    return derived


def stored_inputs(standard: Standard, names: Collection[str]) -> tuple[str, ...]:
    """The stored tables among `names` and those that the derived ones among them are computed from.

    Those named come first, in their order; the others follow in the standard's.
    """
    needed = list(names)
    for name in needed:  # grows while it is walked: what a derived table reads may be derived itself
        if (path := standard.table(name).derive) is not None:
            query = read_derivation(path, standard.tables, parameters=standard.parameters)
            needed += [each for each in standard.tables if each in query.tables and each not in needed]
    return tuple(name for name in needed if standard.table(name).derive is None)


def _derive_one(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    query: Query,
    parameters: Mapping[str, object],
    path: Path,
) -> None:
    lacking = [name for name in query.parameters if name not in parameters]
    if lacking:
        raise BadInput("validations.derive_parameter", table=table.name, parameters=", ".join(lacking))
    values = {name: parameters[name] for name in query.parameters}
    casts = {f.name: f"CAST({quoted(f.name)} AS {duckdb_type(f)})" for f in table.stored_fields}
    try:
        create = f"CREATE OR REPLACE TEMP TABLE derived AS\n{query.text}"
        connection.execute(create, values) if values else connection.execute(create)
        changed = [
            name
            for name, cast in casts.items()
            if connection.execute(
                f"SELECT 1 FROM derived WHERE {cast} IS DISTINCT FROM {quoted(name)} LIMIT 1"
            ).fetchone()
        ]
        if changed:
            raise BadInput("validations.derive_rounds", table=table.name, fields=", ".join(changed))
        columns = ", ".join(f"{cast} AS {quoted(name)}" for name, cast in casts.items())
        order = ", ".join(quoted(name) for name in table.stored_key)
        write_parquet(
            connection, f"SELECT {columns} FROM derived ORDER BY {order}", arrow_schema(table), path
        )
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise BadInput("validations.derive_failed", table=table.name, reason=reason) from error
