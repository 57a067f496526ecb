"""Whether the figures of the examples' world say what they are made of: they open without a circle, and add up to the last digit.

The world is tried as it is, and under the parameters of every example that changes nothing else: other reports demand other
items. The key indicators are asked there, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.errors import BaosongError, text
from validations.engine.accounts import less
from validations.engine.explaining import Figures, open_figures
from validations.engine.figures import Explanation
from validations.engine.parts import PartRow, account
from validations.engine.standard import Standard, Table
from validations.kit.examples import Example
from validations.kit.trial import WORLD, Trial

SHOWN = 10
"""How many figures of one table are named that do not add up; one mistake in the SQL breaks thousands."""


@dataclass(frozen=True)
class Unexplained:
    """What is wrong with how a table's figures, or an indicator, are explained in one example."""

    subject: str
    example: Example
    reasons: tuple[str, ...]


def has_figures(standard: Standard) -> bool:
    """Whether the standard says of any figure what it is made of, or which ones matter most."""
    return bool(standard.indicators) or any(table.explains for table in standard.tables.values())


def try_figures(trial: Trial) -> list[Unexplained]:
    """All that is wrong, by example and table."""
    same = [example for example in trial.suite.derived if not example.changes]
    seen: set[tuple[tuple[str, str], ...]] = set()
    found: list[Unexplained] = []
    for example in (WORLD, *same):
        parameters = trial.parameters(example)
        said = tuple(sorted(parameters.items()))
        if said not in seen:
            seen.add(said)
            found += _tried(trial, example, parameters)
    return found


def _tried(trial: Trial, example: Example, parameters: dict[str, str]) -> Iterator[Unexplained]:
    standard = trial.suite.standard
    tables = {**trial.tables(example), **trial.derived(example)}
    with open_figures(standard, tables, parameters=parameters, spill=trial.folder) as figures:
        for table in standard.tables.values():
            for explanation in table.explains:
                try:
                    reasons = list(_wrong(figures, table, explanation))
                except BaosongError as problem:
                    reasons = [str(problem)]
                if reasons:
                    yield Unexplained(table.name, example, tuple(reasons[:SHOWN]))
        for indicator in standard.indicators:
            try:
                figures.indicator(indicator)
            except BaosongError as problem:
                yield Unexplained(indicator.name, example, (str(problem),))


def _wrong(figures: Figures, table: Table, explanation: Explanation) -> Iterator[str]:
    cells = figures.cells(table, explanation.field)
    values = figures.values(table, explanation.field, cells)
    parts = figures.parts(table, explanation, cells)
    for cell, found in values.items():
        figure = f"{table.name} {cell}"
        if found.value is None:
            continue
        made = account(table, explanation, parts[cell])
        if made is None:
            yield text("explain.world_nothing", figure=figure, value=found.value)
        elif difference := less(found.value, made.total):
            yield text(
                "explain.world_differs",
                figure=figure,
                value=found.value,
                total=made.total,
                difference=difference,
            )
    if circle := _circle(table.name, explanation, parts):
        yield text("explain.circle", file=explanation.query.name, figure=f"{table.name} {circle}")


def _circle(table: str, explanation: Explanation, parts: dict[str, tuple[PartRow, ...]]) -> str | None:
    """A cell of the table that, opened within the table, comes back to itself."""
    below = {
        cell: {part.cell for part in rows if part.table == table and part.table in explanation.into}
        for cell, rows in parts.items()
    }
    left = set(below)
    while ready := {cell for cell in left if not below[cell] & left}:
        left -= ready
    return min(left, default=None)
