"""The statements that a rule's shape runs, one for each table it judges, with the parameters they name.

The SQL itself is in `shape_sql`; macros within the shape's predicates are expanded here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from validations.engine import shape_sql
from validations.engine.finding_sql import NO_KEY
from validations.engine.session import literal, quoted
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
from validations.engine.sql_text import read_predicate
from validations.engine.standard import Rule, Standard


@dataclass(frozen=True)
class Statement:
    """A SELECT of findings and the parameters it names."""

    sql: str
    parameters: tuple[str, ...] = ()


def shape_statements(  # noqa: PLR0912  # one case per shape
    standard: Standard, rule: Rule, tables: Mapping[str, Path] | Collection[str], nil_returns: Collection[str]
) -> Iterator[tuple[str, Statement]]:
    """What the rule runs over the tables at hand, each with the table that it is about."""
    known = standard.tables

    def where(name: str, text: str | None) -> Statement:
        if text is None:
            return Statement("true")
        predicate = read_predicate(text, known[name], standard.macros, standard.parameters)
        return Statement(predicate.sql, predicate.parameters)

    match rule.shape:
        case Unique(table=None):
            for name in tables:
                yield name, Statement(shape_sql.unique(rule, known[name], known[name].stored_key))
        case Unique(table=str(name), fields=fields, where=condition):
            chosen = where(name, condition)
            yield name, Statement(shape_sql.unique(rule, known[name], fields, chosen.sql), chosen.parameters)
        case ForeignKey(references=references):
            for each in references:
                if each.table in tables and each.references in tables:
                    chosen = where(each.table, each.where)
                    sql = shape_sql.foreign_key(rule, known[each.table], each, chosen.sql)
                    yield each.table, Statement(sql, chosen.parameters)
        case SumEquals() as shape:
            when, chosen = where(shape.table, shape.when), where(shape.of, shape.where)
            scale = known[shape.of].field(shape.sum).scale or 0
            sql = shape_sql.sum_equals(
                rule, known[shape.table], shape, scale, when=when.sql, where=chosen.sql
            )
            yield shape.table, Statement(sql, (*when.parameters, *chosen.parameters))
        case NoOverlap() as shape:
            chosen = where(shape.table, shape.where)
            sql = shape_sql.no_overlap(rule, known[shape.table], shape, chosen.sql)
            yield shape.table, Statement(sql, chosen.parameters)
        case Sequence() as shape:
            yield shape.table, Statement(shape_sql.sequence(rule, known[shape.table], shape))
        case SameValues() as shape:
            forth, back = shape_sql.same_values(rule, known[shape.table], known[shape.of], shape)
            yield shape.table, Statement(forth)
            yield shape.of, Statement(back)
        case Formula() as shape:
            yield shape.table, Statement(shape_sql.formula(rule, known[shape.table], shape))
        case Constant(at_least=at_least):
            for name in tables:
                fields = [field.name for field in known[name].stored_fields if field.varies]
                if fields:
                    yield name, Statement(shape_sql.constant(rule, known[name], fields, at_least))
        case DueTable():
            for name in tables:
                if name not in nil_returns:
                    yield name, Statement(_empty(rule, name))
        case _:
            raise AssertionError(f"{rule.id}: planned as a shape")


def _empty(rule: Rule, table: str) -> str:
    """One finding where a table has no rows at all."""
    return f"""
        SELECT {literal(rule.id)}, {literal(table)}, {literal(NO_KEY)}, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        WHERE NOT EXISTS (SELECT 1 FROM {quoted(table)})"""
