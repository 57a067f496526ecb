"""A sheet of xlsxwriter, in constant memory, that holds every text as that text. No layout, no looks, no files."""

from __future__ import annotations

import re
from typing import Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import CellStringTuple, Worksheet

_MARKUP = re.compile("[&<>_]")
_ESCAPE = re.compile("(_x[0-9A-Fa-f]{4}_)")  # what looks like OOXML's escape of a character and is none


class PlainSheet(Worksheet):
    """A sheet in which every text stays text. xlsxwriter itself takes what looks like its own markup for markup
    (`<r>…</r>`), and its way to a cell, made for cells of every kind, takes twice as long.
    """

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        if not isinstance(cell, CellStringTuple):
            super()._write_cell(row, col, cell)
            return
        text: str = cell.string
        if _MARKUP.search(text):
            text = _ESCAPE.sub(r"_x005F\1", text)
            text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        space = ' xml:space="preserve"' if text[0] in " \n\t" or text[-1] in " \n\t" else ""
        style: int = cell.format._get_xf_index() if cell.format else 0
        name = f"{xl_col_to_name(col)}{row + 1}"
        self.fh.write(f'<c r="{name}" s="{style}" t="inlineStr"><is><t{space}>{text}</t></is></c>')
