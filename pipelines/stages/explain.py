"""Every number explains itself (数从何来): a cell of the content judged last opens into what it is made of, down to rows of its round.

Rows of the round, never of the core: the core has moved on. Nothing is recorded and nothing is printed here; what a finding has
been through is `finding_history`'s matter, which figures to look at first `key_indicators`'.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.errors import LANGUAGE, BadInput
from pipelines.ledger.filing import FilingState
from pipelines.stages.cell_notation import format_cell, parse_cell
from pipelines.stages.figure_tree import Figure, FigureTree, Overlay
from pipelines.stages.handlings import accepted_handlings
from pipelines.stages.installation import Installation
from pipelines.stages.judged_figures import Earlier, JudgedFigures, open_judged
from pipelines.stages.masking import masked
from pipelines.stages.typed_value import typed_value
from pipelines.stages.validate import read_findings
from validations.engine import Standard, Table
from validations.engine.accounts import less
from validations.engine.explaining import tables_behind

EVERY_LEVEL = 99
"""Deeper than anything opens."""


@dataclass(frozen=True)
class RowCell:
    """One field of the row that a cell stands in, as text; `before`: what the round holds where a correction was laid over it."""

    field: str
    title: str
    value: str | None
    is_key: bool
    is_overlaid: bool = False
    before: str | None = None


@dataclass(frozen=True)
class CellFinding:
    """A finding on the cell, or on its row."""

    finding: str
    rule: str
    severity: str
    message: str
    field: str | None
    value: str | None
    expected: str | None
    difference: str | None


@dataclass(frozen=True)
class Explained:
    """A cell: its row as the content has it, its figure where it is one, its value before, what was found on it.

    `standard_changed`: the standard is no longer the one by which the content was judged.
    """

    filing: str
    content: str
    round: int
    table: str
    title: str
    cell: str
    field: str | None
    rows: tuple[tuple[int, tuple[RowCell, ...]], ...]
    figure: Figure | None
    last_period: Earlier | None
    last_year: Earlier | None
    findings: tuple[CellFinding, ...]
    overlays: tuple[Overlay, ...]
    standard_changed: bool


def explain(
    installation: Installation,
    state: FilingState,
    cell: str,
    *,
    field: str | None = None,
    depth: int = EVERY_LEVEL,
) -> Explained:
    """Open `TABLE:key value[:key value…]`; `field` is needed where the table has several figures that open.

    Raises BadInput for what is no cell of the content, naming the nearest; Refused and Tampered as `open_judged`.
    """
    standard = installation.standard(state.opened.fact.standard)
    due = standard.report(state.opened.fact.report).tables
    name, key = parse_cell(cell, example=example_cell(standard, due))
    if name not in due:
        raise BadInput("explain.table", filing=state.id, table=name, known=", ".join(due))
    table = standard.table(name)
    if len(key) != len(table.stored_key):
        raise BadInput(
            "explain.key_parts",
            table=name,
            key=", ".join(table.stored_key),
            expected=len(table.stored_key),
            found=len(key),
            given=cell,
        )
    chosen = _field(table, field)
    with open_judged(installation, state, tables_behind(standard, table)) as judged:
        found = judged.figures.find(table, key)
        if found is None:
            said = ":".join(part or "" for part in key)
            near = [_masked_cell(table, each) for each in judged.figures.nearest(table, said)]
            raise BadInput("explain.no_cell", table=name, given=cell, nearest=", ".join(near) or "—")
        overlays = overlays_of(installation, judged)
        is_number = chosen is not None and _is_figure(table, chosen)
        figure = _figure(judged, table, chosen, found, overlays, depth) if chosen and is_number else None
        before = [
            side.value(table, chosen, found) if chosen and is_number else None
            for side in (judged.last_period, judged.last_year)
        ]
        assert state.content is not None, "open_judged refuses before"
        return Explained(
            filing=state.id,
            content=state.content.fact.content,
            round=state.content.fact.round,
            table=name,
            title=getattr(table.title, LANGUAGE.get()),
            cell=_masked_cell(table, found),
            field=chosen,
            rows=tuple(_rows(judged, table, found)),
            figure=figure,
            last_period=before[0],
            last_year=before[1],
            findings=tuple(_findings(installation, state, standard, table, found, chosen)),
            overlays=tuple(o for o in overlays if (o.table, o.cell) == (name, found)),
            standard_changed=judged.content.parts["standard"]["digest"] != standard.digest,
        )


def example_cell(standard: Standard, due: Iterable[str]) -> str:
    """How a cell is written, with the names of the key's fields in place of its values."""
    tables = [standard.table(name) for name in due]
    table = next((each for each in tables if each.explains), tables[0])
    return format_cell(table.name, table.stored_key)


