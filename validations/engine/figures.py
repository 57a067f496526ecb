"""What a standard says of its figures, as frozen models: how a figure opens into others, and which ones people look at first.

Running what they say is `explaining`'s matter, and checking that it fits the dictionary `cross_check_figures`'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as part
from pathlib import Path

from validations.engine.terms import Title

PART = "part"
"""The column of an explaining query that names the table of the part; those before its key are prefixed with `part_`."""

WEIGHT, SIDE = "weight", "side"
"""The columns that say how often a part counts (−1: taken off) and, of a ratio, on which side of the line it stands."""

NUMERATOR, DENOMINATOR = "numerator", "denominator"


@dataclass(frozen=True)
class Explanation:
    """How one field of a table is made of others: `query` returns a row for every part of every figure.

    `into` and `compared` name, by table, the field whose value the part is: parts of `into` add up to the figure, parts of
    `compared` are held against it. With `ratio` the figure is `ratio` × numerators ÷ denominators, rounded to its scale.
    """

    field: str
    query: Path
    into: Mapping[str, str]
    compared: Mapping[str, str] = part(default_factory=dict[str, str])
    ratio: int | None = None

    @property
    def fields(self) -> dict[str, str]:
        """The field of every table that a part may be of."""
        return {**self.into, **self.compared}


@dataclass(frozen=True)
class Names:
    """The fields of a master table that say in words what its code says."""

    zh: str
    en: str


@dataclass(frozen=True)
class Indicator:
    """A figure that people look at first (关键指标): `sql` returns one row.

    With `table` and `field` its columns are the key of the cell meant; without, it computes one column `value`.
    """

    name: str
    title: Title
    sql: str
    table: str | None = None
    field: str | None = None
