"""Whether each table of the dictionary fits its standard: known names, code lists, checks, predicates that bind.

Relations between tables are the rules' matter and `cross_check_rules`'.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from validations.engine.calculators import CHECKS
from validations.engine.located import Located, Place
from validations.engine.regex_subset import outside_subset
from validations.engine.row_predicates import check_row_predicate
from validations.engine.sql_text import SqlMistake
from validations.engine.standard import Field, Standard, Table

_TEXT_ONLY = ("length", "codes", "check", "pattern", "separator")


def unknown(located: Located, place: Place, code: str, name: str, known: Iterable[str]) -> None:
    """Note a name that is not among those there are."""
    located.wrong(code, place, name=name, known=", ".join(known) or "–")


def check_field(located: Located, place: Place, table: Table, name: str | None) -> None:
    """Note a field that the table does not have."""
    known = [field.name for field in table.fields]
    if name is not None and name not in known:
        located.wrong("validations.unknown_field", place, name=name, table=table.name, known=", ".join(known))


def is_sound(table: Table) -> bool:
    """Whether a database could have the table at all; its SQL is looked at only then."""
    names = [field.name.lower() for field in table.fields]  # DuckDB does not tell cases apart
    return len(set(names)) == len(names) and all((f.scale or 0) <= (f.precision or 0) for f in table.fields)


def check_table(standard: Standard, table: Table, located: Located) -> None:
    """Note all that is wrong with one table."""
    if table.name != located.path.stem:
        located.wrong("validations.name_differs", ("name",), name=table.name, expected=located.path.stem)
    for number, name in enumerate(table.key):
        check_field(located, ("key", number), table, name)
    check_field(located, ("organisation",), table, table.organisation)
    check_effective(located, ("effective",), located.data.get("effective", {}))
    seen: set[str] = set()
    for index, field in enumerate(table.fields):
        place: Place = ("fields", index)
        if field.name.lower() in seen:
            located.wrong("validations.duplicate_id", (*place, "name"), id=field.name)
        seen.add(field.name.lower())
        _check_one_field(standard, table, field, located, place)


def _check_one_field(standard: Standard, table: Table, field: Field, located: Located, place: Place) -> None:
    said = located.data["fields"][place[-1]]
    for name in _TEXT_ONLY:
        if name in said and field.type != "text":
            located.wrong(
                "validations.text_only", (*place, name), key=name, field=field.name, type=field.type
            )
    if (
        (field.type == "decimal") != (field.precision is not None and field.scale is not None)
        or (field.type != "decimal" and (field.precision is not None or field.scale is not None))
        or (field.scale or 0) > (field.precision or 0)
    ):
        located.wrong("validations.decimal_digits", place, field=field.name)
    _check_codes(standard, table, field, located, place)
    for number, check in enumerate(field.checks):
        where: Place = (
            (*place, "check") if isinstance(said["check"], str) else (*place, "check", number, "name")
        )
        if check.name not in CHECKS:
            unknown(located, where, "validations.unknown_check", check.name, CHECKS)
    if len({check.name for check in field.checks}) < len(field.checks):
        located.wrong("validations.duplicate_id", (*place, "check"), id=field.name)
    if field.pattern is not None and (refused := outside_subset(field.pattern)):
        located.wrong(
            "validations.regex_outside_subset", (*place, "pattern"), pattern=field.pattern, refused=refused
        )
    if field.when is not None and not isinstance(said.get("check"), str) and field.pattern is None:
        located.wrong("validations.when_without_check", (*place, "when"), field=field.name)
    for inner, text in _predicates(field, said) if is_sound(table) else ():
        try:
            check_row_predicate(text, table, standard.macros)
        except SqlMistake as mistake:
            located.wrong(mistake.code, (*place, *inner), **mistake.values)


def _predicates(field: Field, said: dict[str, Any]) -> list[tuple[Place, str]]:
    """The SQL predicates of a field with their places in it."""
    found: list[tuple[Place, str | None]] = [(("mandatory",), field.mandatory_when), (("when",), field.when)]
    if isinstance(said.get("check"), list):
        found += [(("check", n, "when"), check.when) for n, check in enumerate(field.checks)]
    return [(place, text) for place, text in found if text is not None]


def _check_codes(standard: Standard, table: Table, field: Field, located: Located, place: Place) -> None:
    if field.codes is not None and field.codes not in standard.codes:
        unknown(located, (*place, "codes"), "validations.unknown_codes", field.codes, standard.codes)
    if field.as_of is None:
        return
    check_field(located, (*place, "as_of"), table, field.as_of)
    dates = [other.name for other in table.stored_fields if other.type == "date"]
    if field.codes is None or field.separator is not None or field.as_of not in dates:
        located.wrong("validations.as_of", (*place, "as_of"), field=field.name, known=", ".join(dates) or "–")


def check_effective(located: Located, place: Place, data: Any) -> None:
    """Note dates that do not exist, or an end before its start."""
    try:
        start, end = (date.fromisoformat(data[name]) if name in data else None for name in ("from", "to"))
    except ValueError as error:
        located.wrong("validations.effective", place, reason=str(error))
        return
    if start and end and end < start:
        located.wrong("validations.effective", place, reason=f"{end} < {start}")
