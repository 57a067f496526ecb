"""Charts of changes and of figures: rows added, removed and changed by table, and the waterfall of what a figure is made of.

Drawn as `charts` draws: SVG with classes for colours, and words for everything that a colour says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from itertools import pairwise

from pipelines.desk.svg import opening, short, text_width

_ROW, _PAD, _WIDTH, _LEGEND = 22, 10, 560, 24


def stacked_bars(
    title: str, kinds: Mapping[str, str], rows: Mapping[str, Mapping[str, int]], *, unit: str
) -> str:
    """A bar per name, made of a piece per kind (class → its word, told in the legend), with the sum beside it."""
    sums = {name: sum(pieces.values()) for name, pieces in rows.items()}
    shown = {name: f"{number:,} {unit}" for name, number in sums.items()}
    left = _PAD + max((text_width(short(name)) for name in rows), default=0)
    right = _PAD + max((text_width(said) for said in shown.values()), default=0)
    most, room = max(sums.values(), default=0) or 1, _WIDTH - left - right - 2 * _PAD
    lines = [opening(title, _WIDTH, _LEGEND + _ROW * len(rows) + _PAD)]
    at = left + _PAD
    for kind, word in kinds.items():
        lines.append(f'<rect class="piece piece-{escape(kind)}" x="{at}" y="5" width="12" height="12"/>')
        lines.append(f'<text class="name" x="{at + 17}" y="15">{escape(word)}</text>')
        at += 17 + text_width(word) + 18
    for place, (name, pieces) in enumerate(rows.items()):
        y, x = _LEGEND + place * _ROW + 4, left + _PAD
        lines.append(
            f'<text class="name" x="{left}" y="{y + 13}" text-anchor="end">{escape(short(name))}</text>'
        )
        for kind, number in pieces.items():
            if number:
                length = max(round(number / most * room), 1)
                lines.append(
                    f'<rect class="piece piece-{escape(kind)}" x="{x}" y="{y + 2}" width="{length}" height="{_ROW - 8}">'
                    f"<title>{escape(name)} {escape(kinds[kind])} {number:,} {unit}</title></rect>"
                )
                x += length
        lines.append(f'<text class="figure" x="{x + 6}" y="{y + 13}">{shown[name]}</text>')
    return "\n".join([*lines, "</svg>"])


@dataclass(frozen=True)
class Step:
    """One part of a figure: by how much it moves the sum."""

    name: str
    amount: Decimal


def waterfall(title: str, steps: Sequence[Step], total: str) -> str:
    """Each part from where the one before ended; the last bar is the sum from zero. What lowers it has another class and its sign."""
    ends = [Decimal(0)]
    for step in steps:
        ends.append(ends[-1] + step.amount)
    low, high = min(ends), max(ends)
    span = high - low or Decimal(1)
    figures = [_signed(step.amount) for step in steps] + [_plain(ends[-1])]
    names = [step.name for step in steps] + [total]
    left = _PAD + max(text_width(short(name)) for name in names)
    right = _PAD + max(text_width(figure) for figure in figures)
    room = _WIDTH - left - right - 2 * _PAD

    def place(amount: Decimal) -> int:
        return left + _PAD + round((amount - low) / span * room)

    zero = place(Decimal(0))
    height = _ROW * len(names) + _PAD
    lines = [
        opening(title, _WIDTH, height),
        f'<line class="axis" x1="{zero}" y1="0" x2="{zero}" y2="{height}"/>',
    ]
    bars = [(*sorted((place(a), place(b))), "down" if b < a else "up") for a, b in pairwise(ends)]
    bars.append((*sorted((zero, place(ends[-1]))), "sum"))
    for row, ((start, end, kind), name, figure) in enumerate(zip(bars, names, figures, strict=True)):
        y = row * _ROW + 4
        bar = f'x="{start}" y="{y + 2}" width="{max(end - start, 1)}" height="{_ROW - 8}"'
        lines += [
            f'<text class="name" x="{left}" y="{y + 13}" text-anchor="end">{escape(short(name))}</text>',
            f'<rect class="fall fall-{kind}" {bar}><title>{escape(name)} {figure}</title></rect>',
            f'<text class="figure" x="{end + 6}" y="{y + 13}">{figure}</text>',
        ]
    return "\n".join([*lines, "</svg>"])


def _plain(value: Decimal) -> str:
    return f"{value:,f}".replace("-", "−")


def _signed(value: Decimal) -> str:
    return f"{value:+,f}".replace("-", "−")
