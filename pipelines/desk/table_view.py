"""How a person likes tables: closer or wider lines, and which columns of the findings browser. Kept in the browser, obeyed here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

from starlette.requests import Request

Density = Literal["normal", "compact"]
TABLE_COOKIE = "baosong_table"
COLUMNS = ("severity", "table", "key", "field", "value", "expected", "branch", "state", "answer", "due")
"""What may be left out of the findings browser; the problem itself always stands there."""


@dataclass(frozen=True)
class TableView:
    """`hidden` names the columns that are left out: a new column is seen by everybody."""

    density: Density = "normal"
    hidden: frozenset[str] = field(default_factory=frozenset[str])

    def shows(self, column: str) -> bool:
        return column not in self.hidden

    @property
    def cookie(self) -> str:
        """As the browser keeps it: `compact.key.due`."""
        return ".".join((self.density, *(name for name in COLUMNS if name in self.hidden)))


def chosen_view(density: str, columns: Iterable[str]) -> TableView:
    """What a form asks for; what it does not know is left out."""
    shown = frozenset(columns)
    return TableView(_density(density), frozenset(name for name in COLUMNS if name not in shown))


def table_view(request: Request) -> TableView:
    """What this browser keeps; the usual for one that keeps nothing, or nonsense."""
    density, *hidden = request.cookies.get(TABLE_COOKIE, "").split(".")
    return TableView(_density(density), frozenset(hidden) & frozenset(COLUMNS))


def _density(given: str) -> Density:
    return next((each for each in get_args(Density) if each == given), "normal")
