"""An explained figure as lines, top down: the figure, its parts, what they come to, what makes a difference, what stands against it.

The words and amounts that the terminal and the desk both show; how a line looks is theirs. What a figure is made of is
`figure_tree`'s matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from pipelines.errors import text
from pipelines.stages.figure_tree import Difference, Figure, Part
from validations.engine.accounts import added

LineKind = Literal[
    "figure", "rows_more", "total", "known_difference", "unexplained", "compared", "as_extracted"
]
_NONE = "—"
_ROUNDING_DIGITS = 6


@dataclass(frozen=True)
class FigureLine:
    """One line: how deep it stands, what it says, its amounts. `figure` is there for a line that is a figure."""

    depth: int
    kind: LineKind
    said: str
    value: Decimal | None = None
    last_period: Decimal | None = None
    last_year: Decimal | None = None
    figure: Figure | None = None


def figure_lines(figure: Figure, round_: int, rows: int) -> Iterator[FigureLine]:
    """All lines of a figure; of its source rows `rows` per place, the others are counted and summed."""
    yield from _lines(figure, round_, rows, 0, None, None)


def amount(value: Decimal | None) -> str:
    """A number with thousands separators; a dash for none."""
    return _NONE if value is None else f"{value:,f}"


def is_row(part: Part) -> bool:
    """Whether a part is a row of the round, which opens no further."""
    return part.figure.is_extracted and not part.figure.may_open


def cut(parts: Sequence[Part], rows: int) -> tuple[Sequence[Part], Sequence[Part]]:
    """What is shown of the rows and what is only counted: all that was corrected is shown."""
    shown = [part for number, part in enumerate(parts) if number < rows or part.figure.differences]
    return shown, [part for part in parts if part not in shown] if len(shown) < len(parts) else []


def decimal_of(value: Decimal | Fraction) -> Decimal:
    """A difference as people read it; what a ratio was rounded by has six digits."""
    if isinstance(value, Decimal):
        return value
    return Decimal(round(value * 10**_ROUNDING_DIGITS)).scaleb(-_ROUNDING_DIGITS)


def part_name(part: Part, above: Figure, round_: int) -> str:
    """What a part of a figure is called under that figure."""
    return _named(part.figure, part, above, round_)


def _lines(
    figure: Figure, round_: int, rows: int, depth: int, part: Part | None, above: Figure | None
) -> Iterator[FigureLine]:
    own = part.amount if part is not None else figure.value
    yield FigureLine(
        depth,
        "figure",
        _named(figure, part, above, round_),
        own,
        _weighted(figure.last_period, part),
        _weighted(figure.last_year, part),
        figure,
    )
    if figure.total is None:
        return
    if not figure.may_open:
        where = ", ".join(str(number) for number in figure.rows)
        if figure.differences:
            said = text("explain.as_extracted", round=round_, rows=where)
            yield FigureLine(depth + 1, "as_extracted", said, figure.total)
            yield from _differences(figure.differences, depth + 1)
        return
    inner = [each for each in figure.parts if not is_row(each)]
    shown, left = cut([each for each in figure.parts if is_row(each)], rows)
    for each in (*inner, *shown):
        yield from _lines(each.figure, round_, rows, depth + 1, each, figure)
    if left:
        total = added(each.amount for each in left)
        yield FigureLine(depth + 1, "rows_more", text("explain.rows_more", count=len(left)), total)
    if figure.ratio is not None:
        yield FigureLine(depth + 1, "total", text("explain.quotient", ratio=figure.ratio), figure.total)
    else:
        broken = any(d.cause == "unexplained" for d in figure.differences)
        code = "explain.adds_up_with" if broken else "explain.adds_up"
        yield FigureLine(depth + 1, "total", text(code, count=len(figure.parts)), figure.total)
    yield from _differences(figure.differences, depth + 1)
    if figure.compared:
        total = added(each.amount for each in figure.compared)
        names = ", ".join(dict.fromkeys(each.figure.table for each in figure.compared))
        difference = amount(added([figure.value, -total]) if figure.value is not None else None)
        said = text("explain.compared", table=names, count=len(figure.compared), difference=difference)
        yield FigureLine(depth + 1, "compared", said, total)


def _differences(differences: Sequence[Difference], depth: int) -> Iterator[FigureLine]:
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
        kind: LineKind = "unexplained" if each.cause == "unexplained" else "known_difference"
        yield FigureLine(depth, kind, said, decimal_of(each.amount))


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
