"""Writing one organisation's workbook of problem data. What stands where is `layout`'s affair."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.workbook.protection import WorkbookProtection
from openpyxl.worksheet.datavalidation import DataValidation

from pipelines.stages.workbooks.layout import (
    ANSWER_COLUMNS,
    GUIDE,
    HANDLING,
    META,
    SUMMARY,
    Layout,
    TableSheet,
    handling_list,
    lay_out,
)
from pipelines.stages.workbooks.model import Problem, WorkbookIdentity
from pipelines.stages.workbooks.sealed_save import save_sealed
from pipelines.stages.workbooks.styling import (
    ANSWER_FILL,
    HEADER_FILL,
    INK,
    OFFENDING_FILL,
    SEVERITY_FONTS,
    STRONG,
    TITLE,
    count_cell,
    text_cell,
)

_WIDTHS = {
    "问题编号": 14,
    "规则说明": 36,
    "规则编号": 9,
    "严重程度": 11,
    "字段": 20,
    "差异": 14,
    "处理方式": 12,
    "更正值": 22,
    "原因说明": 40,
}


def write_branch_workbook(path: Path, identity: WorkbookIdentity, problems: Sequence[Problem]) -> int:
    """Write the workbook that asks `identity`'s organisation about `problems`; returns how many lines it has.

    The same identity and problems give the same bytes. Sheets: 说明, 汇总, one per table, and `_meta`.
    """
    layout = lay_out(identity, problems)
    workbook = Workbook(write_only=True)
    workbook.security = WorkbookProtection(lockStructure=True)
    _write_guide(workbook, layout)
    _write_summary(workbook, layout)
    for table in layout.tables:
        _write_table(workbook, table)
    meta = _sheet(workbook, META)
    meta.sheet_state = "veryHidden"
    for name, value in layout.meta:
        meta.append([text_cell(meta, name), text_cell(meta, value)])
    save_sealed(workbook, path)
    return sum(len(table.problems) for table in layout.tables)


def _sheet(workbook: Workbook, name: str) -> Any:
    sheet: Any = workbook.create_sheet(name)
    sheet.protection.sheet = True
    return sheet


def _write_guide(workbook: Workbook, layout: Layout) -> None:
    sheet = _sheet(workbook, GUIDE)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 24, 90
    (title, _), *lines = layout.guide
    sheet.append([text_cell(sheet, title, font=TITLE, framed=False)])
    for name, text in lines:
        sheet.append([text_cell(sheet, name, font=STRONG), text_cell(sheet, text)])


def _write_summary(workbook: Workbook, layout: Layout) -> None:
    sheet = _sheet(workbook, SUMMARY)
    for letter, width in zip("ABCDE", (50, 10, 12, 26, 10), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    header, *rows = layout.summary
    sheet.append([text_cell(sheet, name, font=STRONG, fill=HEADER_FILL) for name in header])
    for *words, count in rows:
        cells = [text_cell(sheet, word, font=SEVERITY_FONTS.get(word, INK)) for word in words]
        sheet.append([*cells, count_cell(sheet, int(count))])


def _write_table(workbook: Workbook, table: TableSheet) -> None:
    sheet = _sheet(workbook, table.name)
    for number, header in enumerate(table.headers, 1):
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTHS.get(header, 22)
    # In openpyxl False means "the protection does not forbid it".
    sheet.protection.autoFilter = sheet.protection.formatColumns = sheet.protection.formatRows = False
    sheet.freeze_panes = "B2"
    last = len(table.problems) + 1
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(table.headers))}{last}"
    _restrict_handling(sheet, table, last)
    sheet.append([text_cell(sheet, name, font=STRONG, fill=HEADER_FILL) for name in table.headers])
    offending = table.headers.index("当前值")
    for cells in table.locked:
        row = [
            text_cell(
                sheet,
                text,
                font=SEVERITY_FONTS.get(text, INK) if number == 3 else INK,
                fill=OFFENDING_FILL if number == offending else None,
            )
            for number, text in enumerate(cells)
        ]
        row += [text_cell(sheet, "", fill=ANSWER_FILL, locked=False) for _ in ANSWER_COLUMNS]
        sheet.append(row)


def _restrict_handling(sheet: Any, table: TableSheet, last: int) -> None:
    letter = get_column_letter(table.headers.index(HANDLING) + 1)
    choice = DataValidation(type="list", formula1=handling_list(), allow_blank=True, showErrorMessage=True)
    choice.errorTitle, choice.error = "处理方式", "请从列表中选择：源头修正、报表更正、情况说明"
    choice.promptTitle, choice.prompt = "处理方式", "从列表中选择"
    choice.showInputMessage = True
    choice.add(f"{letter}2:{letter}{max(last, 2)}")
    sheet.data_validations.append(choice)
