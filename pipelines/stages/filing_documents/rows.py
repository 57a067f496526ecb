"""A workbook of one sheet of rows as text, for documents that people filter and read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pipelines.stages.cell_text import cell_text
from pipelines.stages.workbooks.sealed_book import sealed_book


def write_rows(
    path: Path,
    title: str,
    headers: Sequence[str],
    rows: Iterable[Sequence[str | None]],
    *,
    widths: Sequence[int],
    more: str = "",
) -> None:
    """Write a title, a header and the rows; `more` is a last line that says what is left out."""
    with sealed_book(path) as book:
        sheet = book.add_sheet(cell_text(title)[:31], widths, frozen=(2, 0))
        book.put(sheet, 0, 0, cell_text(title), book.look("title", framed=False))
        book.put_row(
            sheet, 1, [*map(cell_text, headers)], [book.look("strong", fill="header")] * len(headers)
        )
        last, looks = 1, [book.look()] * len(headers)
        for last, row in enumerate(rows, 2):
            book.put_row(sheet, last, [cell_text(cell) for cell in row], looks)
        if more:
            book.put(sheet, last + 1, 0, cell_text(more), book.look("strong", framed=False))
        sheet.autofilter(1, 0, max(last, 1), len(headers) - 1)
