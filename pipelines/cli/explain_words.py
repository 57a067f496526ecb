"""How explained figures, indicators and findings look on a terminal. Nothing is asked or computed here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from pipelines.errors import text
from pipelines.ledger.filing import FilingState
from pipelines.stages.explain import Explained
from pipelines.stages.figure_tree import Difference, Figure, Part
from pipelines.stages.finding_history import Act, FindingStory, Sighting
from pipelines.stages.judged_figures import Earlier
from pipelines.stages.key_indicators import Indicator
from validations.engine.accounts import added

_WIDTH = 120
_NONE = "—"
_ROUNDING_DIGITS = 6


@dataclass(frozen=True)
class _Line:
    """One line of the tree: what it says, how deep, and three amounts."""

    depth: int
    said: str
    value: str = ""
    last_period: str = ""
    last_year: str = ""
    style: str = ""


def amount(value: Decimal | None) -> str:
    """A number with thousands separators; a dash for none."""
    return _NONE if value is None else f"{value:,f}"


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
        for line in _lines(explained.figure, explained.round, rows, 0):
            said = "  " * line.depth + line.said
            table.add_row(escape(said), line.value, line.last_period, line.last_year, style=line.style)
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


def _lines(
    figure: Figure, round_: int, rows: int, depth: int, part: Part | None = None, above: Figure | None = None
) -> Iterator[_Line]:
    """The figure's own line, then its parts, what they come to, what makes the difference, what is held against it."""
    own = part.amount if part is not None else figure.value
    yield _Line(
        depth,
        _named(figure, part, above, round_),
        amount(own),
        amount(_weighted(figure.last_period, part)),
        amount(_weighted(figure.last_year, part)),
        "bold" if depth == 0 else "",
    )
    if figure.total is None:
        return
    if not figure.may_open:
        where = ", ".join(str(number) for number in figure.rows)
        if figure.differences:
            yield _Line(
                depth + 1, text("explain.as_extracted", round=round_, rows=where), amount(figure.total)
            )
            yield from _differences(figure.differences, depth + 1)
        return
    inner = [each for each in figure.parts if not is_row(each)]
    shown, left = cut([each for each in figure.parts if is_row(each)], rows)
    for each in (*inner, *shown):
        yield from _lines(each.figure, round_, rows, depth + 1, each, figure)
    if left:
        total = added(each.amount for each in left)
        yield _Line(depth + 1, text("explain.rows_more", count=len(left)), amount(total), style="dim")
    if figure.ratio is not None:
        yield _Line(
            depth + 1, text("explain.quotient", ratio=figure.ratio), amount(figure.total), style="dim"
        )
    else:
        broken = any(d.cause == "unexplained" for d in figure.differences)
        code = "explain.adds_up_with" if broken else "explain.adds_up"
        yield _Line(depth + 1, text(code, count=len(figure.parts)), amount(figure.total), style="dim")
    yield from _differences(figure.differences, depth + 1)
    if figure.compared:
        total = added(each.amount for each in figure.compared)
        names = ", ".join(dict.fromkeys(each.figure.table for each in figure.compared))
        difference = amount(added([figure.value, -total]) if figure.value is not None else None)
        said = text("explain.compared", table=names, count=len(figure.compared), difference=difference)
        yield _Line(depth + 1, said, amount(total), style="cyan")


def is_row(part: Part) -> bool:
    """Whether a part is a row of the round, which opens no further."""
    return part.figure.is_extracted and not part.figure.may_open


def cut(parts: Sequence[Part], rows: int) -> tuple[Sequence[Part], Sequence[Part]]:
    """What is shown of the rows and what is only counted: all that was corrected is shown."""
    shown = [part for number, part in enumerate(parts) if number < rows or part.figure.differences]
    return shown, [part for part in parts if part not in shown] if len(shown) < len(parts) else []


def _differences(differences: Sequence[Difference], depth: int) -> Iterator[_Line]:
    for each in differences:
        said = (
            text("explain.difference." + each.cause)
            if each.overlay is None
            else text(
                "explain.difference.overlay",
                old=each.overlay.old,
                new=each.overlay.new,
                reason=each.overlay.reason or _NONE,
                organisation=each.overlay.organisation,
                user=each.overlay.user,
                sign_off=each.overlay.sign_off,
            )
        )
        style = "red" if each.cause == "unexplained" else "yellow"
        yield _Line(depth, said, amount(decimal_of(each.amount)), style=style)


def decimal_of(value: Decimal | Fraction) -> Decimal:
    """A difference as people read it; what a ratio was rounded by has six digits."""
    if isinstance(value, Decimal):
        return value
    return Decimal(round(value * 10**_ROUNDING_DIGITS)).scaleb(-_ROUNDING_DIGITS)


def _named(figure: Figure, part: Part | None, above: Figure | None, round_: int) -> str:
    """Sign, side, cell, and what those codes are called that are not the codes of the figure above."""
    weight = "" if part is None or part.weight == 1 else "− " if part.weight == -1 else f"{part.weight:f} × "
    side = "" if part is None or part.side is None else text(f"explain.side.{part.side}") + " "
    key = ":".join(_NONE if value is None else value for _, value in figure.key)
    said = dict(above.key) if above is not None else {}
    names = " · ".join(name for field, name in figure.names if said.get(field) != dict(figure.key)[field])
    where = ""
    if figure.is_extracted:
        numbers = ", ".join(str(number) for number in figure.rows)
        where = "  [" + text("explain.in_round", round=round_, rows=numbers) + "]"
    return f"{weight}{side}{figure.table}:{key}  {names}".rstrip() + where


def _weighted(value: Decimal | None, part: Part | None) -> Decimal | None:
    return value if value is None or part is None else value * part.weight


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
