"""Writing one organisation's workbook of problem data, or writing it again to return it. What stands where is `layout`'s affair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.stages.cell_text import cell_text
from pipelines.stages.workbooks.identity_seal import sign
from pipelines.stages.workbooks.layout import (
    ANSWER_COLUMNS,
    GUIDE,
    HANDLING,
    META,
    SUMMARY,
    Layout,
    TableSheet,
    lay_out,
)
from pipelines.stages.workbooks.model import HANDLING_WORDS, GivenAnswer, Problem, WorkbookIdentity
from pipelines.stages.workbooks.sealed_book import SEVERITY_FONTS, Book, require_written, sealed_book

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
    "退回说明": 40,
}
_NOTHING = GivenAnswer()


def write_branch_workbook(
    path: Path,
    identity: WorkbookIdentity,
    problems: Sequence[Problem],
    *,
    key: bytes | None = None,
    given: Mapping[str, GivenAnswer] | None = None,
    remarks: Mapping[str, str] | None = None,
) -> int:
    """Write the workbook that asks `identity`'s organisation about `problems`; returns how many lines it has.

    With `key` its identity is signed. `given` and `remarks`, both by finding, make it a returned workbook: answers as
    they were given, and why a line came back; mended, it is read like the first one. The same arguments give the
    same bytes. Sheets: 说明, 汇总, one per table, and `_meta`. Raises BadInput for what no sheet can hold.
    """
    layout = lay_out(identity, problems)
    with sealed_book(path) as book:
        book.lock_structure()
        _write_guide(book, layout)
        _write_summary(book, layout)
        for table in layout.tables:
            _write_table(book, table, given or {}, remarks or {})
        meta = book.add_sheet(META, ())
        meta.protect()
        meta.very_hidden()
        look = book.look()
        for row, line in enumerate(sign(layout.meta, key)):
            book.put_row(meta, row, line, (look, look))
    return sum(len(table.problems) for table in layout.tables)


def _write_guide(book: Book, layout: Layout) -> None:
    sheet = book.add_sheet(GUIDE, (24, 90))
    sheet.protect()
    (title, _), *lines = layout.guide
    book.put(sheet, 0, 0, title, book.look("title", framed=False))
    looks = (book.look("strong"), book.look())
    for row, line in enumerate(lines, 1):
        book.put_row(sheet, row, line, looks)


def _write_summary(book: Book, layout: Layout) -> None:
    sheet = book.add_sheet(SUMMARY, (50, 10, 12, 26, 10), frozen=(1, 0))
    sheet.protect()
    header, *rows = layout.summary
    book.put_row(sheet, 0, header, [book.look("strong", fill="header")] * len(header))
    for row, (*words, count) in enumerate(rows, 1):
        looks = [book.look(SEVERITY_FONTS.get(word, "ink")) for word in words]
        book.put_row(sheet, row, [*words, int(count)], [*looks, book.count_look()])


def _write_table(
    book: Book, table: TableSheet, given: Mapping[str, GivenAnswer], remarks: Mapping[str, str]
) -> None:
    sheet = book.add_sheet(table.name, [_WIDTHS.get(name, 22) for name in table.headers], frozen=(1, 1))
    # What is named here stays possible in a protected sheet.
    sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})
    last = len(table.problems)
    sheet.autofilter(0, 0, last, len(table.headers) - 1)
    _restrict_handling(sheet, table, last)
    book.put_row(sheet, 0, table.headers, [book.look("strong", fill="header")] * len(table.headers))
    offending, severity = table.headers.index("当前值"), table.headers.index("严重程度")
    looks = [book.look()] * table.headers.index(HANDLING)
    looks[offending] = book.look(fill="offending")
    answer, returned = (
        [book.look(fill=fill, locked=False)] * len(ANSWER_COLUMNS) for fill in ("answer", "returned")
    )
    plain_remark, remark_look = book.look(), book.look(fill="returned")
    for row, (problem, cells) in enumerate(zip(table.problems, table.locked, strict=True), 1):
        looks[severity] = book.look(SEVERITY_FONTS.get(cells[severity], "ink"))
        said = given.get(problem.finding, _NOTHING)
        remark = cell_text(remarks.get(problem.finding))
        contents = [*cells, *map(cell_text, (said.handling, said.new_value, said.reason)), remark]
        ends = [*returned, remark_look] if remark else [*answer, plain_remark]
        book.put_row(sheet, row, contents, [*looks, *ends])


def _restrict_handling(sheet: Any, table: TableSheet, last: int) -> None:
    column = table.headers.index(HANDLING)
    choice = {
        "validate": "list",
        "source": list(HANDLING_WORDS),
        "error_title": "处理方式",
        "error_message": "请从列表中选择：源头修正、报表更正、情况说明",
        "input_title": "处理方式",
        "input_message": "从列表中选择",
    }
    require_written(sheet.data_validation(1, column, last, column, choice), sheet, 1, column)
