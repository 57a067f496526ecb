"""Findings (问题数据): the Arrow schema every reader relies on, and how they leave the judge."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from validations.engine.session import literal, quoted, write_parquet
from validations.engine.standard import Severity, Standard
from validations.engine.waivers import Waiver

FINDINGS_SCHEMA = pa.schema(
    [
        pa.field("finding", pa.string()),
        pa.field("rule", pa.string()),
        pa.field("rule_digest", pa.string()),
        pa.field("severity", pa.string()),
        pa.field("table", pa.string()),
        pa.field("key", pa.string()),
        pa.field("organisation", pa.string()),
        pa.field("field", pa.string()),
        pa.field("value", pa.string()),
        pa.field("expected", pa.string()),
        pa.field("difference", pa.string()),
        pa.field("row", pa.int64()),
        pa.field("reason", pa.string()),
        pa.field("waiver", pa.string()),
    ]
)
"""`finding` is stable over rounds: SHA-256, 32 hex digits, of `standard|rule|table|key|field`. `rule_digest` names the
wording of the rule. `key` is canonical JSON, every value as text, fields in the dictionary's order; `{}` is the table as a
whole. `row` counts from 0 in the table; NULL for aggregates. `reason` says why a row could not be judged; such a finding is
blocking. `waiver` is the number of the sign-off that accepts the finding."""


@dataclass(frozen=True)
class Tally:
    """True counts of what was written: per rule and severity without what is waived; what is waived, and what could not be
    judged, per rule."""

    counts: Mapping[str, int]
    by_severity: Mapping[Severity, int]
    waived: Mapping[str, int]
    cannot: Mapping[str, int]


def write_findings(
    connection: duckdb.DuckDBPyConnection,
    standard: Standard,
    path: Path,
    waivers: Sequence[Waiver],
    on: date | None,
    *,
    rules: Collection[str] | None,
) -> Tally:
    """Write what the session's `found` table holds of `rules`, sorted by rule, table, key, field; and count it.

    A finding that follows from its rule's root cause is left out. Where one rule breaks the same field of the same key in
    several rows, the second and later findings carry their number in the hash.
    """
    _settle(connection, standard, waivers, on)
    names = ", ".join(literal(name) for name in sorted(rules or ()))
    only = "" if rules is None else f"WHERE rule IN ({names})"
    connection.execute(f"CREATE VIEW written AS SELECT * EXCLUDE (id) FROM kept {only}")
    counted = connection.execute(
        "SELECT rule, severity, waiver IS NOT NULL, reason IS NOT NULL, count(*) FROM written GROUP BY ALL"
    ).fetchall()
    write_parquet(
        connection,
        f"""SELECT substr(sha256(
                    {literal(standard.name)} || '|' || rule || '|' || "table" || '|' || key || '|' || coalesce(field, '')
                    || CASE WHEN number > 1 THEN '|' || number ELSE '' END
                ), 1, 32) AS finding,
                {", ".join(quoted(name) for name in FINDINGS_SCHEMA.names[1:])}
            FROM ({_numbered(connection)})
            ORDER BY rule, "table", key, field, number""",
        FINDINGS_SCHEMA,
        path,
        repeating=("rule", "rule_digest", "severity", "table", "organisation", "field", "reason", "waiver"),
    )
    return _tally(counted)


def _numbered(connection: duckdb.DuckDBPyConnection) -> str:
    """SQL of what is kept with `number`, 1 but where a rule breaks the same field of the same key again: then what was found
    decides the number before the row, so that an answer speaks of the same value in whatever order rows come."""
    again = connection.execute(
        """SELECT 1 FROM found GROUP BY hash(rule, "table", key, field) HAVING count(*) > 1 LIMIT 1"""
    ).fetchall()
    if not again:  # nearly always, and sorting millions into groups of one takes seconds
        return "SELECT *, 1 AS number FROM written"
    return """SELECT *, row_number() OVER (
            PARTITION BY rule, "table", key, field ORDER BY value, expected, difference, row
        ) AS number
        FROM written"""


def blocking_rules(
    connection: duckdb.DuckDBPyConnection, standard: Standard, waivers: Sequence[Waiver], on: date | None
) -> set[str]:
    """The rules of which something blocks as things stand in `found`: not waived, no mere consequence."""
    _settle(connection, standard, waivers, on)
    found = connection.execute(
        "SELECT DISTINCT rule FROM kept WHERE severity = 'block' AND waiver IS NULL"
    ).fetchall()
    return {str(rule) for (rule,) in found}


def _settle(
    connection: duckdb.DuckDBPyConnection, standard: Standard, waivers: Sequence[Waiver], on: date | None
) -> None:
    """Make `kept`: what was found with its severity, its rule's digest, its waiver; without what only follows."""
    connection.execute("CREATE OR REPLACE TABLE rule_notes (rule VARCHAR, severity VARCHAR, digest VARCHAR)")
    notes = [(rule.id, rule.severity, rule.digest) for rule in standard.rules]
    connection.executemany("INSERT INTO rule_notes VALUES (?, ?, ?)", notes)
    _note_waivers(connection, standard, waivers, on)
    _note_followers(connection, standard)
    # Joining millions of findings with nothing still takes seconds.
    follow, are_waived = (_has_rows(connection, name) for name in ("followers", "waived"))
    connection.execute(
        f"""CREATE OR REPLACE VIEW kept AS
        SELECT f.*, {"w.waiver" if are_waived else "CAST(NULL AS VARCHAR) AS waiver"}, r.digest AS rule_digest,
            CASE WHEN f.reason IS NULL THEN r.severity ELSE 'block' END AS severity
        FROM (SELECT rowid AS id, * FROM found) AS f
        JOIN rule_notes AS r ON r.rule = f.rule
        {"ANTI JOIN followers AS x ON x.id = f.id" if follow else ""}
        {"LEFT JOIN waived AS w ON w.id = f.id" if are_waived else ""}"""
    )


