"""How explained figures, indicators and findings look on a terminal. Nothing is asked or computed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from pipelines.errors import text
from pipelines.ledger.filing import FilingState
from pipelines.stages.explain import Explained
from pipelines.stages.figure_lines import LineKind, amount, figure_lines
from pipelines.stages.finding_history import Act, FindingStory, Sighting
from pipelines.stages.judged_figures import Earlier
from pipelines.stages.key_indicators import Indicator

_WIDTH = 120
_NONE = "—"


_STYLES: dict[LineKind, str] = {
    "rows_more": "dim",
    "total": "dim",
    "known_difference": "yellow",
    "unexplained": "red",
    "compared": "cyan",
}


def print_explained(explained: Explained, rows: int, depth: int) -> None:
    """The tree of a figure, or the row of what is none, with the findings on it."""
    typer.echo(
        text("explain.head", filing=explained.filing, content=explained.content[:12], round=explained.round)
    )
    if explained.standard_changed:
        typer.echo(text("explain.standard_changed"))
    if explained.figure is not None:
        names = ("figure", "value", "last_period", "last_year")
        first, *others = (text(f"explain.column.{name}") for name in names)
        columns = [
            Column(first, overflow="fold"),
            *(Column(o, justify="right", no_wrap=True) for o in others),
        ]
        table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False)
        for line in figure_lines(explained.figure, explained.round, rows):
            numbers = ("",) * 3
            if line.kind == "figure":
                numbers = amount(line.value), amount(line.last_period), amount(line.last_year)
            elif line.value is not None:
                numbers = amount(line.value), "", ""
            style = "bold" if line.depth == 0 else _STYLES.get(line.kind, "")
            table.add_row(escape("  " * line.depth + line.said), *numbers, style=style)
        console = Console()
        Console(width=max(console.width, _WIDTH)).print(table)
        for name in ("last_period", "last_year"):
            earlier: Earlier | None = getattr(explained, name)
            if earlier is not None and earlier.value is None:
                typer.echo(
                    text("explain.why_none", when=text(f"explain.column.{name}"), reason=earlier.reason)
                )
        if any(each.may_open and each.total is None for each in explained.figure.all()):
            typer.echo(text("explain.deeper", depth=depth + 1))
    if explained.figure is None or explained.figure.is_extracted:
        _print_rows(explained)
    if explained.findings:
        typer.echo(text("explain.findings", count=len(explained.findings)))
        for found in explained.findings:
            typer.echo(
                "  "
                + text("explain.finding", **{k: _NONE if v is None else v for k, v in asdict(found).items()})
            )


def _print_rows(explained: Explained) -> None:
    for number, cells in explained.rows:
        typer.echo(text("explain.row", table=explained.table, title=explained.title, row=number))
        for cell in cells:
            mark = "►" if cell.field == explained.field else "·" if cell.is_key else " "
            value = "NULL" if cell.value is None else cell.value
            before = "NULL" if cell.before is None else cell.before
            more = text("explain.overlaid", before=before) if cell.is_overlaid else ""
            typer.echo(f" {mark} {cell.field} = {value}{more}  {cell.title}")


def print_indicators(state: FilingState, indicators: Sequence[Indicator]) -> None:
    """The key indicators as a table, then why some have no value."""
    if not indicators:
        typer.echo(text("explain.no_indicators", standard=state.opened.fact.standard))
        return
    assert state.content is not None, "indicators are of a judged content"
    judged = state.content.fact
    typer.echo(text("explain.head", filing=state.id, content=judged.content[:12], round=judged.round))
    names = ("value", "last_period", "change_on_period", "last_year", "change_on_year")
    columns = [Column(text("explain.column.indicator"), overflow="fold")]
    columns += [Column(text(f"explain.column.{name}"), justify="right", no_wrap=True) for name in names]
    table = Table(
        *columns, Column(text("explain.column.cell"), no_wrap=True), box=SIMPLE_HEAD, pad_edge=False
    )
    for each in indicators:
        said = [
            escape(each.title), amount(each.value), amount(each.last_period.value), _change(each.change_on_period),
            amount(each.last_year.value), _change(each.change_on_year), escape(each.cell or ""),
        ]  # fmt: skip
        table.add_row(*said)
    console = Console()
    Console(width=max(console.width, _WIDTH)).print(table)
    for each in indicators:
        if each.value is None:
            typer.echo(text("explain.why_none", when=each.title, reason=each.reason))
    for name in ("last_period", "last_year"):
        reasons = {getattr(each, name).reason for each in indicators if getattr(each, name).value is None}
        for reason in sorted(reasons):
            typer.echo(text("explain.why_none", when=text(f"explain.column.{name}"), reason=reason))


def _change(percent: Decimal | None) -> str:
    return _NONE if percent is None else f"{percent:+,f}"


def story_text(story: FindingStory) -> str:
    """A finding in words: its rule, its cell, its figures; then in which contents it was found and what people did, in order."""
    said = {name: _NONE if value is None else value for name, value in asdict(story).items()}
    said["key"] = ", ".join(f"{name} = {value}" for name, value in story.key.items())
    told = [(each.seq, _sighting(each)) for each in story.history]
    told += [(each.seq, _act(each)) for each in story.acts]
    return "\n".join([text("explain.story", **said), *(line for _, line in sorted(told))])


def _sighting(each: Sighting) -> str:
    at, content = f"{each.at:%Y-%m-%d %H:%M}", each.content[:12]
    if not each.is_found:
        return text("explain.sighting.gone", at=at, round=each.round, content=content)
    return text(
        "explain.sighting.found", at=at, round=each.round, content=content,
        value=each.value or _NONE, expected=each.expected or _NONE,
    )  # fmt: skip


def _act(each: Act) -> str:
    what = text(f"explain.act.{each.what}")
    return text(
        "explain.act", at=f"{each.at:%Y-%m-%d %H:%M}", who=each.who, what=what, said=each.said or _NONE
    )
