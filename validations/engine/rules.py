"""Rules as SQL: from what a rule declares to the SELECT that returns its findings, nothing executed.

Every SELECT returns `COLUMNS`. Row rules of a table share one pass; shapes are generated; queries are wrapped. What the
dictionary and one row decide is `contract`'s matter; running is `judge`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from validations.engine.session import literal, quoted, rows_of
from validations.engine.sql_text import read_predicate
from validations.engine.standard import Formula, Reference, Rule, SumEquals, Table

COLUMNS = {
    "rule": "VARCHAR",
    "table": "VARCHAR",
    "key": "VARCHAR",
    "organisation": "VARCHAR",
    "field": "VARCHAR",
    "value": "VARCHAR",
    "expected": "VARCHAR",
    "difference": "VARCHAR",
    "row": "BIGINT",
}


def key_json(table: Table, alias: str = "t") -> str:
    """SQL of the canonical JSON of a row's business key: every value as text, NULL as null."""
    parts = [
        f"{literal(('{' if i == 0 else ',') + chr(34) + name + chr(34) + ':')}"
        f" || coalesce(CAST(to_json(CAST({alias}.{quoted(name)} AS VARCHAR)) AS VARCHAR), 'null')"
        for i, name in enumerate(table.stored_key)
    ]
    return " || ".join([*parts, "'}'"])


def _organisation(table: Table, alias: str = "t") -> str:
    return f"CAST({alias}.{quoted(table.organisation)} AS VARCHAR)" if table.organisation else "NULL"


def value_of_field(table: Table, field: str, alias: str = "t") -> str:
    """SQL of the text of the field that the SQL expression `field` names, whichever it is in this row."""
    cases = " ".join(
        f"WHEN {literal(f.name)} THEN CAST({alias}.{quoted(f.name)} AS VARCHAR)" for f in table.stored_fields
    )
    return f"CASE {field} {cases} END"


def contract_findings(table: Table) -> str:
    """Findings of the contract: its failing rows (`failing`: row, field, constraint) with the rules that judge them."""
    return f"""
        SELECT m.rule, {literal(table.name)}, {key_json(table)}, {_organisation(table)}, f.field,
            {value_of_field(table, "f.field")}, NULL, NULL, t.row
        FROM failing AS f
        JOIN judged_constraints AS m ON m."table" = {literal(table.name)}
            AND m.field = f.field AND m."constraint" = f."constraint"
        JOIN {quoted(rows_of(table.name))} AS t ON t.row = f.row"""


def row_rules(table: Table, rules: Sequence[Rule], macros: Mapping[str, str]) -> str:
    """All row rules of one table in one pass: a scan that keeps failing rows, then one finding per broken predicate."""
    predicates = [read_predicate(str(rule.holds), table, macros) for rule in rules]
    entries: list[str] = []
    for rule, predicate in zip(rules, predicates, strict=True):
        expected = read_predicate(rule.expected, table, macros) if rule.expected is not None else None
        value = quoted(rule.field) if rule.field else None
        difference = None
        if expected and value and table.field(str(rule.field)).type in ("integer", "decimal"):
            difference = f"{value} - ({expected})"
        said = {"value": value, "expected": expected, "difference": difference}
        texts = ", ".join(
            f"{literal(name)}: CAST({f'({sql})' if sql else 'NULL'} AS VARCHAR)" for name, sql in said.items()
        )
        field = literal(rule.field) if rule.field else "CAST(NULL AS VARCHAR)"
        entries.append(
            f"CASE WHEN NOT ({predicate}) THEN {{'rule': {literal(rule.id)}, 'field': {field}, {texts}}} END"
        )
    fails = " OR ".join(f"NOT ({predicate})" for predicate in predicates)
    return f"""
        SELECT b.rule, {literal(table.name)}, key, organisation, b.field, b.value, b.expected, b.difference, row
        FROM (
            SELECT {key_json(table)} AS key, {_organisation(table)} AS organisation, t.row,
                unnest([{", ".join(entries)}]) AS b
            FROM {quoted(rows_of(table.name))} AS t
            WHERE {fails}
        )
        WHERE b IS NOT NULL"""


def unique(rule: Rule, table: Table, fields: Sequence[str]) -> str:
    """One finding per value of `fields` that stands in several rows; `difference` is how many rows too many."""
    names = ", ".join(quoted(name) for name in fields)
    given = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in fields)
    return f"""
        SELECT {literal(rule.id)}, {literal(table.name)}, {key_json(table)}, {_organisation(table)},
            {literal(fields[0])}, CAST(t.{quoted(fields[0])} AS VARCHAR), NULL, CAST(d.rows - 1 AS VARCHAR), t.row
        FROM (
            SELECT min(row) AS row, count(*) AS rows FROM {quoted(rows_of(table.name))}
            WHERE {given} GROUP BY {names} HAVING count(*) > 1
        ) AS d
        JOIN {quoted(rows_of(table.name))} AS t ON t.row = d.row"""


