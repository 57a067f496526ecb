"""SQL of the shapes, and of what a query's answer becomes: each returns findings in `finding_sql.COLUMNS`. Nothing is run here.

The predicates within shapes come as SQL, macros expanded.
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from decimal import Decimal

from validations.engine.finding_sql import NO_KEY, key_json, organisation_sql, value_of_field
from validations.engine.session import literal, quoted, rows_of
from validations.engine.shapes import (
    Formula,
    NoOverlap,
    Reference,
    SameValues,
    Sequence,
    SumEquals,
)
from validations.engine.standard import Rule, Table


def unique(rule: Rule, table: Table, fields: Many[str], where: str = "true") -> str:
    """One finding per value of `fields` that stands in several rows; `difference` is how many rows too many."""
    names = ", ".join(quoted(name) for name in fields)
    given = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in fields)
    return f"""
        SELECT {literal(rule.id)}, {literal(table.name)}, {key_json(table)}, {organisation_sql(table)},
            {literal(fields[0])}, CAST(t.{quoted(fields[0])} AS VARCHAR), NULL, CAST(d.rows - 1 AS VARCHAR), t.row, NULL
        FROM (
            SELECT min(row) AS row, count(*) AS rows FROM {quoted(rows_of(table.name))}
            WHERE {given} AND ({where}) GROUP BY {names} HAVING count(*) > 1
        ) AS d
        JOIN {quoted(rows_of(table.name))} AS t ON t.row = d.row"""


def foreign_key(rule: Rule, table: Table, reference: Reference, where: str = "true") -> str:
    """One finding per row whose reference leads nowhere; a NULL refers to nothing and is not judged."""
    pairs = list(zip(reference.fields, reference.to, strict=True))
    given = " AND ".join(f"t.{quoted(name)} IS NOT NULL" for name in reference.fields)
    same = " AND ".join(f"r.{quoted(to)} = t.{quoted(name)}" for name, to in pairs)
    field = reference.fields[0]
    return f"""
        SELECT {literal(rule.id)}, {literal(table.name)}, {key_json(table)}, {organisation_sql(table)},
            {literal(field)}, CAST(t.{quoted(field)} AS VARCHAR), NULL, NULL, t.row, NULL
        FROM (SELECT * FROM {quoted(rows_of(table.name))} WHERE {where}) AS t
        ANTI JOIN {quoted(reference.references)} AS r ON {same}
        WHERE {given}"""


def sum_equals(
    rule: Rule, table: Table, shape: SumEquals, scale: int, *, when: str = "true", where: str = "true"
) -> str:
    """Sums that must agree, exactly or within rounding at `scale` decimals.

    No rows to add make zero; a NULL among them makes the sum unknown, and unknown is not judged.
    """
    pairs = list(zip(shape.key, shape.by, strict=True))
    by = ", ".join(quoted(name) for name in shape.by)
    same = " AND ".join(f"s.{quoted(to)} = t.{quoted(name)}" for name, to in pairs)
    given = " AND ".join(f"t.{quoted(name)} IS NOT NULL" for name in shape.key)
    value, total = f"t.{quoted(shape.value)}", "coalesce(s.total, 0)"
    differs = f"{value} <> {total}"
    if shape.rounded:
        half = Decimal(5).scaleb(-scale - 1)
        differs = f"abs({value} - {total}) > {half:f} * (coalesce(s.figures, 0) + 1)"
    return f"""
        SELECT {literal(rule.id)}, {literal(table.name)}, {key_json(table)}, {organisation_sql(table)},
            {literal(shape.value)}, CAST({value} AS VARCHAR), CAST({total} AS VARCHAR),
            CAST({value} - {total} AS VARCHAR), t.row, NULL
        FROM (SELECT * FROM {quoted(rows_of(table.name))} WHERE {when}) AS t
        LEFT JOIN (
            SELECT {by}, sum({quoted(shape.sum)}) AS total, count(*) AS figures,
                count(*) - count({quoted(shape.sum)}) AS unknown
            FROM {quoted(shape.of)} WHERE {where} GROUP BY {by}
        ) AS s ON {same}
        WHERE {given} AND coalesce(s.unknown, 0) = 0 AND {differs}"""


def no_overlap(rule: Rule, table: Table, shape: NoOverlap, where: str = "true") -> str:
    """One finding per row that begins before an earlier one of its kind has ended; `expected`: after which value."""
    by = ", ".join(quoted(name) for name in shape.by)
    given = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in (*shape.by, shape.start, shape.end))
    start = quoted(shape.start)
    return f"""
        SELECT {literal(rule.id)}, {literal(table.name)}, {key_json(table)}, {organisation_sql(table)},
            {literal(shape.start)}, CAST(t.{start} AS VARCHAR), '> ' || CAST(t.taken AS VARCHAR), NULL, t.row, NULL
        FROM (
            SELECT *, max({quoted(shape.end)}) OVER (
                PARTITION BY {by} ORDER BY {start}, row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS taken
            FROM {quoted(rows_of(table.name))} WHERE {given} AND ({where})
        ) AS t
        WHERE t.{start} <= t.taken"""


def sequence(rule: Rule, table: Table, shape: Sequence) -> str:
    """One finding per row whose number is not the one before it plus one, the first one's not `start`."""
    by = ", ".join(quoted(name) for name in shape.by)
    given = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in (*shape.by, shape.field))
    field = quoted(shape.field)
    return f"""
        SELECT {literal(rule.id)}, {literal(table.name)}, {key_json(table)}, {organisation_sql(table)},
            {literal(shape.field)}, CAST(t.{field} AS VARCHAR), CAST(t.due AS VARCHAR),
            CAST(t.{field} - t.due AS VARCHAR), t.row, NULL
        FROM (
            SELECT *, coalesce(lag({field}) OVER (PARTITION BY {by} ORDER BY {field}, row) + 1, {shape.start}) AS due
            FROM {quoted(rows_of(table.name))} WHERE {given}
        ) AS t
        WHERE t.{field} <> t.due"""


