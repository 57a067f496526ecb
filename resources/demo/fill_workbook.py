"""A simulated person fills a branch workbook in, as one would in Excel: finds the columns by their headers, types, saves.

It knows the words on the sheets and nothing of the product; which answers are given is the demo's affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

FINDING = "问题编号"
ANSWERS = ("处理方式", "更正值", "原因说明")


def fill_answers(path_in: Path, path_out: Path, answers: Mapping[str, tuple[str, str, str]]) -> int:
    """Write (处理方式, 更正值, 原因说明) beside each finding of `answers` and save; returns how many were found.

    An empty text leaves its cell empty. The input file stays as it is.
    """
    workbook = load_workbook(path_in)
    filled = 0
    for sheet in workbook.worksheets:
        columns = {str(cell.value): cell.column for cell in _rows(sheet)[0]} if sheet.max_row else {}
        if sheet.sheet_state != "visible" or FINDING not in columns:
            continue
        for row in _rows(sheet)[1:]:
            answer = answers.get(str(row[columns[FINDING] - 1].value))
            if answer is None:
                continue
            filled += 1
            for header, text in zip(ANSWERS, answer, strict=True):
                cell = row[columns[header] - 1]
                cell.value = text or None
                if text:
                    cell.data_type = "s"  # typed into a cell formatted as text
    workbook.save(path_out)
    return filled


def read_findings(path: Path) -> list[dict[str, str]]:
    """Every line of every table sheet by header, as the person sees it; `sheet` names where."""
    found: list[dict[str, str]] = []
    for sheet in load_workbook(path).worksheets:
        header, *rows = _rows(sheet) or [()]
        names = [str(cell.value) for cell in header]
        if sheet.sheet_state == "visible" and FINDING in names:
            for row in rows:
                cells = ("" if cell.value is None else str(cell.value) for cell in row)
                found.append({"sheet": sheet.title, **dict(zip(names, cells, strict=True))})
    return found


def _rows(sheet: Any) -> list[tuple[Any, ...]]:
    return list(sheet.iter_rows())
