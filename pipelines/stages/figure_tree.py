"""A figure as a tree: what it is made of, what that is made of, down to the rows of the round; every level adds up or says why not.

Pure of filings and ledgers: it is built from the figures of one content, and what was laid over them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from pipelines.errors import LANGUAGE, BadInput
from pipelines.stages.masking import masked
from validations.engine.accounts import added, less
from validations.engine.explaining import Figures
from validations.engine.parts import CellValue, PartRow, account
from validations.engine.standard import Table

Cause = Literal["overlay", "rounding", "unexplained"]
Node = tuple[str, str, str]
"""Table, field, cell."""


@dataclass(frozen=True)
class Overlay:
    """A report correction that lies over a value of the round: old and new as texts, by whom and why; `change` of a number."""

    table: str
    cell: str
    field: str
    old: str | None
    new: str | None
    change: Decimal | None
    reason: str
    user: str
    organisation: str
    sign_off: str


@dataclass(frozen=True)
class Difference:
    """By how much a figure is not what it is made of, and why; `overlay` is the correction that makes the difference."""

    amount: Decimal | Fraction
    cause: Cause
    overlay: Overlay | None = None


@dataclass(frozen=True)
class Figure:
    """One value. `total`: what its parts come to or, of an extracted one, what the round holds; None where it was not opened.

    `names`: what its codes are called, by field of its key. `rows`: its rows (from 1) in its table's file. `compared` is held
    against it and does not count.
    """

    table: str
    cell: str
    key: tuple[tuple[str, str | None], ...]
    names: tuple[tuple[str, str], ...]
    field: str
    value: Decimal | None
    is_extracted: bool
    rows: tuple[int, ...]
    last_period: Decimal | None = None
    last_year: Decimal | None = None
    ratio: int | None = None
    parts: tuple[Part, ...] = ()
    compared: tuple[Part, ...] = ()
    total: Decimal | None = None
    differences: tuple[Difference, ...] = ()
    may_open: bool = False

    @property
    def adds_up(self) -> bool:
        """Whether its parts are all there is, but for differences whose cause is known."""
        return self.total is not None and not any(d.cause == "unexplained" for d in self.differences)

    @property
    def compared_total(self) -> Decimal | None:
        """What stands against it comes to; None where nothing does."""
        return added(part.amount for part in self.compared) if self.compared else None

    def all(self) -> Iterator[Figure]:
        """Itself and all figures below, top down."""
        yield self
        for part in self.parts:
            yield from part.figure.all()


@dataclass(frozen=True)
class Part:
    """A figure within another one: it counts `weight` times, which makes `amount`; `side` is that of a ratio."""

    figure: Figure
    weight: Decimal
    amount: Decimal
    side: str | None = None


class FigureTree:
    """Builds trees level by level: one query for all figures of a table that are on the same level."""

    def __init__(
        self,
        figures: Figures,
        extracted: Figures,
        overlays: Sequence[Overlay],
        earlier: Mapping[str, Figures | None],
    ) -> None:
        self.figures, self.extracted, self.overlays, self.earlier = figures, extracted, overlays, earlier
        self.standard = figures.standard
        self._values: dict[Node, CellValue] = {}
        self._looked_up: set[Node] = set()
        self._parts: dict[Node, tuple[PartRow, ...]] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._before: dict[str, dict[Node, CellValue]] = {}
        self._original: dict[Node, CellValue] = {}
        self._built: dict[tuple[Node, int], Figure] = {}

    def build(self, table: Table, field: str, cell: str, value: CellValue, depth: int) -> Figure:
        """The tree of one cell, opened `depth` levels down. Raises BadInput for a figure that opens into itself."""
        root = (table.name, field, cell)
        self._values.setdefault(root, value)
        level, seen = {root}, {root}
        for _ in range(depth):
            level = self._open(level) - seen
            if not level:
                break
            seen |= level
        self._look_up({node for node in self._values if node not in self._looked_up})
        return self._figure(root, depth, ())

    def _open(self, level: set[Node]) -> set[Node]:
        """Fetch the parts of all figures of a level that were not opened before; the figures that they open into."""
        for name, field in sorted({(name, field) for name, field, _ in level}):
            table = self.standard.table(name)
            explanation = table.explanation(field)
            cells = [
                c for t, f, c in sorted(level) if (t, f) == (name, field) and (t, f, c) not in self._parts
            ]
            if explanation is None or not cells:
                continue
            for cell, rows in self.figures.parts(table, explanation, cells).items():
                self._parts[name, field, cell] = rows
                self._values |= {
                    (row.table, row.field, row.cell): CellValue(row.value, row.rows) for row in rows
                }
        found: set[Node] = set()
        for name, field, cell in level:
            explanation = self.standard.table(name).explanation(field)
            if explanation is not None:
                into = (row for row in self._parts[name, field, cell] if row.table in explanation.into)
                found |= {(row.table, row.field, row.cell) for row in into}
        return found

    def _look_up(self, nodes: set[Node]) -> None:
        """Names, earlier values and values before corrections of all cells, table by table."""
        codes: dict[str, set[str]] = {}
        for _, _, cell in nodes:
            for name, code in _key(cell):
                if code is not None:
                    codes.setdefault(name, set()).add(code)
        for name, wanted in codes.items():
            named = self.figures.names(name, sorted(wanted), LANGUAGE.get())
            self._names |= {(name, code): said for code, said in named.items()}
        for name, field in sorted({(name, field) for name, field, _ in nodes}):
            cells = sorted(cell for t, f, cell in nodes if (t, f) == (name, field))
            table = self.standard.table(name)
            for when, figures in self.earlier.items():
                if figures is not None and name in figures.tables:
                    found = figures.values(table, field, cells)
                    self._before.setdefault(when, {}).update({(name, field, c): v for c, v in found.items()})
            if name in self.extracted.tables:
                found = self.extracted.values(table, field, cells)
                self._original |= {(name, field, cell): value for cell, value in found.items()}
        self._looked_up |= nodes

    def _figure(self, node: Node, depth: int, above: tuple[Node, ...]) -> Figure:
        if (node, depth) in self._built:
            return self._built[node, depth]
        name, field, cell = node
        table = self.standard.table(name)
        explanation = table.explanation(field)
        if node in above:
            file = explanation.query.name if explanation else name
            raise BadInput("explain.circle", file=file, figure=f"{name} {cell}")
        value = self._values[node].value
        key = _key(cell)
        personal = {each.name for each in table.fields if each.personal}
        figure = Figure(
            table=name,
            cell=cell,
            key=tuple((n, masked(code, n in personal)) for n, code in key),
            names=tuple(
                (n, said) for n, code in key if code is not None and (said := self._names.get((n, code)))
            ),
            field=field,
            value=value,
            is_extracted=table.derive is None,
            rows=tuple(row + 1 for row in self._values[node].rows),
            last_period=self._value_before("last_period", node),
            last_year=self._value_before("last_year", node),
            ratio=explanation.ratio if explanation else None,
            may_open=explanation is not None and value is not None,
        )
        if depth > 0 and explanation is not None and value is not None:
            figure = self._opened(figure, table, node, depth, (*above, node))
        elif table.derive is None:
            figure = self._as_extracted(figure, node)
        self._built[node, depth] = figure
        return figure

    def _opened(
        self,
        figure: Figure,
        table: Table,
        node: Node,
        depth: int,
        above: tuple[Node, ...],
    ) -> Figure:
        explanation = table.explanation(figure.field)
        assert explanation is not None and figure.value is not None, "asked only of what opens"
        parts: list[Part] = []
        compared: list[Part] = []
        for row in self._parts[node]:
            counts = row.table in explanation.into
            inner = self._figure(
                (row.table, row.field, row.cell), depth - 1 if counts else 0, above if counts else ()
            )
            (parts if counts else compared).append(Part(inner, row.weight, row.amount, row.side))
        made = account(table, explanation, self._parts[node])
        differences: list[Difference] = []
        total = made.total if made is not None else Decimal(0)
        if made is not None and made.rounded_by:
            differences.append(Difference(made.rounded_by, "rounding"))
        if left := less(figure.value, total):
            differences.append(Difference(left, "unexplained"))
        return replace(
            figure, parts=tuple(parts), compared=tuple(compared), total=total, differences=tuple(differences)
        )

    def _as_extracted(self, figure: Figure, node: Node) -> Figure:
        """What the round holds, and the corrections laid over it."""
        if node[0] not in self.extracted.tables:
            return replace(figure, total=figure.value)
        original = self._original[node].value or Decimal(0)
        laid = [o for o in self.overlays if (o.table, o.field, o.cell) == node]
        differences = [Difference(o.change, "overlay", o) for o in laid if o.change is not None]
        explained = added(d.amount for d in differences if isinstance(d.amount, Decimal))
        if left := less(less(figure.value or Decimal(0), original), explained):
            differences.append(Difference(left, "unexplained"))
        return replace(figure, total=original, differences=tuple(differences))

    def _value_before(self, when: str, node: Node) -> Decimal | None:
        found = self._before.get(when, {}).get(node)
        return found.value if found is not None else None


def _key(cell: str) -> tuple[tuple[str, str | None], ...]:
    said: dict[str, str | None] = json.loads(cell)
    return tuple(said.items())
