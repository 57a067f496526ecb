"""How cells of our workbooks look, and how text gets into a cell as text. No layout, no files."""

from __future__ import annotations

import re
from typing import Any
from weakref import WeakKeyDictionary

from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side

_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_LINE = Side(style="thin", color="DEE0E3")
_BORDER = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_WRAPPED = Alignment(vertical="top", wrap_text=True)
_FONT = "Microsoft YaHei"

INK = Font(name=_FONT, size=10, color="1F2329")
TITLE = Font(name=_FONT, size=14, bold=True, color="1F2329")
STRONG = Font(name=_FONT, size=10, bold=True, color="1F2329")
SEVERITY_FONTS = {
    "阻断": Font(name=_FONT, size=10, bold=True, color="C3342B"),
    "需签报说明": Font(name=_FONT, size=10, color="B25E00"),
    "提示": Font(name=_FONT, size=10, color="3A6EA5"),
}
HEADER_FILL = PatternFill("solid", start_color="E8EEF9")
OFFENDING_FILL = PatternFill("solid", start_color="FBE6E4")
ANSWER_FILL = PatternFill("solid", start_color="FFF8DB")


_COMBINATIONS: WeakKeyDictionary[Any, dict[tuple[int, int, bool, bool], Any]] = WeakKeyDictionary()


def text_cell(
    sheet: Any,
    text: str,
    *,
    font: Font = INK,
    fill: PatternFill | None = None,
    locked: bool = True,
    framed: bool = True,
) -> Any:
    """A cell that holds `text` as text, whatever it begins with: never a formula, an error or a number."""
    cell = WriteOnlyCell(sheet)
    cell.value = _ESCAPE.sub(r"_x005F_x\1_", text)  # what looks like OOXML's own escape is text
    cell.data_type = "s"
    # Setting a style part by part costs 0.4 ms a cell; the combination is made once a workbook and then shared.
    known = _COMBINATIONS.setdefault(sheet.parent, {})
    combination = (id(font), id(fill), locked, framed)
    if combination not in known:
        cell.font = font
        cell.alignment = _WRAPPED
        cell.number_format = "@"
        cell.quotePrefix = True  # stays text even when a person edits a value that begins with = + - @
        cell.protection = Protection(locked=locked)
        if framed:
            cell.border = _BORDER
        if fill is not None:
            cell.fill = fill
        known[combination] = cell._style
    cell._style = known[combination]
    return cell


def count_cell(sheet: Any, count: int) -> Any:
    """A cell that holds a whole number."""
    cell = WriteOnlyCell(sheet, value=count)
    cell.font, cell.border, cell.number_format = INK, _BORDER, "#,##0"
    cell.alignment = Alignment(vertical="top")
    return cell
