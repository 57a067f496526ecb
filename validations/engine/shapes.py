"""Shapes: the relations between rows and tables that a rule can declare without writing SQL.

Frozen data only; the SQL of each is generated in `shape_sql`, what must fit is checked in `cross_check_shapes`. Predicates
(`where`, `when`) are SQL over one row of the table that the key names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Unique:
    """No two rows share these fields; `table` None means: every table, its primary key."""

    table: str | None = None
    fields: tuple[str, ...] = ()
    where: str | None = None


@dataclass(frozen=True)
class Reference:
    """Every value of `fields` in `table` exists as `to` in `references`; a NULL refers to nothing."""

    table: str
    fields: tuple[str, ...]
    references: str
    to: tuple[str, ...]
    where: str | None = None


@dataclass(frozen=True)
class ForeignKey:
    """References judged together under one rule."""

    references: tuple[Reference, ...]


@dataclass(frozen=True)
class SumEquals:
    """`value` in `table` equals the sum of `sum` over the rows of `of` whose `by` is its `key`.

    Exactly, or with `rounded` within 0.5 units of the last digit for each figure added and for the total. `when` chooses
    the rows of `table` that are judged, `where` the rows of `of` that are added.
    """

    table: str
    key: tuple[str, ...]
    value: str
    of: str
    by: tuple[str, ...]
    sum: str
    when: str | None = None
    where: str | None = None
    rounded: bool = False


@dataclass(frozen=True)
class NoOverlap:
    """The closed intervals `start`…`end` of rows with equal `by` do not overlap."""

    table: str
    by: tuple[str, ...]
    start: str
    end: str
    where: str | None = None


@dataclass(frozen=True)
class Sequence:
    """Within equal `by` the integers of `field` run from `start` without gap."""

    table: str
    by: tuple[str, ...]
    field: str
    start: int = 1


@dataclass(frozen=True)
class Constant:
    """A field with `varies: true` has more than one value where at least so many are given, and some in so many rows."""

    at_least: int


@dataclass(frozen=True)
class DueTable:
    """Every due table has rows, or its nil return was declared."""


@dataclass(frozen=True)
class SameValues:
    """The values of `fields` in `table` are exactly those of `to` in `of`, whatever their number."""

    table: str
    fields: tuple[str, ...]
    of: str
    to: tuple[str, ...]


@dataclass(frozen=True)
class Term:
    """One item of an equation and its sign on its side."""

    item: str
    sign: Literal[1, -1]


@dataclass(frozen=True)
class Formula:
    """`CODE ± CODE = CODE ± CODE …` between the items of one organisation in a table of items and values.

    Exactly, or with `rounded` within 0.5 units of the last digit for each item.
    """

    table: str
    organisation: str
    item: str
    value: str
    equation: str
    left: tuple[Term, ...]
    right: tuple[Term, ...]
    rounded: bool = False


Shape = Unique | ForeignKey | SumEquals | NoOverlap | Sequence | Constant | DueTable | SameValues | Formula
