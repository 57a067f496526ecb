"""Which tables a rule is about: what it names, and for a rule over every table which tables have its fields.

Whether those tables are at hand is `plan`'s matter.
"""

from __future__ import annotations

from validations.engine.shapes import (
    Constant,
    DueTable,
    ForeignKey,
    Formula,
    NoOverlap,
    SameValues,
    Sequence,
    SumEquals,
    Unique,
)
from validations.engine.sql_text import read_expression
from validations.engine.standard import Rule, Standard, Table

EVERY_TABLE = "*"


def fields_named(standard: Standard, rule: Rule) -> frozenset[str]:
    """The fields of its table that a row rule names. Raises SqlMistake."""
    texts = [text for text in (rule.when, rule.holds, rule.expected) if text is not None]
    named = {
        column
        for text in texts
        for column in read_expression(text, standard.macros, standard.parameters).columns
    }
    return frozenset(named | ({rule.field} if rule.field else set()))


def has_fields(table: Table, names: frozenset[str]) -> bool:
    """Whether a table stores all these fields."""
    return names <= {field.name for field in table.stored_fields}


def tables_of(standard: Standard, rule: Rule) -> tuple[str, ...]:
    """The tables on which a rule may find something; all, where it names none."""
    named = {str(rule.table), *(name for group in shape_tables(rule) for name in group)} & set(
        standard.tables
    )
    return tuple(sorted(named or standard.tables))


def row_tables(standard: Standard, rule: Rule) -> tuple[str, ...]:
    """The tables whose rows a `holds` rule judges."""
    if rule.table != EVERY_TABLE:
        return (str(rule.table),)
    named = fields_named(standard, rule)
    return tuple(name for name, table in standard.tables.items() if has_fields(table, named))


def shape_tables(rule: Rule) -> tuple[tuple[str, ...], ...]:
    """The tables that a shape needs, in groups judged by themselves; none when every table is judged by itself."""
    match rule.shape:
        case None | Unique(table=None) | Constant() | DueTable():
            return ()
        case ForeignKey(references=references):
            return tuple((r.table, r.references) for r in references)
        case SumEquals(table=name, of=other) | SameValues(table=name, of=other):
            return ((name, other),)
        case Unique(table=str(name)) | NoOverlap(table=name) | Sequence(table=name) | Formula(table=name):
            return ((name,),)
        case _:
            raise AssertionError(f"{rule.id}: an unknown shape")