def overlays_of(installation: Installation, judged: JudgedFigures) -> tuple[Overlay, ...]:
    """The corrections laid over the round in this content, with who asked for them and why."""
    state, content = judged.state, judged.content
    assert state.content is not None, "open_judged refuses before"
    handlings = accepted_handlings(installation, state, before=state.content.seq)
    found: list[Overlay] = []
    for name, key, field, old, new in content.parts["overlays"]:
        if name not in judged.figures.tables:
            continue  # nothing that is asked has to do with it
        table = judged.standard.table(name)
        said, is_personal = json.loads(key), table.field(field).personal
        cell = judged.figures.find(table, [said[part] for part in table.stored_key])
        given = next(
            (
                h
                for h in handlings.values()
                if (h.table, h.field, h.new_value) == (name, field, new) and json.loads(h.key) == said
            ),
            None,
        )
        if cell is not None:
            found.append(
                Overlay(
                    table=name,
                    cell=cell,
                    field=field,
                    old=masked(old, is_personal),
                    new=masked(new, is_personal),
                    change=_change(table, field, old, new),
                    reason=given.reason if given else "",
                    user=given.user if given else "",
                    organisation=given.organisation if given else "",
                    sign_off=content.parts["sign_off"],
                )
            )
    return tuple(found)


def _figure(
    judged: JudgedFigures, table: Table, field: str, cell: str, overlays: tuple[Overlay, ...], depth: int
) -> Figure:
    tree = FigureTree(
        judged.figures,
        judged.extracted,
        overlays,
        {"last_period": judged.last_period.figures, "last_year": judged.last_year.figures},
    )
    value = judged.figures.values(table, field, [cell])[cell]
    return tree.build(table, field, cell, value, depth)


def _is_figure(table: Table, field: str) -> bool:
    """Whether a field is a number that may be shown."""
    return table.field(field).type in ("integer", "decimal") and not table.field(field).personal


def _field(table: Table, given: str | None) -> str | None:
    """The field meant: the one given, else the only one that opens, else the only number; None: the row as a whole."""
    stored = [field.name for field in table.stored_fields]
    if given is not None:
        if given not in stored:
            raise BadInput("explain.field", table=table.name, field=given, known=", ".join(stored))
        return given
    opening = [explanation.field for explanation in table.explains]
    if len(opening) > 1:
        raise BadInput("explain.which_field", table=table.name, known=", ".join(opening))
    numbers = [f.name for f in table.stored_fields if f.type == "decimal" and f.name not in table.key]
    return opening[0] if opening else numbers[0] if len(numbers) == 1 else None


def _rows(judged: JudgedFigures, table: Table, cell: str) -> Iterable[tuple[int, tuple[RowCell, ...]]]:
    """The rows of a cell, with their numbers from 1; what personal data they hold is masked."""
    before = dict(judged.extracted.rows(table, cell)) if table.name in judged.extracted.tables else {}
    for number, row in judged.figures.rows(table, cell):
        was = before.get(number, row)
        yield (
            number + 1,
            tuple(
                RowCell(
                    field.name,
                    getattr(field.title, LANGUAGE.get()),
                    masked(row[field.name], field.personal),
                    field.name in table.key,
                    row[field.name] != was[field.name],
                    masked(was[field.name], field.personal) if row[field.name] != was[field.name] else None,
                )
                for field in table.stored_fields
            ),
        )


def _findings(
    installation: Installation,
    state: FilingState,
    standard: Standard,
    table: Table,
    cell: str,
    field: str | None,
) -> Iterable[CellFinding]:
    """What was found on the cell; without a field, on its row."""
    found = read_findings(installation, state).filter(
        (pl.col("table") == table.name) & (pl.col("key") == cell)
    )
    personal = {each.name for each in table.fields if each.personal}
    for row in found.iter_rows(named=True):
        if field is None or row["field"] in (None, field):
            yield _finding(standard, row, hides=row["field"] in personal)


def _finding(standard: Standard, row: dict[str, Any], *, hides: bool) -> CellFinding:
    return CellFinding(
        finding=row["finding"],
        rule=row["rule"],
        severity=row["severity"],
        message=getattr(standard.rule(row["rule"]).message, LANGUAGE.get()),
        field=row["field"],
        value=masked(row["value"], hides),
        expected=masked(row["expected"], hides),
        difference=masked(row["difference"], hides),
    )


def _masked_cell(table: Table, cell: str) -> str:
    """The cell of a canonical key as a person writes it."""
    key: dict[str, str | None] = json.loads(cell)
    return format_cell(
        table.name, (masked(key[name], table.field(name).personal) for name in table.stored_key)
    )


def _change(table: Table, field: str, old: str | None, new: str | None) -> Decimal | None:
    """By how much a correction changed a number; an empty one counts as nothing. None for what is no number."""
    if table.field(field).type not in ("integer", "decimal"):
        return None
    after, before = (
        Decimal(str(typed_value(table, field, said))) if said else Decimal(0) for said in (new, old)
    )
    return less(after, before)
