"""How a person writes one cell of a content: `TABLE:key value[:key value…]`, in the order of the dictionary's key."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipelines.errors import BadInput

_UNIT = re.compile(r"\\[:\\]|.", re.DOTALL)
"""One character of a cell as it is written: an escaped one, or any."""


def parse_cell(given: str, *, example: str) -> tuple[str, tuple[str | None, ...]]:
    """The table and the key's values of `TABLE:value[:value…]`. An empty value is NULL; `\\:` is a colon within one."""
    parts = [""]
    for unit in _UNIT.findall(given):
        if unit == ":":
            parts.append("")
        else:
            parts[-1] += unit[-1]
    name, *values = parts
    if not name or not values:
        raise BadInput("explain.cell", given=given, example=example)
    return name, tuple(value or None for value in values)


def format_cell(table: str, key: Iterable[str | None]) -> str:
    """A cell as `parse_cell` reads it."""
    return ":".join([table, *((value or "").replace("\\", "\\\\").replace(":", "\\:") for value in key)])
