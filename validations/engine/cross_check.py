"""What must fit between the files of a standard: names exist, SQL binds, every constraint has its rule.

One file's own form is the JSON Schema's matter. Each mistake names file, line and what was expected.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl

from validations.engine.calculators import CHECKS
from validations.engine.cross_check_rules import check_rules
from validations.engine.located import Located, Mistakes, Place, read_text
from validations.engine.regex_subset import outside_subset
from validations.engine.sql_text import Binder, SqlMistake, read_derivation, read_macro, read_predicate
from validations.engine.standard import MONTHS, Field, Standard, Table
from validations.engine.types import arrow_schema, duckdb_type

if TYPE_CHECKING:
    from validations.engine.loader import Drafts


def cross_check(standard: Standard, drafts: Drafts, mistakes: Mistakes) -> None:
    """Note all that does not fit between the files of `standard`."""
    _check_standard(standard, drafts.standard)
    with Binder(standard.tables.values()) as binder:
        for name, (table, located) in drafts.tables.items():
            _check_table(standard, table, located)
            if table.derive is not None:
                _check_derive(standard, name, located, binder)
        check_rules(standard, drafts.rules, binder)
    _check_constraints_judged(standard, drafts, mistakes)


def _unknown(located: Located, place: Place, code: str, name: str, known: Iterable[str]) -> None:
    located.wrong(code, place, name=name, known=", ".join(known) or "–")


def _check_standard(standard: Standard, located: Located) -> None:
    _check_names(standard, located)
    _check_reports(standard, located)
    _check_packages(standard, located)
    for name, macro in standard.macros.items():
        try:
            read_macro(macro)
        except SqlMistake as mistake:
            located.wrong(mistake.code, ("macros", name), **mistake.values)


def _check_names(standard: Standard, located: Located) -> None:
    if standard.name != standard.path.name:
        located.wrong("validations.name_differs", ("name",), name=standard.name, expected=standard.path.name)
    for section in ("reports", "packages"):
        seen: set[str] = set()
        for index, item in enumerate(located.data[section]):
            if item["name"] in seen:
                located.wrong("validations.duplicate_id", (section, index, "name"), id=item["name"])
            seen.add(item["name"])


def _check_reports(standard: Standard, located: Located) -> None:
    for index, report in enumerate(standard.reports):
        place: Place = ("reports", index)
        for number, name in enumerate(report.tables):
            if name not in standard.tables:
                _unknown(
                    located, (*place, "tables", number), "validations.unknown_table", name, standard.tables
                )
        if report.package not in standard.packages:
            _unknown(
                located, (*place, "package"), "validations.unknown_package", report.package, standard.packages
            )
        due = report.due
        counts = sum(value is not None for value in (due.days, due.working_days))
        if counts != (1 if due.by == "period_end" else 0):
            located.wrong("validations.due_rule", (*place, "due"), by=due.by)
        if report.months and not any(month % MONTHS.get(report.rhythm, 1) == 0 for month in report.months):
            located.wrong("validations.report_months", (*place, "months"), rhythm=report.rhythm)


def _check_packages(standard: Standard, located: Located) -> None:
    for index, profile in enumerate(standard.packages.values()):
        place: Place = ("packages", index)
        needed = ("table", "organisation", "item", "value", "report_type")
        if profile.format == "delimited":
            needed = ("delimiter", "file")
        missing = [name for name in needed if getattr(profile, name) is None]
        if missing:
            located.wrong("validations.key_missing", place, key=", ".join(missing))
        elif profile.table is not None:
            if profile.table not in standard.tables:
                _unknown(
                    located, (*place, "table"), "validations.unknown_table", profile.table, standard.tables
                )
                continue
            table = standard.tables[profile.table]
            for key in ("organisation", "item", "value"):
                _check_field(located, (*place, key), table, getattr(profile, key))


def _check_field(located: Located, place: Place, table: Table, name: str | None) -> None:
    known = [field.name for field in table.fields]
    if name is not None and name not in known:
        located.wrong("validations.unknown_field", place, name=name, table=table.name, known=", ".join(known))


def _check_table(standard: Standard, table: Table, located: Located) -> None:
    if table.name != located.path.stem:
        located.wrong("validations.name_differs", ("name",), name=table.name, expected=located.path.stem)
    for number, name in enumerate(table.key):
        _check_field(located, ("key", number), table, name)
    _check_field(located, ("organisation",), table, table.organisation)
    seen: set[str] = set()
    for index, field in enumerate(table.fields):
        place: Place = ("fields", index)
        if field.name.lower() in seen:  # DuckDB does not tell cases apart
            located.wrong("validations.duplicate_id", (*place, "name"), id=field.name)
        seen.add(field.name.lower())
        _check_one_field(standard, table, field, located, place)


def _check_one_field(standard: Standard, table: Table, field: Field, located: Located, place: Place) -> None:
    for name in ("length", "codes", "check", "pattern"):
        if getattr(field, name) is not None and field.type != "text":
            located.wrong(
                "validations.text_only", (*place, name), key=name, field=field.name, type=field.type
            )
    if (field.type == "decimal") != (field.precision is not None and field.scale is not None) or (
        field.type != "decimal" and (field.precision is not None or field.scale is not None)
    ):
        located.wrong("validations.decimal_digits", place, field=field.name)
    if field.codes is not None and field.codes not in standard.codes:
        _unknown(located, (*place, "codes"), "validations.unknown_codes", field.codes, standard.codes)
    if field.check is not None and field.check not in CHECKS:
        _unknown(located, (*place, "check"), "validations.unknown_check", field.check, CHECKS)
    if field.pattern is not None and (refused := outside_subset(field.pattern)):
        located.wrong(
            "validations.regex_outside_subset", (*place, "pattern"), pattern=field.pattern, refused=refused
        )
    if field.when is not None:
        if field.check is None and field.pattern is None:
            located.wrong("validations.when_without_check", (*place, "when"), field=field.name)
        _check_when(table, field.when, located, (*place, "when"))


def _check_when(table: Table, when: str, located: Located, place: Place) -> None:
    try:
        read_predicate(when, table)
        empty = pl.DataFrame(arrow_schema(table).empty_table())
        schema = empty.select(pl.sql_expr(when).alias("when")).schema
        if schema["when"] != pl.Boolean:
            raise SqlMistake("validations.sql_not_boolean", {"sql": when, "type": str(schema["when"])})
    except SqlMistake as mistake:
        located.wrong(mistake.code, place, **mistake.values)
    except pl.exceptions.PolarsError as error:
        located.wrong("validations.sql_unbindable", place, reason=str(error).splitlines()[0])


def _check_derive(standard: Standard, name: str, located: Located, binder: Binder) -> None:
    table = standard.tables[name]
    if table.derive is None or not table.derive.is_file():
        located.wrong("validations.file_missing", ("derive",), name=f"tables/{located.data['derive']}")
        return
    if read_text(table.derive, located.mistakes) is None:
        return
    try:
        query = read_derivation(table.derive, [other for other in standard.tables if other != name])
        columns = binder.columns(query.text, query.parameters)
        expected = [field.name for field in table.stored_fields]
        if list(columns) != expected:
            raise SqlMistake(
                "validations.derive_columns", {"found": ", ".join(columns), "expected": ", ".join(expected)}
            )
        for field in table.stored_fields:
            if columns[field.name] in ("DOUBLE", "FLOAT"):
                raise SqlMistake(
                    "validations.derive_float", {"field": field.name, "expected": duckdb_type(field)}
                )
        for report in standard.reports:
            missing = [other for other in query.tables if other not in report.tables]
            if name in report.tables and missing:
                raise SqlMistake(
                    "validations.derive_inputs",
                    {"table": name, "report": report.name, "missing": ", ".join(missing)},
                )
    except SqlMistake as mistake:
        located.mistakes.add(mistake.code, table.derive, mistake.line, **mistake.values)


def _check_constraints_judged(standard: Standard, drafts: Drafts, mistakes: Mistakes) -> None:
    """Fail closed: what the dictionary demands, some rule must judge."""
    judged = {(r.constraint, r.table, r.field) for r in standard.rules if r.constraint}

    def is_judged(constraint: str, table: str, field: str) -> bool:
        return any((constraint, t, f) in judged for t in (None, table) for f in (None, field))

    for name, (table, located) in drafts.tables.items():
        for index, field in enumerate(table.fields):
            declared = {
                "mandatory": field.mandatory,
                "length": field.length is not None,
                "codes": field.codes is not None,
                "pattern": field.pattern is not None,
                f"check:{field.check}": field.check is not None,
            }
            for constraint, is_declared in declared.items():
                if is_declared and not field.assigned and not is_judged(constraint, name, field.name):
                    key = constraint.split(":", maxsplit=1)[0]
                    mistakes.add(
                        "validations.constraint_unjudged",
                        located.path,
                        located.line(("fields", index, key)),
                        constraint=constraint,
                        table=name,
                        field=field.name,
                    )
