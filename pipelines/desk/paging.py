"""A long list in pages. What is listed, and in which order, is each page's matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

PAGE_ROWS = 100
_LONGEST = 7
T = TypeVar("T")


@dataclass(frozen=True)
class Paged(Generic[T]):
    """The rows of one page, counted from 1, of `count` in all; `query` is what else the address says."""

    rows: tuple[T, ...]
    page: int
    pages: int
    count: int
    query: str

    def address(self, page: int) -> str:
        """The query of another page."""
        return f"{self.query}&page={page}" if self.query else f"page={page}"


def paged(request: Request, rows: Sequence[T]) -> Paged[T]:
    """The page that the address asks for (`?page=`); the nearest one where there is none such."""
    asked = request.query_params.get("page", "1")
    pages = max(1, -(-len(rows) // PAGE_ROWS))
    is_number = asked.isascii() and asked.isdigit() and len(asked) < _LONGEST
    page = min(max(int(asked), 1), pages) if is_number else 1
    kept = [
        (name, value) for name, value in request.query_params.multi_items() if name not in ("page", "done")
    ]
    shown = tuple(rows[(page - 1) * PAGE_ROWS : page * PAGE_ROWS])
    return Paged(shown, page, pages, len(rows), urlencode(kept))