def foreign_key(rule: Rule, table: Table, reference: Reference) -> str:
    """One finding per row whose reference leads nowhere; a NULL refers to nothing and is not judged."""
    pairs = list(zip(reference.fields, reference.to, strict=True))
    given = " AND ".join(f"t.{quoted(name)} IS NOT NULL" for name in reference.fields)
    same = " AND ".join(f"r.{quoted(to)} = t.{quoted(name)}" for name, to in pairs)
    field = reference.fields[0]
    return f"""
        SELECT {literal(rule.id)}, {literal(table.name)}, {key_json(table)}, {_organisation(table)},
            {literal(field)}, CAST(t.{quoted(field)} AS VARCHAR), NULL, NULL, t.row
        FROM {quoted(rows_of(table.name))} AS t ANTI JOIN {quoted(reference.references)} AS r ON {same}
        WHERE {given}"""


def sum_equals(rule: Rule, table: Table, shape: SumEquals) -> str:
    """Exact sums. No rows to add make zero; a NULL among them makes the sum unknown, and unknown is not judged."""
    pairs = list(zip(shape.key, shape.by, strict=True))
    by = ", ".join(quoted(name) for name in shape.by)
    same = " AND ".join(f"s.{quoted(to)} = t.{quoted(name)}" for name, to in pairs)
    given = " AND ".join(f"t.{quoted(name)} IS NOT NULL" for name in shape.key)
    value, total = f"t.{quoted(shape.value)}", "coalesce(s.total, 0)"
    return f"""
        SELECT {literal(rule.id)}, {literal(table.name)}, {key_json(table)}, {_organisation(table)},
            {literal(shape.value)}, CAST({value} AS VARCHAR), CAST({total} AS VARCHAR),
            CAST({value} - {total} AS VARCHAR), t.row
        FROM {quoted(rows_of(table.name))} AS t
        LEFT JOIN (
            SELECT {by}, sum({quoted(shape.sum)}) AS total, count(*) - count({quoted(shape.sum)}) AS unknown
            FROM {quoted(shape.of)} GROUP BY {by}
        ) AS s ON {same}
        WHERE {given} AND coalesce(s.unknown, 0) = 0 AND {value} <> {total}"""


def formula(rule: Rule, table: Table, shape: Formula) -> str:
    """One finding per organisation whose sides differ by more than rounding can explain, at the first item of the left.

    Tolerance: half a unit of the last digit per figure, 0.005 × (n + 1) at two decimals. An item without a row counts
    zero; a NULL value makes its equation unknown, and unknown is not judged.
    """
    terms = [*((t.item, t.sign, "l") for t in shape.left), *((t.item, -t.sign, "r") for t in shape.right)]
    signs = ", ".join(f"({literal(item)}, {sign})" for item, sign, _ in terms)
    scale = table.field(shape.value).scale or 0
    tolerance = Decimal(5).scaleb(-scale - 1) * len(terms)
    first = shape.left[0]
    organisation, item, value = (quoted(name) for name in (shape.organisation, shape.item, shape.value))
    parts = {shape.organisation: "organisation", shape.item: literal(first.item)}
    keys = ", ".join(f"CAST({parts[name]} AS VARCHAR) AS {quoted(name)}" for name in table.stored_key)
    owner = {shape.organisation: "organisation"}.get(table.organisation or "", "NULL")
    return f"""
        SELECT {literal(rule.id)}, {literal(table.name)}, {key_json(table)}, t.owner, {literal(shape.value)},
            CAST(t.value AS VARCHAR), CAST(t.value - {first.sign} * t.difference AS VARCHAR),
            CAST(t.difference AS VARCHAR), t.row
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


def query_result(rule: Rule, table: Table, columns: Sequence[str]) -> str:
    """Findings of a query whose rows were put into `answer`, with row, value and organisation where the table has them."""
    names = [quoted(name) for name in table.stored_key]
    keys = ", ".join(names)
    same = " AND ".join(f"t.{name} IS NOT DISTINCT FROM q.{name}" for name in names)

    def said(name: str, otherwise: str) -> str:
        return f"CAST(q.{quoted(name)} AS VARCHAR)" if name in columns else otherwise

    field = said("field", literal(rule.field) if rule.field else "NULL")
    if "field" in columns and rule.field:
        field = f"coalesce({field}, {literal(rule.field)})"
    return f"""
        SELECT {literal(rule.id)}, {literal(table.name)}, {key_json(table, "q")},
            {said("organisation", _organisation(table))}, {field},
            {said("value", value_of_field(table, field))}, {said("expected", "NULL")},
            {said("difference", "NULL")}, t.row
        FROM answer AS q
        LEFT JOIN (
            SELECT t.* FROM {quoted(rows_of(table.name))} AS t
            JOIN (SELECT min(row) AS row FROM {quoted(rows_of(table.name))} GROUP BY {keys}) AS f ON f.row = t.row
        ) AS t ON {same}"""
