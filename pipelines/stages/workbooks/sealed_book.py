"""A workbook being written, row by row in constant memory, with bytes that depend on its cells alone.

How cells look and how text gets into a cell as text stand here; what is written where does not. xlsxwriter gives every
part of the zip the same time; the properties' time is fixed here.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_rowcol_to_cell

from pipelines.errors import BadInput
from pipelines.stages.canonical import sync_folder
from pipelines.stages.leftovers import clear_leftovers, draft_name
from pipelines.stages.plain_sheet import PlainSheet

Font = Literal["ink", "title", "strong", "block", "explain", "note"]
Fill = Literal["header", "offending", "answer", "returned"]

_FONTS: Mapping[Font, Mapping[str, Any]] = {
    "ink": {},
    "title": {"font_size": 14, "bold": True},
    "strong": {"bold": True},
    "block": {"bold": True, "font_color": "#C3342B"},
    "explain": {"font_color": "#B25E00"},
    "note": {"font_color": "#3A6EA5"},
}
_FILLS: Mapping[Fill, str] = {
    "header": "#E8EEF9",
    "offending": "#FBE6E4",
    "answer": "#FFF8DB",
    "returned": "#FFD9A8",
}
_TEXT: Mapping[str, Any] = {
    "font_name": "Microsoft YaHei",
    "font_size": 10,
    "font_color": "#1F2329",
    "valign": "top",
    "text_wrap": True,
}
_FRAME: Mapping[str, Any] = {"border": 1, "border_color": "#DEE0E3"}
SEVERITY_FONTS: Mapping[str, Font] = {"阻断": "block", "需签报说明": "explain", "提示": "note"}


class _LockedWorkbook(Workbook):
    """xlsxwriter has no protection of a workbook's structure; it stands after `workbookPr` (ECMA-376 part 1, §18.2.27)."""

    is_locked = False

    def _write_workbook_pr(self) -> None:
        super()._write_workbook_pr()
        if self.is_locked:
            self._xml_empty_tag("workbookProtection", [("lockStructure", 1)])


class Book:
    """A workbook whose sheets are filled from top to bottom: what is above cannot be touched again."""

    def __init__(self, workbook: _LockedWorkbook) -> None:
        self._workbook = workbook
        self._formats: dict[object, Any] = {}

    def lock_structure(self) -> None:
        """Sheets can be neither renamed, moved, added nor removed."""
        self._workbook.is_locked = True

    def add_sheet(self, name: str, widths: Sequence[int], *, frozen: tuple[int, int] = (0, 0)) -> Any:
        """An empty sheet, widths in characters, with so many frozen rows and columns."""
        sheet = self._workbook.add_worksheet(name, PlainSheet)
        for number, width in enumerate(widths):
            require_written(sheet.set_column(number, number, width), sheet, 0, number)
        if frozen != (0, 0):
            sheet.freeze_panes(*frozen)
        return sheet

    def look(
        self, font: Font = "ink", *, fill: Fill | None = None, locked: bool = True, framed: bool = True
    ) -> Any:
        """How a cell of text looks; it stays text even when a person edits a value that begins with = + - @."""
        known = (font, fill, locked, framed)
        if known not in self._formats:
            facts = {**_TEXT, **_FONTS[font], "num_format": "@", "quote_prefix": True, "locked": locked}
            facts |= _FRAME if framed else {}
            facts |= {"bg_color": _FILLS[fill]} if fill else {}
            self._formats[known] = self._workbook.add_format(facts)
        return self._formats[known]

    def count_look(self) -> Any:
        """How a whole number looks."""
        if "count" not in self._formats:
            facts = {**_TEXT, **_FRAME, "text_wrap": False, "num_format": "#,##0"}
            self._formats["count"] = self._workbook.add_format(facts)
        return self._formats["count"]

    def typed_look(self, number_format: str) -> Any:
        """How a cell looks that people type into: a format of Excel's, nothing else."""
        if number_format not in self._formats:
            self._formats[number_format] = self._workbook.add_format({"num_format": number_format})
        return self._formats[number_format]

    def put(self, sheet: Any, row: int, column: int, content: str | int, look: Any) -> None:
        """Fill one cell, counted from 0. Raises BadInput for what Excel cannot hold, never cuts it."""
        if isinstance(content, int):
            code = sheet.write_number(row, column, content, look)
        elif content:
            code = sheet.write_string(row, column, content, look)
        else:
            code = sheet.write_blank(row, column, None, look)
        require_written(code, sheet, row, column)

    def put_row(self, sheet: Any, row: int, contents: Sequence[str | int], looks: Sequence[Any]) -> None:
        """Fill a row from its first cell on."""
        for column, (content, look) in enumerate(zip(contents, looks, strict=True)):
            self.put(sheet, row, column, content, look)


def require_written(code: int | None, sheet: Any, row: int, column: int) -> None:
    """xlsxwriter raises nothing for a cell outside the sheet or an overlong text: it returns a negative number."""
    if code:
        cell = xl_rowcol_to_cell(row, column)
        raise BadInput("workbooks.not_written", sheet=sheet.get_name(), cell=cell, code=code)


@contextmanager
def sealed_book(path: Path) -> Generator[Book]:
    """Write the workbook at `path`, whole and durably or not at all. What lies half-written is readable by nobody else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    clear_leftovers(path.parent)
    with tempfile.TemporaryDirectory(prefix=draft_name("book-"), dir=path.parent) as folder:
        written = Path(folder) / "book.xlsx"
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
            "tmpdir": folder,
        }
        workbook = _LockedWorkbook(str(written), options)
        workbook.set_properties({"author": "Baosong", "created": datetime(1980, 1, 1)})  # noqa: DTZ001 (OOXML's times are naive UTC)
        try:
            yield Book(workbook)
        finally:
            workbook.close()
        with written.open("rb") as file:
            os.fsync(file.fileno())
        written.replace(path)
    sync_folder(path.parent)
