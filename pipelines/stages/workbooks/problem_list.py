"""The problem-data list (问题数据清单) of all organisations. Nobody answers in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from pipelines.stages.cell_text import cell_text
from pipelines.stages.workbooks.model import SEVERITY_WORDS, Problem
from pipelines.stages.workbooks.sealed_save import save_sealed
from pipelines.stages.workbooks.styling import (
    HEADER_FILL,
    INK,
    OFFENDING_FILL,
    SEVERITY_FONTS,
    STRONG,
    TITLE,
    count_cell,
    text_cell,
)

_DETAIL = (
    "机构",
    "规则说明",
    "规则编号",
    "严重程度",
    "表",
    "主键",
    "字段",
    "当前值",
    "应为",
    "差异",
    "问题编号",
)
_DETAIL_WIDTHS = (20, 36, 9, 11, 22, 34, 20, 22, 22, 14, 34)
_SEVERITY_ORDER = {"block": 0, "explain": 1, "note": 2}
SHEET_ROWS = 1_000_000
"""Excel holds 1,048,576."""


def write_problem_list(
    path: Path,
    title: str,
    problems: Mapping[str, Sequence[Problem]],
    *,
    names: Mapping[str, str] | None = None,
    details_per_rule: int = 10_000,
) -> int:
    """Write all problems, grouped by rule, with true counts per organisation; returns the number of problems.

    `problems` by organisation code, `names` the organisations' names. A rule with more than
    `details_per_rule` problems shows that many lines and says how many more there are.
    The same input gives the same bytes.
    """
    known = names or {}
    organisations = {code: f"{known[code]} {code}" if code in known else code for code in sorted(problems)}
    workbook = Workbook(write_only=True)
    rules: dict[tuple[int, str, str, str], list[tuple[str, Problem]]] = {}
    for code in organisations:
        for problem in problems[code]:
            order = (_SEVERITY_ORDER.get(problem.severity, 3), problem.rule, problem.table, problem.message)
            rules.setdefault(order, []).append((code, problem))
    ordered = dict(sorted(rules.items()))
    _write_counts(workbook, title, organisations, ordered)
    _write_details(workbook, organisations, ordered, details_per_rule)
    save_sealed(workbook, path)
    return sum(len(found) for found in ordered.values())


def _write_counts(
    workbook: Workbook,
    title: str,
    organisations: Mapping[str, str],
    rules: Mapping[tuple[int, str, str, str], Sequence[tuple[str, Problem]]],
) -> None:
    sheet: Any = workbook.create_sheet("汇总")
    headers = ("规则说明", "规则编号", "严重程度", "表", "合计", *organisations.values())
    for number in range(1, len(headers) + 1):
        sheet.column_dimensions[get_column_letter(number)].width = (
            (50, 10, 12, 26)[number - 1] if number < 5 else 12
        )
    sheet.freeze_panes = "A3"
    sheet.append([text_cell(sheet, cell_text(title), font=TITLE, framed=False)])
    sheet.append([text_cell(sheet, cell_text(name), font=STRONG, fill=HEADER_FILL) for name in headers])
    totals: Counter[str] = Counter()
    for (_, rule, table, message), found in rules.items():
        counts = Counter(code for code, _ in found)
        totals.update(counts)
        first = found[0][1]
        words = SEVERITY_WORDS.get(first.severity, first.severity)
        cells = [text_cell(sheet, cell_text(text)) for text in (message, rule)]
        cells.append(text_cell(sheet, words, font=SEVERITY_FONTS.get(words, INK)))
        cells.append(text_cell(sheet, cell_text(f"{first.table_title} {table}")))
        sheet.append(
            [*cells, *(count_cell(sheet, n) for n in (len(found), *(counts[c] for c in organisations)))]
        )
    words_of_total = [text_cell(sheet, text, font=STRONG) for text in ("合计", "", "", "")]
    all_counts = (sum(totals.values()), *(totals[code] for code in organisations))
    sheet.append([*words_of_total, *(count_cell(sheet, n) for n in all_counts)])


def _write_details(
    workbook: Workbook,
    organisations: Mapping[str, str],
    rules: Mapping[tuple[int, str, str, str], Sequence[tuple[str, Problem]]],
    details_per_rule: int,
) -> None:
    sheet: Any = None
    rows = parts = 0
    for found in rules.values():
        shown = sorted(found, key=lambda entry: (entry[0], entry[1].key, entry[1].field, entry[1].finding))
        lines = [_detail(organisations[code], problem) for code, problem in shown[:details_per_rule]]
        if len(found) > details_per_rule:
            rest = len(found) - details_per_rule
            more = f"本规则共 {len(found)} 条，此处列出 {details_per_rule} 条，其余 {rest} 条见各机构工作簿。"
            lines.append(("", more, found[0][1].rule))
        for line in lines:
            if sheet is None or rows >= SHEET_ROWS:
                parts, rows = parts + 1, 0
                sheet = _detail_sheet(workbook, "明细" if parts == 1 else f"明细 ({parts})")
            sheet.append(
                [
                    text_cell(
                        sheet,
                        cell_text(text),
                        font=SEVERITY_FONTS.get(text or "", INK) if number == 3 else INK,
                        fill=OFFENDING_FILL if number == 7 else None,
                    )
                    for number, text in enumerate(line)
                ]
            )
            rows += 1


def _detail_sheet(workbook: Workbook, name: str) -> Any:
    sheet: Any = workbook.create_sheet(name)
    for number, width in enumerate(_DETAIL_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.freeze_panes = "A2"
    sheet.append([text_cell(sheet, title, font=STRONG, fill=HEADER_FILL) for title in _DETAIL])
    return sheet


def _detail(organisation: str, problem: Problem) -> tuple[str | None, ...]:
    return (
        organisation,
        problem.message,
        problem.rule,
        SEVERITY_WORDS.get(problem.severity, problem.severity),
        f"{problem.table_title} {problem.table}",
        "；".join(f"{name}={value}" for name, value in problem.key),
        f"{problem.field_title} {problem.field}" if problem.field_title != problem.field else problem.field,
        problem.value,
        problem.expected,
        problem.difference,
        problem.finding,
    )
