"""Findings as a workbook for people: true counts on the first sheet, then a sheet of findings for each table.

Text is written as text, whatever it begins with. A sheet holds what Excel can hold and says so where that is not all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import xlsxwriter

from pipelines.errors import LANGUAGE, text
from pipelines.stages.cell_text import cell_text
from pipelines.stages.plain_sheet import PlainSheet
from validations.engine import Judgement, Standard

SHEET_ROWS = 1_048_576 - 2
"""Findings on a sheet: one row is its header, the last is kept for the notice that there are more."""

SEVERITIES = ("block", "explain", "note")
_COLUMNS = (
    *("rule", "severity", "message", "key", "organisation", "field", "value"),
    *("expected", "difference", "row", "reason", "waiver", "finding"),
)
_WIDTHS = (9, 12, 36, 36, 12, 22, 24, 24, 14, 10, 24, 16, 36)
_BATCH_ROWS = 20_000


def write_workbook(standard: Standard, judgement: Judgement, target: Path, *, asked: str) -> int:
    """Write the workbook, whole or not at all; how many findings it could not hold. `asked` says what was judged."""
    temporary = target.with_name(f".tmp-{target.name}")
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
        "in_memory": False,
        "tmpdir": str(target.parent),
    }
    try:
        with xlsxwriter.Workbook(str(temporary), options) as workbook:
            writer = _Writer(workbook, standard)
            by_table = count_by_table(judgement.findings)
            writer.summary(judgement, by_table, asked)
            left_out = writer.findings(judgement.findings, by_table)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return left_out


def count_by_table(findings: Path) -> dict[str, int]:
    """All findings of each table, waived ones too."""
    counts: dict[str, int] = {}
    for batch in pq.ParquetFile(findings).iter_batches(columns=["table"]):
        for pair in batch.column(0).value_counts().to_pylist():
            counts[pair["values"]] = counts.get(pair["values"], 0) + pair["counts"]
    return dict(sorted(counts.items(), key=lambda pair: str(pair[0])))


class _Writer:
    """One workbook being written, row by row: what is above cannot be touched again."""

    def __init__(self, workbook: Any, standard: Standard) -> None:
        self.workbook, self.standard, self.language = workbook, standard, LANGUAGE.get()
        font = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "top"}
        self.plain = workbook.add_format({**font, "num_format": "@"})
        self.title = workbook.add_format({**font, "font_size": 14, "bold": True})
        self.strong = workbook.add_format({**font, "bold": True, "bg_color": "#E8EEF9", "num_format": "@"})
        self.number = workbook.add_format({**font, "num_format": "#,##0"})
        self.notice = workbook.add_format({**font, "bold": True, "font_color": "#C3342B", "num_format": "@"})

    def summary(self, judgement: Judgement, by_table: Mapping[str, int], asked: str) -> None:
        sheet = self.workbook.add_worksheet(text("validations.book.summary"), PlainSheet)
        sheet.set_column(0, 0, 14)
        sheet.set_column(1, 3, 12)
        sheet.set_column(4, 5, 60)
        standard = self.standard
        row = self.row(
            sheet, 0, [f"{standard.name} {standard.version} {self.said(standard.title)}"], self.title
        )
        row = self.row(sheet, row, [asked])
        total = text(
            "validations.book.total",
            total=f"{judgement.total:,}",
            waived=f"{sum(judgement.waived.values()):,}",
        )
        row = self.row(sheet, row, [total]) + 1
        row = self.row(sheet, row, self.words("severity", "count"), self.strong)
        for severity in SEVERITIES:
            row = self.row(sheet, row, [severity_word(severity), judgement.by_severity[severity]])
        row = self.row(sheet, row + 1, self.words("table", "rows", "findings"), self.strong)
        for name, rows in judgement.rows.items():
            row = self.row(sheet, row, [name, rows, by_table.get(name, 0)])
        row = self.row(
            sheet,
            row + 1,
            self.words("rule", "severity", "count", "waived", "message", "citation"),
            self.strong,
        )
        for severity in SEVERITIES:
            for rule_id, count in sorted(judgement.counts.items(), key=lambda pair: -pair[1]):
                rule = standard.rule(rule_id)
                if rule.severity == severity:
                    waived = judgement.waived.get(rule_id, 0)
                    cells = [
                        rule_id,
                        severity_word(severity),
                        count,
                        waived,
                        self.said(rule.message),
                        rule.citation,
                    ]
                    row = self.row(sheet, row, cells)
        if judgement.not_judged:
            row = self.row(sheet, row + 1, self.words("not_judged", "reason"), self.strong)
        for missing in judgement.not_judged:
            row = self.row(sheet, row, [missing.rule, str(missing)])

    def findings(self, findings: Path, by_table: Mapping[str, int]) -> int:
        sheets: dict[str, Any] = {}
        next_rows: dict[str, int] = {}
        for name in by_table:
            sheet = sheets[name] = self.workbook.add_worksheet((name or "-")[:31], PlainSheet)
            for number, width in enumerate(_WIDTHS):
                sheet.set_column(number, number, width)
            sheet.freeze_panes(1, 0)
            next_rows[name] = self.row(sheet, 0, self.words(*_COLUMNS), self.strong)
            held = min(by_table[name], SHEET_ROWS)
            sheet.autofilter(0, 0, held, len(_COLUMNS) - 1)
        for severity in SEVERITIES:  # the most important first
            for batch in pq.ParquetFile(findings).iter_batches(_BATCH_ROWS):
                for found in batch.to_pylist():
                    name = found["table"]
                    if found["severity"] == severity and next_rows[name] <= SHEET_ROWS:
                        next_rows[name] = self.row(sheets[name], next_rows[name], self.cells(found))
        left_out = 0
        for name, count in by_table.items():
            if count > SHEET_ROWS:
                left_out += count - SHEET_ROWS
                said = text("validations.book.more", total=f"{count:,}", shown=f"{SHEET_ROWS:,}")
                self.row(sheets[name], next_rows[name], [said], self.notice)
        return left_out

    def cells(self, found: dict[str, Any]) -> list[str | int | None]:
        rule = self.standard.rule(found["rule"])
        shown = {**found, "severity": severity_word(found["severity"]), "message": self.said(rule.message)}
        shown["row"] = None if found["row"] is None else found["row"] + 1
        if found["field"] and (table := self.standard.tables.get(found["table"])):
            titles = {declared.name: self.said(declared.title) for declared in table.fields}
            shown["field"] = f"{found['field']} {titles.get(found['field'], '')}".strip()
        return [shown.get(name) for name in _COLUMNS]

    def row(self, sheet: Any, number: int, cells: Sequence[str | int | None], style: Any = None) -> int:
        """Write a row; the number of the next. A cell that Excel cannot hold would be lost silently, so it is checked."""
        for column, cell in enumerate(cells):
            if cell is None:
                continue
            if isinstance(cell, int):
                done = sheet.write_number(number, column, cell, self.number)
            else:
                done = sheet.write_string(number, column, cell_text(cell), style or self.plain)
            if done != 0:
                raise AssertionError(f"cell {number}/{column} was not written: {done}")
        return number + 1

    def words(self, *names: str) -> list[str]:
        return [text(f"validations.book.{name}") for name in names]

    def said(self, title: Any) -> str:
        return str(getattr(title, self.language))


def severity_word(severity: str) -> str:
    """阻断, 需签报说明, 提示 in the language of the process."""
    return text(f"validations.severity.{severity}")
