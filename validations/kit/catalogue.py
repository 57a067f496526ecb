"""Who has to do with whom in a standard: rules of a field and of a table, what suppresses what, which macros a rule uses.

For people who look something up; the judge has its own plan. Nothing is rendered here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from validations.engine.constraints import constraints_of
from validations.engine.scope import fields_named, row_tables
from validations.engine.shapes import (
    Constant,
    DueTable,
    ForeignKey,
    Formula,
    NoOverlap,
    SameValues,
    Sequence,
    Shape,
    SumEquals,
    Unique,
)
from validations.engine.standard import Rule, Standard
from validations.kit.reach import tables_in, tables_read


@dataclass(frozen=True)
class Catalogue:
    """The relations of one standard, looked up by name."""

    standard: Standard
    of_field: dict[tuple[str, str], tuple[Rule, ...]]
    of_table: dict[str, tuple[Rule, ...]]
    suppresses: dict[str, tuple[Rule, ...]]
    of_codes: dict[str, tuple[tuple[str, str], ...]]

    def macros(self, rule: Rule) -> tuple[str, ...]:
        """The macros a rule names, and those behind them, in the order of the standard."""
        texts = [text for text in (rule.when, rule.holds, rule.expected) if text]
        named: set[str] = set()
        while more := {name for name in self.standard.macros if name not in named and _uses(name, texts)}:
            named |= more
            texts += [self.standard.macros[name].sql for name in more]
        return tuple(name for name in self.standard.macros if name in named)


def catalogue(standard: Standard) -> Catalogue:
    """Look through a whole standard once."""
    of_field: dict[tuple[str, str], list[Rule]] = {}
    of_table: dict[str, list[Rule]] = {name: [] for name in standard.tables}
    suppresses: dict[str, list[Rule]] = {}
    for rule in standard.rules:
        named = dict.fromkeys(_fields_of(standard, rule))
        for place in named:
            of_field.setdefault(place, []).append(rule)
        everywhere = tuple(standard.tables) if isinstance(rule.shape, DueTable) else ()
        read = tables_read(standard, rule) or everywhere
        for name in dict.fromkeys([*(table for table, _ in named), *read]):
            of_table[name].append(rule)
        for root in rule.suppressed_by:
            suppresses.setdefault(root.rule, []).append(rule)
    of_codes: dict[str, list[tuple[str, str]]] = {}
    for table in standard.tables.values():
        for field in table.fields:
            if field.codes is not None:
                of_codes.setdefault(field.codes, []).append((table.name, field.name))
    return Catalogue(
        standard,
        {place: tuple(rules) for place, rules in of_field.items()},
        {name: tuple(rules) for name, rules in of_table.items()},
        {name: tuple(rules) for name, rules in suppresses.items()},
        {name: tuple(places) for name, places in of_codes.items()},
    )


def _fields_of(standard: Standard, rule: Rule) -> Iterator[tuple[str, str]]:
    """The fields a rule judges or reads, by table."""
    if rule.constraint is not None:
        for table in standard.tables.values():
            for field in table.stored_fields:
                if constraints_of(standard, table, rule, field):
                    yield table.name, field.name
    elif rule.holds is not None:
        for name in row_tables(standard, rule):
            for field in sorted(fields_named(standard, rule)):
                yield name, field
    elif rule.query is not None:
        yield from _fields_of_query(standard, rule)
    elif rule.shape is not None:
        for name, field in _fields_of_shape(standard, rule.shape):
            if name in standard.tables:
                yield name, field


def _fields_of_query(standard: Standard, rule: Rule) -> Iterator[tuple[str, str]]:
    if rule.query is None:
        return
    statement = sqlglot.parse_one(rule.query.read_text(encoding="utf-8"), dialect="duckdb")
    columns = {column.name for column in statement.find_all(exp.Column)}
    for name in sorted(tables_in(rule.query) & set(standard.tables)):
        for field in standard.table(name).stored_fields:
            if field.name in columns or (name, field.name) == (rule.table, rule.field):
                yield name, field.name


def _fields_of_shape(standard: Standard, shape: Shape) -> Iterator[tuple[str, str]]:
    match shape:
        case Unique():
            for table in standard.tables.values():
                named = table.stored_key if shape.table is None else shape.fields
                yield from ((table.name, field) for field in named if shape.table in (None, table.name))
        case ForeignKey(references=references):
            for reference in references:
                yield from ((reference.table, field) for field in reference.fields)
                yield from ((reference.references, field) for field in reference.to)
        case SumEquals():
            yield from ((shape.table, field) for field in (*shape.key, shape.value))
            yield from ((shape.of, field) for field in (*shape.by, shape.sum))
        case NoOverlap():
            yield from ((shape.table, field) for field in (*shape.by, shape.start, shape.end))
        case Sequence():
            yield from ((shape.table, field) for field in (*shape.by, shape.field))
        case SameValues():
            yield from ((shape.table, field) for field in shape.fields)
            yield from ((shape.of, field) for field in shape.to)
        case Formula():
            yield from ((shape.table, field) for field in (shape.organisation, shape.item, shape.value))
        case Constant():
            for table in standard.tables.values():
                yield from ((table.name, field.name) for field in table.fields if field.varies)
        case _:  # over whole tables
            return


def _uses(name: str, texts: list[str]) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", text) for text in texts)
