"""Which row changes an accepted handling explains: a source fix those of the cell that it promised to mend and of what its rule
compares, a report correction that production shows its value now.

A rule on one row explains the fields that it names. A rule between tables explains changes in the other tables that it
compares, in rows that belong to the finding's row or to which that belongs: all of the one's key stands in the other's.
Everything else is left unexplained for people.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from pipelines.stages.handlings import Handled
from pipelines.stages.leftovers import draft_name
from pipelines.stages.table_changes import CHANGES_SCHEMA
from pipelines.stages.typed_value import typed_text
from validations.engine import Rule, Standard
from validations.engine.plan import tables_read
from validations.engine.scope import fields_named, shape_tables
from validations.engine.session import literal, open_session, parquet_rows, write_parquet

EXPLAINED_SCHEMA = CHANGES_SCHEMA.append(pa.field("explanation", pa.string()))
"""A change with the finding whose accepted source fix explains it; NULL: nothing does."""


def write_explained(
    standard: Standard, changes: Sequence[Path], promises: Sequence[Handled], out: Path
) -> dict[str, int]:
    """Write all changes with what explains each into `out` (EXPLAINED_SCHEMA); the number of unexplained ones by table.

    `promises`: accepted source fixes, and report corrections, which explain no more than their own value in their cell.
    """
    with tempfile.TemporaryDirectory(prefix=draft_name(""), dir=out.parent) as scratch:
        promised = Path(scratch) / "promised.parquet"
        _promised(standard, promises).write_parquet(promised)
        with open_session(out.parent, read=[*changes, promised]) as connection:
            union = " UNION ALL ".join(f"SELECT * FROM {parquet_rows(path)}" for path in changes)
            empty = ", ".join(f"NULL::VARCHAR AS {literal(n)}" for n in CHANGES_SCHEMA.names).replace(
                "'", '"'
            )
            connection.execute(
                f"CREATE TABLE changes AS SELECT row_number() OVER () AS id, * FROM ({union or f'SELECT {empty} LIMIT 0'})"
            )
            connection.execute(f"CREATE TABLE promised AS SELECT * FROM {parquet_rows(promised)}")
            connection.execute("CREATE TABLE explained (id BIGINT, finding VARCHAR)")
            _explain_own(connection)
            _explain_related(connection, standard)
            connection.execute(
                """CREATE TABLE settled AS
                SELECT c.*, e.explanation FROM changes AS c
                LEFT JOIN (SELECT id, min(finding) AS explanation FROM explained GROUP BY id) AS e USING (id)"""
            )
            counted = connection.execute(
                'SELECT "table", count(*) FROM settled WHERE explanation IS NULL GROUP BY ALL ORDER BY ALL'
            ).fetchall()
            names = ", ".join(f'"{name}"' for name in EXPLAINED_SCHEMA.names)
            write_parquet(connection, f"SELECT {names} FROM settled ORDER BY id", EXPLAINED_SCHEMA, out)
    return {str(table): int(count) for table, count in counted}


def _promised(standard: Standard, promises: Sequence[Handled]) -> pl.DataFrame:
    """A row per promised cell: `field` NULL means any field of the row, `becomes` NULL any value."""
    rows: list[tuple[str, str, str, str, str | None, str | None]] = []
    rules = {rule.id: rule for rule in standard.rules}
    for each in promises:
        rule, becomes = rules.get(each.rule), None
        fields = _fields(standard, rule, each.field) if rule is not None else {each.field}
        if each.handling == "report_correction" and each.field is not None:
            becomes = typed_text(standard, each.table, each.field, each.new_value or "")
            fields = {each.field} if becomes is not None else set[str | None]()
        rows += [
            (each.finding, each.rule, each.table, each.key, name, becomes) for name in sorted(fields, key=str)
        ]
    names = ("finding", "rule", "table", "key", "field", "becomes")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _fields(standard: Standard, rule: Rule, field: str | None) -> set[str | None]:
    """The fields that mending a finding may change in its own row; None: any."""
    if rule.holds is not None:
        return {field, *fields_named(standard, rule)} - {None} or {None}
    if rule.constraint is not None:
        return {field, *fields_named(standard, rule)} - {None} or {None}
    return {None}


def _compared_with(standard: Standard, rule: Rule, name: str) -> set[str]:
    """The tables that a rule compares this one with: those of its query, or of its shape's group."""
    if rule.query is not None:
        return (tables_read(standard, rule) & set(standard.tables)) - {name}
    return {other for group in shape_tables(rule) if name in group for other in group} - {name}


def _explain_own(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        """INSERT INTO explained SELECT c.id, p.finding FROM changes AS c JOIN promised AS p
            ON p."table" = c."table" AND p.key = c.key
            AND (p.field IS NULL OR c.field IS NULL OR p.field = c.field)
            AND (p.becomes IS NULL OR p.becomes = c.new)"""
    )


def _explain_related(connection: duckdb.DuckDBPyConnection, standard: Standard) -> None:
    """Changes in the other tables that a rule compares, where the key fields that both have agree and are all that one has."""
    pairs = connection.execute(
        'SELECT DISTINCT rule, "table" FROM promised WHERE field IS NULL ORDER BY ALL'
    ).fetchall()
    rules = {rule.id: rule for rule in standard.rules}
    for rule_id, name in pairs:
        rule = rules.get(str(rule_id))
        if rule is None or str(name) not in standard.tables:
            continue
        own = set(standard.table(str(name)).stored_key)
        for other in sorted(_compared_with(standard, rule, str(name))):
            theirs = set(standard.table(other).stored_key)
            shared = sorted(own & theirs)
            if not shared or own & theirs not in (own, theirs):
                continue
            same = " AND ".join(
                f"json_extract_string(c.key, {literal('$.' + f)}) = json_extract_string(p.key, {literal('$.' + f)})"
                for f in shared
            )
            connection.execute(
                f"""INSERT INTO explained SELECT c.id, p.finding FROM changes AS c JOIN promised AS p ON {same}
                WHERE c."table" = {literal(other)} AND p.rule = {literal(rule.id)} AND p."table" = {literal(str(name))}"""
            )
