"""What the examples of a standard are: one small clean world, and for every rule changes to it that pass or fail.

Frozen data only. Reading them from `examples/*.yaml` is `read_examples`' matter, trying them is `trial`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from validations.engine.standard import Standard

Cell = str | int | Decimal | date | None
Row = dict[str, Cell]
Rows = tuple[Row, ...]

CONTENT = ""
"""The name under which `Example.changes` holds what changes in the content itself; references go by their own names."""


@dataclass(frozen=True)
class Place:
    """Where something stands in the examples: `examples/d.yaml:12`, for people."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Addition:
    """A row to add: a copy of the world's row with the key `like`, or a whole row, with these cells."""

    like: Row | None
    cells: Row
    place: Place


@dataclass(frozen=True)
class Selection:
    """Rows chosen by the values of some of their fields, and the cells to set there (none: the rows are removed)."""

    by: Row
    cells: Row
    place: Place


@dataclass(frozen=True)
class Change:
    """What becomes of one table: cells are set first, then rows removed; additions copy what stood before removing."""

    set: tuple[Selection, ...] = ()
    add: tuple[Addition, ...] = ()
    remove: tuple[Selection, ...] = ()


@dataclass(frozen=True)
class Expected:
    """One finding that must be found: its whole key and, where the author says them, table, field and figures."""

    key: dict[str, str | None]
    table: str | None = None
    field: str | None = None
    value: str | None = None
    expected: str | None = None
    difference: str | None = None


@dataclass(frozen=True)
class World:
    """Rows that all rules pass. `references` by name (`previous`, another standard) and table."""

    parameters: dict[str, str]
    tables: dict[str, Rows]
    references: dict[str, dict[str, Rows]] = field(default_factory=dict[str, dict[str, Rows]])
    nil_returns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """The world with changes: by reference (`CONTENT` for the content) and table. No `finds`: the rule passes.

    `subject` is the rule, or the derived table whose rows `gives` and `lacks` name.
    """

    subject: str
    name: str
    place: Place
    changes: Mapping[str, Mapping[str, Change]]
    parameters: Mapping[str, str]
    nil_returns: tuple[str, ...] | None = None
    finds: tuple[Expected, ...] = ()
    gives: Rows = ()
    lacks: Rows = ()

    @property
    def fails(self) -> bool:
        """Whether the rule must find something."""
        return bool(self.finds)


@dataclass(frozen=True)
class Equivalent:
    """A mutant no example can tell from its original, as printed, and why."""

    owner: str
    mutant: str
    because: str
    place: Place


@dataclass(frozen=True)
class Suite:
    """All examples of one standard; `references`: the standards by which the world's other contents are typed."""

    standard: Standard
    world: World
    examples: tuple[Example, ...]
    derived: tuple[Example, ...]
    equivalent: tuple[Equivalent, ...]
    references: Mapping[str, Standard]

    def of(self, rule: str) -> tuple[Example, ...]:
        """The examples of a rule, in the order of the files."""
        return tuple(example for example in self.examples if example.subject == rule)
