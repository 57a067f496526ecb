"""What all charts are drawn with: the opening of an SVG with its name, texts cut to a length, about how wide a text is."""

from __future__ import annotations

import unicodedata
from html import escape

LETTER_HEIGHT = 12
_LONGEST_LABEL = 30


def opening(title: str, width: int, height: int) -> str:
    """The beginning of a chart, named for those who cannot see it."""
    named = escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-label="{named}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-size="{LETTER_HEIGHT}"><title>{named}</title>'
    )


def short(name: str) -> str:
    """A name as it fits beside a bar."""
    return name if len(name) <= _LONGEST_LABEL else name[: _LONGEST_LABEL - 1] + "…"


def text_width(text: str) -> int:
    """About how wide a text is: a Chinese character is as wide as the letters are high, others about two thirds of it."""
    return sum(
        LETTER_HEIGHT if unicodedata.east_asian_width(c) in "WF" else LETTER_HEIGHT * 2 // 3 for c in text
    )
