"""Whether what a standard says of its figures fits its dictionary: explaining queries, names of codes, key indicators.

That figures add up is shown by the examples, not here: there is no data yet.
"""

from __future__ import annotations

from collections.abc import Mapping

from validations.engine.binder import Binder
from validations.engine.cross_check_tables import check_field, unknown
from validations.engine.figures import PART, SIDE, WEIGHT, Explanation, Indicator
from validations.engine.located import Located, Place, read_text
from validations.engine.sql_text import SqlMistake, read_query
from validations.engine.standard import Standard, Table


def check_explanations(standard: Standard, table: Table, located: Located, binder: Binder) -> None:
    """Note all that is wrong with how one table's figures open."""
    for index, explanation in enumerate(table.explains):
        place: Place = ("explains", index)
        if [each.field for each in table.explains].index(explanation.field) < index:
            located.wrong("validations.duplicate_id", (*place, "field"), id=explanation.field)
        is_sound = _check_figure(located, (*place, "field"), table, explanation.field)
        for key, named in (("into", explanation.into), ("compared", explanation.compared)):
            is_sound &= _check_parts(standard, located, (*place, key), named)
        for name in sorted(set(explanation.into) & set(explanation.compared)):
            located.wrong("validations.duplicate_id", (*place, "compared", name), id=name)
        if is_sound:
            _check_query(standard, table, explanation, (located, place), binder)
    if table.names is not None:
        for language in ("zh", "en"):
            check_field(located, ("names", language), table, getattr(table.names, language))
        if len(table.key) != 1:
            located.wrong("explain.names_key", ("names",), table=table.name, key=", ".join(table.key))


def check_indicators(standard: Standard, located: Located, binder: Binder) -> None:
    """Note all that is wrong with the key indicators."""
    seen: set[str] = set()
    for index, indicator in enumerate(standard.indicators):
        place: Place = ("indicators", index)
        if indicator.name in seen:
            located.wrong("validations.duplicate_id", (*place, "name"), id=indicator.name)
        seen.add(indicator.name)
        if (indicator.table is None) != (indicator.field is None):
            lacking = "field" if indicator.field is None else "table"
            located.wrong("validations.key_missing", place, key=lacking)
            continue
        if indicator.table is not None and indicator.field is not None:
            if indicator.table not in standard.tables:
                known = standard.tables
                unknown(located, (*place, "table"), "validations.unknown_table", indicator.table, known)
                continue
            if not _check_figure(
                located, (*place, "field"), standard.table(indicator.table), indicator.field
            ):
                continue
        try:
            _check_indicator(standard, indicator, binder)
        except SqlMistake as mistake:
            located.wrong(mistake.code, (*place, "sql"), **mistake.values)


def _check_indicator(standard: Standard, indicator: Indicator, binder: Binder) -> None:
    query = read_query(indicator.sql, standard.tables, references={}, parameters=standard.parameters)
    columns = binder.columns(query.text, query.parameters)
    expected = standard.table(indicator.table).stored_key if indicator.table else ("value",)
    if set(columns) != set(expected):
        shown = {"found": ", ".join(columns), "expected": ", ".join(expected)}
        raise SqlMistake("explain.indicator_columns", shown)
    if indicator.table is None:
        _require_exact("value", columns)


def _check_figure(located: Located, place: Place, table: Table, name: str) -> bool:
    """Whether a field is there and can be added up."""
    stored = {field.name: field for field in table.stored_fields}
    if name not in stored:
        known = ", ".join(stored)
        located.wrong("validations.unknown_field", place, name=name, table=table.name, known=known)
        return False
    if stored[name].type not in ("integer", "decimal"):
        located.wrong("explain.no_figure", place, field=name, table=table.name, type=stored[name].type)
        return False
    return True


def _check_parts(standard: Standard, located: Located, place: Place, named: Mapping[str, str]) -> bool:
    is_sound = True
    for name, field in named.items():
        if name not in standard.tables:
            unknown(located, (*place, name), "validations.unknown_table", name, standard.tables)
            is_sound = False
        else:
            is_sound &= _check_figure(located, (*place, name), standard.table(name), field)
    return is_sound


def _check_query(
    standard: Standard, table: Table, explanation: Explanation, at: tuple[Located, Place], binder: Binder
) -> None:
    located, place = at
    path = explanation.query
    if not path.is_file():
        located.wrong("validations.file_missing", (*place, "query"), name=f"tables/{path.name}")
        return
    text = read_text(path, located.mistakes)
    if text is None:
        return
    try:
        query = read_query(text, standard.tables, references={}, parameters=standard.parameters)
        columns = binder.columns(query.text, query.parameters)
        expected = explaining_columns(standard, table, explanation)
        if set(columns) != set(expected):
            shown = {"found": ", ".join(columns), "expected": ", ".join(expected)}
            raise SqlMistake("explain.columns", shown)
        _require_exact(WEIGHT, columns)
        for report in standard.reports:
            missing = [name for name in {*query.tables, *explanation.fields} if name not in report.tables]
            if table.name in report.tables and missing:
                shown = {"table": table.name, "report": report.name, "missing": ", ".join(sorted(missing))}
                raise SqlMistake("validations.derive_inputs", shown)
    except SqlMistake as mistake:
        located.mistakes.add(mistake.code, path, mistake.line, **mistake.values)


def explaining_columns(standard: Standard, table: Table, explanation: Explanation) -> tuple[str, ...]:
    """The columns of an explaining query: the figure's key, the part's table and key, how often it counts."""
    parts = dict.fromkeys(
        f"{PART}_{name}" for other in explanation.fields for name in standard.table(other).stored_key
    )
    side = (SIDE,) if explanation.ratio is not None else ()
    return (*table.stored_key, PART, *parts, WEIGHT, *side)


def _require_exact(name: str, columns: Mapping[str, str]) -> None:
    if not (
        columns[name].startswith(("DECIMAL", "HUGEINT"))
        or columns[name].endswith("INT")
        or columns[name] == "INTEGER"
    ):
        raise SqlMistake("explain.inexact", {"column": name, "type": columns[name]})
