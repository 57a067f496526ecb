"""SQL of what one row decides: the contract's findings, and all row rules of a table in one pass. Nothing is run here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from validations.engine.finding_sql import key_json, organisation_sql
from validations.engine.session import literal, quoted, rows_of
from validations.engine.sql_text import Predicate, read_predicate
from validations.engine.standard import Rule, Standard, Table


@dataclass(frozen=True)
class RowRule:
    """A `holds` rule over one table: when it fails, and what its finding says, as SQL over the row."""

    rule: Rule
    fails: str
    expected: str | None
    parameters: frozenset[str]


def row_rule(standard: Standard, table: Table, rule: Rule) -> RowRule:
    """The rule with its macros expanded. Raises SqlMistake, which loading has excluded."""

    def read(text: str | None) -> Predicate | None:
        return None if text is None else read_predicate(text, table, standard.macros, standard.parameters)

    when, holds, expected = read(rule.when), read(rule.holds), read(rule.expected)
    assert holds is not None, "planned as a row rule"
    used = [each for each in (when, holds, expected) if each is not None]
    return RowRule(
        rule,
        # CASE, so that a rule is not asked about rows that are none of its business: it might raise on them.
        f"CASE WHEN {when.sql} THEN NOT ({holds.sql}) END" if when else f"NOT ({holds.sql})",
        expected.sql if expected else None,
        frozenset(name for each in used for name in each.parameters),
    )


def contract_findings(table: Table) -> str:
    """Findings of the contract from `failing`: rule, field, row, value, and `of` with the columns that name the row."""
    return f"""
        SELECT rule, {literal(table.name)}, {key_json(table, "of")}, {organisation_sql(table, "of")},
            field, value, NULL, NULL, row, NULL
        FROM failing"""


def row_findings(table: Table, rules: Sequence[RowRule]) -> str:
    """All row rules of one table in one pass: a scan that keeps failing rows, then one finding per broken predicate."""
    entries: list[str] = []
    for each in rules:
        said = _said(table, each)
        texts = ", ".join(f"{literal(name)}: {sql}" for name, sql in said.items())
        entries.append(f"CASE WHEN {each.fails} THEN {{'rule': {literal(each.rule.id)}, {texts}}} END")
    fails = " OR ".join(f"({each.fails})" for each in rules)
    return f"""
        SELECT b.rule, {literal(table.name)}, key, organisation, b.field, b.value, b.expected, b.difference, row, NULL
        FROM (
            SELECT {key_json(table)} AS key, {organisation_sql(table)} AS organisation, t.row,
                unnest([{", ".join(entries)}]) AS b
            FROM {quoted(rows_of(table.name))} AS t
            WHERE {fails}
        )
        WHERE b IS NOT NULL"""


def suspects(table: Table, rule: RowRule) -> str:
    """Rows that fail one rule, or on which it raises (`is raised`); once more, carefully, when a pass raised.

    TRY makes what raises NULL; the structure around the predicate tells that from a predicate that is NULL.
    """
    return f"""
        SELECT * EXCLUDE (outcome), outcome IS NULL AS "is raised"
        FROM (
            SELECT *, try(struct_pack(fails := {rule.fails})) AS outcome
            FROM {quoted(rows_of(table.name))} AS t
        )
        WHERE outcome IS NULL OR outcome.fails"""


def suspect_findings(table: Table, rule: RowRule, *, with_expected: bool) -> str:
    """Findings of the rows in `suspects`: broken, or not to be judged for `the reason`."""
    said = _said(table, rule if with_expected else RowRule(rule.rule, rule.fails, None, rule.parameters))
    return f"""
        SELECT {literal(rule.rule.id)}, {literal(table.name)}, {key_json(table)}, {organisation_sql(table)},
            {said["field"]}, {said["value"]}, CASE WHEN NOT t."is raised" THEN {said["expected"]} END,
            CASE WHEN NOT t."is raised" THEN {said["difference"]} END, t.row, t."the reason"
        FROM suspects AS t"""


def _said(table: Table, each: RowRule) -> dict[str, str]:
    """SQL of field, value, expected and difference, all as text."""
    field, expected = each.rule.field, each.expected
    value = quoted(field) if field else None
    difference = None
    if expected and field and table.field(field).type in ("integer", "decimal"):
        difference = f"{value} - ({expected})"
    said = {"value": value, "expected": expected, "difference": difference}
    texts = {name: f"CAST({f'({sql})' if sql else 'NULL'} AS VARCHAR)" for name, sql in said.items()}
    return {"field": literal(field) if field else "CAST(NULL AS VARCHAR)", **texts}
