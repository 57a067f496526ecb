"""Mistakes in a standard: each named with its file, its line and what was expected, all of them at once."""

from __future__ import annotations

import pytest

from tests.validations.engine.sample_standard import (
    COVER,
    FILES,
    ITEM,
    POLICY,
    RULES,
    STANDARD,
    Write,
    mistakes,
    replaced,
    rule,
)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


MISTAKES = [
    (
        "standard.yaml",
        STANDARD,
        "status: reconstructed",
        "status: guessed",
        '"guessed" does not fit; expected: official, reconstructed, historical',
    ),
    (
        "standard.yaml",
        STANDARD,
        'version: "1.0"',
        "version: 1.0",
        "version: 1.0 does not fit; expected: text in quotes",
    ),
    ("standard.yaml", STANDARD, "effective: 2026-01-01", "effective: soon", "expected: a date YYYY-MM-DD"),
    (
        "standard.yaml",
        STANDARD,
        "effective: 2026-01-01",
        "missing_date: 1900-02-30\neffective: 2026-01-01",
        "expected: a date YYYY-MM-DD",
    ),
    (
        "standard.yaml",
        STANDARD,
        "name: sample",
        "name: simple",
        "name simple is not that of its file or folder; expected: sample",
    ),
    (
        "standard.yaml",
        STANDARD,
        "status: reconstructed",
        "stattus: x\nstatus: reconstructed",
        "unknown key stattus; expected one of: name, title",
    ),
    (
        "standard.yaml",
        STANDARD,
        "status: reconstructed",
        "version: x\nstatus: reconstructed",
        "key version stands twice",
    ),
    (
        "standard.yaml",
        STANDARD,
        "tables: [POLICY, COVER]\n",
        "tables: [POLICY, COVERS]\n",
        "unknown table COVERS; expected one of: COVER, ITEM, POLICY",
    ),
    (
        "standard.yaml",
        STANDARD,
        "tables: [POLICY, COVER]\n    package: text",
        "tables: [POLICY, COVER]\n    package: texts",
        "unknown package texts; expected one of: text",
    ),
    (
        "standard.yaml",
        STANDARD,
        "due: {by: period_end, days: 10}",
        "due: {by: period_end}",
        "period_end takes exactly one of days, working_days",
    ),
    ("standard.yaml", STANDARD, 'delimiter: "|", ', "", "missing key(s) delimiter"),
    (
        "standard.yaml",
        STANDARD,
        "is_person: \"KIND = '个人'\"",
        'is_person: "KIND = ("',
        "SQL cannot be parsed",
    ),
    (
        "tables/POLICY.yaml",
        POLICY,
        "key: [NO]",
        "key: [NUMBER]",
        "table POLICY has no field NUMBER; expected one of: LSH, ORG, NO",
    ),
    (
        "tables/POLICY.yaml",
        POLICY,
        "codes: kind",
        "codes: kinds",
        "there is no code list codes/kinds.csv; expected one of: kind",
    ),
    (
        "tables/POLICY.yaml",
        POLICY,
        "check: resident_id",
        "check: residentid",
        "unknown check residentid; expected one of: resident_id, uscc",
    ),
    (
        "tables/POLICY.yaml",
        POLICY,
        "{name: KIND",
        "{name: kind, title: {zh: 类, en: k}, type: date}\n  - {name: KIND",
        "KIND stands twice",
    ),
    (
        "tables/POLICY.yaml",
        POLICY,
        "type: decimal, precision: 20, scale: 2",
        "type: decimal, precision: 20",
        "precision and scale are expected together",
    ),
    (
        "tables/POLICY.yaml",
        POLICY,
        "type: decimal, precision: 20, scale: 2",
        "type: money",
        "expected: text, integer, decimal, date",
    ),
    ("tables/POLICY.yaml", POLICY, "KIND = '个人'", "KINDS = '个人'", "table POLICY has no column KINDS"),
    (
        "tables/POLICY.yaml",
        POLICY,
        "[0-9]{3,4}-[0-9]{7,8}",
        "(?=[0-9])",
        "uses (?…, which not all engines read alike",
    ),
    (
        "tables/POLICY.yaml",
        POLICY,
        "length: 10",
        "length: 0",
        "length: 0 does not fit; expected: bytes, at least 1",
    ),
    (
        "tables/POLICY.yaml",
        POLICY,
        "name: ENDS, title: {zh: 止期, en: Ends}, type: date",
        "name: ENDS, title: {zh: 止期, en: Ends}, type: date, length: 8",
        "length is for text fields only, ENDS is date",
    ),
    (
        "tables/POLICY.yaml",
        POLICY,
        "title: {zh: 保单, en: Policies}",
        "title: {zh: 保单}",
        "missing key(s) en",
    ),
    ("tables/COVER.yaml", COVER, "name: COVER", "name: COVERS", "expected: COVER"),
    ("tables/COVER.yaml", COVER, "key: [NO, SEQ]", "key: [NO, SEQ", "is not YAML"),
    (
        "tables/COVER.yaml",
        COVER,
        "type: text}",
        "type: &t text}\n  - {name: X, title: {zh: x, en: x}, type: *t}",
        "anchors or aliases",
    ),
    ("tables/ITEM.yaml", ITEM, "derive: ITEM.sql", "derive: ITEMS.sql", "there is no file tables/ITEMS.sql"),
    ("rules/rules.yaml", RULES, "id: D02", "id: D01", "rule D01 stands twice, first at rules.yaml:"),
    (
        "rules/rules.yaml",
        RULES,
        "holds: BEGINS <= ENDS",
        "holds: BEGINS <= FINISHES",
        "table POLICY has no column FINISHES",
    ),
    ("rules/rules.yaml", RULES, "holds: BEGINS <= ENDS", "holds: BEGINS <= (ENDS", "SQL cannot be parsed"),
    (
        "rules/rules.yaml",
        RULES,
        "holds: BEGINS <= ENDS",
        "holds: PREMIUM + 1",
        "expected a boolean expression",
    ),
    ("rules/rules.yaml", RULES, "holds: BEGINS <= ENDS", "holds: no_such_function(BEGINS)", "SQL cannot run"),
    ("rules/rules.yaml", RULES, "holds: BEGINS <= ENDS", "holds: BEGINS IN (SELECT 1)", "without subqueries"),
    ("rules/rules.yaml", RULES, "expected: ENDS", "expected: FINISH", "table POLICY has no column FINISH"),
    (
        "rules/rules.yaml",
        RULES,
        "holds: BEGINS <= ENDS",
        "holds: BEGINS <= ENDS\n  query: R01.sql",
        "exactly one of constraint, holds, query, shape",
    ),
    (
        "rules/rules.yaml",
        RULES,
        "references: POLICY",
        "references: POLICIES",
        "unknown table POLICIES; expected one of: COVER, ITEM, POLICY",
    ),
    (
        "rules/rules.yaml",
        RULES,
        "fields: [NO]",
        "fields: [SEQ]",
        "joins fields of different types: integer ↔ text",
    ),
    (
        "rules/rules.yaml",
        RULES,
        "value: PREMIUM",
        "value: BEGINS",
        "POLICY.BEGINS is expected to be integer or decimal",
    ),
    (
        "rules/rules.yaml",
        RULES,
        "equation: A01 = A02",
        "equation: A01 > A02",
        "expected: CODE ± CODE = CODE ± CODE",
    ),
    (
        "rules/rules.yaml",
        RULES,
        "unique: every_table",
        "unique: all",
        "expected: every_table or {table, fields}",
    ),
    (
        "rules/rules.yaml",
        RULES,
        "shape: {unique:",
        "shape: {uniq:",
        "unknown key uniq; expected one of: unique, foreign_key",
    ),
    (
        "rules/rules.yaml",
        RULES,
        "constraint: check:resident_id",
        "constraint: check:passport",
        "unknown check passport",
    ),
    ("rules/rules.yaml", RULES, "severity: explain", "severity: fatal", "expected: block, explain, note"),
    (
        "rules/rules.yaml",
        RULES,
        "severity: explain",
        "severity: explain\n  suppressed_by: [Z99]",
        "names Z99, which is no other rule",
    ),
    ("rules/rules.yaml", RULES, "query: R01.sql", "query: R99.sql", "there is no file rules/R99.sql"),
    ("rules/R01.sql", FILES["rules/R01.sql"], "ENDS < CAST", "ENDS <> < CAST", "SQL cannot be parsed"),
    (
        "rules/R01.sql",
        FILES["rules/R01.sql"],
        "SELECT NO, BEGINS AS expected FROM POLICY",
        "DELETE FROM POLICY",
        "expected a single SELECT",
    ),
    (
        "rules/R01.sql",
        FILES["rules/R01.sql"],
        "FROM POLICY",
        "FROM read_csv('/etc/passwd')",
        "a query reads tables of its standard only",
    ),
    (
        "rules/R01.sql",
        FILES["rules/R01.sql"],
        "FROM POLICY",
        "FROM 'x.parquet'",
        "a query reads tables of its standard only",
    ),
    (
        "rules/R01.sql",
        FILES["rules/R01.sql"],
        "SELECT NO,",
        "SELECT ORG,",
        "the query of rule R01 lacks NO and has the unknown ORG",
    ),
    (
        "rules/R01.sql",
        FILES["rules/R01.sql"],
        "$date_from",
        "$from_date",
        "unknown parameter from_date; expected one of: date_from",
    ),
    (
        "tables/ITEM.sql",
        FILES["tables/ITEM.sql"],
        "AS VALUE FROM",
        "AS SUM FROM",
        "the derived table has the columns ORG, CODE, SUM; expected: ORG, CODE, VALUE",
    ),
    (
        "tables/ITEM.sql",
        FILES["tables/ITEM.sql"],
        "sum(PREMIUM)",
        "sum(PREMIUM) * 1e0",
        "the derived field VALUE is a float",
    ),
    (
        "codes/kind.csv",
        FILES["codes/kind.csv"],
        "单位,单位,company",
        "个人,个人,person again",
        "code 个人 stands twice",
    ),
    (
        "codes/kind.csv",
        FILES["codes/kind.csv"],
        "code,title_zh",
        "codes,title_zh",
        "expected: code,title_zh,title_en",
    ),
]


