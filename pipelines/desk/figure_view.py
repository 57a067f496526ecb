"""A figure opened at the desk (数从何来): its lines with links to each part, and a chart of what moves it. Reads only.

What a figure is made of is `stages.explain`'s matter, what its lines say that of `stages.figure_lines`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from pipelines.desk.figure_charts import Step, waterfall
from pipelines.desk.rendering import label
from pipelines.stages.cell_notation import format_cell
from pipelines.stages.explain import EVERY_LEVEL, Explained, RowCell
from pipelines.stages.figure_lines import FigureLine, decimal_of, figure_lines, part_name
from pipelines.stages.figure_tree import Figure
from pipelines.stages.masking import MASK
from validations.engine.accounts import added

DEPTHS = (1, 2, 3, EVERY_LEVEL)
ROWS_PER_PLACE, MOST_LINES, MOST_ROWS, MOST_STEPS = 20, 400, 20, 14


@dataclass(frozen=True)
class LineShown:
    """A line, and how the figure in it is written where it may be opened by itself."""

    line: FigureLine
    cell: str | None
    field: str | None


@dataclass(frozen=True)
class FigureShown:
    """What the page shows; `row_count` rows stand in the cell, of which `rows` are shown; `is_cut`: there are more lines.

    `is_open_below`: there are levels that were not opened.
    """

    explained: Explained
    lines: tuple[LineShown, ...]
    is_cut: bool
    is_open_below: bool
    rows: Sequence[tuple[int, tuple[RowCell, ...]]]
    row_count: int
    chart: str
    chart_of: str


def show_figure(explained: Explained, due: Sequence[str]) -> FigureShown:
    """The lines and the chart of an explained cell; `due` are the tables whose cells open by themselves."""
    figure, lines = explained.figure, list[FigureLine]()
    if figure is not None:
        lines = list(islice(figure_lines(figure, explained.round, ROWS_PER_PLACE), MOST_LINES + 1))
    has_rows = figure is None or figure.is_extracted
    top = _first_with_several_parts(figure) if figure else None
    return FigureShown(
        explained=explained,
        lines=tuple(_linked(line, due) for line in lines[:MOST_LINES]),
        is_cut=len(lines) > MOST_LINES,
        is_open_below=figure is not None
        and any(each.may_open and each.total is None for each in figure.all()),
        rows=explained.rows[:MOST_ROWS] if has_rows else (),
        row_count=len(explained.rows) if has_rows else 0,
        chart=_chart(top, explained.round) if top else "",
        chart_of=_cell_said(top) if top else "",
    )


def _linked(line: FigureLine, due: Sequence[str]) -> LineShown:
    figure = line.figure
    values = [value for _, value in figure.key] if figure else []
    if figure is None or line.depth == 0 or figure.table not in due or MASK in values:
        return LineShown(line, None, None)
    return LineShown(line, format_cell(figure.table, values), figure.field)


def _first_with_several_parts(figure: Figure) -> Figure | None:
    """The figure, or the only one that it is made of, where the parts begin to tell something."""
    while len(figure.parts) == 1 and figure.ratio is None:
        figure = figure.parts[0].figure
    return figure if len(figure.parts) > 1 and figure.ratio is None else None


def _chart(figure: Figure, round_: int) -> str:
    """The parts in their order; of many the largest, the others in one step; then differences, whose cause the lines tell."""
    parts = [each for each in figure.parts if each.amount]
    largest = sorted(parts, key=lambda each: -abs(each.amount))[:MOST_STEPS]
    steps = [
        Step(_named_alone(part_name(each, figure, round_)), each.amount) for each in parts if each in largest
    ]
    if others := [each for each in parts if each not in largest]:
        steps.append(Step(label("explain.others", count=len(others)), added(each.amount for each in others)))
    steps += [
        Step(label(f"explain.cause.{each.cause}"), decimal_of(each.amount)) for each in figure.differences
    ]
    return waterfall(label("explain.chart", cell=_cell_said(figure)), steps or [Step("—", Decimal(0))], label("explain.sum"))  # fmt: skip


def _named_alone(said: str) -> str:
    """A part's name beside its bar: what it is called, or its cell where it has no name; the sign stands at the figure."""
    cell, _, name = said.partition("  ")
    return name if name and not name.startswith("[") else cell.removeprefix("− ")


def _cell_said(figure: Figure) -> str:
    return format_cell(figure.table, (value for _, value in figure.key))
