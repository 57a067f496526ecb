"""Which tables a rule reads, and which stand behind a derived one. Only names are followed here; nothing is judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import sqlglot
from sqlglot import exp

from validations.engine.shapes import Constant, Unique
from validations.engine.standard import Rule, Standard

_NAMES_TABLE = ("table", "of", "references")


def tables_read(standard: Standard, rule: Rule) -> tuple[str, ...] | None:
    """The tables of the standard that a rule reads; None: whichever are due."""
    named = {str(rule.table)} - {"None", "*"}
    if rule.shape is not None:
        named |= set(_tables_of_shape(rule.shape))
    if rule.query is not None:
        named |= tables_in(rule.query)
    found = tuple(name for name in standard.tables if name in named)
    return found or None


def tables_in(query: Path) -> set[str]:
    """The names of the tables a query reads, its own CTEs and those of other contents left out."""
    return {name for space, name in _tables(query) if not space}


def references_in(query: Path) -> set[tuple[str, str]]:
    """The tables of other contents a query reads: (`previous`, table) or (standard, table)."""
    return {(space, name) for space, name in _tables(query) if space}


def is_judged_table_by_table(rule: Rule) -> bool:
    """Whether each table is judged by itself, so that tables as they were need not be judged again."""
    return (
        rule.constraint is not None
        or (rule.holds is not None and rule.table == "*")
        or isinstance(rule.shape, Constant)
        or (isinstance(rule.shape, Unique) and rule.shape.table is None)
    )


def inputs(standard: Standard, table: str) -> tuple[str, ...]:
    """The tables a derived table is computed from, those behind derived ones too; none for one extracted or a CSV."""
    found: dict[str, None] = {}
    waiting = [table]
    while waiting:
        derive = standard.table(waiting.pop()).derive
        read = sorted(tables_in(derive)) if derive is not None and derive.suffix == ".sql" else []
        waiting += [name for name in read if name not in found]
        found |= dict.fromkeys(read)
    return tuple(found)


def _tables(query: Path) -> frozenset[tuple[str, str]]:
    return _tables_of_text(query.read_text(encoding="utf-8")) if query.suffix == ".sql" else frozenset()


@lru_cache(maxsize=4096)
def _tables_of_text(text: str) -> frozenset[tuple[str, str]]:
    statement = sqlglot.parse_one(text, dialect="duckdb")
    own = {cte.alias for cte in statement.find_all(exp.CTE)}
    return frozenset(
        (table.db, table.name)
        for table in statement.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier) and (table.db or table.name not in own)
    )


def _tables_of_shape(part: Any) -> Iterator[str]:
    for item in fields(part):
        value: Any = getattr(part, item.name)
        if item.name in _NAMES_TABLE and isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            for inner in cast("tuple[Any, ...]", value):
                if is_dataclass(inner):
                    yield from _tables_of_shape(inner)