@pytest.mark.parametrize(
    ("file", "text", "old", "new", "said"), MISTAKES, ids=[f"{m[0]}:{m[4][:40]}" for m in MISTAKES]
)
def test_a_mistake_names_file_line_and_what_was_expected(
    write_standard: Write, file: str, text: str, old: str, new: str, said: str
) -> None:
    found = mistakes(write_standard({file: replaced(text, old, new)}))
    named = [m for m in found if said in m]
    assert named, found
    assert any(m.startswith(f"sample/{file}:") for m in named), named


EXACT_LINES = [
    ("standard.yaml", STANDARD, "status: reconstructed", "status: guessed", "guessed"),
    ("tables/POLICY.yaml", POLICY, "codes: kind", "codes: kinds", "codes: kinds"),
    (
        "rules/rules.yaml",
        RULES,
        "holds: BEGINS <= ENDS",
        "holds: BEGINS <= FINISH",
        "holds: BEGINS <= FINISH",
    ),
    ("rules/rules.yaml", RULES, "references: POLICY", "references: POLICIES", "references: POLICIES"),
    (
        "rules/R01.sql",
        FILES["rules/R01.sql"],
        "CAST($date_from AS DATE)",
        "CAST($date_from AS DATE))",
        "CAST($date_from",
    ),
    ("tables/COVER.yaml", COVER, "type: integer}", "typ: integer}", "typ:"),
    ("codes/kind.csv", FILES["codes/kind.csv"], "单位,单位,company", "单位,单位", "单位,单位"),
]


