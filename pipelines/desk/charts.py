"""Charts as SVG, drawn on the server: bars, and a heat map of branches by rules. Colours by class, so that a theme can change them.

Text stays text: the reader's own fonts write it. The figures stand in a table beside every chart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from pipelines.desk.svg import opening, short, text_width

_ROW, _PAD, _WIDTH = 22, 10, 560
_CELL = 44
_SHADES = 5


def bars(title: str, values: Mapping[str, int], *, unit: str) -> str:
    """A bar per name in the given order, each with its number; numbers are not negative."""
    labels = {name: escape(f"{number:,} {unit}".strip()) for name, number in values.items()}
    left = _PAD + max((text_width(short(name)) for name in values), default=0)
    right = _PAD + max((text_width(shown) for shown in labels.values()), default=0)
    most, room = max(values.values(), default=0) or 1, _WIDTH - left - right - 2 * _PAD
    lines = [opening(title, _WIDTH, _ROW * len(values) + _PAD)]
    for place, (name, number) in enumerate(values.items()):
        y = place * _ROW + 4
        length = max(round(number / most * room), 1 if number else 0)
        lines += [
            f'<text class="name" x="{left}" y="{y + 13}" text-anchor="end">{escape(short(name))}</text>',
            f'<rect class="bar" x="{left + _PAD}" y="{y + 2}" width="{length}" height="{_ROW - 8}">',
            f"<title>{escape(name)} {labels[name]}</title></rect>",
            f'<text class="figure" x="{left + _PAD + length + 6}" y="{y + 13}">{labels[name]}</text>',
        ]
    return "\n".join([*lines, "</svg>"])


def heat_map(
    title: str, rows: Sequence[str], columns: Sequence[str], values: Mapping[tuple[str, str], int]
) -> str:
    """A field per (row, column), the darker the more; the number stands in it, so that no shade has to be read."""
    left = _PAD + max((text_width(short(name)) for name in rows), default=0)
    width, height = left + _PAD + _CELL * len(columns) + _PAD, _ROW * (len(rows) + 1) + _PAD
    most = max(values.values(), default=0) or 1
    lines = [opening(title, max(width, 240), height)]
    for at, column in enumerate(columns):
        x = left + _PAD + at * _CELL + _CELL // 2
        lines.append(f'<text class="name" x="{x}" y="15" text-anchor="middle">{escape(column)}</text>')
    for down, row in enumerate(rows):
        y = _ROW * (down + 1)
        lines.append(
            f'<text class="name" x="{left}" y="{y + 15}" text-anchor="end">{escape(short(row))}</text>'
        )
        for at, column in enumerate(columns):
            number, x = values.get((row, column), 0), left + _PAD + at * _CELL
            shade = 0 if not number else 1 + (number * (_SHADES - 1) // most)
            lines.append(
                f'<rect class="heat heat-{shade}" x="{x}" y="{y}" width="{_CELL - 2}" height="{_ROW - 2}">'
                f"<title>{escape(row)} {escape(column)}: {number:,}</title></rect>"
            )
            if number:
                lines.append(
                    f'<text class="figure heat-text-{shade}" x="{x + _CELL // 2 - 1}" y="{y + 15}" '
                    f'text-anchor="middle">{_compact(number)}</text>'
                )
    return "\n".join([*lines, "</svg>"])


def _compact(number: int) -> str:
    """A number that fits into a field."""
    return f"{number:,}" if number < 10_000 else f"{number // 1000:,}k"