def constant(rule: Rule, table: Table, fields: Many[str], at_least: int) -> str:
    """One finding per field whose values are all the same, where there are at least so many of them; or rows, all empty."""
    entries = ", ".join(
        f"{{'field': {literal(name)}, 'least': CAST(min({quoted(name)}) AS VARCHAR), "
        f"'most': CAST(max({quoted(name)}) AS VARCHAR), 'given': count({quoted(name)}), 'rows': count(*)}}"
        for name in fields
    )
    return f"""
        SELECT {literal(rule.id)}, {literal(table.name)}, {literal(NO_KEY)}, NULL,
            c.field, c.least, NULL, NULL, NULL, NULL
        FROM (SELECT unnest([{entries}]) AS c FROM {quoted(table.name)})
        WHERE c.given >= {at_least} AND c.least = c.most OR c.rows >= {at_least} AND c.given = 0"""


def same_values(rule: Rule, left: Table, right: Table, shape: SameValues) -> tuple[str, str]:
    """One finding per row of either table whose values do not stand in the other."""
    forth = Reference(left.name, shape.fields, right.name, shape.to)
    back = Reference(right.name, shape.to, left.name, shape.fields)
    return foreign_key(rule, left, forth), foreign_key(rule, right, back)


def formula(rule: Rule, table: Table, shape: Formula) -> str:
    """One finding per organisation whose sides differ, at the first item of the left.

    By more than rounding can explain where the items are rounded: half a unit of the last digit per item, 0.005 × (n + 1)
    at two decimals. An item without a row counts zero; a NULL value makes its equation unknown, and unknown is not judged.
    """
    terms = [*((t.item, t.sign, "l") for t in shape.left), *((t.item, -t.sign, "r") for t in shape.right)]
    signs = ", ".join(f"({literal(item)}, {sign})" for item, sign, _ in terms)
    scale = table.field(shape.value).scale or 0
    tolerance = Decimal(5).scaleb(-scale - 1) * len(terms) if shape.rounded else Decimal(0)
    first = shape.left[0]
    organisation, item, value = (quoted(name) for name in (shape.organisation, shape.item, shape.value))
    parts = {shape.organisation: "organisation", shape.item: literal(first.item)}
    keys = ", ".join(f"CAST({parts[name]} AS VARCHAR) AS {quoted(name)}" for name in table.stored_key)
    owner = {shape.organisation: "organisation"}.get(table.organisation or "", "NULL")
    return f"""
        SELECT {literal(rule.id)}, {literal(table.name)}, {key_json(table)}, t.owner, {literal(shape.value)},
            CAST(t.value AS VARCHAR), CAST(t.value - {first.sign} * t.difference AS VARCHAR),
            CAST(t.difference AS VARCHAR), t.row, NULL
        FROM (
            SELECT {keys}, CAST({owner} AS VARCHAR) AS owner, difference, value, row
            FROM (
                SELECT s.{organisation} AS organisation, sum(s.{value} * w.sign) AS difference,
                    coalesce(max(s.{value}) FILTER (s.{item} = {literal(first.item)}), 0) AS value,
                    min(s.row) FILTER (s.{item} = {literal(first.item)}) AS row,
                    count(*) - count(s.{value}) AS unknown
                FROM {quoted(rows_of(table.name))} AS s
                JOIN (VALUES {signs}) AS w(item, sign) ON w.item = s.{item}
                WHERE s.{organisation} IS NOT NULL
                GROUP BY s.{organisation}
            )
            WHERE unknown = 0 AND abs(difference) > {tolerance:f}
        ) AS t"""


def query_findings(rule: Rule, table: Table, columns: Many[str], fields: Many[str]) -> str:
    """Findings of a query whose rows were put into `answer` and name `fields`.

    Row, value and organisation come from the table where the answer does not say them; of rows with one key, the first.
    """
    names = [quoted(name) for name in table.stored_key]
    keys = ", ".join(names)

    def same(left: str, right: str) -> str:
        return " AND ".join(f"{left}.{name} IS NOT DISTINCT FROM {right}.{name}" for name in names)

    def said(name: str, otherwise: str) -> str:
        return f"CAST(q.{quoted(name)} AS VARCHAR)" if name in columns else otherwise

    field = field_of_answer(rule, columns)
    return f"""
        SELECT {literal(rule.id)}, {literal(table.name)}, {key_json(table, "q")},
            {said("organisation", organisation_sql(table))}, {field},
            {said("value", value_of_field(fields, field) if fields else "NULL")}, {said("expected", "NULL")},
            {said("difference", "NULL")}, t.row, NULL
        FROM answer AS q
        LEFT JOIN (
            SELECT t.* FROM {quoted(rows_of(table.name))} AS t
            SEMI JOIN (
                SELECT min(r.row) AS row FROM {quoted(rows_of(table.name))} AS r
                SEMI JOIN answer AS a ON {same("a", "r")} GROUP BY {keys}
            ) AS f ON f.row = t.row
        ) AS t ON {same("t", "q")}"""


def field_of_answer(rule: Rule, columns: Many[str]) -> str:
    """SQL of the field that a row of `answer` (as q) is about."""
    own = literal(rule.field) if rule.field else "NULL"
    return f"coalesce(CAST(q.field AS VARCHAR), {own})" if "field" in columns else own