@pytest.mark.parametrize(("file", "text", "old", "new", "at"), EXACT_LINES)
def test_the_line_is_the_very_line(
    write_standard: Write, file: str, text: str, old: str, new: str, at: str
) -> None:
    changed = replaced(text, old, new)
    found = mistakes(write_standard({file: changed}))
    assert any(m.startswith(f"sample/{file}:{line_of(changed, at)} ") for m in found), found


def test_what_the_dictionary_demands_some_rule_must_judge(write_standard: Write) -> None:
    rules = replaced(RULES, "constraint: codes", "constraint: mandatory")
    assert any(
        m.startswith(f"sample/tables/POLICY.yaml:{line_of(POLICY, 'name: KIND')} ")
        and "codes:kind of POLICY.KIND" in m
        for m in mistakes(write_standard({"rules/rules.yaml": rules}))
    )


def test_all_mistakes_are_listed_at_once(write_standard: Write) -> None:
    found = mistakes(
        write_standard(
            {
                "tables/POLICY.yaml": replaced(POLICY, "codes: kind", "codes: kinds"),
                "rules/R01.sql": "DROP TABLE POLICY",
                "rules/more.yaml": rule("D01", "holds: NOPE = 1", table="POLICY"),
            }
        )
    )
    for part in ("codes/kinds.csv", "expected a single SELECT", "D01 stands twice", "no column NOPE"):
        assert any(part in m for m in found), (part, found)
