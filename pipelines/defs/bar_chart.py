"""A horizontal bar chart as SVG: text stays text, so the reader's own fonts write the Chinese, not those of the server."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from html import escape

_WIDTH, _ROW, _TOP, _PAD = 760, 24, 52, 12
_SMALL = 12
_STYLE = "font-family=\"system-ui, 'Noto Sans CJK SC', 'Microsoft YaHei', 'PingFang SC', sans-serif\""


def bar_chart(title: str, values: Mapping[str, int], unit: str) -> str:
    """A bar per name in the given order, each with its number; numbers are not negative."""
    labels = {name: f"{number:,}" for name, number in values.items()}
    left = _PAD * 2 + max((_text_width(name) for name in values), default=0)
    right = _PAD * 2 + max((_text_width(label) for label in labels.values()), default=0)
    longest = max(values.values(), default=0) or 1
    height = _TOP + _ROW * len(values) + _PAD
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" {_STYLE} font-size="{_SMALL}">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{_PAD}" y="24" font-size="15" fill="#111">{escape(title)}</text>',
        f'<text x="{_PAD}" y="42" fill="#555">{escape(unit)}</text>',
    ]
    for place, (name, number) in enumerate(values.items()):
        y = _TOP + place * _ROW
        width = round(number / longest * (_WIDTH - left - right))
        lines += [
            f'<text x="{left - _PAD}" y="{y + 16}" text-anchor="end" fill="#111">{escape(name)}</text>',
            f'<rect x="{left}" y="{y + 4}" width="{width}" height="{_ROW - 8}" fill="#1d5fd1"/>',
            f'<text x="{left + width + 6}" y="{y + 16}" fill="#111">{labels[name]}</text>',
        ]
    return "\n".join([*lines, "</svg>"])


def _text_width(text: str) -> int:
    """About how wide a text is: a Chinese character is as wide as the letters are high, another half to two thirds of it."""
    return sum(_SMALL if unicodedata.east_asian_width(c) in "WF" else _SMALL * 2 // 3 for c in text)
