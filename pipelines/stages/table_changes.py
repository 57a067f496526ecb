"""What changed between two rounds of one table: every row added, removed or changed, written down field by field.

Rows are told apart by hashes first, so that only what differs is read typed and paired by its key. Whether a change is
explained, and what becomes of it, is not decided here; the columns of both files are checked in `round_columns`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.errors import BadInput, Unavailable
from pipelines.stages.canonical import sync_folder
from pipelines.stages.round_columns import require_same_columns
from validations.engine import Field, Table
from validations.engine.finding_sql import key_json, organisation_sql, value_of_field
from validations.engine.session import literal, open_session, parquet_rows, quoted, write_parquet
from validations.engine.types import PRECISION, duckdb_type

CHANGES_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("table", "key", "kind", "field", "old", "new", "organisation")]
)
"""One row per change, sorted by key, then by the pair of a repeated key, then by field. `key` and the values are texts as
findings write them. `kind`: added, removed (one row per row of the table; field, old, new NULL) or changed (one per field).
`organisation`: the later row's, else the earlier one's; NULL if the table has none."""

_INT64_DIGITS = 18
"""Wider decimals are stored in 128 bits."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class TableChanges:
    """Rows added, removed and changed; `fields` counts changed rows by field, in the dictionary's order."""

    table: str
    added: int
    removed: int
    changed: int
    fields: dict[str, int]
    rows_earlier: int
    rows_later: int


def table_changes(
    table: Table,
    earlier: Path,
    later: Path,
    out: Path,
    *,
    memory_limit: str = "1GB",
    progress: Progress | None = None,
) -> TableChanges:
    """Write what changed from one Parquet file of a table to another into `out` (CHANGES_SCHEMA), durably, and count it.

    Values are compared typed, NULL equal to NULL. Rows are multisets: equal rows cancel, what is left of one key is paired
    in the order of its values, and the surplus was added or removed. Row order and row groups of the files do not count;
    the same change gives the same bytes. What does not fit `memory_limit` is spilled beside `out`.
    Raises BadInput where the files' columns are not the dictionary's or not each other's, or a file is damaged; Unavailable
    where memory and disk do not suffice.
    """
    rows_earlier, rows_later = require_same_columns(table, earlier, later)
    tell = progress or _silent
    out.parent.mkdir(parents=True, exist_ok=True)
    with (
        _mended_errors(table, earlier, later),
        open_session(out.parent, read=[earlier, later], memory_limit=memory_limit) as connection,
    ):
        for step, statement in enumerate((_left_over(table, earlier, later), _apart(table, earlier, later))):
            tell(table.name, step, 3)
            connection.execute(statement)
        tell(table.name, 2, 3)
        connection.execute(_changes(table, is_key_repeated=_is_key_repeated(connection, table)))
        counts = _counts(connection, table)
        write_parquet(
            connection,
            f"""SELECT {literal(table.name)} AS "table", key, kind, field, old, new, organisation
                FROM changes ORDER BY key, number, field NULLS FIRST""",
            CHANGES_SCHEMA,
            out,
            repeating=("table", "kind", "field", "organisation"),
        )
        sync_folder(out.parent)
    tell(table.name, 3, 3)
    return TableChanges(table.name, *counts, rows_earlier=rows_earlier, rows_later=rows_later)


@contextmanager
def _mended_errors(table: Table, earlier: Path, later: Path) -> Generator[None]:
    """What DuckDB says of files that it cannot read, and of too little room, as errors a person can mend."""
    try:
        yield
    except (duckdb.IOException, duckdb.InvalidInputException, duckdb.OutOfMemoryException) as error:
        kind, code = (
            (Unavailable, "compare.no_room")
            if isinstance(error, duckdb.OutOfMemoryException)
            else (BadInput, "compare.not_read")
        )
        reason = str(error).splitlines()[0]
        raise kind(code, table=table.name, earlier=earlier, later=later, reason=reason) from error


def _left_over(table: Table, earlier: Path, later: Path) -> str:
    """Rows that one file holds more often than the other: `surplus`, above 0 in the earlier; `place`, where one stands.

    `place` counts from 0 in the earlier file and from -1 down in the later: either copy of equal rows will do.
    """
    whole, parts = _row_hashes(table)
    rows = " UNION ALL ".join(
        f"SELECT {whole} AS whole, {parts} AS parts, CAST({sign} AS INTEGER) AS sign, {place} AS place FROM {_rows(path)}"
        for path, sign, place in ((earlier, 1, "file_row_number"), (later, -1, "-1 - file_row_number"))
    )
    return f"""
        CREATE TABLE left_over AS
        SELECT sum_no_overflow(sign) AS surplus, any_value(place) AS place
        FROM ({rows}) GROUP BY whole, parts HAVING surplus <> 0"""


def _row_hashes(table: Table) -> tuple[str, str]:
    """SQL of two independent 64-bit hashes of a row: no change is hidden but where both collide.

    DuckDB combines the hashes of the columns. A seed would leave these as they are, and with them their collisions, so the
    second hash is made of other bytes: the texts as one, with their lengths; the other types in a second form.
    """
    fields = table.stored_fields
    texts = [quoted(f.name) for f in fields if f.type == "text"]
    parts = [_second_form(f) for f in fields if f.type != "text"]
    if texts:
        lengths = ", ".join(f"strlen({name})" for name in texts)
        parts = [f"concat({', '.join(texts)})", f"hash({lengths})", *parts]
    return f"hash({', '.join(quoted(f.name) for f in fields)})", f"hash({', '.join(parts)})"


