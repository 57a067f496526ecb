"""What must fit between the files of a standard: names exist, SQL binds, every constraint has its rule.

One file's own form is the JSON Schema's matter. Each mistake names file, line and what was expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from validations.engine.binder import Binder
from validations.engine.constraints import constraints_of, declared_constraints
from validations.engine.cross_check_figures import check_explanations, check_indicators
from validations.engine.cross_check_rules import check_rules
from validations.engine.cross_check_tables import check_field, check_table, is_sound, unknown
from validations.engine.located import Located, Mistakes, Place, read_text, read_yaml
from validations.engine.parameters import bound, fits
from validations.engine.parse import parse_table
from validations.engine.reports import MONTHS
from validations.engine.sql_text import PARAMETERS, SqlMistake, read_derivation, read_macro
from validations.engine.standard import Standard, Table
from validations.engine.types import duckdb_type

if TYPE_CHECKING:
    from validations.engine.loader import Drafts


Neighbours = Mapping[str, Mapping[str, Table]]


def cross_check(
    standard: Standard, drafts: Drafts, mistakes: Mistakes, others: Neighbours | None = None
) -> None:
    """Note all that does not fit between the files of `standard`; `others`: `neighbours`, None when not at hand."""
    _check_standard(standard, drafts.standard)
    texts = {name: parameter.default for name, parameter in standard.parameters.items()}
    fitting = {name: text for name, text in texts.items() if fits(standard.parameters[name], text)}
    defaults = {**texts, **bound(standard, fitting)}
    for table, located in drafts.tables.values():
        check_table(standard, table, located)
    if not all(is_sound(table) for table in standard.tables.values()):
        return
    with Binder(standard.tables, references=others, parameters=defaults) as binder:
        for name, (table, located) in drafts.tables.items():
            if table.derive is not None:
                _check_derive(standard, name, located, binder)
            check_explanations(standard, table, located, binder)
        check_indicators(standard, drafts.standard, binder)
        _check_derive_circles(standard, drafts)
        check_rules(standard, drafts.rules, binder)
    _check_constraints_judged(standard, drafts, mistakes)


def neighbours(standard: Standard, folders: Iterable[Path]) -> dict[str, dict[str, Table]]:
    """The dictionaries of the standards that its queries read as `<standard>.TABLE`: its own, and others in `folders`.

    Of each name the first; only those that its queries name; one that does not load is not there. Its own name stands for
    another report of the same period.
    """
    texts = [
        rule.query.read_text(encoding="utf-8")
        for rule in standard.rules
        if rule.query and rule.query.is_file()
    ]
    found = {standard.name: dict(standard.tables)}
    places = [place for folder in folders if folder.is_dir() for place in sorted(folder.iterdir())]
    for folder in places:
        if folder.name not in found and any(f"{folder.name}." in text for text in texts):
            unheeded = Mistakes(folder)
            files = sorted((folder / "tables").glob("*.yaml"))
            read = [(file, read_yaml(file, "table", unheeded).data) for file in files]
            tables = [parse_table(data, file.parent) for file, data in read if data is not None]
            found[folder.name] = {table.name: table for table in tables if is_sound(table)}
    return found


def _check_standard(standard: Standard, located: Located) -> None:
    for key in ("effective", "missing_date"):
        said = located.data.get(key, standard.effective)
        try:
            date.fromisoformat(said)
        except ValueError:
            located.wrong("validations.wrong_value", (key,), value=said, expected="a date YYYY-MM-DD")
    _check_names(standard, located)
    _check_reports(standard, located)
    _check_packages(standard, located)
    _check_phases(standard, located)
    for (declared, _), (name, macro) in zip(
        located.data.get("macros", {}).items(), standard.macros.items(), strict=False
    ):
        place: Place = ("macros", declared)
        try:
            read_macro(name, macro, standard.macros)
        except SqlMistake as mistake:
            located.wrong(mistake.code, place, **mistake.values)
        if len(set(macro.arguments)) < len(macro.arguments):
            located.wrong("validations.macro_twice", place, name=name)
        for table in standard.tables.values():
            if name.lower() in (field.name.lower() for field in table.stored_fields):
                located.wrong("validations.macro_field", place, name=name, table=table.name)
                break
    for name, parameter in standard.parameters.items():
        if name in PARAMETERS:
            located.wrong("validations.duplicate_id", ("parameters", name), id=name)
        if not fits(parameter, parameter.default):
            values = {"value": parameter.default, "type": parameter.type}
            located.wrong("validations.parameter_default", ("parameters", name, "default"), **values)


def _check_phases(standard: Standard, located: Located) -> None:
    """Every group of rules stands in exactly one phase, where there are phases."""
    named = [group for phase in standard.phases for group in phase.groups]
    groups = {rule.group for rule in standard.rules}
    lacking, unknown = sorted(groups - set(named)), sorted(set(named) - groups)
    if standard.phases and (lacking or unknown or len(named) != len(set(named))):
        values = {"missing": ", ".join(lacking) or "–", "unknown": ", ".join(unknown) or "–"}
        located.wrong("validations.phases", ("phases",), **values)


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
                unknown(
                    located, (*place, "tables", number), "validations.unknown_table", name, standard.tables
                )
        if report.package not in standard.packages:
            unknown(
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
                unknown(
                    located, (*place, "table"), "validations.unknown_table", profile.table, standard.tables
                )
                continue
            table = standard.tables[profile.table]
            for key in ("organisation", "item", "value"):
                check_field(located, (*place, key), table, getattr(profile, key))


def _check_derive(standard: Standard, name: str, located: Located, binder: Binder) -> None:
    table = standard.tables[name]
    if table.derive is None or not table.derive.is_file():
        located.wrong("validations.file_missing", ("derive",), name=f"tables/{located.data['derive']}")
        return
    if read_text(table.derive, located.mistakes) is None:
        return
    try:
        others = [other for other in standard.tables if other != name]
        query = read_derivation(table.derive, others, parameters=standard.parameters)
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


def _check_derive_circles(standard: Standard, drafts: Drafts) -> None:
    """Derived tables have a beginning: each can be computed once its inputs are."""
    inputs: dict[str, set[str]] = {}
    for name, table in standard.tables.items():
        if table.derive is not None and table.derive.is_file():
            try:
                read = read_derivation(table.derive, standard.tables, parameters=standard.parameters)
            except SqlMistake:
                return  # noted where it stands
            inputs[name] = set(read.tables)
    left = set(inputs)
    while ready := {name for name in left if not inputs[name] & left}:
        left -= ready
    for name in sorted(left):
        drafts.tables[name][1].wrong("validations.derive_circle", ("derive",), tables=", ".join(sorted(left)))


def _check_constraints_judged(standard: Standard, drafts: Drafts, mistakes: Mistakes) -> None:
    """Fail closed: what the dictionary demands in so many words, some rule must judge."""
    for name, (table, located) in drafts.tables.items():
        for index, field in enumerate(table.fields):
            judged = {c for rule in standard.rules for c in constraints_of(standard, table, rule, field)}
            for constraint in declared_constraints(field):
                key = constraint.partition(":")[0]
                if constraint in judged or field.assigned or key in ("encoding", "date_range"):
                    continue
                mistakes.add(
                    "validations.constraint_unjudged",
                    located.path,
                    located.line(("fields", index, key)),
                    constraint=constraint,
                    table=name,
                    field=field.name,
                )
