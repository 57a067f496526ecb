"""The problem-data list (问题数据清单) of all organisations. Nobody answers in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.stages.cell_text import cell_text
from pipelines.stages.workbooks.model import SEVERITY_WORDS, Problem
from pipelines.stages.workbooks.sealed_book import SEVERITY_FONTS, Book, sealed_book

_DETAIL = (
    "机构",
    "责任部门",
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
_DETAIL_WIDTHS = (20, 16, 36, 9, 11, 22, 34, 20, 22, 22, 14, 34)
_SEVERITY_ORDER = {"block": 0, "explain": 1, "note": 2}
SHEET_ROWS = 1_000_000
"""Excel holds 1,048,576."""


Rules = Mapping[tuple[int, str, str, str], Sequence[tuple[str, Problem]]]


def write_problem_list(
    path: Path,
    title: str,
    problems: Mapping[str, Sequence[Problem]],
    *,
    names: Mapping[str, str] | None = None,
    departments: Mapping[str, str] | None = None,
    details_per_rule: int = 10_000,
) -> int:
    """Write all problems, grouped by rule, with true counts per organisation; returns the number of problems.

    `problems` by organisation code, `names` the organisations' names, `departments` the name of the department that
    answers for a finding, where its problem does not name one. A rule with more than `details_per_rule` problems
    shows that many lines and says how many more there are. The same input gives the same bytes.
    """
    known = names or {}
    organisations = {code: f"{known[code]} {code}" if code in known else code for code in sorted(problems)}
    rules: dict[tuple[int, str, str, str], list[tuple[str, Problem]]] = {}
    for code in organisations:
        for problem in problems[code]:
            order = (_SEVERITY_ORDER.get(problem.severity, 3), problem.rule, problem.table, problem.message)
            rules.setdefault(order, []).append((code, problem))
    ordered = dict(sorted(rules.items()))
    with sealed_book(path) as book:
        _write_counts(book, title, organisations, ordered)
        _write_details(book, organisations, departments or {}, ordered, details_per_rule)
    return sum(len(found) for found in ordered.values())


def _write_counts(book: Book, title: str, organisations: Mapping[str, str], rules: Rules) -> None:
    widths = (50, 10, 12, 26, 12, *(12 for _ in organisations))
    sheet = book.add_sheet("汇总", widths, frozen=(2, 0))
    headers = ("规则说明", "规则编号", "严重程度", "表", "合计", *organisations.values())
    strong, ink, number = book.look("strong"), book.look(), book.count_look()
    book.put(sheet, 0, 0, cell_text(title), book.look("title", framed=False))
    book.put_row(sheet, 1, [*map(cell_text, headers)], [book.look("strong", fill="header")] * len(headers))
    totals: Counter[str] = Counter()
    row = 2
    for row, ((_, rule, table, message), found) in enumerate(rules.items(), 2):
        counts = Counter(code for code, _ in found)
        totals.update(counts)
        first = found[0][1]
        words = SEVERITY_WORDS.get(first.severity, first.severity)
        texts = map(cell_text, (message, rule, words, f"{first.table_title} {table}"))
        numbers = [len(found), *(counts[code] for code in organisations)]
        looks = [ink, ink, book.look(SEVERITY_FONTS.get(words, "ink")), ink, *[number] * len(numbers)]
        book.put_row(sheet, row, [*texts, *numbers], looks)
    all_counts = [sum(totals.values()), *(totals[code] for code in organisations)]
    looks = [*[strong] * 4, *[number] * len(all_counts)]
    book.put_row(sheet, row + bool(rules), ["合计", "", "", "", *all_counts], looks)


def _write_details(
    book: Book,
    organisations: Mapping[str, str],
    departments: Mapping[str, str],
    rules: Rules,
    details_per_rule: int,
) -> None:
    sheet: Any = None
    rows = parts = 0
    offending, severity = _DETAIL.index("当前值"), _DETAIL.index("严重程度")
    looks = [book.look()] * len(_DETAIL)
    looks[offending] = book.look(fill="offending")
    for found in rules.values():
        shown = sorted(found, key=lambda entry: (entry[0], entry[1].key, entry[1].field, entry[1].finding))
        lines = [
            _detail(organisations[code], departments.get(problem.finding, ""), problem)
            for code, problem in shown[:details_per_rule]
        ]
        if len(found) > details_per_rule:
            rest = len(found) - details_per_rule
            more = f"本规则共 {len(found)} 条，此处列出 {details_per_rule} 条，其余 {rest} 条见各机构工作簿。"
            lines.append(("", "", more, found[0][1].rule))
        for line in lines:
            if sheet is None or rows > SHEET_ROWS:
                parts, rows = parts + 1, 1
                sheet = _detail_sheet(book, "明细" if parts == 1 else f"明细 ({parts})")
            texts = [cell_text(text) for text in line]
            if len(texts) > severity:
                looks[severity] = book.look(SEVERITY_FONTS.get(texts[severity], "ink"))
            book.put_row(sheet, rows, texts, looks[: len(texts)])
            rows += 1


def _detail_sheet(book: Book, name: str) -> Any:
    sheet = book.add_sheet(name, _DETAIL_WIDTHS, frozen=(1, 0))
    book.put_row(sheet, 0, _DETAIL, [book.look("strong", fill="header")] * len(_DETAIL))
    return sheet


def _detail(organisation: str, department: str, problem: Problem) -> tuple[str | None, ...]:
    return (
        organisation,
        problem.department or department,
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