def _second_form(field: Field) -> str:
    """SQL of a number or date for the second hash: NULL, which hashes as some number does, as a value that nobody has.

    The hash of 128 bits is the XOR of its halves' hashes, equal halves giving 0; what it confuses differs as a float.
    """
    name = quoted(field.name)
    match field.type:
        case "decimal":
            digits, scale = field.precision or PRECISION, field.scale or 0
            if digits > _INT64_DIGITS:
                return f"coalesce(CAST({name} AS DOUBLE), -1e300)"
            lowest = f"-{'9' * (digits - scale)}.{'9' * scale}"
            return f"coalesce({name}, CAST('{lowest}' AS {duckdb_type(field)}))"
        case "date":
            return f"coalesce({name}, DATE '0001-02-03')"
        case _:
            return f"coalesce({name}, -9223372036854775807)"


def _apart(table: Table, earlier: Path, later: Path) -> str:
    """What is left over, each row as often as it is, with `was`: whether it stood in the earlier file."""
    names = ", ".join(f"t.{quoted(field.name)}" for field in table.stored_fields)
    rows = " UNION ALL ".join(
        f"""SELECT {names}, surplus > 0 AS was, unnest(range(abs(surplus)::BIGINT)) AS copy
            FROM {_rows(path)} AS t JOIN left_over ON t.file_row_number = {place} AND left_over.place {side}"""
        for path, place, side in (
            (earlier, "left_over.place", ">= 0"),
            (later, "-1 - left_over.place", "< 0"),
        )
    )
    return f"CREATE TABLE apart AS SELECT * EXCLUDE (copy) FROM ({rows})"


def _is_key_repeated(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Whether several rows may share a key; sorting millions into groups of one would take minutes."""
    key = ", ".join(quoted(name) for name in table.stored_key)
    found = connection.execute(
        f"SELECT 1 FROM apart GROUP BY was, hash({key}) HAVING count(*) > 1 LIMIT 1"
    ).fetchall()
    return bool(found)


def _changes(table: Table, *, is_key_repeated: bool) -> str:
    """Every change as it is written, with `number`, the pair within its key, and `first`, the first field of its row."""
    key = [quoted(name) for name in table.stored_key]
    order = ", ".join(f"{quoted(field.name)} NULLS FIRST" for field in table.stored_fields)
    number = f"row_number() OVER (PARTITION BY {', '.join(key)} ORDER BY {order})" if is_key_repeated else "1"
    same = " AND ".join(f"a.{name} IS NOT DISTINCT FROM b.{name}" for name in (*key, "number"))
    others = [field.name for field in table.stored_fields if field.name not in table.key]
    differing = ", ".join(
        f"CASE WHEN a.{quoted(name)} IS DISTINCT FROM b.{quoted(name)} THEN {literal(name)} END"
        for name in others
    )
    fields = f"list_filter([{differing}], lambda name: name IS NOT NULL)" if others else "[]"
    return f"""
        CREATE TABLE changes AS
        SELECT key, number, kind, field, first, organisation,
            {value_of_field(others, "field", "a") if others else "NULL"} AS old,
            {value_of_field(others, "field", "b") if others else "NULL"} AS new
        FROM (
            SELECT *, fields[1] AS first, unnest(fields) AS field FROM (
                SELECT a, b, coalesce(a.number, b.number) AS number,
                    CASE WHEN b.was IS NULL THEN {key_json(table, "a")} ELSE {key_json(table, "b")} END AS key,
                    coalesce({organisation_sql(table, "b")}, {organisation_sql(table, "a")}) AS organisation,
                    CASE WHEN a.was IS NULL THEN 'added' WHEN b.was IS NULL THEN 'removed' ELSE 'changed' END AS kind,
                    CASE WHEN kind = 'changed' THEN {fields} ELSE [CAST(NULL AS VARCHAR)] END AS fields
                FROM (SELECT *, {number} AS number FROM apart WHERE was) AS a
                FULL JOIN (SELECT *, {number} AS number FROM apart WHERE NOT was) AS b ON {same}
            )
        )"""


def _counts(connection: duckdb.DuckDBPyConnection, table: Table) -> tuple[int, int, int, dict[str, int]]:
    """Rows added, removed, changed; changed rows by field."""
    counted = connection.execute(
        """SELECT kind, field, count(*), count_if(field IS NOT DISTINCT FROM first) FROM changes GROUP BY kind, field"""
    ).fetchall()
    rows = {
        kind: sum(first for k, _, _, first in counted if k == kind)
        for kind in ("added", "removed", "changed")
    }
    by_field = {field: count for kind, field, count, _ in counted if kind == "changed"}
    fields = {f.name: by_field[f.name] for f in table.stored_fields if f.name in by_field}
    return rows["added"], rows["removed"], rows["changed"], fields


def _rows(path: Path) -> str:
    return parquet_rows(path, "file_row_number = true")


def _silent(what: str, done: int, total: int) -> None:
    pass