def _has_rows(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return bool(connection.execute(f"SELECT 1 FROM {quoted(table)} LIMIT 1").fetchall())


def _note_waivers(
    connection: duckdb.DuckDBPyConnection, standard: Standard, waivers: Sequence[Waiver], on: date | None
) -> None:
    """Findings that a waiver in force accepts; what could not be judged is accepted by none."""
    wording = {rule.id: rule.digest for rule in standard.rules}
    in_force = [
        waiver
        for waiver in waivers
        if on is not None and waiver.expires >= on and waiver.rule_digest in (None, wording.get(waiver.rule))
    ]
    given = [(n, w.rule, w.table, w.key, w.sign_off) for n, w in enumerate(in_force)]
    values = [(n, *value) for n, w in enumerate(in_force) for value in w.values]
    connection.register("given", _texts(("id", "rule", "table", "key", "sign_off"), given))
    connection.register("accepted", _texts(("id", "table", "key", "field", "value"), values))
    connection.execute(
        """CREATE OR REPLACE TABLE waived AS
        SELECT id, min(sign_off) AS waiver FROM (
            SELECT f.rowid AS id, w.sign_off FROM found AS f
            JOIN given AS w
                ON w.rule = f.rule AND coalesce(w."table", f."table") = f."table" AND coalesce(w.key, f.key) = f.key
            LEFT JOIN accepted AS a
                ON a.id = w.id AND a."table" = f."table" AND a.key = f.key AND a.field IS NOT DISTINCT FROM f.field
            WHERE f.reason IS NULL
            GROUP BY f.rowid, w.id, w.sign_off
            HAVING count(a.id) = 0 OR bool_or(a.value IS NOT DISTINCT FROM f.value)
        )
        GROUP BY id"""
    )
    connection.unregister("given")
    connection.unregister("accepted")


def _texts(names: Sequence[str], rows: Sequence[tuple[object, ...]]) -> pa.Table:
    """Rows as a table whose first column is a number and whose others are texts."""
    kinds = [pa.int64(), *[pa.string()] * (len(names) - 1)]
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.table(
        [pa.array(list(column), kind) for column, kind in zip(columns, kinds, strict=True)], list(names)
    )


def _note_followers(connection: duckdb.DuckDBPyConnection, standard: Standard) -> None:
    """Findings that only follow from their rule's root cause, which stands beside them: one that is waived does not."""
    connection.execute("CREATE OR REPLACE TABLE followers (id BIGINT)")
    found = {str(rule) for (rule,) in connection.execute("SELECT DISTINCT rule FROM found").fetchall()}
    for rule in standard.rules:
        for root in rule.suppressed_by:
            if rule.id not in found or root.rule not in found:
                continue
            same = 'o."table" = f."table" AND o.key = f.key'
            if root.on:
                paths = [literal(f"$.{name}") for name in root.on]
                same = " AND ".join(
                    f"json_extract_string(o.key, {path}) = json_extract_string(f.key, {path})"
                    for path in paths
                )
            fields = ", ".join(literal(name) for name in root.fields)
            connection.execute(
                f"""INSERT INTO followers SELECT f.rowid FROM found AS f
                SEMI JOIN (
                    SELECT * FROM found ANTI JOIN waived ON waived.id = found.rowid
                    WHERE rule = {literal(root.rule)} {f"AND field IN ({fields})" if fields else ""}
                ) AS o ON {same}
                WHERE f.rule = {literal(rule.id)}"""
            )


def _tally(counted: Sequence[tuple[str, Severity, bool, bool, int]]) -> Tally:
    counts: dict[str, int] = {}
    by_severity: dict[Severity, int] = {"block": 0, "explain": 0, "note": 0}
    waived: dict[str, int] = {}
    cannot: dict[str, int] = {}
    for rule, severity, is_waived, is_unjudged, count in counted:
        if is_waived:
            waived[rule] = waived.get(rule, 0) + count
        else:
            counts[rule] = counts.get(rule, 0) + count
            by_severity[severity] += count
        if is_unjudged:
            cannot[rule] = cannot.get(rule, 0) + count
    return Tally(counts, by_severity, waived, cannot)
