"""The key indicators of a filing (报送数据关键指标): the figures its standard names, with last period's, last year's and the change.

Which figures are key is the standard's matter. What one of them is made of, `explain` says.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from pipelines.errors import LANGUAGE, text
from pipelines.ledger.filing import FilingState
from pipelines.stages.cell_notation import format_cell
from pipelines.stages.installation import Installation
from pipelines.stages.judged_figures import Before, Earlier, JudgedFigures, open_judged
from validations.engine import Standard
from validations.engine.figures import Indicator as Declared
from validations.engine.sql_text import read_query

_TENTH = Decimal("0.1")


@dataclass(frozen=True)
class Indicator:
    """One key indicator; `reason` says why there is no value. Changes are in percent of the earlier value, one decimal."""

    name: str
    title: str
    cell: str | None
    field: str | None
    value: Decimal | None
    reason: str
    last_period: Earlier
    last_year: Earlier
    change_on_period: Decimal | None
    change_on_year: Decimal | None


def key_indicators(installation: Installation, state: FilingState) -> list[Indicator]:
    """The indicators of the content judged last, in the standard's order; empty where the standard names none.

    Raises Refused before anything was judged, Tampered when a content is not what was recorded.
    """
    standard = installation.standard(state.opened.fact.standard)
    due = standard.report(state.opened.fact.report).tables
    tables = {name for each in standard.indicators for name in _tables(standard, each)} & set(due)
    with open_judged(installation, state, tables) as judged:
        return [_indicator(judged, each) for each in standard.indicators]


def percent(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    """The change in percent of what it was, one decimal; None where there is nothing to compare with."""
    if now is None or before is None or before == 0:
        return None
    return ((now - before) * 100 / abs(before)).quantize(_TENTH, ROUND_HALF_UP)


def _indicator(judged: JudgedFigures, declared: Declared) -> Indicator:
    standard = judged.standard
    cell, value, reason = None, None, ""
    lacking = [name for name in _tables(standard, declared) if name not in judged.figures.tables]
    if lacking:
        reason = text("explain.none.due", tables=", ".join(lacking))
    else:
        cell, value = judged.figures.indicator(declared)
        if value is None:
            reason = text("explain.none.value" if declared.table is None or cell else "explain.none.row")
    period, year = (_earlier(side, declared, cell) for side in (judged.last_period, judged.last_year))
    shown = None
    if cell is not None and declared.table is not None:
        key: dict[str, str | None] = json.loads(cell)
        shown = format_cell(declared.table, key.values())
    return Indicator(
        name=declared.name,
        title=getattr(declared.title, LANGUAGE.get()),
        cell=shown,
        field=declared.field,
        value=value,
        reason=reason,
        last_period=period,
        last_year=year,
        change_on_period=percent(value, period.value),
        change_on_year=percent(value, year.value),
    )


def _earlier(before: Before, declared: Declared, cell: str | None) -> Earlier:
    """The same cell then or, for one that is computed, the same SQL on what was reported then."""
    if before.figures is None:
        return Earlier(None, before.reason)
    standard = before.figures.standard
    lacking = [name for name in _tables(standard, declared) if name not in before.figures.tables]
    if cell is not None and declared.table is not None and declared.field is not None:
        return before.value(standard.table(declared.table), declared.field, cell)
    if lacking:
        return Earlier(None, text("explain.none.table", table=", ".join(lacking)), before.date_to)
    value = before.figures.indicator(declared)[1]
    return Earlier(value, "" if value is not None else text("explain.none.empty"), before.date_to)


def _tables(standard: Standard, declared: Declared) -> tuple[str, ...]:
    query = read_query(declared.sql, standard.tables, references={}, parameters=standard.parameters)
    return tuple(dict.fromkeys([*query.tables, *([declared.table] if declared.table else [])]))
