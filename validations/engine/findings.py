"""Findings (问题数据): the Arrow schema every reader relies on, and how they leave the judge."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from validations.engine.session import literal, write_parquet
from validations.engine.standard import Standard

FINDINGS_SCHEMA = pa.schema(
    [
        pa.field("finding", pa.string()),
        pa.field("rule", pa.string()),
        pa.field("severity", pa.string()),
        pa.field("table", pa.string()),
        pa.field("key", pa.string()),
        pa.field("organisation", pa.string()),
        pa.field("field", pa.string()),
        pa.field("value", pa.string()),
        pa.field("expected", pa.string()),
        pa.field("difference", pa.string()),
        pa.field("row", pa.int64()),
    ]
)
"""`finding` is stable over rounds: SHA-256, 32 hex digits, of `standard|rule|table|key|field`. `key` is canonical
JSON, every value as text, fields in the dictionary's order. `row` counts from 0 in the table; NULL for aggregates."""


def write_findings(connection: duckdb.DuckDBPyConnection, standard: Standard, path: Path) -> dict[str, int]:
    """Write what the session's `found` table holds, sorted by rule, table, key, field; the true count of each rule.

    A rule's `suppressed_by` leaves out a key that stands under that rule for the same table. Where one rule breaks the
    same field of the same key in several rows, the second and later findings carry their number in the hash.
    """
    connection.execute("CREATE TABLE suppressions (rule VARCHAR, root VARCHAR)")
    connection.execute("CREATE TABLE severities (rule VARCHAR, severity VARCHAR)")
    for rule in standard.rules:
        connection.execute("INSERT INTO severities VALUES (?, ?)", [rule.id, rule.severity])
        for other in rule.suppressed_by:
            connection.execute("INSERT INTO suppressions VALUES (?, ?)", [rule.id, other])
    connection.execute(
        """CREATE VIEW kept AS
        SELECT f.* FROM found AS f
        ANTI JOIN (
            SELECT DISTINCT s.rule, o."table", o.key FROM suppressions AS s JOIN found AS o ON o.rule = s.root
        ) AS x ON x.rule = f.rule AND x."table" = f."table" AND x.key = f.key"""
    )
    write_parquet(
        connection,
        f"""SELECT substr(sha256(
                    {literal(standard.name)} || '|' || k.rule || '|' || "table" || '|' || key || '|' || coalesce(field, '')
                    || CASE WHEN number > 1 THEN '|' || number ELSE '' END
                ), 1, 32) AS finding,
                k.rule, s.severity, "table", key, organisation, field, value, expected, difference, row
            FROM (
                SELECT *, row_number() OVER (
                    PARTITION BY rule, "table", key, field ORDER BY row, value, expected, difference
                ) AS number
                FROM kept
            ) AS k JOIN severities AS s ON s.rule = k.rule
            ORDER BY k.rule, "table", key, field, number""",
        FINDINGS_SCHEMA,
        path,
    )
    counts = connection.execute("SELECT rule, count(*) FROM kept GROUP BY rule").fetchall()
    return {str(rule): int(count) for rule, count in counts}
