"""Where everything stands in a branch workbook: sheets, headers, and the text of every locked cell.

Writing fills these cells and reading compares with them, so both sides ask here and nothing is defined twice.
No styles, no files.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from pipelines.stages.canonical import canonical_json
from pipelines.stages.cell_text import CONTROL, cell_text, cut_text
from pipelines.stages.workbooks.model import SEVERITY_WORDS, Problem, WorkbookIdentity

FORMAT = "baosong.branch_workbook/2"
GUIDE, SUMMARY, META = "说明", "汇总", "_meta"
FINDING, HANDLING, NEW_VALUE, REASON = "问题编号", "处理方式", "更正值", "原因说明"
ANSWER_COLUMNS = (HANDLING, NEW_VALUE, REASON)
REMARK = "退回说明"
"""The last column: locked, empty when a workbook goes out, and whatever it says is not compared when it comes back."""
ROWS_PER_SHEET = 50_000
META_NAMES = ("format", *(field.name for field in fields(WorkbookIdentity)), "problems", "sha256")
"""The lines of `_meta` that every workbook has."""

_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\'\s]")


@dataclass(frozen=True)
class TableSheet:
    """One sheet of problems: name, header, and the locked cells of each problem in the header's order."""

    name: str
    headers: tuple[str, ...]
    problems: tuple[Problem, ...]
    locked: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Layout:
    """A whole branch workbook as text."""

    guide: tuple[tuple[str, str], ...]
    summary: tuple[tuple[str, ...], ...]
    tables: tuple[TableSheet, ...]
    meta: tuple[tuple[str, str], ...]


def lay_out(identity: WorkbookIdentity, problems: Sequence[Problem]) -> Layout:
    """The cells of the workbook of `identity`. Findings of one key are one line: one answer serves all."""
    distinct = order_problems(problems)
    tables = _table_sheets(distinct)
    guide = _guide(identity, len(distinct))
    summary = _summary(distinct)
    facts = {name: str(value) for name, value in asdict(identity).items()}
    facts["answer_by"] = identity.answer_by.isoformat()
    digest = _digest([FORMAT, facts, guide, summary], tables)
    values = (FORMAT, *facts.values(), str(len(distinct)), digest)
    meta = tuple((name, cell_text(value)) for name, value in zip(META_NAMES, values, strict=True))
    return Layout(guide=guide, summary=summary, tables=tables, meta=meta)


def order_problems(problems: Sequence[Problem]) -> list[Problem]:
    """Each finding once, table by table as they first appear, within a table by rule, key and field."""
    distinct = {problem.finding: problem for problem in reversed(problems)}
    places = {table: n for n, table in enumerate(dict.fromkeys(problem.table for problem in problems))}
    return sorted(distinct.values(), key=lambda p: (places[p.table], p.rule, p.key, p.field, p.finding))


def _digest(head: list[Any], tables: Sequence[TableSheet]) -> str:
    """SHA-256 of every locked cell, a line of JSON for each row, so that no copy of all cells is held."""
    running = hashlib.sha256(canonical_json(head).encode())
    for table in tables:
        running.update(b"\n" + canonical_json([table.name, table.headers, len(table.locked)]).encode())
        for row in table.locked:
            running.update(b"\n" + canonical_json(row).encode())
    return running.hexdigest()


def _table_sheets(problems: Sequence[Problem]) -> tuple[TableSheet, ...]:
    grouped: dict[str, list[Problem]] = {}
    for problem in problems:
        grouped.setdefault(problem.table, []).append(problem)
    sheets: list[TableSheet] = []
    taken = {GUIDE, SUMMARY, META}
    for table, members in grouped.items():
        names = tuple(dict.fromkeys(name for problem in members for name, _ in problem.key))
        headers = (
            FINDING,
            "规则说明",
            "规则编号",
            "严重程度",
            *(cell_text(f"主键 {name}") for name in names),
        )
        headers += ("字段", "当前值", "应为", "差异", *ANSWER_COLUMNS, REMARK)
        for start in range(0, len(members), ROWS_PER_SHEET):
            part = tuple(members[start : start + ROWS_PER_SHEET])
            locked = tuple(_locked(problem, names) for problem in part)
            sheets.append(
                TableSheet(_sheet_name(table, members[0].table_title, taken), headers, part, locked)
            )
    return tuple(sheets)


def _locked(problem: Problem, key_names: Sequence[str]) -> tuple[str, ...]:
    key = dict(problem.key)
    field = (
        f"{problem.field_title} {problem.field}" if problem.field_title != problem.field else problem.field
    )
    cells = (
        problem.finding,
        problem.message,
        problem.rule,
        SEVERITY_WORDS.get(problem.severity, problem.severity),
        *(key.get(name) for name in key_names),
        field,
        problem.value,
        problem.expected,
        problem.difference,
    )
    return tuple(cell_text(cell) for cell in cells)


def _sheet_name(table: str, title: str, taken: set[str]) -> str:
    """Code and title within Excel's 31 characters, unique whatever the case; later parts are numbered."""
    full = _NOT_IN_SHEET_NAMES.sub(" ", CONTROL.sub(" ", f"{table} {title}")).strip() or "表"
    part, suffix = 1, ""
    while (name := cut_text(full, 31 - len(suffix)).rstrip() + suffix).casefold() in taken:
        part += 1
        suffix = f" ({part})"
    taken.add(name.casefold())
    return name


def _guide(identity: WorkbookIdentity, count: int) -> tuple[tuple[str, str], ...]:
    department = f"{identity.department_name}（{identity.department}）" if identity.department else ""
    lines = (
        ("报送问题数据反馈表", ""),
        ("这是什么", "本工作簿列出贵机构在本次报送中未通过校验的数据，请逐条说明如何处理。"),
        ("报送任务", identity.filing),
        ("提取轮次", f"第 {identity.round} 轮"),
        ("机构", f"{identity.organisation_name}（{identity.organisation}）"),
        *((("责任部门", department),) if department else ()),
        ("文件", f"第 {identity.part} 部分，共 {identity.parts} 部分"),
        ("签报编号", identity.sign_off),
        ("问题条数", f"{count} 条"),
        ("反馈截止", f"{_due(identity.answer_by)}前交回"),
        ("怎样填写", "在各表的黄色单元格内填写“处理方式”“更正值”“原因说明”，其余单元格已锁定，请勿改动。"),
        ("源头修正", "由贵机构在核心系统中改正数据，下一轮提取时应已改正；“更正值”可不填。"),
        ("报表更正", "只更正报表上的这个值：必须填写“更正值”和“原因说明”，系统将同时发起改库签报。"),
        ("情况说明", "数据无误或无法更改：必须填写“原因说明”，随签报一并报批；“更正值”留空。"),
        (
            "退回说明",
            "最后一列平时为空。工作簿被退回时，橙色的行须改正，该列写明原因；改正后请把整份工作簿重新交回。",
        ),
        (
            "注意",
            "请勿增删行、移动列、改工作表名称；证件号、代码、日期按文本填写；请勿填写公式。",
        ),
        ("交回", "保存为 .xlsx 交回，文件名不限。暂不能答复的问题可以留空，稍后再交。"),
    )
    return tuple((cell_text(name), cell_text(text)) for name, text in lines)


def _due(answer_by: date) -> str:
    """A day ends with the working hours; a day and a time are said to the minute."""
    if isinstance(answer_by, datetime):
        return answer_by.strftime("%Y-%m-%d %H:%M ")
    return f"{answer_by.isoformat()} 下班"


def _summary(problems: Sequence[Problem]) -> tuple[tuple[str, ...], ...]:
    counts = Counter((p.table, p.table_title, p.rule, p.message, p.severity) for p in problems)
    rows = [("规则说明", "规则编号", "严重程度", "表", "问题条数")]
    for (table, title, rule, message, severity), count in sorted(counts.items()):
        words = SEVERITY_WORDS.get(severity, severity)
        rows.append((cell_text(message), cell_text(rule), words, cell_text(f"{title} {table}"), str(count)))
    rows.append(("合计", "", "", "", str(len(problems))))
    return tuple(rows)
